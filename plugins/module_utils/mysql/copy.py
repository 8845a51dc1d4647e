"""Give a replica a copy of the primary's data when transactions alone can't bring it there.

What the primary's binary logs no longer tell, or never told, comes as a physical copy, taken while it is written to.
The server on the replica's host goes on until the copy is whole and prepared; then the two directories change places
in one step, and what was there before is kept until the new server replicates. Interrupted anywhere, it is run again.

Beside the data directory, for as long as it takes:

* ``<data>.copy`` is what comes in; once it holds MARKER, it is whole, prepared and ready to be used;
* ``<data>.before-copy`` is what the server had before.

MARKER in the data directory itself says that the copy is in its place, and that it does not replicate yet.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from . import records
from .connection import Connection, open_local, open_remote
from .copy_methods import METHODS
from .copy_stream import Identity, Offer, Receiver
from .errors import DatabaseError, ServerUnavailableError, TopologyError
from .flavor import Flavor
from .flavors import detect
from .replica import Primary, make_replica, oldest_position
from .state import ServerState, release

MARKER = "trinitycore_copy.json"
FINISH = "finish the copy that was begun"
# Preparing writes what happened during the backup into the copy.
_MARGIN = 256 << 20
_EXCHANGE = 2
_AT_FDCWD = -100


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
class Places:
    """The data directory and the two beside it."""

    data: Path
    incoming: Path
    before: Path

    @classmethod
    def beside(cls, data_directory: str) -> Places:
        """Return the places for a data directory."""
        data = Path(data_directory.rstrip("/"))
        return cls(data, data.with_name(f"{data.name}.copy"), data.with_name(f"{data.name}.before-copy"))

    @property
    def ready(self) -> bool:
        """Whether a whole copy waits to be used."""
        return (self.incoming / MARKER).exists()

    @property
    def exchanged(self) -> bool:
        """Whether the copy is in its place, and nobody has seen it replicate."""
        return (self.data / MARKER).exists()

    @property
    def unfinished(self) -> bool:
        """Whether a copy was begun and not brought to its end."""
        return self.exchanged or self.incoming.exists() or self.before.exists()


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
    with contextlib.nullcontext() if dry else _alone(places.data):
        if not dry:
            _tidy(places)
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
        position, own = str(_marker(places.data)["gtid"]), ""
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


def _tidy(places: Places) -> None:
    """Give the directories of an interrupted exchange the names that say what they are."""
    if (places.before / MARKER).exists():  # a copy that the server did not come up with
        _remove(places.incoming)
        places.before.rename(places.incoming)
        _remove(places.incoming)
    if places.exchanged and places.incoming.exists():
        if places.before.exists():  # what was there first is kept, not an earlier copy
            _remove(places.incoming)
        else:
            places.incoming.rename(places.before)


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
        if not flavor.not_reached(str(_marker(places.incoming)["gtid"]), source.oldest):
            return
        progress("discard")
    _must_allow_exchange(places)
    if places.exchanged:  # an earlier copy, which the primary's logs don't reach any more: this one takes its place
        (places.data / MARKER).unlink()
    _remove(places.incoming)
    progress("receive")
    with (
        open_local(host.socket) as local,
        Receiver(host.address, host.port, primary.address, host.identity) as receiver,
    ):
        offer = receiver.offer(timeout)
        try:
            _must_be_whole(offer, primary)
            _must_fit(places, offer.size)
        except DatabaseError as error:
            receiver.refuse(str(error))
            raise
        try:
            where = METHODS[flavor.name].fetch(receiver, offer, places.incoming, local, primary, progress)
        except DatabaseError:
            _remove(places.incoming)
            raise
    _dress(places)
    upgrade = release(offer.version) != release(version)
    _write(places.incoming / MARKER, json.dumps({**where, "primary": primary.name, "upgrade": upgrade}))


def _must_be_whole(offer: Offer, primary: Primary) -> None:
    """Refuse a copy that would lack rows."""
    if offer.left_out:
        raise DatabaseError(
            f"a copy of {primary.name} would lack the rows of {', '.join(offer.left_out)}, which are no InnoDB tables. "
            "Nothing was changed; convert them there (ALTER TABLE ... ENGINE=InnoDB), and run again"
        )


def _must_allow_exchange(places: Places) -> None:
    if places.data.is_symlink() or places.data.stat().st_dev != places.data.parent.stat().st_dev:
        raise DatabaseError(
            f"{places.data} is a link or a mount point, so no other directory can take its place. Make the data "
            "directory a directory within that file system, and run again"
        )
    with tempfile.TemporaryDirectory(prefix=".trinitycore-copy-", dir=places.data.parent) as probe:
        one, other = Path(probe, "one"), Path(probe, "other")
        one.mkdir()
        other.mkdir()
        _exchange(one, other)


def _must_fit(places: Places, size: int) -> None:
    """Refuse a copy that there is no room for."""
    needed = size + size // 10 + _MARGIN
    free = shutil.disk_usage(places.data.parent).free
    if free < needed:
        raise DatabaseError(
            f"a copy of {size / 2**20:.0f} MiB needs {needed / 2**20:.0f} MiB beside {places.data}, where "
            f"{free / 2**20:.0f} MiB are free. Nothing was changed"
        )


def _dress(places: Places) -> None:
    """Give the copy the data directory's owner and mode, and what the package keeps there."""
    for flag in places.data.glob("debian-*.flag"):
        shutil.copy2(flag, places.incoming / flag.name)
    owner = places.data.stat()
    for folder, _, names in os.walk(places.incoming):
        for path in (folder, *(os.path.join(folder, name) for name in names)):
            os.chown(path, owner.st_uid, owner.st_gid)
    places.incoming.chmod(owner.st_mode & 0o7777)
    subprocess.run(["sync", "--file-system", str(places.incoming)], check=True)


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
        _exchange(places.data, places.incoming)
        progress("keep")
        _tidy(places)
        progress("start")
        host.service.start()
    except DatabaseError as error:
        if places.exchanged:
            _exchange(places.data, places.before)
            _tidy(places)
        host.service.start()
        raise DatabaseError(
            f"{host.name} does not run with the copy, so it runs with what it had before: {error}"
        ) from error


