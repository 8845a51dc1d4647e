"""Every MCP request, seen once: its time, outcome, log line and metrics, whichever protocol era it came in."""

from __future__ import annotations

import logging
import re
import secrets
from collections.abc import Collection
from time import perf_counter
from typing import Any

from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
from mcp.shared.exceptions import MCPError
from mcp.types import CallToolResult
from pydantic import ValidationError
from starlette.requests import Request

from trinitycore_mcp import metrics
from trinitycore_mcp.auth import ANONYMOUS, Principal

_log = logging.getLogger(__name__)
_TRACEPARENT = re.compile(r"^[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}")
_METHODS = frozenset(
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
        "prompts/list",
        "prompts/get",
        "completion/complete",
        "logging/setLevel",
        "subscriptions/listen",
    }
)


class Observer:
    """SDK middleware (`ServerMiddleware`) that measures and logs."""

    def __init__(self, tools: Collection[str]) -> None:
        """:param tools: the registered tools; other names a caller may invent become one label."""
        self._tools = frozenset(tools)

    async def __call__(self, ctx: ServerRequestContext[Any, Any], call_next: CallNext) -> HandlerResult:
        """Pass the request on and record what became of it."""
        started = perf_counter()
        error_type = "cancelled"
        try:
            result = await call_next(ctx)
            error_type = "tool_error" if _is_tool_error(result) else ""
        except MCPError as error:
            error_type = str(error.error.code)
            raise
        except ValidationError:
            error_type = "-32602"
            raise
        except Exception:
            error_type = "internal"
            raise
        else:
            return result
        finally:
            self._record(ctx, perf_counter() - started, error_type)

    def _record(self, ctx: ServerRequestContext[Any, Any], seconds: float, error_type: str) -> None:
        method = ctx.method if ctx.method in _METHODS else "other"
        tool = ""
        if ctx.method == "tools/call":
            name = (ctx.params or {}).get("name")
            tool = name if isinstance(name, str) and name in self._tools else "unknown"
        metrics.OPERATION_DURATION.labels(method, tool, error_type).observe(seconds)
        if not _log.isEnabledFor(logging.INFO):
            return
        fields = {
            "trace_id": _trace_id(ctx),
            "request_id": ctx.request_id if isinstance(ctx.request_id, int) else str(ctx.request_id)[:64],
            "method": method,
            "tool": tool or None,
            "duration_ms": round(seconds * 1000, 3),
            "outcome": error_type or "ok",
            "principal": _principal(ctx).name,
            "protocol": ctx.protocol_version,
        }
        _log.info("request", extra={"fields": fields})


def _is_tool_error(result: HandlerResult) -> bool:
    if isinstance(result, CallToolResult):
        return bool(result.is_error)
    return isinstance(result, dict) and result.get("isError") is True


def _trace_id(ctx: ServerRequestContext[Any, Any]) -> str:
    """Return the caller's trace id, from `_meta` or the traceparent header, else a new one."""
    carried = (ctx.meta or {}).get("traceparent")
    if carried is None and isinstance(ctx.request, Request):
        carried = ctx.request.headers.get("traceparent")
    match = _TRACEPARENT.match(carried) if isinstance(carried, str) else None
    return match[1] if match else secrets.token_hex(16)


def _principal(ctx: ServerRequestContext[Any, Any]) -> Principal:
    """Return who was let in for this request (see app.McpEndpoint)."""
    if isinstance(ctx.request, Request):
        principal = ctx.request.scope.get("trinitycore_mcp.principal")
        if isinstance(principal, Principal):
            return principal
    return ANONYMOUS
