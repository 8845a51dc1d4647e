"""What MariaDB and MySQL (8.0.22 or later) say differently; nothing else in the package asks which one it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Replication:
    """How a replica follows its source."""

    lag: float | None
    """Seconds behind; None: it can't tell."""
    stopped: str
    """What doesn't run, for people; empty: all runs."""


@dataclass(frozen=True)
class Dialect:
    """One flavour's words."""

    name: str
    limit: Callable[[float], str]
    """Seconds to the statement that sets the session's time limit for statements."""
    explain: str
    """What stands before a statement to get its plan as rows."""
    replica_status: str
    replica_privilege: str
    """Which the account needs for `replica_status`."""
    io_running: str
    sql_running: str
    seconds_behind: str

    def replication(self, rows: Sequence[Mapping[str, Any]]) -> Replication:
        """Return what the rows of `replica_status` say; of several sources the slowest counts."""
        if not rows:
            return Replication(None, "it replicates from no server")
        stopped = [
            f"its {thread} thread is {'stopped' if row[column] == 'No' else str(row[column]).lower()}"
            for row in rows
            for thread, column in (("IO", self.io_running), ("SQL", self.sql_running))
            if row[column] != "Yes"
        ]
        behind = [row[self.seconds_behind] for row in rows]
        lag = None if None in behind else float(max(behind))
        return Replication(lag, ", ".join(dict.fromkeys(stopped)))


MARIADB = Dialect(
    name="MariaDB",
    limit=lambda seconds: f"SET SESSION max_statement_time = {max(seconds, 0.001):.3f}",
    explain="EXPLAIN ",
    replica_status="SHOW ALL REPLICAS STATUS",
    replica_privilege="SLAVE MONITOR",
    io_running="Slave_IO_Running",
    sql_running="Slave_SQL_Running",
    seconds_behind="Seconds_Behind_Master",
)
MYSQL = Dialect(
    name="MySQL",
    # Only SELECT is limited there; the deadline of the session is the second lock.
    limit=lambda seconds: f"SET SESSION max_execution_time = {max(round(seconds * 1000), 1)}",
    explain="EXPLAIN FORMAT=TRADITIONAL ",
    replica_status="SHOW REPLICA STATUS",
    replica_privilege="REPLICATION CLIENT",
    io_running="Replica_IO_Running",
    sql_running="Replica_SQL_Running",
    seconds_behind="Seconds_Behind_Source",
)


def dialect_of(version: str) -> Dialect:
    """Return the flavour of a server by the version it greets with."""
    return MARIADB if "MariaDB" in version else MYSQL
