"""Hits and misses, counted so cheaply that the fastest answer can afford it.

A labelled Prometheus counter costs half a microsecond a time; these are plain integers that are turned into
`mcp_cache_total{layer,kind,result}` when somebody asks.
"""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily
from prometheus_client.registry import Collector

from trinitycore_mcp.metrics import REGISTRY


class KindCounts:
    """What happened to lookups of one kind; each attribute is layer_result."""

    __slots__ = (
        "database_error",
        "database_hit",
        "local_hit",
        "local_miss",
        "local_stale",
        "redis_error",
        "redis_hit",
        "redis_miss",
        "redis_stale",
    )

    def __init__(self) -> None:
        for name in self.__slots__:
            setattr(self, name, 0)

    local_hit: int
    local_miss: int
    local_stale: int
    redis_hit: int
    redis_miss: int
    redis_stale: int
    redis_error: int
    database_hit: int
    database_error: int


_counts: dict[str, KindCounts] = {}


def counts_of(kind: str) -> KindCounts:
    """Return the counts of a kind: a tool's name, never a caller's words."""
    counts = _counts.get(kind)
    if counts is None:
        counts = _counts[kind] = KindCounts()
    return counts


class _Collector(Collector):
    def collect(self) -> Iterator[CounterMetricFamily]:
        family = CounterMetricFamily(
            "mcp_cache",
            "Lookups by layer (local, redis, database), tool and result; a hit of the database is a result produced.",
            labels=("layer", "kind", "result"),
        )
        for kind, counts in list(_counts.items()):
            for name in KindCounts.__slots__:
                layer, result = name.split("_")
                if number := getattr(counts, name):
                    family.add_metric((layer, kind, result), number)
        yield family


REGISTRY.register(_Collector())
