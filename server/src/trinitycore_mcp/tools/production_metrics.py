"""Figures of this instance: get_metrics_snapshot."""

from __future__ import annotations

from collections import defaultdict
from time import monotonic
from typing import Annotated

from msgspec import Meta, Struct

from trinitycore_mcp import metrics
from trinitycore_mcp.errors import ToolError, did_you_mean
from trinitycore_mcp.metrics_snapshot import Distribution, Snapshot
from trinitycore_mcp.toolkit import NONE, Call, Related, Tool, doc, tool

_DURATION = "mcp_server_operation_duration_seconds"
Milliseconds = Annotated[float | None, doc("milliseconds, from the histogram's buckets; null: nothing was observed")]


class RequestFigures(Struct, frozen=True):
    """Requests of one kind."""

    method: str
    tool: Annotated[str | None, doc("null: no call of a tool")]
    count: int
    failures: Annotated[dict[str, int], doc("how many failed, by kind of failure")]
    mean_ms: Milliseconds
    p50_ms: Milliseconds
    p95_ms: Milliseconds
    p99_ms: Milliseconds


class CacheFigures(Struct, frozen=True):
    """Lookups in the result cache."""

    tool: Annotated[str | None, doc("null: all tools")]
    lookups: int
    local_hits: Annotated[int, doc("answered from this process's memory, fresh or stale")]
    redis_hits: Annotated[int, doc("answered from Redis, fresh or stale")]
    produced: Annotated[int, doc("made anew from the database")]
    failed: int
    hit_ratio: Annotated[float | None, doc("share of the lookups that needed no database")]


class PoolFigures(Struct, frozen=True):
    """Connections to one database host, and the statements that went over them."""

    pool: Annotated[str, doc("host; with /sql: for free statements; with /writer: for our own records")]
    used: int
    idle: int
    statements: int
    p50_ms: Milliseconds
    p95_ms: Milliseconds
    p99_ms: Milliseconds
    failures: Annotated[dict[str, int], doc("statements that failed, by cause")]
    lag_seconds: Annotated[float | None, doc("how far the replica is behind; null: unknown, or it is no replica")]


class CountedFigure(Struct, frozen=True):
    """A count by two labels."""

    kind: str
    result: str
    count: int


class ProcessFigures(Struct, frozen=True):
    """The process itself."""

    cpu_seconds: float | None
    resident_bytes: int | None
    open_files: int | None
    most_files: int | None
    event_loop_lag_ms: Annotated[float, doc("the most of the last minute")]


class MetricsSnapshot(Struct, frozen=True):
    """What this instance counted since it started."""

    instance: str
    uptime_seconds: float
    in_flight: Annotated[int, doc("requests being answered now, this one among them")]
    total: Annotated[RequestFigures, doc("all calls of tools together")]
    requests: Annotated[list[RequestFigures], doc("by method and tool, most frequent first")]
    left_out: Annotated[int, doc("kinds of request that are not listed")]
    cache: CacheFigures
    cache_by_tool: Annotated[list[CacheFigures], doc("most lookups first")]
    pools: list[PoolFigures]
    limits: Annotated[list[CountedFigure], doc("calls counted for rate limits, by scope (key, tool)")]
    authentications: Annotated[list[CountedFigure], doc("by method")]
    rejected: Annotated[dict[str, int], doc("HTTP requests refused before the protocol saw them, by status")]
    redis_up: bool
    redis_errors: dict[str, int]
    leads: Annotated[bool, doc("whether this instance runs the fleet's jobs")]
    audit_dropped: int
    process: ProcessFigures
    related: list[Related]


@tool(title="Figures of this instance", cache=NONE)
async def get_metrics_snapshot(
    call: Call,
    tool: Annotated[Annotated[str, Meta(max_length=64)] | None, doc("only requests of this tool")] = None,
    limit: Annotated[int, Meta(ge=1, le=500, description="kinds of request at most")] = 30,
) -> MetricsSnapshot:
    """What the instance that answers has counted since it started: requests by tool with failures and response times
    (p50, p95, p99), cache hits, database connections and replication lag, rate limits, authentications, memory. One
    instance of several: a monitoring system has them all, over time. get_health_status says what is wrong now."""
    snapshot = Snapshot(metrics.REGISTRY)
    requests = _requests(snapshot)
    if tool is not None:
        known = sorted({each.tool for each in requests if each.tool})
        requests = [each for each in requests if each.tool == tool]
        if not requests:
            raise ToolError(f"tool: no call of {tool!r} was counted on this instance{did_you_mean(tool, known)}")
    services = call.services
    cached = _cached(snapshot)
    return MetricsSnapshot(
        instance=services.health.instance,
        uptime_seconds=round(monotonic() - services.started, 3),
        in_flight=_whole(snapshot.value("mcp_server_requests_in_flight")),
        total=_total(snapshot),
        requests=requests[:limit],
        left_out=max(0, len(requests) - limit),
        cache=_sum(cached),
        cache_by_tool=cached[:limit],
        pools=_pools(call, snapshot),
        limits=_counted(snapshot, "mcp_rate_limit_total", "scope", "result"),
        authentications=_counted(snapshot, "mcp_auth_total", "method", "result"),
        rejected=_by(snapshot, "mcp_http_rejected_total", "status"),
        redis_up=bool(snapshot.value("mcp_redis_up")),
        redis_errors=_by(snapshot, "mcp_redis_errors_total", "cause"),
        leads=bool(snapshot.value("mcp_leader")),
        audit_dropped=_whole(snapshot.value("mcp_audit_dropped_total")),
        process=ProcessFigures(
            cpu_seconds=snapshot.value("process_cpu_seconds_total"),
            resident_bytes=_whole_or_none(snapshot.value("process_resident_memory_bytes")),
            open_files=_whole_or_none(snapshot.value("process_open_fds")),
            most_files=_whole_or_none(snapshot.value("process_max_fds")),
            event_loop_lag_ms=round(services.health.lag.most * 1000, 3),
        ),
        related=[Related("get_health_status", {}, "whether all parts are well")],
    )


