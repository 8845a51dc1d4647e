"""Our own logs: query_logs."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from trinitycore_mcp import journal
from trinitycore_mcp.access.masking import masked
from trinitycore_mcp.errors import ToolError
from trinitycore_mcp.journal import JournalUnavailable, Line
from trinitycore_mcp.toolkit import NONE, Call, Cursor, Limit, NextCursor, Notice, Tool, doc, tool
from trinitycore_mcp.toolkit.paging import write_cursor

Level = Literal["DEBUG", "INFO", "WARNING", "ERROR", "FATAL"]
_LEVELS: tuple[Level, ...] = ("DEBUG", "INFO", "WARNING", "ERROR", "FATAL")
_MOST_SCANNED = 50_000
_MOST_SECONDS = 10.0
# Members of a log line that have fields of their own in the result.
_OWN = ("time", "level", "logger", "message", "tool", "trace_id")
When = Annotated[datetime, Meta(tz=True)]


class LogEntry(Struct, frozen=True):
    """A line of the log."""

    at: Annotated[str, doc("UTC, ISO 8601")]
    unit: str
    host: str
    pid: int | None
    level: Annotated[str, doc("DEBUG, INFO, WARNING, ERROR or FATAL")]
    logger: Annotated[str | None, doc("null: the line is not one of ours, but e.g. systemd's about the unit")]
    message: str
    tool: str | None
    trace_id: str | None
    fields: Annotated[dict[str, Any], doc("what else the line says; what is secret is masked")]


class LogPage(Struct, frozen=True):
    """Log lines, newest first."""

    units: Annotated[list[str], doc("units, or patterns of units, that were looked at")]
    entries: list[LogEntry]
    scanned: Annotated[int, doc("lines that were looked at for this page")]
    next_cursor: NextCursor
    notice: Notice


@tool(title="Search the server's logs", scope="admin", cache=NONE)
async def query_logs(
    call: Call,
    unit: Annotated[
        Annotated[str, Meta(min_length=1, max_length=255)] | None,
        doc("only this unit, e.g. trinitycore-mcp@1.service; default: all that the configuration allows"),
    ] = None,
    since: Annotated[
        When | None, doc("ISO 8601 with time zone; default: the last 24 hours, unless until is given")
    ] = None,
    until: Annotated[When | None, doc("ISO 8601 with time zone; default: now")] = None,
    level: Annotated[Level, doc("the least severe that is shown")] = "DEBUG",
    tool: Annotated[Annotated[str, Meta(max_length=64)] | None, doc("only lines about calls of this tool")] = None,
    trace_id: Annotated[
        Annotated[str, Meta(pattern="^[0-9a-f]{32}$")] | None, doc("only lines of this trace: 32 hexadecimal digits")
    ] = None,
    text: Annotated[
        Annotated[str, Meta(min_length=1, max_length=200)] | None,
        doc("only lines that contain this anywhere; case does not matter"),
    ] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> LogPage:
    """Log lines of this host's server units from systemd's journal, newest first: by time, least level, tool, trace id
    and text. One request is one line with its method, tool, duration, outcome and caller. Reads this host's journal
    only; other hosts have theirs."""
    units = _units(call, unit)
    place = call.place(cursor)
    now = datetime.now(UTC)
    if since is None and until is None:
        since = now - timedelta(days=1)
    if since is not None and until is not None and since >= until:
        raise ToolError("since: must be earlier than until", kind="invalid_arguments")
    wanted = _Wanted(level, tool, trace_id, text)
    found: list[tuple[LogEntry, str]] = []
    scanned, last, why = 0, "", None
    try:
        async with (
            asyncio.timeout(_MOST_SECONDS),
            journal.lines(
                units,
                since=since.timestamp() if since else None,
                until=until.timestamp() if until else None,
                after=str(place[0]) if place else None,
            ) as lines,
        ):
            async for line in lines:
                if len(found) > limit:
                    break
                if scanned >= _MOST_SCANNED:
                    why = f"stopped after {scanned} lines"
                    break
                scanned, last = scanned + 1, line.cursor
                entry = wanted.entry(line)
                if entry is not None:
                    found.append((entry, line.cursor))
        if not scanned and place is None:
            why = await _nothing()
    except TimeoutError:
        if not last:
            raise ToolError(f"the journal gave nothing within {_MOST_SECONDS:g} s; narrow since and until") from None
        why = f"stopped after {_MOST_SECONDS:g} s and {scanned} lines"
    except JournalUnavailable as error:
        raise ToolError(f"{error}; {_HELP}") from error
    page = call.page(found, limit, lambda each: [each[1]])
    next_cursor = page.next_cursor
    if next_cursor is None and why is not None and last:
        next_cursor = write_cursor(call.mark, [last])
        why = f"{why}; go on with next_cursor"
    return LogPage(
        units=units,
        entries=[entry for entry, _ in page.items],
        scanned=scanned,
        next_cursor=next_cursor,
        notice=page.notice or why,
    )


_HELP = "the server's account must be in the group systemd-journal to read it"


def _units(call: Call, unit: str | None) -> list[str]:
    """Return the units to look at.

    :raises ToolError: the configuration does not allow this one.
    """
    allowed = list(call.services.config.logging.journal_units)
    if unit is None:
        return allowed
    # A name only: a pattern could stand for more than the configuration allows.
    plain = not any(character in unit for character in "*?[]")
    if not plain or not any(fnmatchcase(unit, pattern) for pattern in allowed):
        raise ToolError(f"unit: {unit!r} is not allowed; allowed are {', '.join(allowed)}", kind="invalid_arguments")
    return [unit]


async def _nothing() -> str | None:
    """Return why there may be no line at all.

    :raises ToolError: the journal shows us nothing whatsoever.
    """
    visible = await journal.visible_units()
    if not visible:
        raise ToolError(f"the journal shows no line of any unit: there is none on this host, or {_HELP}")
    return "the journal has no line of these units in that time"


class _Wanted:
    """What a line must be like."""

    def __init__(self, level: Level, tool: str | None, trace_id: str | None, text: str | None) -> None:
        self._level = _LEVELS.index(level)
        self._tool = tool
        self._trace_id = trace_id
        self._text = text.casefold() if text is not None else None

    def entry(self, line: Line) -> LogEntry | None:
        """Return the line as an entry, None when it is not wanted."""
        if self._text is not None and self._text not in line.text.casefold():
            return None
        if self._trace_id is not None and self._trace_id not in line.text:
            return None
        data = _decoded(line.text)
        level = str(data.get("level") or line.level)
        if level in _LEVELS and _LEVELS.index(level) < self._level:
            return None
        tool, trace_id = _text(data.get("tool")), _text(data.get("trace_id"))
        if (self._tool is not None and tool != self._tool) or (self._trace_id not in (None, trace_id)):
            return None
        return LogEntry(
            at=datetime.fromtimestamp(line.at, UTC).isoformat(timespec="milliseconds"),
            unit=line.unit,
            host=line.host,
            pid=line.pid,
            level=level,
            logger=_text(data.get("logger")),
            message=str(masked(data.get("message") if data else line.text) or ""),
            tool=tool,
            trace_id=trace_id,
            fields=masked({name: value for name, value in data.items() if name not in _OWN}),
        )


def _decoded(text: str) -> dict[str, Any]:
    """Return what a line of ours says; nothing for another program's."""
    if not text.startswith("{"):
        return {}
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return data if isinstance(data, dict) else {}


def _text(value: object) -> str | None:
    return value[:128] if isinstance(value, str) else None


TOOLS: tuple[Tool, ...] = (query_logs,)
