"""The MCP server itself: the SDK's, with our tools, instructions and observation."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp.server.transport_security import TransportSecuritySettings
from mcp.types import CallToolResult, InputRequiredResult
from pydantic import ValidationError
from starlette.types import ASGIApp

from trinitycore_mcp import __version__, tools
from trinitycore_mcp.config import DatabaseNames
from trinitycore_mcp.observe import Observer
from trinitycore_mcp.tools.world import World

_INSTRUCTIONS = (
    "Tools that look things up in the world database of a World of Warcraft 3.3.5 server emulator (TrinityCore or "
    "AzerothCore). Search first when you know a name, get when you know an id; results name the tools that lead on. "
    "Everything is read-only and live: what you see is what the database holds now."
)


class _Server(MCPServer[Any]):
    """The SDK's server, stricter about arguments: unknown ones are refused, and errors read well."""

    async def call_tool(
        self, name: str, arguments: dict[str, Any], context: Context[Any, Any] | None = None
    ) -> CallToolResult | InputRequiredResult:
        tool = self._tool_manager.get_tool(name)
        if tool is not None:
            known = tool.parameters["properties"]
            unknown = [argument for argument in arguments if argument not in known]
            if unknown:
                raise ToolError(f"{name}: unknown argument {', '.join(unknown)}; allowed are {', '.join(known)}")
        try:
            return await super().call_tool(name, arguments, context)
        except ToolError as error:
            if isinstance(error.__cause__, ValidationError):
                raise ToolError(f"{name}: {_wrong(error.__cause__)}") from error.__cause__
            raise


def _wrong(error: ValidationError) -> str:
    return "; ".join(
        f"{'.'.join(str(part) for part in item['loc'])}: {item['msg'].removeprefix('Value error, ')}"
        for item in error.errors(include_url=False, include_input=False)
    )


def build(world: World, databases: DatabaseNames) -> MCPServer[Any]:
    """Return the server with every tool registered."""
    server = _Server(
        name="trinitycore-mcp", title="TrinityCore MCP", version=__version__, instructions=_INSTRUCTIONS,
        subscriptions=False,
    )  # fmt: skip
    names = tools.register(server, world, databases)
    server.middleware.append(Observer(names))
    return server


def http_application(server: MCPServer[Any], allowed_hosts: Iterable[str], max_body_size: int) -> ASGIApp:
    """Return the ASGI application of /mcp: stateless, so that any instance can answer any request."""
    hosts = list(allowed_hosts)
    return server.streamable_http_app(
        streamable_http_path="/mcp",
        json_response=True,
        stateless_http=True,
        max_request_body_size=max_body_size,
        transport_security=TransportSecuritySettings(
            allowed_hosts=[*hosts, *(f"{host}:*" for host in hosts)],
            allowed_origins=[f"{scheme}://{host}{port}" for host in hosts for scheme in ("https", "http")
                             for port in ("", ":*")],
        ),
    )  # fmt: skip
