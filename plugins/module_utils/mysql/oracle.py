"""Oracle MySQL's statements, column names, and how it keeps passwords."""

from __future__ import annotations

import contextlib
import hashlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from . import binlog, decoder, gtid_set, sha256_crypt
from .connection import Connection
from .errors import DatabaseError
from .flavor import Flavor, databases_of, followed, followers_of, grants_of, source_arguments
from .state import Group, OwnTransactions, Replication, SemiSync, ServerState

OLDEST = (8, 0, 26)
"""From here on it speaks of sources and replicas, in names of variables too."""

# What begins a transaction in the decoder's output, or ends the last one.
_BEGINS = re.compile(rb"SET @@SESSION\.GTID_NEXT= '([^']+)'")
# What it says where a file begins or ends.
_BETWEEN = re.compile(rb"#\d{6} .*(Start: binlog|Rotate to|Stop$|Previous-GTIDs)")
_WHY_NOT_APPLIED = (
    "SELECT LAST_ERROR_MESSAGE AS why FROM performance_schema.replication_applier_status_by_worker"
    " WHERE LAST_ERROR_MESSAGE <> ''"
)
# What MariaDB's privileges are called here; more than one where it takes more.
_PRIVILEGES = {
    "BINLOG ADMIN": {"BINLOG_ADMIN"},
    "BINLOG MONITOR": {"REPLICATION CLIENT"},
    "CONNECTION ADMIN": {"CONNECTION_ADMIN"},
    "READ_ONLY ADMIN": {"SYSTEM_VARIABLES_ADMIN"},
    "REPLICATION MASTER ADMIN": {"SYSTEM_VARIABLES_ADMIN"},
    "REPLICATION SLAVE ADMIN": {"REPLICATION_SLAVE_ADMIN", "GROUP_REPLICATION_ADMIN"},
    # Who may read every change may have the data they were made to: a replica's first copy.
    "REPLICATION SLAVE": {"REPLICATION SLAVE", "BACKUP_ADMIN"},
    "SLAVE MONITOR": {"REPLICATION CLIENT"},
}
# MariaDB shows routines to whoever reads the table that they are in.
_LEVELS = {("`mysql`.`proc`", "SELECT"): ("*.*", "SHOW_ROUTINE")}


