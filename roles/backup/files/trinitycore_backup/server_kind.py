"""Where MariaDB and MySQL differ for a backup: programs, statements, and how a snapshot tells where it stands."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ServerKind:
    """One of the two."""

    client: str
    dump: tuple[str, ...]
    """The dump program with the arguments that only it takes."""
    replication: str
    """Statement that has rows on a replica."""
    position: str
    """Expression of the transactions that a server has."""
    in_flight: str
    """Expression of transactions that are being committed; empty where a snapshot itself knows its position."""
    double: str
    """Expression of a floating-point column `{}` as the shortest digits that give the same number, in quotes."""


KINDS = {
    "mariadb": ServerKind(
        "mariadb",
        ("mariadb-dump",),
        "SHOW ALL SLAVES STATUS",
        "@@gtid_current_pos",
        "",
        "QUOTE(CAST({} AS DOUBLE))",
    ),
    "mysql": ServerKind(
        "mysql",
        ("mysqldump", "--set-gtid-purged=OFF"),
        "SHOW REPLICA STATUS",
        "REPLACE(@@GLOBAL.gtid_executed, '\n', '')",
        "@@GLOBAL.gtid_owned",
        # As text, a number loses what is beyond 22 characters there; as JSON it does not.
        "QUOTE(CAST(CAST({} AS DOUBLE) AS JSON))",
    ),
}
