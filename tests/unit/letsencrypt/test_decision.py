"""When a certificate is renewed, and which host does it."""

from __future__ import annotations

import datetime
from typing import Any

import pytest

from roles.letsencrypt.files.trinitycore_certificates.certificate import Certificate
from roles.letsencrypt.files.trinitycore_certificates.config import Wanted
from roles.letsencrypt.files.trinitycore_certificates.decision import (
    Seen,
    Window,
    delay_after,
    due_at,
    reasons_at_once,
    who_acts,
)

NOW = datetime.datetime(2026, 5, 1, tzinfo=datetime.UTC)
DAY = datetime.timedelta(days=1)
MINUTE = datetime.timedelta(minutes=1)
HOUR = datetime.timedelta(hours=1)
WANTED = Wanted("edge", ("mcp.test", "WWW.test"), "http-01", "ecdsa-p256")
DIRECTORY = "https://acme.test/dir"
THIRD = 1 / 3


def certificate(days: float = 90, age: float = 10, serial: int = 1, **changes: Any) -> Certificate:
    values: dict[str, Any] = {
        "names": frozenset({"mcp.test", "www.test"}),
        "not_before": NOW - age * DAY,
        "not_after": NOW + (days - age) * DAY,
        "key_type": "ecdsa-p256",
        "serial": serial,
        "der": b"",
        "renewal_id": "",
    }
    return Certificate(**{**values, **changes})


def reasons(current: Certificate | None, directory: str = DIRECTORY) -> str:
    return "; ".join(reasons_at_once(current, directory, WANTED, DIRECTORY, NOW))


def test_a_good_certificate_gives_no_reason() -> None:
    assert reasons(certificate()) == ""


@pytest.mark.parametrize(
    ("current", "said"),
    [
        (None, "there is none"),
        (certificate(days=9), "it expired on 2026-04-30 00:00:00 UTC"),
        (certificate(names=frozenset({"mcp.test", "old.test"})), "its names differ: old.test, www.test"),
        (certificate(key_type="rsa-2048"), "its key is rsa-2048, not ecdsa-p256"),
    ],
)
def test_reasons_whatever_the_age(current: Certificate | None, said: str) -> None:
    assert reasons(current) == said


def test_another_authority_is_a_reason() -> None:
    assert reasons(certificate(), "https://staging.test/dir") == "it is of another authority, https://staging.test/dir"


@pytest.mark.parametrize(("days", "due"), [(90, 60), (47, 31.33), (6, 4), (0.25, 0.1667)])
def test_without_a_word_of_the_authority_a_share_of_the_lifetime_decides(days: float, due: float) -> None:
    current = certificate(days=days, age=0)
    assert (due_at(current, THIRD, None) - current.not_before) / DAY == pytest.approx(due, abs=0.01)


def test_the_authoritys_window_comes_first_and_every_host_finds_the_same_point_in_it() -> None:
    window = Window(NOW + 20 * DAY, NOW + 22 * DAY)
    points = {due_at(certificate(serial=serial), THIRD, window) for serial in range(1, 40)}
    assert all(window.start <= point <= window.end for point in points)
    assert len(points) == 39
    assert due_at(certificate(serial=5), THIRD, window) == due_at(certificate(serial=5), THIRD, window)


def test_a_window_that_is_over_means_at_once() -> None:
    """As after a revocation."""
    assert due_at(certificate(), THIRD, Window(NOW - HOUR, NOW - HOUR / 2)) < NOW


def test_an_early_window_is_kept() -> None:
    """As before a revocation of many certificates that the authority announces."""
    window = Window(NOW + DAY, NOW + 3 * DAY)
    assert window.start <= due_at(certificate(), THIRD, window) <= window.end


def test_no_window_puts_the_renewal_off_until_it_is_too_late() -> None:
    current = certificate()
    assert due_at(current, THIRD, Window(NOW + 300 * DAY, NOW + 301 * DAY)) == current.not_after - 15 * DAY


def test_a_window_longer_than_the_lifetime_does_not_mean_ever_new_renewals() -> None:
    current = certificate(days=0.25, age=0)
    for serial in range(20):
        point = due_at(certificate(days=0.25, age=0, serial=serial), THIRD, Window(NOW - DAY, NOW + DAY))
        assert current.not_before + current.lifetime / 2 <= point < current.not_after


def acts(rank: int, *peers: Seen, due: datetime.datetime = NOW - MINUTE, why: tuple[str, ...] = ()) -> tuple[bool, str]:
    verdict = who_acts(rank, why, due, NOW, peers, 20 * MINUTE)
    return verdict.act, verdict.why


FIRST = Seen("lb1", 0, NOW - MINUTE)
SECOND = Seen("lb2", 1, NOW - MINUTE)


def test_nobody_acts_before_it_is_due() -> None:
    assert acts(0, SECOND, due=NOW + DAY) == (False, "due 2026-05-02 00:00:00 UTC")


def test_the_first_host_acts_whoever_else_is_there() -> None:
    assert acts(0, SECOND) == (True, "due since 2026-04-30 23:59:00 UTC")


def test_the_second_host_leaves_it_to_the_first() -> None:
    assert acts(1, FIRST)[0] is False
    assert acts(1, FIRST)[1].endswith("; lb1 gets it")
    assert acts(1, FIRST, why=("there is none",)) == (False, "there is none; lb1 gets it")


@pytest.mark.parametrize(
    "first",
    [
        Seen("lb1", 0, None),
        Seen("lb1", 0, NOW - HOUR),
        Seen("lb1", 0, NOW - MINUTE, failing=True),
        Seen("lb1", 0, NOW - MINUTE, minds=False),
    ],
    ids=["gone", "its timer is dead", "failing", "looks after other certificates"],
)
def test_the_second_host_acts_when_the_first_does_not(first: Seen) -> None:
    assert acts(1, first)[0] is True
    assert acts(2, first, SECOND)[0] is False, "the third one leaves it to the second"


def test_the_wait_doubles_with_each_failure_and_short_lives_wait_less() -> None:
    def minutes(failures: int, current: Certificate | None) -> float:
        return delay_after(failures, 3600, current) / MINUTE

    assert [minutes(failures, certificate()) for failures in (0, 1, 2, 3, 6, 400)] == [0, 60, 120, 240, 1440, 1440]
    assert minutes(3, None) == 240
    assert minutes(3, certificate(days=1)) == 72
    assert minutes(3, certificate(days=0.001)) == 1
