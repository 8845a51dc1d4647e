"""A copy of MariaDB's data: mariadb-backup on the primary, unpacked and prepared at the replica's.

On the wire, after the replica's consent: chunks, each after its length, an empty one at the end, then whether the copy
is whole. A stream that is cut off is never taken for a whole one.
"""

from __future__ import annotations

import contextlib
import os
import ssl
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from . import gtid
from .connection import Connection
from .copy_method import CopyMethod, Progress
from .copy_stream import LENGTH, STRANGE, Offer, Receiver, exactly, receive_message, send_message
from .errors import DatabaseError
from .replica import Primary

_CHUNK = 1 << 20
# Names of the file that mariadb-backup writes the position to, by release.
_POSITION_FILES = ("mariadb_backup_binlog_info", "xtrabackup_binlog_info")


class BackupCopy(CopyMethod):
    """Stream what mariadb-backup writes."""

    def readable(self, there: tuple[int, ...], here: tuple[int, ...]) -> bool:
        """Files of an older release are upgraded."""
        return there <= here

    def left_out(self, server: Connection) -> list[str]:
        """Nothing is."""
        return []

    def send(self, stream: ssl.SSLSocket, socket: str) -> int:
        """Run the backup and send what it writes, then whether it is whole."""
        total = 0
        with tempfile.TemporaryDirectory(prefix="trinitycore-copy-") as scratch, tempfile.TemporaryFile() as log:
            # Root logs in over the socket by being root: no password is needed.
            command = [
                *("mariadb-backup", "--no-defaults", "--backup", "--stream=mbstream", "--user=root"),
                *(f"--socket={socket}", f"--target-dir={scratch}", "--open-files-limit=65535"),
                "--log-copy-interval=20",  # commits wait for its last round at the end; the default is a second
            ]
            with _started(command, stdout=subprocess.PIPE, stderr=log) as backup:
                assert backup.stdout is not None  # noqa: S101 - it is a pipe
                try:
                    while chunk := backup.stdout.read(_CHUNK):
                        stream.sendall(LENGTH.pack(len(chunk)) + chunk)
                        total += len(chunk)
                except OSError as error:
                    raise DatabaseError(f"the other side takes nothing more, after {total} bytes: {error}") from error
                code = backup.wait()
            told = _end_of(log)
        whole = code == 0 and told.endswith("completed OK!")
        with contextlib.suppress(OSError):  # then the other side knows that it lacks something
            stream.sendall(LENGTH.pack(0))
            send_message(stream, {"whole": whole, "told": "" if whole else told})
            receive_message(stream)  # it has unpacked everything
        if not whole:
            raise DatabaseError(f"mariadb-backup failed: {told}")
        return total

    def fetch(
        self,
        receiver: Receiver,
        offer: Offer,
        directory: Path,
        local: Connection,
        primary: Primary,
        progress: Progress,
    ) -> dict[str, str]:
        """Receive, prepare, and read where it is."""
        stream = receiver.accept()
        directory.mkdir(mode=0o700)
        _unpack(stream, directory)
        progress("prepare")
        _prepare(directory)
        position = _position(directory)
        return {"gtid": position, "gtid_state": state_with(offer.gtid_state, position)}

    def settle(self, server: Connection, socket: str, position: str, state: str, *, upgrade: bool) -> None:
        """Bring it to this release, and tell it where it is: MariaDB keeps that apart from the data.

        The binary log, which is new, gets the primary's history too: this server may be the primary one day, and must
        know that its own logs begin here, and which transactions of others it holds.
        """
        if upgrade:
            _upgrade(socket)
        if gtid.behind(str(server.value("SELECT @@gtid_current_pos")), position):
            server.execute("SET GLOBAL gtid_slave_pos = %s", [position])
        if position and not server.value("SELECT @@gtid_binlog_state"):
            server.execute("SET GLOBAL gtid_binlog_state = %s", [state])


