"""Every MCP request, recorded once: its time, outcome, log line and metrics, whichever way it was served."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection
from typing import NamedTuple

from msgspec import Struct

from trinitycore_mcp import metrics
from trinitycore_mcp.observe.log_writer import LogWriter
from trinitycore_mcp.observe.trace import new_trace_id

_log = logging.getLogger("trinitycore_mcp.request")
METHODS = frozenset(
    {
        "initialize",
        "notifications/initialized",
        "notifications/cancelled",
        "ping",
        "server/discover",
        "tools/list",
        "tools/call",
        "resources/list",
        "resources/templates/list",
        "resources/read",
        "resources/subscribe",
        "resources/unsubscribe",
        "prompts/list",
        "prompts/get",
        "completion/complete",
        "logging/setLevel",
        "subscriptions/listen",
    }
)

# What went wrong with us rather than with the request; the rest are answers, such as that there is no such creature.
_LEVELS = {
    "internal": logging.ERROR,
    "-32603": logging.ERROR,
    "database": logging.WARNING,
    "timeout": logging.WARNING,
    "too_large": logging.WARNING,
}


class Line(Struct):
    """The log line of a request."""

    time: str
    trace_id: str
    request_id: int | str | None
    method: str
    tool: str | None
    duration_ms: float
    outcome: str
    principal: str
    protocol: str
    level: str = "INFO"
    logger: str = "trinitycore_mcp.request"
    message: str = "request"


class _Kind(NamedTuple):
    """Requests of one method, tool and outcome."""

    method: str
    tool: str
    observe: Callable[[float], None]
    level: int
    level_name: str


class Recorder:
    """Records requests. Labels are bounded: a method or tool that we don't know is one label."""

    def __init__(self, tools: Collection[str], writer: LogWriter | None = None) -> None:
        self._tools = frozenset(tools)
        self._writer = writer or LogWriter()
        self._kinds: dict[tuple[str, str, str], _Kind] = {}

    def record(
        self,
        method: str,
        tool: str,
        error: str,
        seconds: float,
        *,
        request_id: int | str | None = None,
        trace_id: str | None = None,
        principal: str = "",
        protocol: str = "",
    ) -> None:
        """Record one request.

        :param tool: its tool, empty for other methods.
        :param error: a bounded word for what went wrong, empty for nothing.
        """
        kind = self._kinds.get((method, tool, error)) or self._kind(method, tool, error)
        method, tool, observe, level, level_name = kind
        observe(seconds)
        if _log.isEnabledFor(level):
            self._writer.write(
                Line(
                    time=self._writer.timestamp(),
                    trace_id=trace_id or new_trace_id(),
                    request_id=request_id[:64] if isinstance(request_id, str) else request_id,
                    method=method,
                    tool=tool or None,
                    duration_ms=round(seconds * 1000, 3),
                    outcome=error or "ok",
                    principal=principal,
                    protocol=protocol,
                    level=level_name,
                )
            )

    def _kind(self, method: str, tool: str, error: str) -> _Kind:
        """Return what requests with the same method, tool and outcome share; kept where it is one of a bounded set."""
        known = (method if method in METHODS else "other", tool if not tool or tool in self._tools else "unknown")
        observe = metrics.OPERATION_DURATION.labels(*known, error).observe
        level = _LEVELS.get(error, logging.INFO)
        kind = _Kind(*known, observe, level, logging.getLevelName(level))
        if known == (method, tool):
            self._kinds[method, tool, error] = kind
        return kind

    def flush(self) -> None:
        """Write the log lines that have gathered."""
        self._writer.flush()
