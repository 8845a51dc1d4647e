"""The primary's end of a copy."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator
from dataclasses import asdict

from .connection import Connection, open_local
from .copy_methods import METHODS
from .copy_stream import Identity, Offer, connect, receive_message, send_message
from .errors import DatabaseError
from .flavor import Flavor

# Seconds between two looks for a replica that has come back.
_LOOK = 0.2


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
        with _kept_by_no_commit(server, flavor, unix_socket):
            return method.send(stream, unix_socket)


@contextlib.contextmanager
def _kept_by_no_commit(server: Connection, flavor: Flavor, unix_socket: str) -> Iterator[None]:
    """Have commits wait for no replica where there is none.

    They would keep the copy waiting, and it the replica that they wait for. They wait again as soon as any replica is
    there, or the copy has failed; else when the new one follows.
    """
    state = flavor.state(server)  # the other side may have come late
    if not state.semi_sync or state.semi_sync_replicas > 0:
        yield
        return
    done = threading.Event()
    watch = threading.Thread(target=_await_replica, args=(flavor, unix_socket, done))
    flavor.set_semi_sync(server, False)
    watch.start()
    try:
        yield
    except BaseException:
        flavor.set_semi_sync(server, True)
        raise
    finally:
        done.set()
        watch.join()


def _await_replica(flavor: Flavor, unix_socket: str, done: threading.Event) -> None:
    """Have commits wait again once a replica is there."""
    with contextlib.suppress(DatabaseError), open_local(unix_socket) as server:  # without it, there is nothing to wait
        while not done.wait(_LOOK):
            if flavor.state(server).semi_sync_replicas > 0:
                flavor.set_semi_sync(server, True)
                return


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
