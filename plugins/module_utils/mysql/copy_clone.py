"""A copy of MySQL's data: its clone plugin, from server to server.

It can take the place of a server's own data, which are then gone before the copy has come; so it goes into a directory
beside them. On the connection between the hosts nothing comes but word that it is done.
"""

from __future__ import annotations

import contextlib
import os
import ssl
import time
from pathlib import Path

from . import gtid_set
from .connection import Connection
from .copy_method import CopyMethod, Progress
from .copy_stream import SILENCE, Offer, Receiver, receive_message, send_message
from .errors import DatabaseError
from .flavor import SYSTEM_DATABASES
from .replica import Primary

# Where in the directory the server puts it: one that isn't there, in one that it may write to.
_WITHIN = "cloned"
# Seconds in which the clone of a run that was interrupted ends.
_ENDING = 30.0


class CloneCopy(CopyMethod):
    """Have the server here clone the primary."""

    def readable(self, there: tuple[int, ...], here: tuple[int, ...]) -> bool:
        """The plugin wants the same series on both sides."""
        return there == here

    def left_out(self, server: Connection) -> list[str]:
        """Return the tables of other engines: the plugin makes them, and leaves them empty."""
        rows = server.rows(
            "SELECT CONCAT(TABLE_SCHEMA, '.', TABLE_NAME) AS name FROM information_schema.TABLES"
            " WHERE TABLE_TYPE = 'BASE TABLE' AND ENGINE <> 'InnoDB' AND TABLE_SCHEMA NOT IN %s ORDER BY 1",
            [SYSTEM_DATABASES],
        )
        return [str(row["name"]) for row in rows]

    def send(self, stream: ssl.SSLSocket, socket: str) -> int:
        """Wait until the other side has it."""
        stream.settimeout(SILENCE)
        try:
            told = receive_message(stream)
        except OSError as error:
            raise DatabaseError(f"the other side went away while it cloned: {error}") from error
        if told.get("failed"):
            raise DatabaseError(f"the other side could not clone: {told['failed']}")
        return int(told["bytes"])

    def fetch(
        self,
        receiver: Receiver,
        offer: Offer,
        directory: Path,
        local: Connection,
        primary: Primary,
        progress: Progress,
    ) -> dict[str, str]:
        """Clone, and read where it is."""
        _end_others(local)
        stream = receiver.accept()
        data = os.stat(str(local.value("SELECT @@datadir")))
        directory.mkdir(mode=0o700)
        os.chown(directory, data.st_uid, data.st_gid)
        try:
            _clone(local, primary, directory / _WITHIN)
        except DatabaseError as error:
            with contextlib.suppress(OSError):
                send_message(stream, {"failed": str(error)})
            raise
        status = local.rows("SELECT GTID_EXECUTED AS gtid FROM performance_schema.clone_status")[0]
        with contextlib.suppress(OSError):
            send_message(stream, {"bytes": offer.size})
        progress("prepare")
        _move_up(directory)
        position = gtid_set.render(gtid_set.parse(str(status["gtid"])))
        return {"gtid": position, "gtid_state": position}

    def settle(self, server: Connection, socket: str, position: str, state: str, *, upgrade: bool) -> None:
        """Nothing: it is all in the data."""


def _clone(local: Connection, primary: Primary, directory: Path) -> None:
    """Run the statement; it logs in by the account and authority that replication uses."""
    if not local.rows("SELECT 1 FROM information_schema.PLUGINS WHERE PLUGIN_NAME = 'clone'"):
        raise DatabaseError(f"{local.target} has not loaded the clone plugin (plugin_load_add = mysql_clone.so)")
    local.execute("SET GLOBAL clone_ssl_ca = %s", [primary.ca_file])
    local.execute("SET GLOBAL clone_valid_donor_list = %s", [f"{primary.address}:{primary.port}"])
    local.execute(
        f"CLONE INSTANCE FROM %s@%s:{primary.port:d} IDENTIFIED BY %s DATA DIRECTORY = %s REQUIRE SSL",
        [primary.user, primary.address, primary.password, str(directory)],
    )


def _end_others(local: Connection) -> None:
    """End the clone of a run that was interrupted: its server goes on with it.

    :raises DatabaseError: it does not end.
    """
    until = time.monotonic() + _ENDING
    while running := local.rows(
        "SELECT PID AS id FROM performance_schema.clone_status WHERE STATE = 'In Progress' AND PID <> CONNECTION_ID()"
    ):
        if time.monotonic() > until:
            raise DatabaseError(f"{local.target} still clones for somebody else; wait until that has ended")
        local.kill(int(running[0]["id"]))
        time.sleep(0.2)


def _move_up(directory: Path) -> None:
    """Have the copy right in the directory."""
    cloned = directory / _WITHIN
    for entry in sorted(cloned.iterdir()):
        entry.rename(directory / entry.name)
    cloned.rmdir()
