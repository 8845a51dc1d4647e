"""The tools, one module for each kind of thing they look up."""

from __future__ import annotations

from typing import Any

from mcp.server.mcpserver import MCPServer

from trinitycore_mcp.config import DatabaseNames
from trinitycore_mcp.tools import creature, item, names, quest, table
from trinitycore_mcp.tools.world import World


def register(server: MCPServer[Any], world: World, databases: DatabaseNames) -> frozenset[str]:
    """Add every tool to the server and return their names."""
    creature.register(server, world)
    item.register(server, world)
    quest.register(server, world)
    table.register(server, world, databases)
    names.load_all()
    tools = server._tool_manager.list_tools()
    for tool in tools:
        tool.parameters["additionalProperties"] = False
    return frozenset(tool.name for tool in tools)
