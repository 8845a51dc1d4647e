"""Binary log files: which there are, and of MariaDB's, where in them transactions are.

The files are read, not asked of the server: it does not show them while commits wait for a replica.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from . import gtid
from .errors import DatabaseError
from .gtid import Gtid

_MAGIC = b"\xfebin"
_HEADER = struct.Struct("<IBIIIH")  # time, type, server, length, end, flags
_GTID = struct.Struct("<QIB")  # sequence, domain, flags
_LIST = struct.Struct("<IIQ")  # domain, server, sequence
_QUERY, _STOP, _ROTATE, _FORMAT, _XID, _XA_PREPARE = 2, 3, 4, 15, 16, 38
_CHECKPOINT, _GTID_EVENT, _GTID_LIST, _ENCRYPTION, _COMPRESSED_QUERY = 161, 162, 163, 164, 165
_STANDALONE = 1
# No transaction goes on beyond one of these.
_BETWEEN = {_STOP, _ROTATE, _FORMAT, _CHECKPOINT, _GTID_EVENT, _GTID_LIST}
_LAST = {_QUERY, _COMPRESSED_QUERY, _XID, _XA_PREPARE}

# Last sequence number by domain and server.
Known = Mapping[tuple[int, int], int]


@dataclass(frozen=True)
class Group:
    """A transaction in a file, from `start` to before `end`."""

    gtid: Gtid
    file: Path
    start: int
    end: int


@dataclass(frozen=True)
class _Event:
    kind: int
    server: int
    start: int
    end: int
    body: bytes
    """Its beginning, as far as it is needed."""


def known(*states: str) -> dict[tuple[int, int], int]:
    """Return the last sequence number by domain and server of binary log states or positions."""
    last: dict[tuple[int, int], int] = {}
    for one in gtid.parse(",".join(filter(None, states))):
        last[one.domain, one.server] = max(one.sequence, last.get((one.domain, one.server), 0))
    return last


def is_beyond(one: Gtid, there: Known) -> bool:
    """Whether a transaction is not among those known."""
    return one.sequence > there.get((one.domain, one.server), 0)


def files(index: Path, data: Path) -> list[Path]:
    """Return the files that an index lists, the oldest first."""
    return [data / line for line in index.read_text().split("\n") if line]


def find(paths: list[Path], there: Known) -> tuple[list[Group], list[Gtid]]:
    """Return the transactions that are not known there, in their order, and what was before the oldest file.

    :returns: the second: the last one of each domain and server that the files no longer hold and that is not known.
    :raises DatabaseError: a file can't be read, or its last transaction is just being written.
    """
    first, begins = 0, list[Gtid]()
    for number in reversed(range(len(paths))):
        first, begins = number, [one for one in _starts_after(paths[number]) if is_beyond(one, there)]
        if not begins:
            break
    groups = [group for path in paths[first:] for group in _groups(path) if is_beyond(group.gtid, there)]
    return groups, begins


def fingerprint(groups: list[Group]) -> str:
    """Return a hash over the transactions as they are in the files."""
    digest = hashlib.sha256()
    for group in groups:
        with group.file.open("rb") as file:
            file.seek(group.start)
            left = group.end - group.start
            while left and (piece := file.read(min(left, 1 << 20))):
                digest.update(piece)
                left -= len(piece)
    return digest.hexdigest()


def _starts_after(path: Path) -> list[Gtid]:
    """Return the state that the binary log had before this file."""
    with path.open("rb") as file:
        for event in _events(path, file):
            if event.kind == _GTID_LIST:
                count = struct.unpack_from("<I", event.body)[0] & 0x0FFFFFFF
                return [Gtid(*_LIST.unpack_from(event.body, 4 + number * _LIST.size)) for number in range(count)]
    raise DatabaseError(f"{path} names no start position")


def _groups(path: Path) -> Iterator[Group]:
    with path.open("rb") as file:
        begun: _Event | None = None
        last: _Event | None = None
        for event in _events(path, file):
            if event.kind in _BETWEEN:
                if begun is not None:
                    yield _group(path, begun, last)
                begun = last = None
            if event.kind == _GTID_EVENT:
                begun = event
            elif begun is not None:
                last = event
        if begun is not None:
            yield _group(path, begun, last)


def _group(path: Path, begun: _Event, last: _Event | None) -> Group:
    sequence, domain, flags = _GTID.unpack_from(begun.body)
    which = Gtid(domain, begun.server, sequence)
    if last is None or not (flags & _STANDALONE or last.kind in _LAST):
        raise DatabaseError(f"{path} holds only the beginning of {which}, as while it is being written: run again")
    return Group(which, path, begun.start, last.end)


def _events(path: Path, file: BinaryIO) -> Iterator[_Event]:
    """Walk over the events; one that is not all there yet ends it."""
    if file.read(len(_MAGIC)) != _MAGIC:
        raise DatabaseError(f"{path} is no binary log")
    size, start = path.stat().st_size, len(_MAGIC)
    while start + _HEADER.size <= size:
        file.seek(start)
        _, kind, server, length, _, _ = _HEADER.unpack(file.read(_HEADER.size))
        if length < _HEADER.size or start + length > size:
            return
        if kind == _ENCRYPTION:
            raise DatabaseError(
                f"{path} is encrypted, so transactions can't be taken out of it from outside the server"
            )
        body = file.read(length - _HEADER.size if kind == _GTID_LIST else min(length - _HEADER.size, _GTID.size))
        yield _Event(kind, server, start, start + length, body)
        start += length