def _exchange(one: Path, other: Path) -> None:
    """Let two directories change names, at once: there is no moment without a data directory."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.renameat2(_AT_FDCWD, os.fsencode(one), _AT_FDCWD, os.fsencode(other), _EXCHANGE) != 0:
        number = ctypes.get_errno()
        raise DatabaseError(f"{one} and {other} can't change places: {os.strerror(number)}")


def _finish(host: Host, primary: Primary, places: Places, timeout: float) -> None:
    """Tell the server where its data are, have it follow, and let go of what was before."""
    with _session(host, timeout) as server:
        flavor = detect(server)
        if places.exchanged:
            marker = _marker(places.data)
            METHODS[flavor.name].settle(
                server, host.socket, str(marker["gtid"]), str(marker["gtid_state"]), upgrade=bool(marker["upgrade"])
            )
        make_replica(server, flavor, host.name, primary, timeout, dry=False)
    _remove(places.before)
    _remove(places.incoming)
    (places.data / MARKER).unlink(missing_ok=True)


def _marker(directory: Path) -> dict[str, str | bool]:
    marker: dict[str, str | bool] = json.loads((directory / MARKER).read_text())
    return marker


def _write(path: Path, text: str) -> None:
    """Write a file that is either absent or whole, even after a power cut."""
    staged = path.with_name(f"{path.name}.new")
    with staged.open("w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    staged.rename(path)


def _remove(directory: Path) -> None:
    """Remove a directory if it is there; one that is half removed holds no marker any more."""
    (directory / MARKER).unlink(missing_ok=True)
    if directory.exists():
        shutil.rmtree(directory)


@contextlib.contextmanager
def _alone(data: Path) -> Iterator[None]:
    """Keep out another run, such as one whose controller was interrupted."""
    folder = os.open(data.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        try:
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise DatabaseError(f"another run copies to {data} already; wait until it has ended") from error
        yield
    finally:
        os.close(folder)
