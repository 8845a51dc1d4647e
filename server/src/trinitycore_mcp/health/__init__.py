"""Whether this instance lives, whether it would serve a call now, and how its parts are."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import msgspec

from trinitycore_mcp import __version__
from trinitycore_mcp.database import Database
from trinitycore_mcp.health.component import HealthComponent, HealthReport, Status
from trinitycore_mcp.health.loop_lag import LoopLag
from trinitycore_mcp.schema import Schemas
from trinitycore_mcp.tasks import end

if TYPE_CHECKING:
    from trinitycore_mcp.services import Services

__all__ = ["Health", "HealthComponent", "HealthReport", "LoopLag", "Status"]


@dataclass
class Health:
    """Answers the probes. `draining` is set once, when the shutdown begins."""

    instance: str
    database: Database
    schemas: Schemas
    draining: bool = False
    services: Services | None = field(default=None, repr=False)
    """What the instance is made of; set by whoever is made of it."""
    lag: LoopLag = field(default_factory=LoopLag, repr=False)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Watch the event loop while the context is open."""
        task = asyncio.create_task(self.lag.watch())
        try:
            yield
        finally:
            await end(task)

    def live(self) -> tuple[int, dict[str, Any]]:
        """Return status and body of /health/live: the event loop answers, so the process lives."""
        return 200, {"status": "live", "instance": self.instance, "version": __version__}

    def ready(self) -> tuple[int, dict[str, Any]]:
        """Return status and body of /health/ready, with every reason why not.

        Redis is no reason: without it the cache is this process's own and limits are counted here.
        """
        reasons = self.reasons()
        world = self.schemas.last_known
        body = {
            "status": "not ready" if reasons else "ready",
            "reasons": reasons,
            "instance": self.instance,
            "database": [asdict(state) for state in self.database.states()],
            "world": {"family": world.family, "version": world.version} if world else None,
            "cache": self.cache_policy(),
        }
        return (503 if reasons else 200), body

    def reasons(self) -> list[str]:
        """Return why no call would be served now; empty: it would."""
        reasons = ["draining"] if self.draining else []
        if not self.database.available:
            reasons += [f"database {state.host}: {state.reason}" for state in self.database.states()]
        return reasons

    def cache_policy(self) -> str:
        """Return where results are kept now: shared (Redis), local (Redis is away or none is configured), off."""
        services = self.services
        if services is None or services.cache is None or not services.config.cache.enabled:
            return "off"
        return "shared" if services.link is not None and services.link.up else "local"

    async def report(self) -> HealthReport:
        """Return the state of every part, each asked now."""
        from trinitycore_mcp.health.report import report  # noqa: PLC0415 (what only operators ask for)

        return await report(self)

    async def detailed(self) -> tuple[int, dict[str, Any]]:
        """Return status and body of /health/detailed: 200 when a call would be served, else 503."""
        report = await self.report()
        body: dict[str, Any] = msgspec.to_builtins(report)
        return (503 if self.reasons() else 200), body
