"""fastmcp as its documentation has it: `fastmcp_server.py PORT`, stateless, JSON answers."""

from __future__ import annotations

import sys
from typing import Any

import uvicorn
from fastmcp import FastMCP
from lookup import Lookup

server: Any = FastMCP("bench")
lookup = Lookup()


@server.tool
async def add(a: int, b: int) -> dict[str, int]:
    """Add two numbers."""
    return {"sum": a + b}


@server.tool
async def page_text_get(id: int) -> dict[str, Any]:
    """Read a page."""
    return await lookup.read(id)


@server.tool
async def page_text_cached(id: int) -> dict[str, Any]:
    """Read a page, once."""
    return await lookup.cached(id)


if __name__ == "__main__":
    application = server.http_app(path="/mcp", json_response=True, stateless_http=True)
    uvicorn.run(
        application, port=int(sys.argv[1]), http="httptools", loop="uvloop", log_level="error", access_log=False
    )
