"""The file that Sentinel and a run of the role share, each in its own part."""

from __future__ import annotations

from ansible_collections.trinitycore.mcp.plugins.module_utils.redis.sentinel_file import (
    HEADER,
    Monitor,
    monitored,
    with_monitor,
)

FIRST = Monitor("10.0.0.1", 6379, 2)


def test_a_new_file_names_the_primary() -> None:
    text = with_monitor(None, "game", FIRST)
    assert text.startswith(HEADER)
    assert monitored(text, "game") == FIRST
    assert monitored(text, "other") is None


def test_only_the_line_of_that_name_changes() -> None:
    text = (
        'dir "/var/lib/redis"\nsentinel monitor other 10.0.0.9 6379 1\nsentinel monitor game 10.0.0.1 6379 2\n'
        "sentinel known-replica game 10.0.0.2 6379\n"
    )
    changed = with_monitor(text, "game", Monitor("10.0.0.1", 6379, 3))
    assert changed == text.replace("10.0.0.1 6379 2", "10.0.0.1 6379 3")


def test_a_file_without_an_end_of_line_is_continued() -> None:
    assert with_monitor("port 0", "game", FIRST) == "port 0\nsentinel monitor game 10.0.0.1 6379 2\n"