def _unpack(stream: ssl.SSLSocket, directory: Path) -> None:
    """Receive the copy into an existing, empty directory.

    :raises DatabaseError: it isn't whole.
    """
    total = 0
    with tempfile.TemporaryFile() as log:
        try:
            with _started(["mbstream", "-x", "-C", str(directory)], stdin=subprocess.PIPE, stderr=log) as unpacker:
                assert unpacker.stdin is not None  # noqa: S101 - it is a pipe
                while length := LENGTH.unpack(exactly(stream, LENGTH.size))[0]:
                    if length > _CHUNK:
                        raise DatabaseError(STRANGE)
                    unpacker.stdin.write(exactly(stream, length))
                    total += length
                unpacker.stdin.close()
                code = unpacker.wait()
            end = receive_message(stream)
            send_message(stream, {})
        except BrokenPipeError as error:
            raise DatabaseError(f"the copy can't be unpacked: {_end_of(log) or error}") from error
        except OSError as error:
            raise DatabaseError(f"the copy broke off after {total} bytes: {error}") from error
        if code != 0:
            raise DatabaseError(f"the copy can't be unpacked: {_end_of(log)}")
    if not end.get("whole"):
        raise DatabaseError(f"mariadb-backup failed on the primary: {end.get('told')}")


def _prepare(directory: Path) -> None:
    """Apply what happened during the backup."""
    command = ["mariadb-backup", "--no-defaults", "--prepare", f"--target-dir={directory}"]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    if done.returncode != 0 or not done.stderr.rstrip().endswith("completed OK!"):
        raise DatabaseError(f"the copy can't be prepared: {done.stderr.strip()[-2000:]}")


def _position(directory: Path) -> str:
    """Return the position that the copy is at, from the file that the backup holds it in."""
    for name in _POSITION_FILES:
        with contextlib.suppress(FileNotFoundError):
            # file, offset and position, which may go over several lines
            parts = (directory / name).read_text(encoding="ascii").split(None, 2)
            return gtid.render(gtid.parse("".join(parts[2].split()))) if len(parts) > 2 else ""
    raise DatabaseError(f"the copy does not say where it is: {' or '.join(_POSITION_FILES)} is missing in {directory}")


def state_with(known: str, position: str) -> str:
    """Return the state of a binary log that has come to `position`, when its primary's was `known` shortly before.

    The last transaction of each domain comes last in it, as the server takes it.
    """
    last: dict[tuple[int, int], int] = {}
    for one in gtid.parse(f"{known},{position}"):
        key = (one.domain, one.server)
        last[key] = max(one.sequence, last.get(key, 0))
    ordered = sorted((domain, sequence, server) for (domain, server), sequence in last.items())
    return ",".join(f"{domain}-{server}-{sequence}" for domain, sequence, server in ordered)


def _upgrade(socket: str) -> None:
    """Bring the system tables of an older primary to this server's release; replicas get nothing of it."""
    command = ["mariadb-upgrade", "--no-defaults", f"--socket={socket}", "--user=root"]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    if done.returncode != 0:
        raise DatabaseError(f"the system tables can't be upgraded: {(done.stderr or done.stdout).strip()[-2000:]}")


@contextlib.contextmanager
def _started(command: list[str], **pipes: Any) -> Iterator[subprocess.Popen[bytes]]:
    """Start a program, and kill it if it still runs at the end."""
    try:
        program = subprocess.Popen(command, **pipes)
    except FileNotFoundError as error:
        raise DatabaseError(f"{command[0]} is missing here: install the package mariadb-backup") from error
    try:
        yield program
    finally:
        program.kill()
        for pipe in (program.stdin, program.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()
        program.wait()


def _end_of(log: IO[bytes]) -> str:
    """Return the last lines of a program's messages."""
    size = log.seek(0, os.SEEK_END)
    log.seek(max(0, size - 2000))
    return log.read().decode(errors="replace").strip()
