"""How long results are kept, and which ones are fetched before anybody asks."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, JsonValue

from trinitycore_mcp.config.types import Lifetime, Section, ToolName


class ToolCache(Section):
    """What differs for one tool; None: as for all tools (or as the tool itself says)."""

    enabled: bool | None = None
    """Whether its results are kept."""
    ttl: Lifetime | None = None
    """As cache.ttl."""
    stale: Lifetime | None = None
    """As cache.stale."""
    local_ttl: Lifetime | None = None
    """As cache.local_ttl."""


class WarmCall(Section):
    """A call whose result is fetched after start."""

    tool: ToolName
    """The tool's name."""
    arguments: dict[str, JsonValue] = Field(default={})
    """Its arguments."""


class Cache(Section):
    """Results of tools, kept in this process for a moment and in Redis (when configured) for longer."""

    enabled: bool = True
    """Off: every call reaches the database."""
    local_entries: Annotated[int, Field(ge=0, le=10_000_000)] = 20_000
    """Results kept in this process, at most; 0: none."""
    local_bytes: Annotated[int, Field(ge=0, le=64 * 1024**3)] = 64 * 1024**2
    """Bytes that they may take together; 0: none."""
    local_ttl: Lifetime = 2.0
    """Seconds that this process answers from its own memory before it asks Redis again."""
    ttl: Lifetime = 60.0
    """Seconds that a result counts as fresh."""
    stale: Lifetime = 300.0
    """Seconds beyond ttl that an old result may be answered while a new one is being fetched."""
    tools: dict[ToolName, ToolCache] = Field(default={})
    """What differs, by tool."""
    warm: list[WarmCall] = Field(default=[])
    """Calls whose results are fetched after start."""
