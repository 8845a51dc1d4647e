"""Everything that serves a call, in one place; the lifecycle makes it, tools and the dispatcher use it."""

from __future__ import annotations

from dataclasses import dataclass, field
from time import monotonic
from typing import TYPE_CHECKING

from trinitycore_mcp.config import Config
from trinitycore_mcp.database import Database
from trinitycore_mcp.schema import Schemas

if TYPE_CHECKING:
    from trinitycore_mcp.access.audit import AuditLog
    from trinitycore_mcp.access.authenticator import Authenticator
    from trinitycore_mcp.access.limits import Limiter
    from trinitycore_mcp.bus import FleetBus
    from trinitycore_mcp.cache.results import ResultCache
    from trinitycore_mcp.config_load import Loaded
    from trinitycore_mcp.database.writer import Writer
    from trinitycore_mcp.health import Health
    from trinitycore_mcp.leader import Leader
    from trinitycore_mcp.observe.recorder import Recorder
    from trinitycore_mcp.redis_link import RedisLink


@dataclass
class Services:
    """The parts of a running instance; those that may be None are told of as absent by what reports on them."""

    config: Config
    database: Database
    schemas: Schemas
    health: Health
    audit: AuditLog | None = None
    started: float = field(default_factory=monotonic)
    loaded: Loaded | None = None
    """The configuration with the folder of its files and its notices."""
    link: RedisLink | None = None
    cache: ResultCache | None = None
    writer: Writer | None = None
    leader: Leader | None = None
    bus: FleetBus | None = None
    authenticator: Authenticator | None = None
    limiter: Limiter | None = None
    recorder: Recorder | None = None

    def __post_init__(self) -> None:
        self.health.services = self
