"""Give a replica a copy of the primary's data when transactions alone can't bring it there.

What the primary's binary logs no longer tell, or never told, comes as a physical copy, taken while it is written to.
The server on the replica's host goes on until the copy is whole and prepared; then the two directories change places
in one step (`copy_places`), and what was there before is kept until the new server replicates. Interrupted anywhere, it
is run again.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import Protocol

from . import records
from .connection import Connection, open_local, open_remote
from .copy_methods import METHODS
from .copy_places import (
    MARKER,
    Places,
    alone,
    dress,
    exchange,
    must_allow_exchange,
    must_fit,
    read_marker,
    remove,
    tidy,
    write_marker,
)
from .copy_stream import Identity, Offer, Receiver
from .errors import DatabaseError, ServerUnavailableError, TopologyError
from .flavor import Flavor
from .flavors import detect
from .replica import Primary, make_replica, oldest_position
from .state import ServerState, release

FINISH = "finish the copy that was begun"


class Service(Protocol):
    """The server's process, as the host's service manager has it."""

    def stop(self) -> None:
        """Stop it and wait until it has ended."""

    def start(self) -> None:
        """Start it and wait until it has come up; DatabaseError when it doesn't."""


@dataclass(frozen=True)
class Host:
    """The replica's host: its server, and how the primary reaches it."""

    name: str
    address: str
    port: int
    socket: str
    service: Service
    identity: Identity


@dataclass(frozen=True)
class _Source:
    """What the primary says."""

    state: ServerState
    oldest: str
    incomplete_before: str


def provide_copy(
    host: Host,
    primary: Primary,
    replace: list[str],
    timeout: float,
    dry: bool,
    progress: Callable[[str], None] = lambda _: None,
    *,
    saved: Collection[str] | None = None,
) -> list[str]:
    """Copy the primary's data here if this server can't follow otherwise, make it follow, and say what was done.

    Its sender must run on the primary meanwhile, unless `dry`.

    :param replace: hosts whose own transactions and tables may be lost.
    :param saved: of those transactions, the last of each origin that is kept elsewhere; others may not be lost. None:
        all may.
    :param timeout: seconds for the primary to come, for the server to answer again, and for replication to run.
    :param progress: is told each step before it begins.
    :raises DatabaseError: it can't be done or would lose data; the server then runs with what it had before, or the
        run can be repeated.
    """
    with _session(host, 0 if dry else timeout, start=not dry) as server:
        places = Places.beside(str(server.value("SELECT @@datadir")))
    with contextlib.nullcontext() if dry else alone(places.data):
        if not dry:
            tidy(places)
        with _session(host, timeout) as server:
            flavor = detect(server)
            state = flavor.state(server)  # before the primary's, which then knows all that this one may hold
            source = _ask(flavor, primary)
        needed = _needed(flavor, host.name, state, source, primary, replace, saved, places)
        done = [f"replace the data by a copy of {primary.name}'s: {needed}"] if needed else []
        if not needed and not places.unfinished:
            return []
        if needed and not dry:
            _fetch(host, primary, places, flavor, source, state.version, timeout, progress)
            _put_in_place(host, primary, places, replace, saved, progress)
        if not dry:
            progress("follow")
            _finish(host, primary, places, timeout)
    return done or [FINISH]


@contextlib.contextmanager
def _session(host: Host, timeout: float, *, start: bool = False) -> Iterator[Connection]:
    """Log in; a server that has just been started may take a moment.

    :param start: start it first when nobody answers, as after an interrupted run.
    """
    until = time.monotonic() + timeout
    while True:
        try:
            server = open_local(host.socket)
            break
        except ServerUnavailableError:
            if time.monotonic() > until:
                raise
            if start:
                host.service.start()
                start = False
            time.sleep(0.2)
    with server:
        yield server


def _ask(flavor: Flavor, primary: Primary) -> _Source:
    with open_remote(primary.address, primary.port, primary.user, primary.password, primary.ca_file) as remote:
        state = flavor.state(remote)
        history = records.read(remote, primary.schema, records.HISTORY) or {}
    if state.read_only:
        raise TopologyError(f"{primary.name} is read-only, so it is not the primary; nothing was copied")
    return _Source(state, oldest_position(flavor, primary), str(history.get("incomplete_before", "")))


def _receives(state: ServerState, primary: Primary) -> bool:
    """Whether it follows the primary, and tries again when the connection is lost: what it lacks is on its way."""
    there, where = state.replication, (primary.address, primary.port)
    return there is not None and there.io_running != "No" and (there.host, there.port) == where


def _needed(
    flavor: Flavor,
    name: str,
    state: ServerState,
    source: _Source,
    primary: Primary,
    replace: list[str],
    saved: Collection[str] | None,
    places: Places,
) -> str:
    """Return why the server needs a copy, empty if it doesn't.

    :raises TopologyError: it does, or may, but holds something of its own, or can't read the primary's data.
    """
    position, own = state.gtid_position, _own(flavor, state, source.state, primary)
    if places.exchanged and not state.gtid_state:  # a copy that was not told yet where it is
        position, own = str(read_marker(places.data)["gtid"]), ""
    why = ""
    if own:
        if name not in replace:
            raise TopologyError(
                f"{name} holds {own}. It was left as it is; to have all its data replaced by a copy of "
                f"{primary.name}'s, name it in mysql_replace_data"
            )
        _must_be_saved(flavor, name, state, source.state, saved)
        why = f"it holds {own}"
    elif name in replace and state.replication and not state.replication.sql_running and state.replication.error:
        why = f"it can't apply what {primary.name} sends ({state.replication.error})"
    elif _receives(state, primary):
        return ""
    elif flavor.not_reached(position, source.oldest):
        why = f"the binary logs of {primary.name} begin at {source.oldest}, {name} is at {position or 'the beginning'}"
    elif flavor.not_reached(position, source.incomplete_before):
        why = f"{primary.name} held data before it was taken over, which its binary logs do not tell of"
    there, here = release(source.state.version), release(state.version)
    if why and not METHODS[flavor.name].readable(there, here):
        raise TopologyError(
            f"{name} needs a copy ({why}), but runs {state.version} and {primary.name} {source.state.version}, whose "
            f"files it can't read. Upgrade {name if there > here else primary.name} first"
        )
    return why


