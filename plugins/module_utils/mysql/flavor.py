"""What a kind of server must be able to do for us: the verbs that all modules speak in.

`flavors` finds out which kind a server is; `mariadb` and `oracle` say it in their statements.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from .connection import Connection
from .grants import parse_grants
from .state import OwnTransactions, Replication, SemiSync, ServerState

SYSTEM_DATABASES = ("information_schema", "mysql", "performance_schema", "sys")


class Flavor(ABC):
    """What a kind of server must be able to do for us."""

    name: str
    client: str
    """The command of its own client."""
    identified: str
    """How an account's statement takes the hash of a password."""

    @abstractmethod
    def state(self, server: Connection) -> ServerState:
        """Read the server's state."""

    @abstractmethod
    def semi_sync(self, server: Connection) -> SemiSync:
        """Read how commits wait for replicas, also while they do."""

    @abstractmethod
    def set_read_only(self, server: Connection, read_only: bool) -> None:
        """Open the server for writes, or close it."""

    @abstractmethod
    def let_root_write(self, server: Connection) -> None:
        """Let root write into a server that is closed for all others."""

    @abstractmethod
    def set_semi_sync(self, server: Connection, on: bool) -> None:
        """Have commits wait until a replica has them, or not."""

    def claim(self, server: Connection) -> bool:
        """Be the only one that changes this server's role, until the session ends; False: somebody else is."""
        return bool(server.value("SELECT GET_LOCK('trinitycore.mcp.role', 0)"))

    @abstractmethod
    def hold_writes(self, server: Connection, patience: float, held: float) -> None:
        """Close the server for writes, and keep even those waiting whom that does not bind; reads go on.

        Lasts until `let_go`; ends with the session, after which the server is still closed.

        :param patience: seconds to wait for statements that are under way.
        :param held: seconds without a statement on this session after which it ends by itself.
        """

    @abstractmethod
    def let_go(self, server: Connection, *, undo: bool) -> None:
        """End what `hold_writes` began.

        :param undo: end the sessions that it keeps waiting, their writes undone; else they go on.
        """

    def end_writers(self, server: Connection) -> None:
        """End the idle sessions of a closed server that have changed rows and not committed.

        They can't commit any more, and keep what comes by replication from those rows. Those that are at work get the
        server's own refusal.
        """
        for row in server.rows(
            "SELECT trx_mysql_thread_id AS id FROM information_schema.INNODB_TRX"
            " WHERE trx_rows_modified > 0 AND trx_query IS NULL AND trx_mysql_thread_id > 0"
        ):
            server.kill(int(row["id"]))

    @abstractmethod
    def oldest_binlog_position(self, server: Connection) -> str:
        """Return the position at which the oldest binary log still kept begins; empty means from the start."""

    @abstractmethod
    def errant_transactions(self, of: ServerState, primary: ServerState) -> list[str]:
        """Return what `of` holds and `primary` lacks."""

    @abstractmethod
    def known(self, state: ServerState) -> str:
        """Return all that a server has, in its binary log or replicated, in the form of `gtid_state`."""

    @abstractmethod
    def own_transactions(self, server: Connection, of: ServerState, primary: ServerState) -> OwnTransactions:
        """Find each transaction that `of`, the server on this host, holds and `primary` lacks; also while it hangs.

        :raises DatabaseError: they are not where they must be.
        """

    @abstractmethod
    def dump(self, own: OwnTransactions) -> Iterator[bytes]:
        """Return them as SQL for the client, readable to people; a line ``-- transaction <id>`` begins each.

        Sent to a server, they are its own new transactions: nothing sets their ids or their origin.

        :raises DatabaseError: they can't be read.
        """

    @abstractmethod
    def not_reached(self, position: str, required: str) -> list[str]:
        """Return what of `required` a server at `position` has not applied."""

    @abstractmethod
    def wait_for(self, server: Connection, position: str, timeout: float) -> bool:
        """Wait until the server has applied `position`; False when time ran out."""

    def stop_replication(self, server: Connection) -> None:
        """Stop following, and keep the settings."""
        server.execute("STOP REPLICA")

    @abstractmethod
    def stop_receiving(self, server: Connection) -> str:
        """Receive no more from the source, and confirm none of its writes; return the position that was received.

        What was received and not applied yet goes on being applied.
        """

    def forget_source(self, server: Connection) -> None:
        """Stop following for good: the settings are gone."""
        server.execute("STOP REPLICA")
        server.execute("RESET REPLICA ALL")

    def start_replication(self, server: Connection) -> None:
        """Follow by the settings that are there."""
        server.execute("START REPLICA")

    @abstractmethod
    def follow(self, server: Connection, wanted: Replication, password: str) -> None:
        """Make the (stopped) server follow another one from the position it has."""

    @abstractmethod
    def replication_password(self, server: Connection) -> str | None:
        """Return the password that the server follows with, or None when it can't be known."""

    @abstractmethod
    def password_hash(self, password: str, kept: str = "") -> str:
        """Return what the server keeps of a password; `kept` itself if that may be of this very password."""

    @abstractmethod
    def grants(self, wanted: dict[str, set[str]]) -> dict[str, set[str]]:
        """Return privileges by level as this kind of server calls them; given are MariaDB's names."""

    @abstractmethod
    def account(self, server: Connection, user: str, host: str) -> dict[str, Any] | None:
        """Return ``{hash, tls, grants}`` of an account or None; `grants` maps level to set of privileges."""

    def create_account(self, server: Connection, user: str, host: str, password_hash: str, tls: bool) -> None:
        """Create an account without privileges."""
        self._write_account(server, "CREATE USER", user, host, password_hash, tls)

    def alter_account(self, server: Connection, user: str, host: str, password_hash: str, tls: bool) -> None:
        """Set an account's password and whether it must use TLS."""
        self._write_account(server, "ALTER USER", user, host, password_hash, tls)

    def _write_account(
        self, server: Connection, verb: str, user: str, host: str, password_hash: str, tls: bool
    ) -> None:
        # By hash: the password itself appears in no statement and so in no log.
        server.execute(
            f"{verb} %s@%s IDENTIFIED {self.identified} %s REQUIRE {'SSL' if tls else 'NONE'}",
            [user, host, password_hash],
        )


