"""The state of every part of an instance, each asked when somebody wants to know."""

from __future__ import annotations

import asyncio
import platform
from importlib.metadata import version
from time import monotonic
from typing import TYPE_CHECKING

from trinitycore_mcp import __version__
from trinitycore_mcp.database.errors import DatabaseError
from trinitycore_mcp.health import certificates, machine
from trinitycore_mcp.health.component import HealthComponent, HealthReport, by_limits, worst
from trinitycore_mcp.redis_link import RedisAway
from trinitycore_mcp.schema.families import Family

if TYPE_CHECKING:
    from trinitycore_mcp.health import Health
    from trinitycore_mcp.services import Services

_LAG_DEGRADED, _LAG_DOWN = 0.1, 2.0
# So many audit records wait for a moment without anything being wrong.
_AUDIT_BATCH = 50
# Without these, calls are not served at all; what else is down makes an instance worse, not useless.
_VITAL = frozenset({"database"})


async def report(health: Health) -> HealthReport:
    """Return the state of every part that there is."""
    services = health.services
    asked = [_database(health), _schema(health), _event_loop(health)]
    if services is not None:
        asked += [_redis(services)]
    components = [*await asyncio.gather(*asked), *_hosts(health)]
    if services is not None:
        components += _of_services(health, services)
        if services.loaded is not None:
            found = await asyncio.to_thread(certificates.component, services.loaded)
            components += [found] if found is not None else []
    components += [machine.disk(), machine.memory(), _build()]
    vital = [each.status for each in components if each.name in _VITAL]
    bad = any(each.status != "ok" for each in components)
    status = worst(["down" if health.draining else "ok", *vital, "degraded" if bad else "ok"])
    reasons = [f"{each.name}: {each.reason}" for each in components if each.status != "ok"]
    return HealthReport(
        status=status,
        reasons=["draining", *reasons] if health.draining else reasons,
        instance=health.instance,
        version=__version__,
        draining=health.draining,
        uptime_seconds=round(monotonic() - services.started, 3) if services is not None else 0.0,
        components=components,
    )


def _since(started: float) -> float:
    return round((monotonic() - started) * 1000, 3)


async def _database(health: Health) -> HealthComponent:
    """Read one row the way that every tool does."""
    started = monotonic()
    try:
        await health.database.fetch("health", "SELECT 1 AS one")
    except DatabaseError as error:
        return HealthComponent("database", "down", str(error))
    states = health.database.states()
    down = [f"{state.host} is down" for state in states if not state.up]
    primaries = [state for state in states if state.up and state.role == "primary"]
    if not primaries:
        down.append("no primary is known: nothing can be written")
    return HealthComponent(
        "database",
        "degraded" if down else "ok",
        "; ".join(down) or None,
        latency_ms=_since(started),
        details={"hosts": len(states), "hosts_up": sum(state.up for state in states)},
    )


def _hosts(health: Health) -> list[HealthComponent]:
    """Return every database host as its last check, a second ago at most, found it."""
    versions = {host.name: host.version for host in health.database.hosts}
    return [
        HealthComponent(
            f"database host {state.host}",
            ("degraded" if state.note else "ok") if state.up else "down",
            state.reason or state.note or None,
            version=versions.get(state.host) or None,
            details={"role": state.role, "lag_seconds": state.lag},
        )
        for state in health.database.states()
    ]


async def _schema(health: Health) -> HealthComponent:
    try:
        known = await health.schemas.current()
    except DatabaseError as error:
        return HealthComponent("schema", "down", str(error))
    unknown = known.family is Family.UNKNOWN
    return HealthComponent(
        "schema",
        "degraded" if unknown else "ok",
        "the world database is of no family that we know: is it loaded, and may our account read it?"
        if unknown
        else None,
        version=known.version,
        details={
            "family": str(known.family),
            "updated": known.updated,
            **{f"{name}_tables": len(tables) for name, tables in known.tables.items()},
        },
    )


async def _event_loop(health: Health) -> HealthComponent:
    now = await health.lag.now()
    most = max(now, health.lag.most)
    status = by_limits(most, _LAG_DEGRADED, _LAG_DOWN)
    reason = f"ran {most:.3f} s late within the last minute" if status != "ok" else None
    details = {"now_ms": round(now * 1000, 3), "most_of_last_minute_ms": round(health.lag.most * 1000, 3)}
    return HealthComponent("event loop", status, reason, details=dict(details))


async def _redis(services: Services) -> HealthComponent:
    link = services.link
    if link is None or not link.configured:
        return HealthComponent("redis", "ok", "no Redis is configured: this instance is on its own")
    details = {
        "servers": len(link.states()),
        "servers_up": sum(state.up for state in link.states()),
        "primary": next((state.host for state in link.states() if state.used), None),
    }
    away = "calls are served without it: cache and limits are this instance's own"
    started = monotonic()
    try:
        info = await link.client.info("server")
    except RedisAway as error:
        return HealthComponent("redis", "degraded", f"{error}; {away}", details=dict(details))
    down = [f"{state.host}: {state.reason}" for state in link.states() if not state.up]
    found = info.get("redis_version")
    return HealthComponent(
        "redis",
        "degraded" if down else "ok",
        "; ".join(down) or None,
        latency_ms=_since(started),
        version=str(found) if found else None,
        details=dict(details),
    )


def _of_services(health: Health, services: Services) -> list[HealthComponent]:
    found = []
    if services.cache is not None:
        stats = services.cache.stats()
        policy = health.cache_policy()
        found.append(
            HealthComponent(
                "cache",
                "ok",
                details={
                    "policy": policy,
                    "entries": stats.entries,
                    "bytes": stats.bytes,
                    "in_flight": stats.in_flight,
                    "refreshing": stats.refreshing,
                },
            )
        )
    if services.leader is not None:
        token = services.leader.token_or_none()
        found.append(HealthComponent("leader", "ok", details={"leads": token is not None, "fencing_token": token}))
    if services.audit is not None:
        waiting = services.audit.waiting
        written = services.writer is not None
        reason = None if written else "no database.writer is configured: audit records are in the log only"
        late = waiting > _AUDIT_BATCH and written
        found.append(
            HealthComponent(
                "audit",
                "degraded" if late else "ok",
                f"{waiting} records have not reached the database yet" if late else reason,
                details={"waiting": waiting},
            )
        )
    return found


def _build() -> HealthComponent:
    return HealthComponent(
        "build", "ok", version=__version__, details={"python": platform.python_version(), "sdk": version("mcp")}
    )
