"""Fill the cache before anybody asks.

Every instance does it for itself after start, beside serving: its own memory is empty, and the first of the fleet to
ask pays for all (the others find the results in Redis or wait for the same work). It runs one lookup at a time, so
that a start never competes with the callers for the database. A leader's job may repeat it, to keep results from
growing stale; the results then come from the same cache by the same keys.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from time import monotonic

from pydantic import JsonValue

from trinitycore_mcp.config.cache import WarmCall

_log = logging.getLogger(__name__)

Run = Callable[[str, Mapping[str, JsonValue]], Awaitable[object]]
"""Calls a tool with arguments through the cache, as a caller's request would."""


@dataclass(frozen=True)
class Warmed:
    """How many lookups were done, how many failed, and the seconds it took."""

    done: int
    failed: int
    seconds: float


async def warm(lookups: Sequence[WarmCall], run: Run) -> Warmed:
    """Run the configured lookups one after another; one that fails is logged by the tool's name and passed over."""
    started = monotonic()
    failed = 0
    for lookup in lookups:
        try:
            await run(lookup.tool, lookup.arguments)
        except Exception as error:  # a wrong lookup in the configuration must not keep the others cold
            failed += 1
            fields = {"tool": lookup.tool, "reason": type(error).__name__}
            _log.warning("a lookup could not be warmed", extra={"fields": fields})
    result = Warmed(len(lookups) - failed, failed, round(monotonic() - started, 3))
    if lookups:
        _log.info("cache is warm", extra={"fields": asdict(result)})
    return result
