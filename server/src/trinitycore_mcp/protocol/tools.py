"""tools/list and tools/call for what the fast path leaves to the SDK."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import anyio
import msgspec
from mcp.server.context import ServerRequestContext
from mcp.shared.exceptions import MCPError
from mcp.types import (
    INVALID_PARAMS,
    CallToolRequestParams,
    CallToolResult,
    ListToolsResult,
    PaginatedRequestParams,
    ToolAnnotations,
)
from mcp.types import Tool as WireTool

from trinitycore_mcp.access.principal import Principal
from trinitycore_mcp.dispatch import Dispatcher
from trinitycore_mcp.errors import did_you_mean
from trinitycore_mcp.protocol.context import OUTCOME, principal_of, trace_of, verdict_of
from trinitycore_mcp.toolkit.call import Progress
from trinitycore_mcp.toolkit.definition import Tool

Context = ServerRequestContext[Any, Any]
_PATIENCE = 1.0
"""Seconds that a client has to take a notice of progress; later it is told no more."""


class ToolHandlers:
    """Answers for tools."""

    def __init__(self, dispatcher: Dispatcher) -> None:
        self._dispatcher = dispatcher
        self._listed: dict[frozenset[str], ListToolsResult] = {}

    def visible(self, principal: Principal) -> Mapping[str, Tool]:
        """Return the tools that the caller sees and may call."""
        return {name: tool for name, tool in self._dispatcher.tools.items() if principal.may(tool.scope)}

    def input_schema(self, name: str) -> Mapping[str, Any] | None:
        """Return a tool's input schema, for the SDK's check of headers that repeat arguments."""
        tool = self._dispatcher.tools.get(name)
        return tool.input_schema if tool else None

    async def list(self, ctx: Context, params: PaginatedRequestParams | None) -> ListToolsResult:
        """Answer tools/list: all at once, in the order of their names."""
        del params
        principal = principal_of(ctx)
        result = self._listed.get(principal.scopes)
        if result is None:
            result = ListToolsResult(tools=[_wire(tool) for tool in self.visible(principal).values()])
            if len(self._listed) < 16:
                self._listed[principal.scopes] = result
        return result

    async def call(self, ctx: Context, params: CallToolRequestParams) -> CallToolResult:
        """Answer tools/call.

        :raises MCPError: there is no such tool, or it is not for this caller.
        """
        principal = principal_of(ctx)
        tools = self.visible(principal)
        tool = tools.get(params.name)
        if tool is None:
            raise unknown_tool(params.name, tools)
        answer = await self._dispatcher.run(
            tool,
            msgspec.json.encode(params.arguments or {}),
            principal,
            trace_id=trace_of(ctx),
            progress=_progress(ctx),
            verdict=verdict_of(ctx),
        )
        OUTCOME.set(answer.error)
        return CallToolResult.model_validate_json(b"{" + answer.body + b"}")


def unknown_tool(name: str, tools: Mapping[str, Tool]) -> MCPError:
    """Return the error for a tool that the caller does not have (it need not learn that others do)."""
    return MCPError(INVALID_PARAMS, f"Unknown tool: {name[:64]}{did_you_mean(name[:64], tools)}")


def _progress(ctx: Context) -> Progress | None:
    token = (ctx.meta or {}).get("progress_token")
    if token is None:
        return None

    reads = True

    async def report(done: float, total: float | None, message: str | None) -> None:
        nonlocal reads
        if reads:
            # Others may wait for the same work: one client that does not read its stream must not hold it up.
            with anyio.move_on_after(_PATIENCE) as waiting:
                await ctx.session.report_progress(done, total, message)
            reads = not waiting.cancelled_caught

    return report


def _wire(tool: Tool) -> WireTool:
    return WireTool(
        name=tool.name,
        title=tool.title,
        description=tool.description,
        input_schema=tool.input_schema,
        output_schema=tool.output_schema,
        annotations=ToolAnnotations(
            title=tool.title,
            read_only_hint=tool.read_only,
            destructive_hint=tool.destructive,
            idempotent_hint=tool.idempotent,
            open_world_hint=False,
        ),
    )
