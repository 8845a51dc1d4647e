"""MySQL's GTID sets."""

from __future__ import annotations

import pytest
from ansible_collections.trinitycore.mcp.plugins.module_utils.mysql import gtid_set
from ansible_collections.trinitycore.mcp.plugins.module_utils.mysql.errors import DatabaseError

A, B = "3e11fa47-71ca-11e1-9e33-c80aa9429562", "4e11fa47-71ca-11e1-9e33-c80aa9429562"


def test_a_set_reads_and_writes_back() -> None:
    assert gtid_set.render(gtid_set.parse(f"{B.upper()}:1,\n{A}:5-7:1-3:4")) == f"{A}:1-7,{B}:1"
    assert gtid_set.render(gtid_set.parse(f"{A}:1-3:backup:1-2:7")) == f"{A}:1-3,{A}:backup:1-2:7"
    assert gtid_set.parse("") == {}


@pytest.mark.parametrize("text", ["0-1-7", f"{A}:x-1", f"{A[:-1]}:1", f"{A}:1-2-3"])
def test_what_is_no_set_is_refused(text: str) -> None:
    with pytest.raises(DatabaseError, match="is no GTID set"):
        gtid_set.parse(text)


@pytest.mark.parametrize(
    ("one", "other", "left"),
    [
        (f"{A}:1-9", f"{A}:1-9", ""),
        (f"{A}:1-9", "", f"{A}:1-9"),
        ("", f"{A}:1", ""),
        (f"{A}:1-9", f"{A}:3-4:6", f"{A}:1-2:5:7-9"),
        (f"{A}:3-5", f"{A}:1-3:5-9", f"{A}:4"),
        (f"{A}:1-3,{B}:1", f"{A}:1-9", f"{B}:1"),
        (f"{A}:1:tag:1", f"{A}:1", f"{A}:tag:1"),
    ],
)
def test_subtract(one: str, other: str, left: str) -> None:
    assert gtid_set.subtract(one, other) == left


def test_union_and_parts() -> None:
    both = gtid_set.union(f"{A}:1-3", f"{B}:1,{A}:4")
    assert gtid_set.parts(both) == [f"{A}:1-4", f"{B}:1"]
    assert gtid_set.parts("") == []
