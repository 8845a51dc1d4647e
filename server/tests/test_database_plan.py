"""What plans and replication states mean, for both flavours: rows as the servers give them."""

from __future__ import annotations

from typing import Any

import pytest

from trinitycore_mcp.database.dialect import MARIADB, MYSQL, dialect_of
from trinitycore_mcp.database.plan import estimate


def step(select: int | None, rows: int | None, kind: str = "SIMPLE", **more: Any) -> dict[str, Any]:
    return {"id": select, "select_type": kind, "rows": rows, **more}


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([], 0),
        ([step(1, None, table=None)], 1),  # no tables, an impossible WHERE, or answered from an index alone
        ([step(1, 0)], 1),
        ([step(1, 500)], 500),
        ([step(1, 500), step(1, 1)], 1000),
        ([step(1, 100), step(1, 100), step(1, 100)], 100 + 10_000 + 1_000_000),
        ([step(1, 100, filtered=10.0), step(1, 100, filtered=100.0)], 100 + 1000),
        ([step(1, 100, filtered=0.01), step(1, 100)], 100 + 100),
        ([step(1, 10, "PRIMARY"), step(2, 1000, "SUBQUERY")], 1010),
        ([step(1, 10, "PRIMARY"), step(2, 1000, "UNION"), step(None, None, "UNION RESULT")], 1011),
        ([step(1, 10, "PRIMARY"), step(2, 1000, "DEPENDENT SUBQUERY")], 10 + 10 * 1000),
        ([step(1, 10, "PRIMARY"), step(1, 10, "PRIMARY"), step(2, 5, "DEPENDENT SUBQUERY")], 10 + 100 + 100 * 5),
    ],
)
def test_work_is_what_nested_loops_look_at(rows: list[dict[str, Any]], expected: int) -> None:
    assert estimate(rows) == expected


def test_an_absurd_join_has_an_estimate_too() -> None:
    assert estimate([step(1, 10**9) for _ in range(61)]) > 10**29


def test_the_flavour_is_told_by_the_greeting() -> None:
    assert dialect_of("5.5.5-10.11.6-MariaDB-0+deb12u1") is MARIADB
    assert dialect_of("11.8.2-MariaDB") is MARIADB
    assert dialect_of("8.0.36") is MYSQL
    assert dialect_of("9.7.0-0ubuntu1") is MYSQL


@pytest.mark.parametrize(
    ("seconds", "mariadb", "mysql"),
    [
        (5.0, "SET SESSION max_statement_time = 5.000", "SET SESSION max_execution_time = 5000"),
        (0.25, "SET SESSION max_statement_time = 0.250", "SET SESSION max_execution_time = 250"),
        # 0 would mean no limit
        (0.0001, "SET SESSION max_statement_time = 0.001", "SET SESSION max_execution_time = 1"),
    ],
)
def test_time_limits_are_each_flavours_own(seconds: float, mariadb: str, mysql: str) -> None:
    assert (MARIADB.limit(seconds), MYSQL.limit(seconds)) == (mariadb, mysql)


def replica(io: str, sql: str, behind: int | None, flavour: str) -> dict[str, Any]:
    words = ("Slave", "Master") if flavour == "mariadb" else ("Replica", "Source")
    return {f"{words[0]}_IO_Running": io, f"{words[0]}_SQL_Running": sql, f"Seconds_Behind_{words[1]}": behind}


@pytest.mark.parametrize("flavour", ["mariadb", "mysql"])
def test_replication_is_read_in_each_flavours_words(flavour: str) -> None:
    dialect = {"mariadb": MARIADB, "mysql": MYSQL}[flavour]

    def said(*states: tuple[str, str, int | None]) -> tuple[float | None, str]:
        found = dialect.replication([replica(io, sql, behind, flavour) for io, sql, behind in states])
        return found.lag, found.stopped

    assert said() == (None, "it replicates from no server")
    assert said(("Yes", "Yes", 0)) == (0.0, "")
    assert said(("Yes", "Yes", 3), ("Yes", "Yes", 7)) == (7.0, "")
    assert said(("Yes", "No", None)) == (None, "its SQL thread is stopped")
    assert said(("Connecting", "Yes", None)) == (None, "its IO thread is connecting")
    assert said(("No", "No", None)) == (None, "its IO thread is stopped, its SQL thread is stopped")
