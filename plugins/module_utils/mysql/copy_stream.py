"""How a copy of the primary's data gets to a replica: one TLS connection that both ends prove themselves on.

The replica listens, only while it receives, and the primary connects: so the primary, whose data it is, looks at the
certificate of the one it gives them to as any client does, and nothing that hands out data ever listens. The replica
takes only the connection whose certificate is made out to the primary. Both use the certificates that replication
uses. Not through the controller: it would carry all the data twice, and its keys would have to open both hosts.

On the wire, after what the primary says of itself and the replica's consent: chunks, each after its length, an empty
one at the end, then whether the copy is whole. A stream that is cut off is never taken for a whole one.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import ssl
import struct
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

from . import gtid
from .connection import Connection
from .errors import DatabaseError
from .flavor import Flavor

_CHUNK = 1 << 20
_LENGTH = struct.Struct(">I")
_LARGEST_MESSAGE = 1 << 20
# The backup holds the primary's commits for a moment at its end. A replica that takes nothing for so long is given up,
# so that it never is more than this.
_SEND_PATIENCE = 20.0
# A statement on the primary that the backup has to wait for (ALTER TABLE) may take long, and nothing comes meanwhile.
_SILENCE = 3600.0
_HANDSHAKE = 10.0
_STRANGE = "the other side says something else than a copy's sender and receiver do"


@dataclass(frozen=True)
class Identity:
    """This host's certificate and key, and the authority that the other one's must be signed by."""

    ca_file: str
    certificate: str
    key: str

    def context(self, purpose: ssl.Purpose) -> ssl.SSLContext:
        """Return a TLS context that demands a certificate of the other side.

        :raises DatabaseError: a file is missing or unusable.
        """
        try:
            context = ssl.create_default_context(purpose, cafile=self.ca_file)
            context.load_cert_chain(self.certificate, self.key)
        except OSError as error:
            raise DatabaseError(f"{self.certificate}, {self.key} or {self.ca_file} can't be used: {error}") from error
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.verify_mode = ssl.CERT_REQUIRED
        return context


@dataclass(frozen=True)
class Offer:
    """What the primary says before it sends: how much it is, of which release, and the history that comes with it."""

    size: int
    version: str
    gtid_state: str


def send(
    server: Connection, flavor: Flavor, unix_socket: str, to: tuple[str, int], identity: Identity, patience: float
) -> int:
    """Send a copy of the server's data to the host that waits for it, and return the number of bytes.

    :param server: a session on the primary, on this host.
    :param patience: seconds to wait for the other side to listen.
    :raises DatabaseError: nobody listened, the other side is not who it should be or refused, or the backup failed.
    """
    state = flavor.state(server)
    if state.read_only or state.replication is not None:
        raise DatabaseError(f"{server.target} is not the primary (by now), so nothing was sent")
    known = gtid.render(gtid.parse(",".join(filter(None, (state.gtid_state, state.gtid_position)))))
    offer = Offer(_size(str(server.value("SELECT @@datadir"))), state.version, known)
    with _connect(to, identity, patience) as stream:
        try:
            _send_message(stream, asdict(offer))
            answer = _receive_message(stream)
        except OSError as error:  # it may look at our certificate only now
            raise DatabaseError(f"{to[0]}:{to[1]} was offered a copy, and went away: {error}") from error
        if answer.get("refused"):
            raise DatabaseError(f"{to[0]} takes no copy: {answer['refused']}")
        # Commits that wait for a replica would keep the backup waiting, and it the replica that they wait for.
        stuck = state.semi_sync and state.semi_sync_replicas == 0
        if stuck:
            flavor.set_semi_sync(server, False)
        try:
            return _send_backup(stream, unix_socket)
        except BaseException:
            if stuck:
                flavor.set_semi_sync(server, True)
            raise


def _size(data_directory: str) -> int:
    """Return how many bytes the data take up, binary and relay logs left out where they are known by name."""
    total = 0
    for folder, _, names in os.walk(data_directory):
        for name in names:
            with contextlib.suppress(OSError):  # dropped meanwhile
                stem, _, number = name.rpartition(".")
                if not (stem and folder.rstrip("/") == data_directory.rstrip("/") and number.isdigit()):
                    total += os.stat(os.path.join(folder, name)).st_blocks * 512
    return total


@contextlib.contextmanager
def _connect(to: tuple[str, int], identity: Identity, patience: float) -> Iterator[ssl.SSLSocket]:
    context = identity.context(ssl.Purpose.SERVER_AUTH)
    until = time.monotonic() + patience
    while True:
        try:
            plain = socket.create_connection(to, timeout=5)
            break
        except OSError as error:
            if time.monotonic() > until:
                raise DatabaseError(f"nobody waits for a copy at {to[0]}:{to[1]}: {error}") from error
            time.sleep(0.2)
    with plain:
        _keep_alive(plain)
        plain.settimeout(_SEND_PATIENCE)
        try:
            stream = context.wrap_socket(plain, server_hostname=to[0])
        except OSError as error:
            raise DatabaseError(f"{to[0]}:{to[1]} was given nothing: {error}") from error
        with stream:
            yield stream


def _send_backup(stream: ssl.SSLSocket, unix_socket: str) -> int:
    """Run the backup and send what it writes, then whether it is whole."""
    total = 0
    with tempfile.TemporaryDirectory(prefix="trinitycore-copy-") as scratch, tempfile.TemporaryFile() as log:
        # Root logs in over the socket by being root: no password is needed.
        command = [
            *("mariadb-backup", "--no-defaults", "--backup", "--stream=mbstream", "--user=root"),
            *(f"--socket={unix_socket}", f"--target-dir={scratch}", "--open-files-limit=65535"),
            "--log-copy-interval=20",  # commits wait for its last round at the end; the default is a second
        ]
        with _started(command, stdout=subprocess.PIPE, stderr=log) as backup:
            assert backup.stdout is not None  # noqa: S101 - it is a pipe
            try:
                while chunk := backup.stdout.read(_CHUNK):
                    stream.sendall(_LENGTH.pack(len(chunk)) + chunk)
                    total += len(chunk)
            except OSError as error:
                raise DatabaseError(f"the other side takes nothing more, after {total} bytes: {error}") from error
            code = backup.wait()
        told = _end_of(log)
    whole = code == 0 and told.endswith("completed OK!")
    with contextlib.suppress(OSError):  # then the other side knows that it lacks something
        stream.sendall(_LENGTH.pack(0))
        _send_message(stream, {"whole": whole, "told": "" if whole else told})
        _receive_message(stream)  # it has unpacked everything
    if not whole:
        raise DatabaseError(f"mariadb-backup failed: {told}")
    return total


class Receiver:
    """The replica's end. Listens from the moment it is made until `close`."""

    def __init__(self, address: str, port: int, sender: str, identity: Identity) -> None:
        """Listen.

        :param sender: the primary's address, which its certificate must be made out to.
        :raises DatabaseError: the port is taken.
        """
        self._sender = sender
        self._context = identity.context(ssl.Purpose.CLIENT_AUTH)
        try:
            self._listener = socket.create_server((address, port), backlog=4)
        except OSError as error:
            raise DatabaseError(f"can't listen at {address}:{port}: {error}") from error
        self.stream: ssl.SSLSocket | None = None

    def offer(self, patience: float) -> Offer:
        """Wait for the primary, and return what it has.

        :raises DatabaseError: it didn't come in time.
        """
        until = time.monotonic() + patience
        strangers: list[str] = []
        while (left := until - time.monotonic()) > 0:
            self._listener.settimeout(left)
            try:
                plain, (peer, *_) = self._listener.accept()
            except OSError:
                break
            try:
                self.stream = self._welcome(plain)
                return Offer(**_receive_message(self.stream))
            except (OSError, ValueError, TypeError, DatabaseError) as error:
                strangers.append(f"{peer}: {error}")
                plain.close()
        turned_away = f"; turned away: {'; '.join(strangers[-3:])}" if strangers else ""
        raise DatabaseError(f"the primary ({self._sender}) did not come to send within {patience:g} s{turned_away}")

    def _welcome(self, plain: socket.socket) -> ssl.SSLSocket:
        _keep_alive(plain)
        plain.settimeout(_HANDSHAKE)
        stream = self._context.wrap_socket(plain, server_side=True)
        certificate = stream.getpeercert() or {}
        names: Any = certificate.get("subjectAltName", ())
        if self._sender not in {str(value) for _, value in names}:
            stream.close()
            raise DatabaseError(f"its certificate is not made out to {self._sender}")
        return stream

    def refuse(self, why: str) -> None:
        """Tell the primary that nothing is wanted."""
        if self.stream is not None:
            with contextlib.suppress(OSError):
                _send_message(self.stream, {"refused": why})

    def unpack(self, directory: Path) -> int:
        """Receive the copy into an existing, empty directory; return the number of bytes.

        :raises DatabaseError: it isn't whole.
        """
        stream = self.stream
        if stream is None:
            raise DatabaseError("nothing was offered")
        total = 0
        with tempfile.TemporaryFile() as log:
            try:
                _send_message(stream, {"refused": ""})
                stream.settimeout(_SILENCE)
                with _started(["mbstream", "-x", "-C", str(directory)], stdin=subprocess.PIPE, stderr=log) as unpacker:
                    assert unpacker.stdin is not None  # noqa: S101 - it is a pipe
                    while length := _LENGTH.unpack(_exactly(stream, _LENGTH.size))[0]:
                        if length > _CHUNK:
                            raise DatabaseError(_STRANGE)
                        unpacker.stdin.write(_exactly(stream, length))
                        total += length
                    unpacker.stdin.close()
                    code = unpacker.wait()
                end = _receive_message(stream)
                _send_message(stream, {})
            except BrokenPipeError as error:
                raise DatabaseError(f"the copy can't be unpacked: {_end_of(log) or error}") from error
            except OSError as error:
                raise DatabaseError(f"the copy broke off after {total} bytes: {error}") from error
            if code != 0:
                raise DatabaseError(f"the copy can't be unpacked: {_end_of(log)}")
        if not end.get("whole"):
            raise DatabaseError(f"mariadb-backup failed on the primary: {end.get('told')}")
        return total

    def close(self) -> None:
        """Listen no more and end the connection."""
        if self.stream is not None:
            self.stream.close()
        self._listener.close()

    def __enter__(self) -> Receiver:  # noqa: PYI034 - Self is of Python 3.11, targets may have 3.10
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


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


def _keep_alive(connection: socket.socket) -> None:
    """Notice within a minute that the other host is gone."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 30)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 10)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 3)


def _exactly(stream: ssl.SSLSocket, length: int) -> bytearray:
    """Read so many bytes; OSError when they don't come."""
    data = bytearray(length)
    view, done = memoryview(data), 0
    while done < length:
        count = stream.recv_into(view[done:])
        if count == 0:
            raise ConnectionError("the other side is gone")
        done += count
    return data


def _send_message(stream: ssl.SSLSocket, message: dict[str, Any]) -> None:
    data = json.dumps(message).encode()
    stream.sendall(_LENGTH.pack(len(data)) + data)


def _receive_message(stream: ssl.SSLSocket) -> dict[str, Any]:
    [length] = _LENGTH.unpack(_exactly(stream, _LENGTH.size))
    if length > _LARGEST_MESSAGE:
        raise DatabaseError(_STRANGE)
    message: dict[str, Any] = json.loads(bytes(_exactly(stream, length)))
    return message