class OracleMySQL(Flavor):
    """MySQL 8.0.26 and newer."""

    name = "mysql"
    client = "mysql"
    identified = "WITH caching_sha2_password AS"

    def state(self, server: Connection) -> ServerState:
        """Read variables, replication status, process list and databases."""
        basics = server.rows(
            "SELECT @@version AS version, @@server_id AS server_id, @@read_only AS read_only, @@log_bin AS log_bin,"
            # In this order: a transaction that commits meanwhile is in one of them, or in both.
            " @@GLOBAL.gtid_owned AS owned, @@GLOBAL.gtid_executed AS executed"
        )[0]
        # Both are missing without the plugin.
        semi_sync = server.row("SHOW GLOBAL VARIABLES LIKE 'rpl_semi_sync_source_enabled'") or {"Value": "OFF"}
        clients = server.row("SHOW GLOBAL STATUS LIKE 'Rpl_semi_sync_source_clients'") or {"Value": 0}
        return ServerState(
            running=True,
            flavor=self.name,
            version=str(basics["version"]),
            server_id=int(basics["server_id"]),
            read_only=bool(basics["read_only"]),
            binlog=bool(basics["log_bin"]),
            gtid_position=gtid_set.render(gtid_set.parse(str(basics["executed"]))),
            # A replica may have what its primary has not committed yet, since that waits for the replica.
            gtid_state=gtid_set.union(str(basics["executed"]), _without_owners(str(basics["owned"]))),
            replication=self._replication(server),
            semi_sync=semi_sync["Value"] == "ON",
            semi_sync_replicas=int(clients["Value"]),
            followers=followers_of(server, "performance_schema.processlist"),
            databases=databases_of(server),
            group=_group(server),
        )

    def _replication(self, server: Connection) -> Replication | None:
        channels = [
            row
            for row in server.rows("SHOW REPLICA STATUS")
            if not row["Channel_Name"].startswith("group_replication_")
        ]
        if not channels:
            return None
        if len(channels) > 1 or channels[0]["Channel_Name"]:
            names = ", ".join(repr(row["Channel_Name"]) for row in channels)
            raise DatabaseError(f"{server.target} replicates by named channels ({names}), which we don't manage")
        row = channels[0]
        why = list[str]()
        if row["Last_SQL_Error"]:  # it says only where the reason stands
            with contextlib.suppress(DatabaseError):  # which is not everybody's to read
                why = [str(one["why"]) for one in server.rows(_WHY_NOT_APPLIED)]
        return followed(row, uses_gtid=bool(row["Auto_Position"]), errors=why)

    def semi_sync(self, server: Connection) -> SemiSync:
        """Read variables and status, which are missing without the plugin, and who waits."""
        rows = [
            *server.rows("SHOW GLOBAL VARIABLES LIKE 'rpl_semi_sync_%%'", []),
            *server.rows("SHOW GLOBAL STATUS LIKE 'Rpl_semi_sync_%%'", []),
        ]
        said = {str(row["Variable_name"]).lower().removeprefix("rpl_semi_sync_"): str(row["Value"]) for row in rows}
        longest = server.value(
            "SELECT COALESCE(MAX(TIME), 0) FROM performance_schema.processlist"
            " WHERE STATE LIKE 'Waiting for semi-sync ACK%%'",
            [],
        )
        return SemiSync(
            wanted=said.get("source_enabled") == "ON",
            works=said.get("source_status") == "ON",
            timeout=int(said.get("source_timeout", 0)) / 1000,
            replicas=int(said.get("source_clients", 0)),
            waiting=int(said.get("source_wait_sessions", 0)),
            longest_wait=float(longest),
            confirms=said.get("replica_status") == "ON",
        )

    def set_read_only(self, server: Connection, read_only: bool) -> None:
        """Set `super_read_only`, which binds every account; or neither it nor `read_only`."""
        server.execute("SET GLOBAL super_read_only = 1" if read_only else "SET GLOBAL read_only = 0")

    def let_root_write(self, server: Connection) -> None:
        """Leave `read_only` alone, which does not bind root."""
        server.execute("SET GLOBAL super_read_only = 0")

    def set_semi_sync(self, server: Connection, on: bool) -> None:
        """Switch the source's side; the replicas' is always on."""
        server.execute(f"SET GLOBAL rpl_semi_sync_source_enabled = {int(on)}")

    def hold_writes(self, server: Connection, patience: float, held: float) -> None:
        """Set `super_read_only`: it waits for commits that are under way, and then nobody can commit."""
        server.execute(f"SET SESSION lock_wait_timeout = {max(1, round(patience))}")
        server.execute(f"SET SESSION wait_timeout = {max(1, round(held))}")
        self.set_read_only(server, True)

    def let_go(self, server: Connection, *, undo: bool) -> None:
        """Do nothing: nobody is kept waiting, all were refused."""

    def oldest_binlog_position(self, server: Connection) -> str:
        """Return what was in binary logs that are gone."""
        return gtid_set.render(gtid_set.parse(str(server.value("SELECT @@GLOBAL.gtid_purged"))))

    def errant_transactions(self, of: ServerState, primary: ServerState) -> list[str]:
        """Subtract the sets."""
        return gtid_set.parts(gtid_set.subtract(of.gtid_state, primary.gtid_state))

    def own_transactions(self, server: Connection, of: ServerState, primary: ServerState) -> OwnTransactions:
        """Subtract the sets, and what is gone from the binary logs."""
        errant = gtid_set.subtract(of.gtid_state, primary.gtid_state)
        if not errant:
            return OwnTransactions()
        kept = gtid_set.subtract(errant, str(server.value("SELECT @@GLOBAL.gtid_purged")))
        row = server.rows("SELECT @@log_bin_index AS log_index, @@datadir AS data")[0]
        logs = [str(path) for path in binlog.files(Path(row["log_index"]), Path(row["data"]))]
        command = ["mysqlbinlog", "--no-defaults", "--verbose", f"--include-gtids={kept}"]
        return OwnTransactions(
            gtid_set.members(kept),
            gtid_set.parts(gtid_set.subtract(errant, kept)),
            _fingerprint([*command, "--base64-output=decode-rows", *logs]) if kept else "",
            [[*command, *logs]] if kept else [],
        )

    def dump(self, own: OwnTransactions) -> Iterator[bytes]:
        """Have mysqlbinlog decode them, and replace what would give them their ids again."""
        for command in own.decoders:
            for line in decoder.lines(command):
                if begins := _BEGINS.match(line):
                    if begins[1] != b"AUTOMATIC":
                        yield b"-- transaction " + begins[1] + b"\n"
                    yield b"SET @@SESSION.GTID_NEXT= 'AUTOMATIC'/*!*/;\n"
                else:
                    yield line

    def known(self, state: ServerState) -> str:
        """Return the set, which has both."""
        return state.gtid_state

    def not_reached(self, position: str, required: str) -> list[str]:
        """Subtract the sets."""
        return gtid_set.parts(gtid_set.subtract(required, position))

    def wait_for(self, server: Connection, position: str, timeout: float) -> bool:
        """Wait in the server."""
        return bool(server.value("SELECT WAIT_FOR_EXECUTED_GTID_SET(%s, %s)", [position, timeout]) == 0)

    def stop_receiving(self, server: Connection) -> str:
        """Stop the IO thread, and read what it has received."""
        server.execute("STOP REPLICA IO_THREAD")
        [row] = server.rows("SHOW REPLICA STATUS")
        return gtid_set.union(str(row["Retrieved_Gtid_Set"]), str(row["Executed_Gtid_Set"]))

    def follow(self, server: Connection, wanted: Replication, password: str) -> None:
        """Set the source; what it has is in its own set."""
        self.set_read_only(server, True)  # for root too, who may have been let in
        server.execute(
            "CHANGE REPLICATION SOURCE TO SOURCE_HOST=%s, SOURCE_PORT=%s, SOURCE_USER=%s, SOURCE_PASSWORD=%s,"
            " SOURCE_SSL=1, SOURCE_SSL_CA=%s, SOURCE_SSL_VERIFY_SERVER_CERT=%s, SOURCE_CONNECT_RETRY=%s,"
            " SOURCE_RETRY_COUNT=0, SOURCE_AUTO_POSITION=1",  # 0: it never gives up
            source_arguments(wanted, password),
        )

    def replication_password(self, server: Connection) -> str | None:
        """Read the table that the server keeps it in."""
        with contextlib.suppress(DatabaseError):  # it is root's to read
            kept = server.value("SELECT User_password FROM mysql.slave_master_info WHERE Channel_name = ''")
            return None if kept is None else str(kept)
        return None

    def password_hash(self, password: str, kept: str = "") -> str:
        """Hash as `caching_sha2_password` does, with the salt of what is kept, else a new one."""
        salt = sha256_crypt.salt_of(kept) or sha256_crypt.new_salt()
        return sha256_crypt.authentication_string(password, salt)

    def grants(self, wanted: dict[str, set[str]]) -> dict[str, set[str]]:
        """Rename what has another name."""
        renamed: dict[str, set[str]] = {}
        for level, privileges in wanted.items():
            for privilege in privileges:
                where, what = _LEVELS.get((level, privilege), (level, privilege))
                renamed.setdefault(where, set()).update(_PRIVILEGES.get(what, {what}))
        return renamed

    def account(self, server: Connection, user: str, host: str) -> dict[str, Any] | None:
        """Read the account's row and its grants."""
        kept = server.row(
            "SELECT plugin, authentication_string AS hash, ssl_type FROM mysql.user WHERE User = %s AND Host = %s",
            [user, host],
        )
        if kept is None:
            return None
        return {
            "hash": _text(kept["hash"]) if kept["plugin"] == "caching_sha2_password" else "",
            "tls": bool(kept["ssl_type"]),
            "grants": grants_of(server, user, host),
        }


