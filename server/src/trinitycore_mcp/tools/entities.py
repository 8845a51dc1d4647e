"""The tools of every entity: X_get and X_search."""

from __future__ import annotations

from trinitycore_mcp.entities import ENTITIES
from trinitycore_mcp.entities.making import tools_of
from trinitycore_mcp.toolkit import Tool

TOOLS: tuple[Tool, ...] = tuple(tool for entity in ENTITIES.values() for tool in tools_of(entity))
