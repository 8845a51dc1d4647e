"""What the SDK's handlers need to know of a request: who sent it, and under which trace."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any

from mcp.server.context import ServerRequestContext
from starlette.requests import Request

from trinitycore_mcp.access.limits import Verdict
from trinitycore_mcp.access.principal import Principal
from trinitycore_mcp.observe.trace import trace_id_of

PRINCIPAL = "trinitycore_mcp.principal"
"""Key of the ASGI scope under which the gate puts the caller."""


VERDICT = "trinitycore_mcp.verdict"
"""Key under which it puts the limits' word on a call of the tool that the message names."""
LOCAL: ContextVar[Principal | None] = ContextVar("trinitycore_mcp.local", default=None)
"""Who calls on standard input; None: the process serves HTTP."""


def principal_of(ctx: ServerRequestContext[Any, Any]) -> Principal:
    """Return who was let in for this request; on standard input, whoever started us.

    :raises LookupError: nobody is known to have been let in.
    """
    request = ctx.request
    principal: Principal | None = request.scope.get(PRINCIPAL) if isinstance(request, Request) else LOCAL.get()
    if principal is None:
        raise LookupError("a request without a caller reached the protocol")
    return principal


def verdict_of(ctx: ServerRequestContext[Any, Any]) -> Verdict | None:
    """Return what the limits said of this call, None when they were not asked."""
    return ctx.request.scope.get(VERDICT) if isinstance(ctx.request, Request) else None


TRACE: ContextVar[str | None] = ContextVar("trinitycore_mcp.trace", default=None)
"""The trace id of the current request's span; None where no spans are made."""
OUTCOME: ContextVar[str] = ContextVar("trinitycore_mcp.outcome", default="")
"""What became of the tool that the current request called, where the result does not say it: see Answer.error."""


def traceparent_of(ctx: ServerRequestContext[Any, Any]) -> tuple[str | None, str | None]:
    """Return traceparent and tracestate, from ``_meta`` or else from the headers."""
    for carrier in (ctx.meta or {}, ctx.request.headers if isinstance(ctx.request, Request) else {}):
        parent, state = carrier.get("traceparent"), carrier.get("tracestate")
        if isinstance(parent, str):
            return parent, state if isinstance(state, str) else None
    return None, None


def trace_of(ctx: ServerRequestContext[Any, Any]) -> str | None:
    """Return the trace id of the request's span, else the caller's."""
    return TRACE.get() or trace_id_of(traceparent_of(ctx)[0])