def databases_of(server: Connection) -> dict[str, int]:
    """Return the number of tables by database, the server's own databases left out."""
    rows = server.rows(
        "SELECT s.SCHEMA_NAME AS name, COUNT(t.TABLE_NAME) AS tables FROM information_schema.SCHEMATA s"
        " LEFT JOIN information_schema.TABLES t ON t.TABLE_SCHEMA = s.SCHEMA_NAME"
        " WHERE s.SCHEMA_NAME NOT IN %s GROUP BY s.SCHEMA_NAME",
        [SYSTEM_DATABASES],
    )
    return {str(row["name"]): int(row["tables"]) for row in rows}


def followers_of(server: Connection, processes: str) -> list[str]:
    """Return the addresses that the binary log is sent to.

    :param processes: the table of sessions.
    """
    rows = server.rows(
        f"SELECT HOST AS host FROM {processes} WHERE COMMAND LIKE 'Binlog Dump%%' ORDER BY HOST",  # noqa: S608 - ours
        [],
    )
    return [str(row["host"]).rsplit(":", 1)[0] for row in rows]


def followed(row: Mapping[str, Any], *, uses_gtid: bool, errors: Iterable[str] = ()) -> Replication:
    """Return how a server follows another one.

    :param row: its status, in MySQL's words of sources and replicas.
    :param errors: further ones.
    """
    lag = row["Seconds_Behind_Source"]
    told = [str(row[key]) for key in ("Last_IO_Error", "Last_SQL_Error") if row[key]]
    return Replication(
        host=str(row["Source_Host"]),
        port=int(row["Source_Port"]),
        user=str(row["Source_User"]),
        io_running=str(row["Replica_IO_Running"]),
        sql_running=row["Replica_SQL_Running"] == "Yes",
        uses_gtid=uses_gtid,
        tls=row["Source_SSL_Allowed"] == "Yes",
        verifies_certificate=row["Source_SSL_Verify_Server_Cert"] == "Yes",
        ca_file=str(row["Source_SSL_CA_File"]),
        retry=int(row["Connect_Retry"]),
        lag=None if lag is None else int(lag),
        error="; ".join([*told, *errors]),
    )


def source_arguments(wanted: Replication, password: str) -> list[str | int]:
    """Return what a server is told of its source: host, port, user, password, CA, whether to verify, retry."""
    return [
        wanted.host,
        wanted.port,
        wanted.user,
        password,
        wanted.ca_file,
        int(wanted.verifies_certificate),
        wanted.retry,
    ]


def grants_of(server: Connection, user: str, host: str) -> dict[str, set[str]]:
    """Return an account's privileges by level."""
    rows = server.rows("SHOW GRANTS FOR %s@%s", [user, host])
    return parse_grants([str(next(iter(row.values()))) for row in rows])
