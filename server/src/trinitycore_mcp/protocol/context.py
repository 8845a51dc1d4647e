"""What the SDK's handlers need to know of a request: who sent it, and under which trace."""

from __future__ import annotations

from typing import Any

from mcp.server.context import ServerRequestContext
from starlette.requests import Request

from trinitycore_mcp.access.principal import STDIO, Principal
from trinitycore_mcp.observe.trace import trace_id_of

PRINCIPAL = "trinitycore_mcp.principal"
"""Key of the ASGI scope under which the gate puts the caller."""


def principal_of(ctx: ServerRequestContext[Any, Any]) -> Principal:
    """Return who was let in for this request; without HTTP, whoever started us."""
    if isinstance(ctx.request, Request):
        principal = ctx.request.scope[PRINCIPAL]
        assert isinstance(principal, Principal)
        return principal
    return STDIO


def trace_of(ctx: ServerRequestContext[Any, Any]) -> str | None:
    """Return the caller's trace id, from ``_meta`` or the traceparent header."""
    carried = (ctx.meta or {}).get("traceparent")
    if carried is None and isinstance(ctx.request, Request):
        carried = ctx.request.headers.get("traceparent")
    return trace_id_of(carried) if isinstance(carried, str) else None
