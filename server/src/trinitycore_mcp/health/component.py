"""What is told of a part of an instance."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Literal

from msgspec import Struct

from trinitycore_mcp.toolkit.fields import doc

Status = Literal["ok", "degraded", "down"]
Detail = str | int | float | bool | None
_ORDER: tuple[Status, ...] = ("ok", "degraded", "down")


class HealthComponent(Struct, frozen=True):
    """A part and how it is."""

    name: str
    status: Status
    reason: Annotated[str | None, doc("why it is not ok, or what should be known although it is")] = None
    latency_ms: Annotated[float | None, doc("of a question it was asked just now; null: it was not asked")] = None
    version: str | None = None
    details: Annotated[dict[str, Detail], doc("what else is known of it; names end in their unit")] = {}


class HealthReport(Struct, frozen=True):
    """The state of one instance."""

    status: Annotated[Status, doc("down: calls are not served; degraded: they are, but a part is not as it should be")]
    reasons: Annotated[list[str], doc("why it is not ok")]
    instance: str
    version: str
    draining: Annotated[bool, doc("it is being shut down")]
    uptime_seconds: float
    components: list[HealthComponent]


def worst(states: Iterable[Status]) -> Status:
    """Return the worst of several states; ok when there is none."""
    return max(states, key=_ORDER.index, default="ok")


def by_limits(value: float, degraded: float, down: float | None = None) -> Status:
    """Return the state that a value stands for when larger is worse."""
    if down is not None and value >= down:
        return "down"
    return "degraded" if value >= degraded else "ok"
