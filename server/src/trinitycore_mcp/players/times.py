"""Times as the game keeps them (Unix seconds), for people."""

from __future__ import annotations

from datetime import UTC, datetime
from time import time
from typing import Annotated

from trinitycore_mcp.toolkit import doc

When = Annotated[str | None, doc("UTC, ISO 8601; null: never, or not known")]

# Past the year 9999 no text can be made; the game uses the largest numbers for "never".
_END = 253_402_300_800


def when(seconds: float | None) -> str | None:
    """Return the time as ISO 8601 in UTC, or None for 0, NULL and what is no time.

    :param seconds: Unix time.
    """
    number = int(seconds or 0)
    return datetime.fromtimestamp(number, UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if 0 < number < _END else None


def now() -> int:
    """Return the present as Unix time."""
    return int(time())


def moment(column: str | None) -> str:
    """Return the SQL for a TIMESTAMP column as Unix time, whatever the session's time zone; NULL for no column."""
    return f"UNIX_TIMESTAMP({column})" if column else "NULL"
