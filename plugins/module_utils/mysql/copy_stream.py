"""How a copy of the primary's data gets to a replica: one TLS connection that both ends prove themselves on.

The replica listens, only while it receives, and the primary connects: so the primary, whose data it is, looks at the
certificate of the one it gives them to as any client does, and nothing that hands out data ever listens. The replica
takes only the connection whose certificate is made out to the primary. Both use the certificates that replication
uses. Not through the controller: it would carry all the data twice, and its keys would have to open both hosts.

On the wire: what the primary says of itself and the replica's consent, both as messages after their length. What comes
then differs by the kind of server: `copy_backup`, `copy_clone`.
"""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import struct
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from .errors import DatabaseError

LENGTH = struct.Struct(">I")
_LARGEST_MESSAGE = 1 << 20
# The backup holds the primary's commits for a moment at its end. A replica that takes nothing for so long is given up,
# so that it never is more than this.
_SEND_PATIENCE = 20.0
# A statement on the primary that the backup has to wait for (ALTER TABLE) may take long, and nothing comes meanwhile.
SILENCE = 3600.0
_HANDSHAKE = 10.0
STRANGE = "the other side says something else than a copy's sender and receiver do"


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
    """In bytes."""
    version: str
    gtid_state: str
    left_out: list[str]
    """Tables whose rows a copy would not bring."""


@contextlib.contextmanager
def connect(to: tuple[str, int], identity: Identity, patience: float) -> Iterator[ssl.SSLSocket]:
    """Connect to the host that waits for a copy.

    :param patience: seconds to wait for it to listen.
    :raises DatabaseError: nobody listens, or it is not who it should be.
    """
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
                return Offer(**receive_message(self.stream))
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
                send_message(self.stream, {"refused": why})

    def accept(self) -> ssl.SSLSocket:
        """Tell the primary that its copy is wanted, and return the connection.

        :raises DatabaseError: nothing was offered, or the primary is gone.
        """
        stream = self.stream
        if stream is None:
            raise DatabaseError("nothing was offered")
        try:
            send_message(stream, {"refused": ""})
        except OSError as error:
            raise DatabaseError(f"the primary is gone: {error}") from error
        stream.settimeout(SILENCE)
        return stream

    def close(self) -> None:
        """Listen no more and end the connection."""
        if self.stream is not None:
            self.stream.close()
        self._listener.close()

    def __enter__(self) -> Receiver:  # noqa: PYI034 - Self is of Python 3.11, targets may have 3.10
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _keep_alive(connection: socket.socket) -> None:
    """Notice within a minute that the other host is gone."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 30)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 10)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 3)


def exactly(stream: ssl.SSLSocket, length: int) -> bytearray:
    """Read so many bytes; OSError when they don't come."""
    data = bytearray(length)
    view, done = memoryview(data), 0
    while done < length:
        count = stream.recv_into(view[done:])
        if count == 0:
            raise ConnectionError("the other side is gone")
        done += count
    return data


def send_message(stream: ssl.SSLSocket, message: dict[str, Any]) -> None:
    """Send a message; OSError when the other side is gone."""
    data = json.dumps(message).encode()
    stream.sendall(LENGTH.pack(len(data)) + data)


def receive_message(stream: ssl.SSLSocket) -> dict[str, Any]:
    """Wait for a message; OSError when the other side is gone.

    :raises DatabaseError: it is none of ours.
    """
    [length] = LENGTH.unpack(exactly(stream, LENGTH.size))
    if length > _LARGEST_MESSAGE:
        raise DatabaseError(STRANGE)
    message: dict[str, Any] = json.loads(bytes(exactly(stream, length)))
    return message
