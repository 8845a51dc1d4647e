"""What we count and measure, for Prometheus. Every label has a bounded set of values: no user input."""

from __future__ import annotations

import functools
import platform
from importlib.metadata import version

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.gc_collector import GCCollector
from prometheus_client.process_collector import ProcessCollector

from trinitycore_mcp import __version__
from trinitycore_mcp.observe.counts import Counts
from trinitycore_mcp.observe.durations import Durations

_BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

disable_created_metrics()  # type: ignore[no-untyped-call]  # a time series per histogram that nobody asks for
REGISTRY = CollectorRegistry()
ProcessCollector(registry=REGISTRY)
GCCollector(registry=REGISTRY)

OPERATION_DURATION = Durations(
    "mcp_server_operation_duration_seconds",
    "Time to answer an MCP request, by its method, tool and kind of failure (empty: none).",
    ("method", "tool", "error_type"),
    _BUCKETS,
    REGISTRY,
)
REQUESTS_IN_FLIGHT = Gauge("mcp_server_requests_in_flight", "Requests to /mcp being answered.", registry=REGISTRY)
HTTP_REJECTED = Counter(
    "mcp_http_rejected",
    "Requests to /mcp refused before the protocol saw them, by HTTP status.",
    ("status",),
    registry=REGISTRY,
)
AUTH = Counts("mcp_auth", "Authentications, by method and result.", ("method", "result"), REGISTRY)
RATE_LIMIT = Counts(
    "mcp_rate_limit",
    "Calls counted for a limit of their key or tool: allowed, refused, or allowed by this instance's own count.",
    ("scope", "result"),
    REGISTRY,
)
AUDIT_DROPPED = Counter(
    "mcp_audit_dropped", "Audit records that never reached the database; the log has them.", registry=REGISTRY
)
DB_QUERY_DURATION = Histogram(
    "mcp_db_query_duration_seconds",
    "Time of one database query, waiting for a connection included, by host and kind of query.",
    ("pool", "kind"),
    buckets=_BUCKETS,
    registry=REGISTRY,
)
DB_QUERY_FAILURES = Counter(
    "mcp_db_query_failures",
    "Queries a database host failed, by host and cause; a lost one was tried again elsewhere.",
    ("pool", "cause"),
    registry=REGISTRY,
)
DB_POOL_CONNECTIONS = Gauge(
    "mcp_db_pool_connections", "Connections to a database host.", ("pool", "state"), registry=REGISTRY
)
DB_HOST_UP = Gauge(
    "mcp_db_host_up",
    "1 when the database host answers, by role seen last.",
    ("pool", "role"),
    registry=REGISTRY,
)
DB_REPLICATION_LAG = Gauge(
    "mcp_db_replication_lag_seconds",
    "Seconds that a replica is behind; NaN: unknown.",
    ("pool",),
    registry=REGISTRY,
)
DB_BREAKER_OPEN = Gauge(
    "mcp_db_breaker_open",
    "1 while the database host is left alone after failures in a row.",
    ("pool",),
    registry=REGISTRY,
)
DB_QUERIES_KILLED = Counter(
    "mcp_db_queries_killed",
    "Statements ended in the database because their caller left, or they took too long or gave too much.",
    ("pool",),
    registry=REGISTRY,
)
REDIS_UP = Gauge("mcp_redis_up", "1 while a writable Redis is known and answers.", registry=REGISTRY)
REDIS_COMMAND_DURATION = Histogram(
    "mcp_redis_command_duration_seconds",
    "Time of one Redis command or pipeline, waiting for a connection included, by command.",
    ("kind",),
    buckets=_BUCKETS,
    registry=REGISTRY,
)
REDIS_ERRORS = Counter(
    "mcp_redis_errors", "Redis commands that failed, by kind of error.", ("cause",), registry=REGISTRY
)
LEADER = Gauge("mcp_leader", "1 while this instance is the one that runs the fleet's jobs.", registry=REGISTRY)
JOB_RUNS = Counter(
    "mcp_job_runs", "Runs of the leader's jobs, by job and result.", ("job", "result"), registry=REGISTRY
)
redis_command_duration = functools.cache(REDIS_COMMAND_DURATION.labels)
"""The child of a kind of command; looking it up anew would cost more than observing."""
BUILD_INFO = Gauge("mcp_build_info", "Always 1.", ("version", "python", "sdk", "instance_name"), registry=REGISTRY)


def set_build_info(instance: str) -> None:
    """Publish what is running."""
    BUILD_INFO.labels(__version__, platform.python_version(), version("mcp"), instance).set(1)


def render() -> tuple[bytes, str]:
    """Return the metrics as text and its content type."""
    return generate_latest(REGISTRY), CONTENT_TYPE_LATEST
