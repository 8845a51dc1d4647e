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
    from trinitycore_mcp.health import Health


@dataclass
class Services:
    """The parts of a running instance."""

    config: Config
    database: Database
    schemas: Schemas
    health: Health
    audit: AuditLog | None = None
    started: float = field(default_factory=monotonic)
