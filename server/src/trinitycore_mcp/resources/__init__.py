"""Resources: what can be read by address."""

from __future__ import annotations

from trinitycore_mcp.toolkit.resource import Resource

RESOURCES: tuple[Resource, ...] = ()
