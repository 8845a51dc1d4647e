"""How late the event loop is: what every call in this process waits for besides its own work."""

from __future__ import annotations

import asyncio
from collections import deque
from time import monotonic

from prometheus_client import Gauge

from trinitycore_mcp.metrics import REGISTRY

_INTERVAL = 0.25
_WINDOW = 240
_PROBES, _PROBE_SLEEP = 3, 0.005
LAG = Gauge(
    "mcp_event_loop_lag_seconds",
    "How much later than asked for the event loop ran a timer, the most of the last minute.",
    registry=REGISTRY,
)


class LoopLag:
    """Measures by sleeping: whatever a sleep takes beyond its time, the loop was busy or the process not running."""

    def __init__(self) -> None:
        self._seen: deque[float] = deque(maxlen=_WINDOW)
        LAG.set_function(lambda: self.most)

    @property
    def most(self) -> float:
        """Seconds: the most of the last minute, 0 while nobody watches."""
        return max(self._seen, default=0.0)

    async def watch(self) -> None:
        """Measure four times a second; never returns."""
        while True:
            self._seen.append(await _overshoot(_INTERVAL))

    async def now(self) -> float:
        """Measure for some milliseconds and return the most, in seconds."""
        return max([await _overshoot(_PROBE_SLEEP) for _ in range(_PROBES)])


async def _overshoot(seconds: float) -> float:
    started = monotonic()
    await asyncio.sleep(seconds)
    return max(0.0, monotonic() - started - seconds)
