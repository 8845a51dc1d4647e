"""Save what a server holds and the primary lacks, as SQL, before somebody decides what becomes of it."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from .connection import Connection, open_remote
from .errors import DatabaseError, TopologyError
from .flavor import Flavor
from .flavors import detect
from .replica import Primary
from .state import ServerState

# A line of the file that begins a transaction.
BEGINS = "-- transaction "
_ENDS = b"-- end, sha256 of all above: "

HEADING = """\
-- What {name} held and the primary {primary} lacked: {count} transaction(s).
-- Saved before anything was done about it, and changed by nobody: see the last line.
-- Each is there twice where rows were changed: as BINLOG, which the client sends, and decoded, for you to read.
-- On the primary, `{client} < this file` (or a part of it) does it all again, as new transactions of the primary's own.
"""


@dataclass(frozen=True)
class Saved:
    """What was found, and where it is now."""

    transactions: list[str] = field(default_factory=list)
    """All that its binary logs hold and the primary lacks, in their order."""
    purged: list[str] = field(default_factory=list)
    """What the primary lacks too and the binary logs no longer hold."""
    last: list[str] = field(default_factory=list)
    """The last of each origin, as others name what is errant."""
    file: str = ""
    written: bool = False
    """Whether the file was written, or would be, just now."""


def save(
    server: Connection, name: str, primary: Primary, directory: Path, dry: bool, *, there: ServerState | None = None
) -> Saved:
    """Write the transactions that the server holds and the primary lacks to a file, unless it is there already.

    :param server: root's session on this host.
    :param there: the primary's state, where it can't be asked from here; it must have been read after what it may hold
        legitimately.
    :raises DatabaseError: it can't be written whole, or another file is in its place; nothing is overwritten.
    """
    flavor = detect(server)
    state = flavor.state(server)  # before the primary's, which then knows all that this one may hold
    there = there or _ask(flavor, primary)
    own = flavor.own_transactions(server, state, there)
    last = flavor.errant_transactions(state, there)
    if not own.transactions:
        return Saved(purged=own.purged, last=last)
    path = directory / f"{name}-{own.fingerprint[:16]}.sql"
    saved = Saved(own.transactions, own.purged, last, str(path))
    if path.exists():
        _must_be_whole(path, own.transactions)
        return saved
    if not dry:
        heading = HEADING.format(name=name, primary=primary.name, client=flavor.client, count=len(own.transactions))
        _write(path, heading.encode(), flavor.dump(own))
        _must_be_whole(path, own.transactions)
    return Saved(own.transactions, own.purged, last, str(path), written=True)


def _ask(flavor: Flavor, primary: Primary) -> ServerState:
    with open_remote(primary.address, primary.port, primary.user, primary.password, primary.ca_file) as remote:
        state = flavor.state(remote)
    if state.read_only:
        raise TopologyError(f"{primary.name} is read-only, so it is not the primary; nothing was saved")
    return state


def _write(path: Path, heading: bytes, pieces: Iterator[bytes]) -> None:
    """Write a file that is either absent or whole, even after a power cut, and that only root reads."""
    staged = path.with_name(f"{path.name}.new")
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    staged.unlink(missing_ok=True)  # of an interrupted run
    try:
        digest = hashlib.sha256(heading)
        with open(os.open(staged, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(heading)
            for piece in pieces:
                digest.update(piece)
                file.write(piece)
            file.write(_ENDS + digest.hexdigest().encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
        staged.rename(path)
    except BaseException:
        staged.unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _must_be_whole(path: Path, transactions: list[str]) -> None:
    """:raises DatabaseError: the file lacks a transaction, or is not as it was written."""
    digest, found, last = hashlib.sha256(), [], b""
    begins = BEGINS.encode()
    with path.open("rb") as file:
        for line in file:
            digest.update(last)
            last = line
            if line.startswith(begins):
                found.append(line.removeprefix(begins).decode().strip())
    if last != _ENDS + digest.hexdigest().encode() + b"\n" or sorted(found) != sorted(transactions):
        raise DatabaseError(
            f"{path} was changed since it was written, or is damaged, so it does not keep what this host holds. Move "
            "it away and run again; nothing was overwritten"
        )
