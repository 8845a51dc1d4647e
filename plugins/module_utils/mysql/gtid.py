"""Arithmetic on MariaDB's global transaction ids (`domain-server-sequence`)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from .errors import DatabaseError


@dataclass(frozen=True, order=True)
class Gtid:
    """One transaction."""

    domain: int
    server: int
    sequence: int

    def __str__(self) -> str:
        return f"{self.domain}-{self.server}-{self.sequence}"


def parse(text: str) -> list[Gtid]:
    """Read a position or a binlog state such as ``0-1-7,0-2-9``; empty text is an empty list.

    :raises DatabaseError: the text is not a GTID list.
    """
    gtids = []
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        try:
            domain, server, sequence = (int(number) for number in part.split("-"))
        except ValueError:
            raise DatabaseError(f"{part!r} is not a GTID") from None
        gtids.append(Gtid(domain, server, sequence))
    return gtids


def render(gtids: Iterable[Gtid]) -> str:
    """Write a list of GTIDs the way the server does."""
    return ",".join(str(gtid) for gtid in sorted(gtids))


def errant(of: str, known: str) -> list[Gtid]:
    """Return the last transaction of each origin in state `of` that state `known` does not hold.

    Both are binlog states: the last sequence number of each pair of domain and server that wrote.
    """
    held: dict[tuple[int, int], int] = {}
    for gtid in parse(known):
        key = (gtid.domain, gtid.server)
        held[key] = max(gtid.sequence, held.get(key, 0))
    return [gtid for gtid in parse(of) if gtid.sequence > held.get((gtid.domain, gtid.server), 0)]


def furthest(one: str, other: str) -> str:
    """Return the position that holds, for each domain, the later transaction of the two."""
    last: dict[int, Gtid] = {}
    for gtid in (*parse(one), *parse(other)):
        if gtid.domain not in last or gtid.sequence > last[gtid.domain].sequence:
            last[gtid.domain] = gtid
    return render(last.values())


def behind(position: str, required: str) -> list[Gtid]:
    """Return those GTIDs of `required` that `position` has not reached.

    Sequence numbers grow within a domain whoever writes (`gtid_strict_mode`), so one number per domain tells.
    """
    reached: dict[int, int] = {}
    for gtid in parse(position):
        reached[gtid.domain] = max(gtid.sequence, reached.get(gtid.domain, 0))
    return [gtid for gtid in parse(required) if gtid.sequence > reached.get(gtid.domain, 0)]
