"""The primary's end of a copy."""

from __future__ import annotations

import contextlib
import os
from dataclasses import asdict

from .connection import Connection
from .copy_methods import METHODS
from .copy_stream import Identity, Offer, connect, receive_message, send_message
from .errors import DatabaseError
from .flavor import Flavor


def send(
    server: Connection, flavor: Flavor, unix_socket: str, to: tuple[str, int], identity: Identity, patience: float
) -> int:
    """Give a copy of the server's data to the host that waits for it, and return the number of bytes.

    :param server: a session on the primary, on this host.
    :param patience: seconds to wait for the other side to listen.
    :raises DatabaseError: nobody listened, the other side is not who it should be or refused, or the copy failed.
    """
    state = flavor.state(server)
    if state.read_only or state.replication is not None:
        raise DatabaseError(f"{server.target} is not the primary (by now), so nothing was sent")
    method = METHODS[flavor.name]
    known = flavor.known(state)
    size = _size(str(server.value("SELECT @@datadir")))
    offer = Offer(size, state.version, known, method.left_out(server))
    with connect(to, identity, patience) as stream:
        try:
            send_message(stream, asdict(offer))
            answer = receive_message(stream)
        except OSError as error:  # it may look at our certificate only now
            raise DatabaseError(f"{to[0]}:{to[1]} was offered a copy, and went away: {error}") from error
        if answer.get("refused"):
            raise DatabaseError(f"{to[0]} takes no copy: {answer['refused']}")
        # Commits that wait for a replica would keep the copy waiting, and it the replica that they wait for.
        stuck = state.semi_sync and state.semi_sync_replicas == 0
        if stuck:
            flavor.set_semi_sync(server, False)
        try:
            return method.send(stream, unix_socket)
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
