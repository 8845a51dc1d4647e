"""Requests that the SDK serves, recorded as those of the fast path are."""

from __future__ import annotations

from time import perf_counter
from typing import Any

from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
from mcp.shared.exceptions import MCPError
from mcp.types import CallToolResult
from pydantic import ValidationError

from trinitycore_mcp.observe.recorder import Recorder
from trinitycore_mcp.protocol.context import principal_of, trace_of


class Observer:
    """SDK middleware (`ServerMiddleware`) that records each request."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder

    async def __call__(self, ctx: ServerRequestContext[Any, Any], call_next: CallNext) -> HandlerResult:
        """Pass the request on and record what became of it."""
        started = perf_counter()
        error = "cancelled"
        try:
            result = await call_next(ctx)
            error = "tool_error" if isinstance(result, CallToolResult) and result.is_error else ""
        except MCPError as failure:
            error = str(failure.error.code)
            raise
        except ValidationError:
            error = "-32602"
            raise
        except Exception:
            error = "internal"
            raise
        else:
            return result
        finally:
            name = (ctx.params or {}).get("name") if ctx.method == "tools/call" else ""
            self._recorder.record(
                ctx.method,
                name if isinstance(name, str) else "unknown",
                error,
                perf_counter() - started,
                request_id=ctx.request_id,
                trace_id=trace_of(ctx),
                principal=principal_of(ctx).name,
                protocol=ctx.protocol_version,
            )