def _group(server: Connection) -> Group | None:
    """Return how it stands in its group; None where the plugin is not loaded."""
    name = server.row("SHOW GLOBAL VARIABLES LIKE 'group_replication_group_name'")
    if name is None or not name["Value"]:
        return None
    try:
        rows = server.rows(
            "SELECT MEMBER_ID = @@server_uuid AS own, MEMBER_HOST AS address, MEMBER_STATE AS state,"
            " MEMBER_ROLE AS role FROM performance_schema.replication_group_members"
        )
        received = server.value(
            "SELECT RECEIVED_TRANSACTION_SET FROM performance_schema.replication_connection_status"
            " WHERE CHANNEL_NAME = 'group_replication_applier'"
        )
    except DatabaseError:  # which is not everybody's to read
        return Group(str(name["Value"]), "")
    # One that is no member lists itself alone, without an address where it never was one.
    return Group(
        str(name["Value"]),
        next((str(row["state"]) for row in rows if row["own"] or not row["address"]), "OFFLINE"),
        {str(row["address"]): str(row["state"]) for row in rows if row["address"]},
        next((str(row["address"]) for row in rows if row["role"] == "PRIMARY"), ""),
        gtid_set.render(gtid_set.parse(str(received or ""))),
    )


def _without_owners(owned: str) -> str:
    """Return the set in `gtid_owned`, which names each transaction's thread after a #."""
    return re.sub(r"#\d+", "", owned)


def _text(value: Any) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)


def _fingerprint(command: list[str]) -> str:
    """Return a hash over what a command prints of transactions, whichever files they are in."""
    digest, within = hashlib.sha256(), False
    for line in decoder.lines(command):
        if begins := _BEGINS.match(line):
            within = begins[1] != b"AUTOMATIC"
        elif _BETWEEN.match(line):
            within = False
        if within and not line.startswith(b"# at "):
            digest.update(line)
    return digest.hexdigest()
