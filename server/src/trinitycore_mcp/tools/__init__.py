"""The tools, one module for each kind of thing they look up."""

from __future__ import annotations

from typing import Any

from mcp.server.mcpserver import MCPServer

from trinitycore_mcp.tools import creature, names
from trinitycore_mcp.tools.world import World


def register(server: MCPServer[Any], world: World) -> frozenset[str]:
    """Add every tool to the server and return their names."""
    for module in (creature,):
        module.register(server, world)
    registered = server._tool_manager.list_tools()
    for tool in registered:
        tool.parameters["additionalProperties"] = False
    names.load_all()
    return frozenset(tool.name for tool in registered)
