from __future__ import annotations

import pytest
from ansible_collections.trinitycore.mcp.plugins.module_utils.mysql import gtid
from ansible_collections.trinitycore.mcp.plugins.module_utils.mysql.errors import DatabaseError


def test_a_list_reads_and_writes_back() -> None:
    assert gtid.render(gtid.parse(" 1-2-3,0-1-7 ")) == "0-1-7,1-2-3"
    assert gtid.parse("") == []


@pytest.mark.parametrize("text", ["0-1", "a-b-c", "0-1-2-3"])
def test_what_is_no_gtid_is_refused(text: str) -> None:
    with pytest.raises(DatabaseError, match="is not a GTID"):
        gtid.parse(text)


@pytest.mark.parametrize(
    ("of", "known", "extra"),
    [
        ("0-1-10", "0-1-10", ""),
        ("0-1-10", "0-1-12", ""),
        ("0-1-11", "0-1-10", "0-1-11"),
        # A transaction of its own, though the sequence number is below the primary's.
        ("0-1-10,0-2-11", "0-1-15", "0-2-11"),
        ("0-1-10,0-2-11", "0-1-10,0-2-11,0-3-20", ""),
        ("1-1-1", "0-1-9", "1-1-1"),
    ],
)
def test_errant_transactions_are_found_by_origin(of: str, known: str, extra: str) -> None:
    assert gtid.render(gtid.errant(of, known)) == extra


@pytest.mark.parametrize(
    ("position", "required", "missing"),
    [("", "", ""), ("0-1-5", "0-2-5", ""), ("0-1-4", "0-2-5", "0-2-5"), ("", "0-1-1", "0-1-1")],
)
def test_a_position_is_behind_by_sequence_number(position: str, required: str, missing: str) -> None:
    assert gtid.render(gtid.behind(position, required)) == missing
