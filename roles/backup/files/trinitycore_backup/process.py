"""Pipes of the programs that this one starts."""

from __future__ import annotations

from typing import IO, Any

from .errors import fail


def pipe(end: IO[Any] | None) -> IO[Any]:
    """Return the pipe to or from a process that was started with one."""
    return end if end is not None else fail("a process has no pipe")
