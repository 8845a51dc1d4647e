"""Log lines of requests: a short way to standard error, since there is one for each request.

Lines gather for a few milliseconds and go out in one write; the other logs take the standard library's way.
"""

from __future__ import annotations

import asyncio
import os
import sys
from time import time

import msgspec
from msgspec import Struct

_DELAY = 0.02
_MOST = 256


class LogWriter:
    """Writes one JSON object a line."""

    def __init__(self, file: int | None = None) -> None:
        """:param file: descriptor to write to; default: standard error."""
        self._file = sys.stderr.fileno() if file is None else file
        self._lines: list[bytes] = []
        self._second = -1
        self._prefix = ""
        self._encode = msgspec.json.Encoder().encode

    def timestamp(self) -> str:
        """Return the time as logs show it: UTC, ISO 8601, milliseconds."""
        now = time()
        second = int(now)
        if second != self._second:
            days, rest = divmod(second, 86400)
            self._second = second
            self._prefix = f"{_date(days)}T{rest // 3600:02d}:{rest // 60 % 60:02d}:{rest % 60:02d}."
        return f"{self._prefix}{int((now - second) * 1000):03d}+00:00"

    def write(self, line: Struct) -> None:
        """Add a line; it is out within 20 ms."""
        lines = self._lines
        lines.append(self._encode(line))
        if len(lines) == 1:
            asyncio.get_running_loop().call_later(_DELAY, self.flush)
        elif len(lines) >= _MOST:
            self.flush()

    def flush(self) -> None:
        """Write what has gathered."""
        if self._lines:
            data = b"\n".join(self._lines) + b"\n"
            self._lines.clear()
            while data:
                data = data[os.write(self._file, data) :]


def _date(days: int) -> str:
    """Return the date so many days after 1970-01-01, as ISO 8601."""
    from datetime import date, timedelta  # noqa: PLC0415 (once a second at most)

    return (date(1970, 1, 1) + timedelta(days=days)).isoformat()
