"""How long a tool's results are good for."""

from __future__ import annotations

from dataclasses import dataclass

from trinitycore_mcp.config.cache import Cache


@dataclass(frozen=True, slots=True)
class CachePolicy:
    """Times in seconds. A `ttl` of 0 means that nothing is kept."""

    ttl: float
    """A result counts as fresh for this long."""
    stale: float
    """And may be answered for this much longer while a new one is being fetched."""
    local_ttl: float
    """This process answers from its own memory for this long, without asking Redis."""


CONTENT = CachePolicy(ttl=60.0, stale=300.0, local_ttl=2.0)
"""Rows of the world, which change when somebody edits content. The configuration's defaults replace these times."""
LIVE = CachePolicy(ttl=3.0, stale=0.0, local_ttl=1.0)
"""What the game server changes by itself: who is online, auctions."""
NONE = CachePolicy(ttl=0.0, stale=0.0, local_ttl=0.0)
"""What must be looked up each time, or acts."""


def policy_for(options: Cache, tool: str, own: CachePolicy) -> CachePolicy:
    """Return the policy of a tool.

    :param own: what the tool itself says, usually CONTENT, LIVE or NONE. NONE stays NONE: such a tool must run.
    """
    differs = options.tools.get(tool)
    enabled = options.enabled if differs is None or differs.enabled is None else options.enabled and differs.enabled
    if not enabled or own == NONE:
        return NONE
    base = CachePolicy(options.ttl, options.stale, options.local_ttl) if own is CONTENT else own
    if differs is None:
        return base
    return CachePolicy(
        ttl=base.ttl if differs.ttl is None else differs.ttl,
        stale=base.stale if differs.stale is None else differs.stale,
        local_ttl=base.local_ttl if differs.local_ttl is None else differs.local_ttl,
    )
