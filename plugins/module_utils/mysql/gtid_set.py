"""Arithmetic on MySQL's sets of transaction ids (`server_uuid:first-last:...`, with tags since 8.3)."""

from __future__ import annotations

import re
from collections.abc import Iterable

from .errors import DatabaseError

Interval = tuple[int, int]
GtidSet = dict[str, list[Interval]]
"""Intervals, sorted and apart, by origin: `uuid`, or `uuid:tag`."""

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_INTERVAL = re.compile(r"(\d+)(?:-(\d+))?")
_TAG = re.compile(r"[a-z_][a-z0-9_]{0,31}")


def parse(text: str) -> GtidSet:
    """Read a set such as `@@gtid_executed`; empty text is the empty set.

    :raises DatabaseError: the text is no GTID set.
    """
    intervals: dict[str, list[Interval]] = {}
    for part in filter(None, "".join(text.lower().split()).split(",")):
        uuid, *rest = part.split(":")
        if not _UUID.fullmatch(uuid):
            raise DatabaseError(f"{part!r} is no GTID set")
        origin = uuid
        for piece in rest:
            if found := _INTERVAL.fullmatch(piece):
                first = int(found[1])
                intervals.setdefault(origin, []).append((first, int(found[2] or first)))
            elif _TAG.fullmatch(piece):
                origin = f"{uuid}:{piece}"
            else:
                raise DatabaseError(f"{part!r} is no GTID set")
    return {origin: _joined(found) for origin, found in intervals.items()}


def render(gtids: GtidSet) -> str:
    """Write a set, one part per origin."""
    return ",".join(f"{origin}:{_listed(intervals)}" for origin, intervals in sorted(gtids.items()) if intervals)


def union(one: str, other: str) -> str:
    """Return what is in either set."""
    return render(parse(f"{one},{other}"))


def subtract(one: str, other: str) -> str:
    """Return what is in the first set and not in the second."""
    less = parse(other)
    return render({origin: _without(kept, less.get(origin, ())) for origin, kept in parse(one).items()})


def parts(text: str) -> list[str]:
    """Return a set's parts, one per origin."""
    return list(filter(None, text.split(",")))


def members(text: str) -> list[str]:
    """Return each transaction of a set."""
    return [
        f"{origin}:{number}"
        for origin, intervals in sorted(parse(text).items())
        for first, last in intervals
        for number in range(first, last + 1)
    ]


def _joined(intervals: Iterable[Interval]) -> list[Interval]:
    joined: list[Interval] = []
    for first, last in sorted(intervals):
        if joined and first <= joined[-1][1] + 1:
            joined[-1] = (joined[-1][0], max(last, joined[-1][1]))
        else:
            joined.append((first, last))
    return joined


def _without(kept: Iterable[Interval], less: Iterable[Interval]) -> list[Interval]:
    left: list[Interval] = []
    for first, last in kept:
        start = first
        for gone_first, gone_last in less:
            if gone_last < start or gone_first > last:
                continue
            if gone_first > start:
                left.append((start, gone_first - 1))
            start = gone_last + 1
        if start <= last:
            left.append((start, last))
    return left


def _listed(intervals: Iterable[Interval]) -> str:
    return ":".join(str(first) if first == last else f"{first}-{last}" for first, last in intervals)
