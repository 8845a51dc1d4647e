"""MariaDB's statements, column names, and how it keeps passwords."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from . import binlog, decoder, gtid
from .connection import Connection
from .errors import DatabaseError
from .flavor import Flavor, databases_of, followed, followers_of, grants_of, source_arguments
from .state import OwnTransactions, Replication, SemiSync, ServerState

# What begins a transaction in the decoder's output, and what would give it the id and origin that it had.
_BEGINS = re.compile(rb"#\d{6} .*\tGTID (\d+-\d+-\d+)\b")
_ORIGIN = re.compile(rb"/\*M?!\d+ SET @@session\.(gtid_domain_id|gtid_seq_no|server_id)=")

# Seconds in which killed sessions are waited for.
_KILLED = 2.0


class MariaDB(Flavor):
    """MariaDB 10.6 and newer."""

    name = "mariadb"
    client = "mariadb"
    identified = "VIA mysql_native_password USING"

    def state(self, server: Connection) -> ServerState:
        """Read variables, replication status, process list and databases."""
        basics = server.rows(
            "SELECT @@version AS version, @@server_id AS server_id, @@read_only AS read_only, @@log_bin AS log_bin,"
            " @@gtid_binlog_pos AS written, @@gtid_slave_pos AS replicated, @@gtid_binlog_state AS state,"
            " @@rpl_semi_sync_master_enabled AS semi_sync"
        )[0]
        return ServerState(
            running=True,
            flavor=self.name,
            version=str(basics["version"]),
            server_id=int(basics["server_id"]),
            read_only=str(basics["read_only"]) not in ("0", "OFF"),
            binlog=bool(basics["log_bin"]),
            gtid_position=gtid.furthest(str(basics["written"]), str(basics["replicated"])),
            gtid_state=str(basics["state"]),
            replication=self._replication(server),
            semi_sync=bool(basics["semi_sync"]),
            semi_sync_replicas=int(server.rows("SHOW GLOBAL STATUS LIKE 'Rpl_semi_sync_master_clients'")[0]["Value"]),
            followers=followers_of(server, "information_schema.PROCESSLIST"),
            databases=databases_of(server),
        )

    def _replication(self, server: Connection) -> Replication | None:
        connections = server.rows("SHOW ALL SLAVES STATUS")
        if not connections:
            return None
        if len(connections) > 1 or connections[0].get("Connection_name"):
            names = ", ".join(repr(row.get("Connection_name", "")) for row in connections)
            raise DatabaseError(f"{server.target} replicates by named connections ({names}), which we don't manage")
        # In the words that MySQL has for it since 8.0.22.
        row = {
            name.replace("Master", "Source").replace("Slave", "Replica"): value
            for name, value in connections[0].items()
        }
        return followed(row, uses_gtid=row["Using_Gtid"] == "Slave_Pos")

    def semi_sync(self, server: Connection) -> SemiSync:
        """Read variables, status, and the state in which the session is that waits for all of a group commit."""
        status = {
            str(row["Variable_name"]).removeprefix("Rpl_semi_sync_"): str(row["Value"])
            for row in server.rows("SHOW GLOBAL STATUS LIKE 'Rpl_semi_sync_%%'", [])
        }
        row = server.rows(
            "SELECT @@rpl_semi_sync_master_enabled AS wanted, @@rpl_semi_sync_master_timeout AS timeout,"
            " (SELECT COALESCE(MAX(TIME_MS), 0) FROM information_schema.PROCESSLIST"
            " WHERE STATE LIKE 'Waiting for semi-sync ACK%%') AS longest",
            [],
        )[0]
        return SemiSync(
            wanted=bool(row["wanted"]),
            works=status["master_status"] == "ON",
            timeout=int(row["timeout"]) / 1000,
            replicas=int(status["master_clients"]),
            waiting=int(status["master_wait_sessions"]),
            longest_wait=round(float(row["longest"]) / 1000, 1),
            confirms=status["slave_status"] == "ON",
        )

    def set_read_only(self, server: Connection, read_only: bool) -> None:
        """Set `read_only`, which binds all but accounts with READ_ONLY ADMIN."""
        server.execute(f"SET GLOBAL read_only = {int(read_only)}")

    def let_root_write(self, server: Connection) -> None:
        """Do nothing: `read_only` does not bind root."""

    def set_semi_sync(self, server: Connection, on: bool) -> None:
        """Switch the primary's side; the replicas' is always on."""
        server.execute(f"SET GLOBAL rpl_semi_sync_master_enabled = {int(on)}")

    def hold_writes(self, server: Connection, patience: float, held: float) -> None:
        """Set `read_only`, then take the backup lock that commits wait for and reads don't."""
        server.execute(f"SET SESSION lock_wait_timeout = {max(1, round(patience))}")
        # Whose machine vanishes keeps the lock no longer than this.
        server.execute(f"SET SESSION wait_timeout = {max(1, round(held))}")
        self.set_read_only(server, True)
        server.execute("BACKUP STAGE START")
        server.execute("BACKUP STAGE BLOCK_COMMIT")

    def let_go(self, server: Connection, *, undo: bool) -> None:
        """Give up the backup lock."""
        if undo:  # accounts with READ_ONLY ADMIN would write next, into a server that is nobody's primary any more
            waiting = "SELECT ID AS id FROM information_schema.PROCESSLIST WHERE STATE LIKE 'Waiting for backup lock%%'"
            until = time.monotonic() + _KILLED
            # A killed one goes on until it notices; given the lock before, it would write.
            while (sessions := server.rows(waiting, [])) and time.monotonic() < until:
                for session in sessions:
                    server.kill(int(session["id"]))
                time.sleep(0.01)
        with contextlib.suppress(DatabaseError):  # it was not taken
            server.execute("BACKUP STAGE END")

    def oldest_binlog_position(self, server: Connection) -> str:
        """Read the GTID list that the oldest binary log begins with."""
        logs = server.rows("SHOW BINARY LOGS")
        if not logs:
            raise DatabaseError(f"{server.target} keeps no binary log")
        events = server.rows(f"SHOW BINLOG EVENTS IN '{logs[0]['Log_name']}' LIMIT 5")
        for event in events:
            if event["Event_type"] == "Gtid_list":
                return str(event["Info"]).strip("[]")
        raise DatabaseError(f"{server.target}: {logs[0]['Log_name']} names no start position")

    def errant_transactions(self, of: ServerState, primary: ServerState) -> list[str]:
        """Compare the binary logs' states, per domain and server."""
        return [str(one) for one in gtid.errant(of.gtid_state, self.known(primary))]

    def known(self, state: ServerState) -> str:
        """Join both: a server that was provisioned by a copy has what its own binary log never saw."""
        return gtid.render(gtid.parse(f"{state.gtid_state},{state.gtid_position}"))

    def own_transactions(self, server: Connection, of: ServerState, primary: ServerState) -> OwnTransactions:
        """Look for them in the files of the binary log."""
        there = binlog.known(primary.gtid_state, primary.gtid_position)
        errant = [one for one in gtid.parse(of.gtid_state) if binlog.is_beyond(one, there)]
        if not errant:
            return OwnTransactions()
        row = server.rows("SELECT @@log_bin_index AS log_index, @@datadir AS data")[0]
        groups, before = binlog.find(binlog.files(Path(row["log_index"]), Path(row["data"])), there)
        found = {group.gtid for group in groups}
        last_before = {(one.domain, one.server): one.sequence for one in before}
        if lost := [
            str(one) for one in errant if one not in found and one.sequence != last_before.get((one.domain, one.server))
        ]:
            raise DatabaseError(f"{server.target} says that it holds {', '.join(lost)}, its binary logs don't")
        purged = []
        for one in before:
            first = gtid.Gtid(one.domain, one.server, there.get((one.domain, one.server), 0) + 1)
            purged.append(str(one) if first == one else f"{first} to {one}")
        return OwnTransactions(
            [str(group.gtid) for group in groups], purged, binlog.fingerprint(groups), _decoders(groups)
        )

    def dump(self, own: OwnTransactions) -> Iterator[bytes]:
        """Have mariadb-binlog decode the parts of the files that hold them."""
        for command in own.decoders:
            # Within what a statement says, a line may look like anything.
            at_head = False
            for line in decoder.lines(command):
                if line.startswith(b"# at "):
                    at_head = False
                if begins := _BEGINS.match(line):
                    at_head = True
                    yield b"-- transaction " + begins[1] + b"\n"
                if not (at_head and _ORIGIN.match(line)):
                    yield line

    def not_reached(self, position: str, required: str) -> list[str]:
        """Compare sequence numbers per domain."""
        return [str(one) for one in gtid.behind(position, required)]

    def wait_for(self, server: Connection, position: str, timeout: float) -> bool:
        """Wait in the server."""
        # No wait for what the server wrote itself: MASTER_GTID_WAIT looks at replicated positions only.
        if not gtid.behind(self._position(server), position):
            return True
        return bool(server.value("SELECT MASTER_GTID_WAIT(%s, %s)", [position, timeout]) == 0)

    def _position(self, server: Connection) -> str:
        """Return the last transaction of each domain that the server has.

        Not @@gtid_current_pos: it leaves out what is in the binary log by another server_id than today's.
        """
        row = server.rows("SELECT @@gtid_binlog_pos AS written, @@gtid_slave_pos AS replicated")[0]
        return gtid.furthest(str(row["written"]), str(row["replicated"]))

    def stop_receiving(self, server: Connection) -> str:
        """Stop the IO thread, and read where it has come to."""
        server.execute("STOP SLAVE IO_THREAD")
        [row] = server.rows("SHOW ALL SLAVES STATUS")
        return gtid.furthest(str(row["Gtid_IO_Pos"]), self._position(server))

    def follow(self, server: Connection, wanted: Replication, password: str) -> None:
        """Set the position from the binary log, then the source."""
        # A former primary's own transactions are in the binary log only; they count as applied
        # (the caller has made sure that the new primary has them all).
        server.execute("SET GLOBAL gtid_slave_pos = %s", [self._position(server)])
        server.execute(
            "CHANGE MASTER TO MASTER_HOST=%s, MASTER_PORT=%s, MASTER_USER=%s, MASTER_PASSWORD=%s, MASTER_SSL=1,"
            " MASTER_SSL_CA=%s, MASTER_SSL_VERIFY_SERVER_CERT=%s, MASTER_CONNECT_RETRY=%s, MASTER_USE_GTID=slave_pos",
            source_arguments(wanted, password),
        )

    def replication_password(self, server: Connection) -> str | None:
        """Read the file that the server keeps it in."""
        # The server never shows it; the file it keeps it in is readable to root on the host itself.
        path = os.path.join(str(server.value("SELECT @@datadir")), "master.info")
        try:
            with open(path, encoding="utf-8", errors="replace") as lines:
                kept = lines.read().splitlines()
        except OSError:
            return None
        # number of lines, log, position, host, user, password, port, ...
        return kept[5] if kept[6:] else None

    def password_hash(self, password: str, kept: str = "") -> str:
        """Hash as `mysql_native_password` is defined."""
        inner = hashlib.sha1(password.encode(), usedforsecurity=False).digest()
        return "*" + hashlib.sha1(inner, usedforsecurity=False).hexdigest().upper()

    def grants(self, wanted: dict[str, set[str]]) -> dict[str, set[str]]:
        """Return them as they are."""
        return wanted

    def account(self, server: Connection, user: str, host: str) -> dict[str, Any] | None:
        """Read the account's properties and its grants."""
        kept = server.value("SELECT Priv FROM mysql.global_priv WHERE User = %s AND Host = %s", [user, host])
        if kept is None:
            return None
        properties: dict[str, Any] = json.loads(kept)
        plugin = properties.get("plugin")
        return {
            "hash": properties.get("authentication_string", "") if plugin == "mysql_native_password" else "",
            # 0 none, 1 any TLS; 2 and 3 ask for a client certificate, which is more than we ask for
            "tls": int(properties.get("ssl_type", 0)) > 0,
            "grants": grants_of(server, user, host),
        }


def _decoders(groups: list[binlog.Group]) -> list[list[str]]:
    """Return the commands that print the transactions: one for each part of a file that they follow one another in."""
    parts: list[tuple[Path, int, int]] = []
    for group in groups:
        if parts and (parts[-1][0], parts[-1][2]) == (group.file, group.start):
            parts[-1] = (group.file, parts[-1][1], group.end)
        else:
            parts.append((group.file, group.start, group.end))
    return [
        [
            "mariadb-binlog",
            "--no-defaults",
            "--verbose",
            f"--start-position={start}",
            f"--stop-position={end}",
            str(file),
        ]
        for file, start, end in parts
    ]