def _whole(value: float | None) -> int:
    return round(value or 0)


def _whole_or_none(value: float | None) -> int | None:
    return round(value) if value is not None else None


def _ms(seconds: float | None) -> float | None:
    return round(seconds * 1000, 3) if seconds is not None else None


def _figures(method: str, tool: str | None, times: Distribution, failures: dict[str, int]) -> RequestFigures:
    quantiles = [_ms(times.quantile(share)) for share in (0.5, 0.95, 0.99)]
    return RequestFigures(method, tool, times.count, failures, _ms(times.mean), *quantiles)


def _requests(snapshot: Snapshot) -> list[RequestFigures]:
    """Return the figures by method and tool, most frequent first."""
    failures: dict[tuple[str, str], dict[str, int]] = defaultdict(dict)
    by_error = snapshot.distributions(_DURATION, ("method", "tool", "error_type"))
    for (method, called, error), times in by_error.items():
        if error:
            failures[method, called][error] = times.count
    found = [
        _figures(method, called or None, times, failures[method, called])
        for (method, called), times in snapshot.distributions(_DURATION, ("method", "tool")).items()
    ]
    return sorted(found, key=lambda each: (-each.count, each.method, each.tool or ""))


def _total(snapshot: Snapshot) -> RequestFigures:
    """Return the figures of all calls of tools together."""
    times, failures = Distribution(), dict[str, int]()
    by_error = snapshot.distributions(_DURATION, ("method", "error_type"))
    for (method, error), each in by_error.items():
        if method == "tools/call":
            times.add(each)
            if error:
                failures[error] = each.count
    return _figures("tools/call", None, times, failures)


def _cached(snapshot: Snapshot) -> list[CacheFigures]:
    """Return the cache's figures by tool, most lookups first."""
    counts: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for (layer, kind, result), value in snapshot.by("mcp_cache_total", "layer", "kind", "result").items():
        counts[kind][f"{layer}_{result}"] += round(value)
    found = []
    for kind, each in counts.items():
        local, redis = each["local_hit"] + each["local_stale"], each["redis_hit"] + each["redis_stale"]
        found.append(_cache(kind, local, redis, each["database_hit"], each["database_error"]))
    return sorted(found, key=lambda each: (-each.lookups, each.tool or ""))


def _cache(tool: str | None, local: int, redis: int, produced: int, failed: int) -> CacheFigures:
    lookups = local + redis + produced + failed
    ratio = round((local + redis) / lookups, 4) if lookups else None
    return CacheFigures(tool, lookups, local, redis, produced, failed, ratio)


def _sum(cached: list[CacheFigures]) -> CacheFigures:
    return _cache(
        None,
        sum(each.local_hits for each in cached),
        sum(each.redis_hits for each in cached),
        sum(each.produced for each in cached),
        sum(each.failed for each in cached),
    )


def _pools(call: Call, snapshot: Snapshot) -> list[PoolFigures]:
    connections = snapshot.by("mcp_db_pool_connections", "pool", "state")
    times = snapshot.distributions("mcp_db_query_duration_seconds", ("pool",))
    failures = snapshot.by("mcp_db_query_failures_total", "pool", "cause")
    lags = {state.host: state.lag for state in call.services.database.states()}
    found = []
    for pool in sorted({pool for pool, _ in connections}):
        each = times.get((pool,), Distribution())
        failed = {cause: round(count) for (name, cause), count in failures.items() if name == pool and count}
        used, idle = (round(connections.get((pool, state), 0)) for state in ("used", "idle"))
        found.append(
            PoolFigures(
                pool=pool,
                used=used,
                idle=idle,
                statements=each.count,
                p50_ms=_ms(each.quantile(0.5)),
                p95_ms=_ms(each.quantile(0.95)),
                p99_ms=_ms(each.quantile(0.99)),
                failures=failed,
                lag_seconds=lags.get(pool),
            )
        )
    return found


def _counted(snapshot: Snapshot, name: str, kind: str, result: str) -> list[CountedFigure]:
    counts = snapshot.by(name, kind, result)
    return [CountedFigure(first, second, round(value)) for (first, second), value in sorted(counts.items()) if value]


def _by(snapshot: Snapshot, name: str, label: str) -> dict[str, int]:
    return {each: round(value) for (each,), value in sorted(snapshot.by(name, label).items()) if value}


TOOLS: tuple[Tool, ...] = (get_metrics_snapshot,)
