"""Reading systemd's journal of some units, newest lines first, by journalctl: no shell, and no line without end."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

_FIELDS = "MESSAGE,PRIORITY,_SYSTEMD_UNIT,UNIT,_HOSTNAME,_PID"
# A line beyond this is skipped: it is no log line of ours.
_LONGEST = 512 * 1024
_CHUNK = 64 * 1024
_STOP_TIMEOUT = 2.0
# What journalctl says when a pattern of units stands for none that it knows.
_NO_UNIT = "No data available"
# Levels of syslog, by number: https://www.freedesktop.org/software/systemd/man/latest/systemd.journal-fields.html
_LEVELS = ("FATAL", "FATAL", "FATAL", "ERROR", "WARNING", "INFO", "INFO", "DEBUG")


class JournalUnavailable(Exception):
    """The journal can't be read; the message says why and what would help."""


@dataclass(frozen=True)
class Line:
    """A line of the journal."""

    cursor: str
    """The journal's own name for its place."""
    at: float
    """Seconds since 1970."""
    unit: str
    host: str
    pid: int | None
    level: str
    """By syslog's priority: DEBUG, INFO, WARNING, ERROR, FATAL."""
    text: str


@asynccontextmanager
async def lines(
    units: Sequence[str], *, since: float | None = None, until: float | None = None, after: str | None = None
) -> AsyncIterator[AsyncIterator[Line]]:
    """Open the journal; the lines come newest first. Leaving the context ends the reading.

    :param units: names or patterns.
    :param since: seconds since 1970.
    :param until: the same.
    :param after: a line's cursor: the lines before it in time.
    :raises JournalUnavailable: on opening, or from the iterator.
    """
    arguments = [
        *("--output=json", f"--output-fields={_FIELDS}", "--all", "--reverse", "--no-pager"),
        *(f"--unit={unit}" for unit in units),
    ]
    if after is not None:
        arguments.append(f"--after-cursor={after}")
    elif until is not None:
        arguments.append(f"--until=@{until:.6f}")
    process = await _start(arguments)
    reading = _read(process, since)
    try:
        yield reading
    finally:
        await reading.aclose()
        with suppress(ProcessLookupError):
            process.kill()
        with suppress(TimeoutError):
            async with asyncio.timeout(_STOP_TIMEOUT):
                await process.communicate()  # it may have filled its pipes


async def visible_units() -> list[str]:
    """Return the units that have lines in the journal which we may see.

    :raises JournalUnavailable: journalctl can't be run.
    """
    process = await _start(["--field=_SYSTEMD_UNIT", "--no-pager"])
    out, _ = await process.communicate()
    return sorted(out.decode(errors="replace").splitlines())


async def _start(arguments: Sequence[str]) -> asyncio.subprocess.Process:
    environment = {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LC_ALL": "C.UTF-8", "SYSTEMD_COLORS": "0"}
    try:
        return await asyncio.create_subprocess_exec(
            "journalctl",
            *arguments,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=environment,
        )
    except OSError as error:
        raise JournalUnavailable(f"journalctl can't be run: {error.strerror}; is this host run by systemd?") from error


async def _read(process: asyncio.subprocess.Process, since: float | None) -> AsyncGenerator[Line, None]:
    assert process.stdout is not None
    assert process.stderr is not None
    seen = False
    async for raw in _split(process.stdout):
        line = _line(raw)
        if line is None:
            continue
        if since is not None and line.at < since:
            return
        seen = True
        yield line
    said = (await process.stderr.read(_CHUNK)).decode(errors="replace").strip()
    status = await process.wait()
    if (status != 0 and _NO_UNIT not in said) or (said and not seen and "permission" in said):
        raise JournalUnavailable(f"the journal can't be read: {said[:300] or f'journalctl ended with {status}'}")


async def _split(stream: asyncio.StreamReader) -> AsyncIterator[bytes]:
    """Yield the stream's lines; what is longer than allowed is skipped."""
    rest, skipping = b"", False
    while chunk := await stream.read(_CHUNK):
        *whole, rest = (rest + chunk).split(b"\n")
        for raw in whole:
            if not skipping and len(raw) <= _LONGEST:
                yield raw
            skipping = False
        if len(rest) > _LONGEST:
            rest, skipping = b"", True


def _line(raw: bytes) -> Line | None:
    try:
        data = json.loads(raw)
        cursor, micros = data["__CURSOR"], int(data["__REALTIME_TIMESTAMP"])
    except (ValueError, KeyError, TypeError):
        return None
    priority = _text(data.get("PRIORITY"))
    pid = _text(data.get("_PID"))
    return Line(
        cursor=str(cursor),
        at=micros / 1_000_000,
        unit=_text(data.get("UNIT") or data.get("_SYSTEMD_UNIT")),
        host=_text(data.get("_HOSTNAME")),
        pid=int(pid) if pid.isdigit() else None,
        level=_LEVELS[int(priority)] if priority in "01234567" and priority else "INFO",
        text=_text(data.get("MESSAGE")),
    )


def _text(value: Any) -> str:
    """Return a field's text: what is no UTF-8 comes as a list of bytes, what stands twice as a list of texts."""
    if isinstance(value, list):
        if all(isinstance(each, int) for each in value):
            return bytes(value).decode(errors="replace")
        return _text(value[0])
    return value if isinstance(value, str) else ""
