"""This server itself: get_health_status, get_server_info."""

from __future__ import annotations

import platform
import ssl
from importlib.metadata import version
from time import monotonic
from typing import Annotated

from mcp.types.version import HANDSHAKE_PROTOCOL_VERSIONS, MODERN_PROTOCOL_VERSIONS
from msgspec import Struct

from trinitycore_mcp import __version__
from trinitycore_mcp.database.errors import DatabaseError
from trinitycore_mcp.health import HealthReport
from trinitycore_mcp.toolkit import NONE, Call, Related, Tool, doc, tool


class ServerInfo(Struct, frozen=True):
    """What runs here."""

    name: str
    version: str
    instance: Annotated[str, doc("the instance that answered")]
    uptime_seconds: float
    python: str
    sdk: Annotated[str, doc("version of the protocol's SDK")]
    openssl: str
    protocol_revisions: Annotated[list[str], doc("revisions of the Model Context Protocol that are served")]
    tools: Annotated[int, doc("tools that this configuration has")]
    tools_by_scope: dict[str, int]
    resources: int
    prompts: int
    world_family: Annotated[str | None, doc("the kind of world database; null: it can't be read")]
    world_version: str | None
    families: Annotated[list[str], doc("kinds of world database that are known")]
    features: Annotated[dict[str, bool], doc("what is switched on")]
    notices: Annotated[list[str], doc("what the configuration has that is allowed and hardly meant, or is outdated")]
    related: list[Related]


@tool(title="Health of this instance", cache=NONE)
async def get_health_status(call: Call) -> HealthReport:
    """How the instance that answers is, and each of its parts, asked just now: databases with role, lag and response
    time, Redis, schema, cache, leader, event loop, disk, memory, certificates. Says why something is not ok. The first
    call when something seems wrong; get_metrics_snapshot has figures, query_logs what happened."""
    return await call.services.health.report()


@tool(title="About this server", cache=NONE)
async def get_server_info(call: Call) -> ServerInfo:
    """What this server is: version, instance, how long it runs, protocol revisions, number of tools, kinds of world
    database it knows and the one it found, features that are switched on, and notices about its configuration."""
    from trinitycore_mcp.prompts import PROMPTS  # noqa: PLC0415 (they use tools)
    from trinitycore_mcp.resources import RESOURCES  # noqa: PLC0415
    from trinitycore_mcp.schema.families import Family  # noqa: PLC0415
    from trinitycore_mcp.tools import catalogue  # noqa: PLC0415 (this module is part of it)

    services = call.services
    config = services.config
    try:
        schema = await services.schemas.current()
    except DatabaseError:
        schema = None
    tools = catalogue(config)
    scopes = [each.scope for each in tools]
    return ServerInfo(
        name="trinitycore-mcp",
        version=__version__,
        instance=services.health.instance,
        uptime_seconds=round(monotonic() - services.started, 3),
        python=platform.python_version(),
        sdk=version("mcp"),
        openssl=ssl.OPENSSL_VERSION,
        protocol_revisions=sorted([*HANDSHAKE_PROTOCOL_VERSIONS, *MODERN_PROTOCOL_VERSIONS]),
        tools=len(tools),
        tools_by_scope={scope: scopes.count(scope) for scope in sorted(set(scopes))},
        resources=len(RESOURCES),
        prompts=len(PROMPTS),
        world_family=str(schema.family) if schema else None,
        world_version=schema.version if schema else None,
        families=[str(family) for family in Family if family is not Family.UNKNOWN],
        features={
            "authentication": config.auth.enabled,
            "audit_table": services.writer is not None,
            "cache": config.cache.enabled,
            "metrics": config.metrics.enabled,
            "players": config.players.enabled,
            "rate_limits": config.limits.enabled,
            "redis": config.redis is not None,
            "sentry": config.sentry.dsn_file is not None,
            "tls": config.server.tls is not None,
            "tracing": config.tracing.otlp_endpoint is not None,
        },
        notices=list(services.loaded.notices) if services.loaded is not None else [],
        related=[
            Related("get_health_status", {}, "whether all parts are well"),
            Related("schema_databases", {}, "the databases behind it"),
        ],
    )


TOOLS: tuple[Tool, ...] = (get_health_status, get_server_info)
