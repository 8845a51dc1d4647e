"""The result cache: cache_flush."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from trinitycore_mcp.errors import ToolError, did_you_mean
from trinitycore_mcp.toolkit import Call, Tool, doc, tool


class FlushedCache(Struct, frozen=True):
    """What was made void."""

    kind: Annotated[str | None, doc("the tool whose results were made void; null: all")]
    version: Annotated[int, doc("the new version number of these results; keys in Redis carry it")]
    fleet: Annotated[bool, doc("true: every instance knows; false: this one does, the others as soon as Redis is back")]
    entries: Annotated[int, doc("results that this process still keeps in memory")]


@tool(title="Flush cached results", scope="admin", read_only=False, idempotent=True)
async def cache_flush(
    call: Call,
    kind: Annotated[
        Annotated[str, Meta(min_length=1, max_length=64)] | None,
        doc("the tool whose results are to be forgotten; default: all"),
    ] = None,
) -> FlushedCache:
    """Make void what is kept of one tool's results, or of all, on every instance: the next call reads the database. For
    content that was just edited and must show at once; otherwise results renew themselves within a minute or so."""
    cache, link = call.services.cache, call.services.link
    if cache is None or not call.services.config.cache.enabled:
        raise ToolError("the cache is switched off (cache.enabled), so nothing is kept")
    if kind is not None:
        from trinitycore_mcp.tools import catalogue  # noqa: PLC0415 (this module is part of it)

        names = [tool.name for tool in catalogue(call.services.config)]
        if kind not in names:
            raise ToolError(f"kind: no tool is called {kind!r}{did_you_mean(kind, names)}", kind="invalid_arguments")
    version = await cache.flush(kind)
    return FlushedCache(
        kind=kind,
        version=version,
        fleet=link is None or not link.configured or link.up,
        entries=cache.stats().entries,
    )


TOOLS: tuple[Tool, ...] = (cache_flush,)
