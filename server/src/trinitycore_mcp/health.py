"""Whether this instance lives, and whether it would serve a call now."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from trinitycore_mcp import __version__
from trinitycore_mcp.database import Database
from trinitycore_mcp.schema import Schemas


@dataclass
class Health:
    """Answers the probes. `draining` is set once, when the shutdown begins."""

    instance: str
    database: Database
    world: Schemas
    draining: bool = False

    def live(self) -> tuple[int, dict[str, Any]]:
        """Return status and body of /health/live: the event loop answers, so the process lives."""
        return 200, {"status": "live", "instance": self.instance, "version": __version__}

    def ready(self) -> tuple[int, dict[str, Any]]:
        """Return status and body of /health/ready, with every reason why not."""
        reasons = ["draining"] if self.draining else []
        states = self.database.states()
        if not self.database.available:
            reasons += [f"database {state.host}: {state.reason}" for state in states]
        world = self.world.last_known
        body = {
            "status": "not ready" if reasons else "ready",
            "reasons": reasons,
            "instance": self.instance,
            "database": [asdict(state) for state in states],
            "world": {"family": world.family, "version": world.version} if world else None,
        }
        return (503 if reasons else 200), body

    async def detailed(self) -> tuple[int, dict[str, Any]]:
        """Return status and body of /health/detailed."""
        return self.ready()
