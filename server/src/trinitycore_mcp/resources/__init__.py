"""Resources: the schema, realms, the names of enums and flags, and every entity, by address."""

from __future__ import annotations

from trinitycore_mcp.entities import resources as entities
from trinitycore_mcp.resources import flags, realms, schema
from trinitycore_mcp.toolkit.resource import Resource

__all__ = ["RESOURCES"]
RESOURCES: tuple[Resource, ...] = (*schema.RESOURCES, *realms.RESOURCES, *flags.RESOURCES, *entities.RESOURCES)
