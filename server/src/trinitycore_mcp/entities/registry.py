"""Every entity there is, by name; the modules in kinds/ fill it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from trinitycore_mcp.entities.entity import Entity

ENTITIES: dict[str, Entity] = {}


def register(*entities: Entity) -> None:
    """Add entities.

    :raises ValueError: there is one of that name.
    """
    for entity in entities:
        if entity.name in ENTITIES:
            raise ValueError(f"entity {entity.name} is there already")
        ENTITIES[entity.name] = entity
