"""Log lines of requests: a short way to standard error, since there is one for each request.

Lines gather for a few milliseconds and go out in one write; the other logs take the standard library's way.
"""

from __future__ import annotations

import asyncio
import os
import sys
from contextlib import suppress
from datetime import UTC, datetime
from time import time_ns

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
        self._millisecond = -1
        self._second = -1
        self._prefix = self._timestamp = ""
        self._encode = msgspec.json.Encoder().encode

    def timestamp(self) -> str:
        """Return the time as logs show it: UTC, ISO 8601, milliseconds."""
        millisecond = time_ns() // 1_000_000
        if millisecond != self._millisecond:
            self._millisecond = millisecond
            second = millisecond // 1000
            if second != self._second:
                self._second = second
                self._prefix = datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%S.")
            self._timestamp = f"{self._prefix}{millisecond % 1000:03d}+00:00"
        return self._timestamp

    def write(self, line: Struct) -> None:
        """Add a line; it is out within 20 ms."""
        lines = self._lines
        lines.append(self._encode(line))
        if len(lines) == 1:
            asyncio.get_running_loop().call_later(_DELAY, self.flush)
        elif len(lines) >= _MOST:
            self.flush()

    def flush(self) -> None:
        """Write what has gathered; what can't be written is lost, as no request may fail for its log line."""
        if self._lines:
            data = b"\n".join(self._lines) + b"\n"
            self._lines.clear()
            with suppress(OSError):  # nobody reads it any more, or its disk is full
                while data:
                    data = data[os.write(self._file, data) :]
