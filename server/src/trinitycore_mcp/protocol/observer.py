"""Requests that the SDK serves, recorded as those of the fast path are."""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING, Any

from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
from mcp.shared.exceptions import MCPError
from pydantic import ValidationError
from starlette.requests import Request

from trinitycore_mcp.observe.recorder import Recorder
from trinitycore_mcp.protocol.context import OUTCOME, TRACE, principal_of, trace_of, traceparent_of

if TYPE_CHECKING:
    from trinitycore_mcp.observe.tracing import RequestSpan, Tracing

Context = ServerRequestContext[Any, Any]


class Observer:
    """SDK middleware (`ServerMiddleware`) that records each request."""

    def __init__(self, recorder: Recorder, tracing: Tracing | None = None) -> None:
        """:param tracing: makes a span of each request."""
        self._recorder = recorder
        self._tracing = tracing

    async def __call__(self, ctx: Context, call_next: CallNext) -> HandlerResult:
        """Pass the request on and record what became of it."""
        started = perf_counter()
        error = "cancelled"
        name = (ctx.params or {}).get("name") if ctx.method == "tools/call" else ""
        tool = name if isinstance(name, str) else "unknown"
        OUTCOME.set("")
        span = self._span(ctx, tool)
        try:
            result = await call_next(ctx)
            # By now the result is as it goes over the wire.
            failed = ctx.method == "tools/call" and isinstance(result, dict) and result.get("isError") is True
            error = OUTCOME.get() or "tool_error" if failed else ""
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
            self._recorder.record(
                ctx.method,
                tool,
                error,
                perf_counter() - started,
                request_id=ctx.request_id,
                trace_id=trace_of(ctx),
                principal=principal_of(ctx).name,
                protocol=ctx.protocol_version,
            )
            if span is not None:
                span.end(error)

    def _span(self, ctx: Context, tool: str) -> RequestSpan | None:
        if self._tracing is None:
            return None
        traceparent, tracestate = traceparent_of(ctx)
        span = self._tracing.start(
            ctx.method,
            tool,
            traceparent=traceparent,
            tracestate=tracestate,
            request_id=ctx.request_id,
            protocol=ctx.protocol_version,
            transport="tcp" if isinstance(ctx.request, Request) else "pipe",
        )
        TRACE.set(span.trace_id)
        return span
