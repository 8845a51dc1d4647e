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
    kill_spares_commits: bool
    """Whether KILL leaves a commit alone that waits: for a replica, or for space on the disk."""
    explain: str
    """What stands before a statement to get its plan as rows."""
    replica_status: str
    replica_privilege: str
    """Which the account needs for `replica_status`."""
    io_running: str
    sql_running: str
    seconds_behind: str
    group_status: str = ""
    """What tells of a server that is a member of a group instead: its `state`, and its `lag` in seconds."""

    def membership(self, rows: Sequence[Mapping[str, Any]]) -> Replication | None:
        """Return what the rows of `group_status` say; None: it is set up for no group."""
        if not rows:
            return None
        state = str(rows[0]["state"])
        return Replication(float(rows[0]["lag"]), "" if state == "ONLINE" else f"it is {state} in its group")

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
    # A killed one that waits for a replica succeeds, with all others of its group commit, though no replica has them;
    # one that waits for space leaves half an event in the binary log, which no replica gets past.
    kill_spares_commits=False,
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
    kill_spares_commits=True,
    explain="EXPLAIN FORMAT=TRADITIONAL ",
    replica_status="SHOW REPLICA STATUS",
    replica_privilege="REPLICATION CLIENT",
    io_running="Replica_IO_Running",
    sql_running="Replica_SQL_Running",
    seconds_behind="Seconds_Behind_Source",
    group_status=(
        "SELECT MEMBER_STATE AS state, (SELECT COALESCE(MAX(TIMESTAMPDIFF(SECOND,"
        " APPLYING_TRANSACTION_ORIGINAL_COMMIT_TIMESTAMP, NOW(6))), 0)"
        " FROM performance_schema.replication_applier_status_by_worker"
        " WHERE CHANNEL_NAME = 'group_replication_applier' AND APPLYING_TRANSACTION <> '') AS lag"
        " FROM performance_schema.replication_group_members WHERE MEMBER_ID = @@server_uuid"
    ),
)


def dialect_of(version: str) -> Dialect:
    """Return the flavour of a server by the version it greets with."""
    return MARIADB if "MariaDB" in version else MYSQL
