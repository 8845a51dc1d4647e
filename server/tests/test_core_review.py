"""The core at its edges: what a file, a caller or a closed pipe must not be able to do to it."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

import pytest

from trinitycore_mcp.access.audit import AuditLog
from trinitycore_mcp.access.keys import load_keys
from trinitycore_mcp.access.principal import Principal, anonymous
from trinitycore_mcp.cli import main
from trinitycore_mcp.config_error import ConfigError
from trinitycore_mcp.observe.log_writer import LogWriter
from trinitycore_mcp.observe.recorder import Line

ADMIN = Principal("ops", frozenset({"admin"}), "api_key")
DIGEST = hashlib.sha256(b"a key").digest()


def keys_file(folder: Path, text: str) -> Path:
    file = folder / "keys.yml"
    file.write_text(f"- name: one\n  sha256: {DIGEST.hex()}\n{text}\n")
    return file


def test_a_key_may_end_on_the_last_day_that_there_is(tmp_path: Path) -> None:
    found = load_keys(keys_file(tmp_path, "  expires: 9999-12-31")).find(DIGEST)
    assert found is not None
    assert found.expires is not None
    assert found.expires > 253_402_300_000


@pytest.mark.parametrize("day", ["2027-02-30", "2027-02-30T10:00:00"])
def test_a_day_that_is_none_is_an_error_of_the_configuration(tmp_path: Path, day: str) -> None:
    with pytest.raises(ConfigError, match="api_keys_file"):
        load_keys(keys_file(tmp_path, f"  expires: {day}"))


def test_a_key_does_not_get_its_scopes_twice(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="scopes stands twice"):
        load_keys(keys_file(tmp_path, "  scopes: [read]\n  scopes: [read, admin]"))


def test_a_key_made_by_command_may_end_on_the_last_day(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "config.yml").write_text("{}")
    assert main(["keys", "create", "one", "--expires", "9999-12-31", "--config", str(tmp_path / "config.yml")]) == 2
    assert "database.writer" in capsys.readouterr().err  # the day was understood, so the next thing is missing


def test_what_json_does_not_know_is_recorded_as_text(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    AuditLog("one", None).record(ADMIN, "cache_flush", b'{"at": 1e400, "to": [-1e400]}', "ok", 0.1, None)
    [line] = caplog.records
    recorded = json.loads(json.dumps(line.__dict__["fields"]), parse_constant=pytest.fail)
    assert recorded["arguments"]["values"] == {"at": "inf", "to": ["-inf"]}


@pytest.mark.anyio
async def test_a_log_that_nobody_reads_any_more_fails_no_request() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    writer = LogWriter(writing)
    line = Line(
        time="",
        trace_id="",
        request_id=1,
        method="ping",
        tool=None,
        duration_ms=0,
        outcome="ok",
        principal="",
        protocol="",
    )
    for _ in range(1000):
        writer.write(line)
    writer.flush()
    os.close(writing)


def test_callers_of_one_network_share_a_limit() -> None:
    first, second = anonymous("2001:db8:1:2::1"), anonymous("2001:db8:1:2:aaaa:bbbb:cccc:dddd")
    assert first.name == second.name == "anonymous@2001:db8:1:2::/64"
    assert anonymous("2001:db8:1:3::1").name != first.name
    assert anonymous("::ffff:192.0.2.7").name == anonymous("192.0.2.7").name == "anonymous@192.0.2.7"
    assert anonymous("fe80::1%eth0").name == "anonymous@fe80::/64"
    assert anonymous("a name" * 30).name == "anonymous@" + ("a name" * 30)[:64]