def _own(flavor: Flavor, state: ServerState, there: ServerState, primary: Primary) -> str:
    """Say what the server holds that the primary doesn't, as far as can be known; empty when nothing."""
    extra = flavor.errant_transactions(state, there)
    if extra:
        return f"transactions that the primary {primary.name} lacks: {', '.join(extra)}"
    if not state.gtid_state and not state.gtid_position and any(state.databases.values()):
        tables = ", ".join(f"{database} ({count})" for database, count in state.databases.items() if count)
        return f"tables that never were replicated: {tables}"
    return ""


def _must_be_saved(
    flavor: Flavor, name: str, state: ServerState, there: ServerState, saved: Collection[str] | None
) -> None:
    """:raises TopologyError: the server holds transactions of its own that are kept nowhere else."""
    if saved is None:
        return
    if unsaved := [one for one in flavor.errant_transactions(state, there) if one not in saved]:
        raise TopologyError(
            f"{name} holds transactions that came after what it held was saved: {', '.join(unsaved)}. It was left as "
            "it is; run again"
        )


def _fetch(
    host: Host,
    primary: Primary,
    places: Places,
    flavor: Flavor,
    source: _Source,
    version: str,
    timeout: float,
    progress: Callable[[str], None],
) -> None:
    """Have a whole, prepared copy beside the data directory."""
    if places.ready:
        if not flavor.not_reached(str(read_marker(places.incoming)["gtid"]), source.oldest):
            return
        progress("discard")
    must_allow_exchange(places)
    if places.exchanged:  # an earlier copy, which the primary's logs don't reach any more: this one takes its place
        (places.data / MARKER).unlink()
    remove(places.incoming)
    progress("receive")
    with (
        open_local(host.socket) as local,
        Receiver(host.address, host.port, primary.address, host.identity) as receiver,
    ):
        offer = receiver.offer(timeout)
        try:
            _must_be_whole(offer, primary)
            must_fit(places, offer.size)
        except DatabaseError as error:
            receiver.refuse(str(error))
            raise
        try:
            where = METHODS[flavor.name].fetch(receiver, offer, places.incoming, local, primary, progress)
        except DatabaseError:
            remove(places.incoming)
            raise
    dress(places)
    upgrade = release(offer.version) != release(version)
    write_marker(places.incoming, {**where, "primary": primary.name, "upgrade": upgrade})


def _must_be_whole(offer: Offer, primary: Primary) -> None:
    """Refuse a copy that would lack rows."""
    if offer.left_out:
        raise DatabaseError(
            f"a copy of {primary.name} would lack the rows of {', '.join(offer.left_out)}, which are no InnoDB tables. "
            "Nothing was changed; convert them there (ALTER TABLE ... ENGINE=InnoDB), and run again"
        )


def _put_in_place(
    host: Host,
    primary: Primary,
    places: Places,
    replace: list[str],
    saved: Collection[str] | None,
    progress: Callable[[str], None],
) -> None:
    """Let the server run on the copy.

    :raises DatabaseError: it doesn't come up with it, so it runs with what it had before.
    """
    with open_local(host.socket) as server:  # the copy may have taken hours
        flavor = detect(server)
        state = flavor.state(server)
        there = _ask(flavor, primary).state
        own = _own(flavor, state, there, primary)
        if own and host.name not in replace:
            raise TopologyError(f"{host.name} holds {own}, by now. It was left as it is")
        _must_be_saved(flavor, host.name, state, there, saved)
        if not state.read_only:
            raise TopologyError(f"{host.name} is writable by now. It was left as it is")
    progress("stop")
    host.service.stop()
    try:
        progress("exchange")
        exchange(places.data, places.incoming)
        progress("keep")
        tidy(places)
        progress("start")
        host.service.start()
    except DatabaseError as error:
        if places.exchanged:
            exchange(places.data, places.before)
            tidy(places)
        host.service.start()
        raise DatabaseError(
            f"{host.name} does not run with the copy, so it runs with what it had before: {error}"
        ) from error


def _finish(host: Host, primary: Primary, places: Places, timeout: float) -> None:
    """Tell the server where its data are, have it follow, and let go of what was before."""
    with _session(host, timeout) as server:
        flavor = detect(server)
        if places.exchanged:
            marker = read_marker(places.data)
            METHODS[flavor.name].settle(
                server, host.socket, str(marker["gtid"]), str(marker["gtid_state"]), upgrade=bool(marker["upgrade"])
            )
        make_replica(server, flavor, host.name, primary, timeout, dry=False)
    remove(places.before)
    remove(places.incoming)
    (places.data / MARKER).unlink(missing_ok=True)
