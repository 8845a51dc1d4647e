"""Which changes of a configuration a running server takes over, and which want a restart."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from trinitycore_mcp.config.root import Config

APPLIED = (
    "auth",
    "cache.enabled",
    "cache.local_ttl",
    "cache.stale",
    "cache.tools",
    "cache.ttl",
    "cache.warm",
    "limits",
    "logging",
    "retention",
)
"""Keys, with all below them, that a reload applies. Everything else is built into sockets, pools and the catalogue of
tools when the server starts."""


class Reload(NamedTuple):
    """Keys that changed, sorted."""

    apply: list[str]
    """Those that hold at once."""
    restart: list[str]
    """Those that hold after the next restart."""


def reload_plan(old: Config, new: Config) -> Reload:
    """Return what changed between two configurations, by what it takes to apply it.

    Lists count as a whole. Both must be of the same instance (`Config.for_instance`).
    """
    before, after = dict(_leaves(old.model_dump())), dict(_leaves(new.model_dump()))
    changed = sorted(key for key in before.keys() | after.keys() if before.get(key) != after.get(key))
    # A section that is None on one side has no keys there: those of the other side say it all.
    sections = {key for key in changed if any(other.startswith(f"{key}.") for other in changed)}
    keys = [key for key in changed if key not in sections]
    return Reload([key for key in keys if _applied(key)], [key for key in keys if not _applied(key)])


def _leaves(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, object]]:
    for name, value in values.items():
        key = f"{prefix}{name}"
        if isinstance(value, dict) and value:
            yield from _leaves(value, f"{key}.")
        else:
            yield key, value


def _applied(key: str) -> bool:
    return any(key == applied or key.startswith(f"{applied}.") for applied in APPLIED)
