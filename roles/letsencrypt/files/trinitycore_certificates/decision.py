"""When a certificate is renewed, and which of several hosts does it. Nothing here reads or writes anything."""

from __future__ import annotations

import datetime
import random
from collections.abc import Iterable
from dataclasses import dataclass

from .certificate import Certificate
from .config import Wanted

LONGEST_DELAY = 86400.0


@dataclass(frozen=True)
class Window:
    """When the authority suggests to renew (ACME Renewal Information, RFC 9773)."""

    start: datetime.datetime
    end: datetime.datetime


@dataclass(frozen=True)
class Seen:
    """What a host knows of a peer.

    :ivar rank: its place in the order in which hosts renew.
    :ivar last_run: when it last looked after its certificates; None if it does not answer.
    :ivar failing: whether its last attempt to get this certificate failed.
    :ivar minds: whether it looks after this certificate at all.
    """

    name: str
    rank: int
    last_run: datetime.datetime | None
    failing: bool = False
    minds: bool = True


@dataclass(frozen=True)
class Verdict:
    """Whether to get a certificate now, and why or why not."""

    act: bool
    why: str


def reasons_at_once(
    current: Certificate | None, authority: str, wanted: Wanted, directory_url: str, now: datetime.datetime
) -> list[str]:
    """Say why a host needs another certificate whatever its age; an empty list means that this one will do.

    :param current: the public certificate that the host has, None for none.
    :param authority: ACME directory that it came from.
    """
    if current is None:
        return ["there is none"]
    reasons = []
    if now >= current.not_after:
        reasons.append(f"it expired on {current.not_after:%Y-%m-%d %H:%M:%S} UTC")
    differ = current.names ^ {name.lower() for name in wanted.names}
    if differ:
        reasons.append(f"its names differ: {', '.join(sorted(differ))}")
    if current.key_type != wanted.key_type:
        reasons.append(f"its key is {current.key_type}, not {wanted.key_type}")
    if authority != directory_url:
        reasons.append(f"it is of another authority, {authority}")
    return reasons


def due_at(current: Certificate, renew_share: float, window: Window | None) -> datetime.datetime:
    """Return when a certificate is to be renewed.

    Without a word of the authority, when the last `renew_share` of its lifetime begins: what holds for 90 days holds
    for six. A window of the authority's comes first, at a point in it that is the same on every host; one that is over
    means at once, as after a revocation. It can't put the renewal off beyond half of that last share. One that reaches
    into the second half of the lifetime begins there: a window longer than the lifetime would mean ever new renewals.
    """
    if window is None:
        return current.not_after - current.lifetime * renew_share
    half = current.not_before + current.lifetime / 2
    start = max(window.start, half) if window.end > half else window.start
    end = min(window.end, current.not_after - current.lifetime * (renew_share / 2))
    if end <= start:
        return end
    return start + (end - start) * random.Random(current.serial).random()  # noqa: S311 - spreads load, guards nothing


def who_acts(
    rank: int,
    reasons: Iterable[str],
    due: datetime.datetime | None,
    now: datetime.datetime,
    peers: Iterable[Seen],
    silence: datetime.timedelta,
) -> Verdict:
    """Decide whether this host gets the certificate now.

    The first host in order does, as long as it answers and is not failing; else the next one. No vote is taken and no
    lock is held: should two act at once, both have a good certificate, and the newer one is served everywhere.

    :param rank: place of this host in the order.
    :param reasons: why another certificate is needed at once.
    :param due: when the certificate is to be renewed, None if there is none.
    :param silence: how long a peer may have been silent and still count as there.
    """
    reasons = list(reasons)
    if not reasons:
        if due is None or now < due:
            return Verdict(False, f"due {due:%Y-%m-%d %H:%M:%S} UTC" if due else "nothing is due")
        reasons = [f"due since {due:%Y-%m-%d %H:%M:%S} UTC"]
    why = "; ".join(reasons)
    for peer in sorted(peers, key=lambda one: one.rank):
        there = peer.last_run is not None and now - peer.last_run <= silence
        if peer.rank < rank and there and peer.minds and not peer.failing:
            return Verdict(False, f"{why}; {peer.name} gets it")
    return Verdict(True, why)


def delay_after(failures: int, retry_delay: float, current: Certificate | None) -> datetime.timedelta:
    """Return how long to wait after so many failed attempts in a row.

    Authorities count failures, so the wait doubles up to a day; but a certificate of short life can't wait that long.
    """
    if failures == 0:
        return datetime.timedelta(0)
    seconds = min(retry_delay * 2 ** min(failures - 1, 30), LONGEST_DELAY)
    if current is not None:
        seconds = min(seconds, max(60.0, current.lifetime.total_seconds() / 20))
    return datetime.timedelta(seconds=seconds)
