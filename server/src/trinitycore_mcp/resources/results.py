"""A resource's content made by a tool."""

from __future__ import annotations

from typing import Any

import msgspec

from trinitycore_mcp.toolkit import Call, Tool


async def result_of(call: Call, tool: Tool, **arguments: Any) -> Any:
    """Return what the tool returns, called as the one who reads the resource.

    :raises ToolError: it refused.
    """
    read = tool.read(msgspec.json.encode(arguments))
    own = Call(call.services, call.principal, tool.name, read, call.trace_id)
    return await tool.function(own, *msgspec.structs.astuple(read))


def as_json(value: Any) -> str:
    """Return a result as JSON."""
    return msgspec.json.encode(value).decode()
