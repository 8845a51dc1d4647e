"""Times, all of them in UTC."""

from __future__ import annotations

import datetime

UTC = datetime.timezone.utc  # noqa: UP017 - Python 3.10 has no datetime.UTC


def now() -> datetime.datetime:
    """Return the time."""
    return datetime.datetime.now(UTC)


def time_of(seconds: float) -> datetime.datetime:
    """Turn seconds since 1970 into a time."""
    return datetime.datetime.fromtimestamp(seconds, UTC)
