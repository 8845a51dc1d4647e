"""Which changes of a configuration a running server takes over, and which want a restart."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from trinitycore_mcp.config.root import Config
from trinitycore_mcp.config.types import Section

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
    "metrics.tls.certificate_file",
    "metrics.tls.key_file",
    "retention",
    "server.tls.certificate_file",
    "server.tls.key_file",
)
"""Keys, with all below them, that a reload applies. Everything else is built into sockets, pools and the catalogue of
tools when the server starts."""
NOT_APPLIED = (
    "auth.api_keys_in_database",
    "auth.authorization_servers",
    "auth.cache_ttl",
    "auth.enabled",
    "auth.jwt.jwks_url",
)
"""Keys below those that want a restart all the same."""


class Reload(NamedTuple):
    """Keys that changed, sorted."""

    apply: list[str]
    """Those that hold at once."""
    restart: list[str]
    """Those that hold after the next restart."""


def reload_plan(old: Config, new: Config) -> Reload:
    """Return what changed between two configurations, by what it takes to apply it.

    Lists count as a whole. Both must be of the same instance (`Config.for_instance`). Where auth.enabled changes,
    nothing of section auth holds before the restart: the rest was written for the other way of serving.
    """
    apply: set[str] = set()
    restart: set[str] = set()
    switched = old.auth.enabled is not new.auth.enabled
    for key, shown in _changes(old.model_dump(), new.model_dump()):
        held_back = switched and _below(key, ("auth",))
        (apply if _applies(key) and _applies(shown) and not held_back else restart).add(shown)
    return Reload(sorted(apply - restart), sorted(restart))


def taken_over(old: Config, new: Config) -> Config:
    """Return the configuration that holds after a reload: `old`, with what a reload applies as `new` has it."""
    sections = {name.partition(".")[0] for name in APPLIED}
    if old.auth.enabled is not new.auth.enabled:
        sections.discard("auth")
    update = {name: _taken(name, getattr(old, name), getattr(new, name)) for name in sections}
    return old.model_copy(update=update)


def _taken(key: str, old: object, new: object) -> object:
    if not isinstance(old, Section) or not isinstance(new, Section):
        return new if _applies(key) else old
    names = type(new).model_fields
    return new.model_copy(update={n: _taken(f"{key}.{n}", getattr(old, n), getattr(new, n)) for n in names})


def _applies(key: str) -> bool:
    return _below(key, APPLIED) and not _below(key, NOT_APPLIED)


def _changes(
    old: Mapping[str, Any], new: Mapping[str, Any], prefix: str = "", shown: str | None = None
) -> Iterator[tuple[str, str]]:
    """Return each key that changed, and the key to show: a section that is new or gone is shown as a whole."""
    for name in {**old, **new}:
        key = f"{prefix}{name}"
        before, after = old.get(name), new.get(name)
        if isinstance(before, dict) or isinstance(after, dict):
            whole = shown or (key if before is None or after is None else None)
            yield from _changes(before or {}, after or {}, f"{key}.", whole)
        elif before != after:
            yield key, shown or key


def _below(key: str, places: tuple[str, ...]) -> bool:
    return any(key == place or key.startswith(f"{place}.") for place in places)
