"""One client on standard input and output, as desktop programs start their servers."""

from __future__ import annotations

from mcp.server.stdio import stdio_server

from trinitycore_mcp.access.principal import STDIO
from trinitycore_mcp.config_load import Loaded
from trinitycore_mcp.lifecycle.parts import assemble
from trinitycore_mcp.protocol.context import LOCAL


async def run_stdio(loaded: Loaded) -> None:
    """Serve until the client closes its end.

    :raises ConfigError: a file that the configuration names can't be used.
    """
    # It comes and goes with a program on somebody's desk; the fleet's work is its servers'.
    parts = assemble(loaded, leads=False)
    LOCAL.set(STDIO)
    async with parts.running(), stdio_server() as (reading, writing):
        await parts.protocol.run(reading, writing, parts.protocol.create_initialization_options())
