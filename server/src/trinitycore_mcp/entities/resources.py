"""Entities as resources: trinity://creature/448, or trinity://creature/Hogger."""

from __future__ import annotations

import msgspec

from trinitycore_mcp.entities.completion import completer
from trinitycore_mcp.entities.entity import Entity
from trinitycore_mcp.entities.get import get
from trinitycore_mcp.entities.lookup import id_of
from trinitycore_mcp.entities.registry import ENTITIES
from trinitycore_mcp.toolkit import Call, ToolError
from trinitycore_mcp.toolkit.resource import JSON, Resource


def _resource(entity: Entity) -> Resource:
    async def read(call: Call, id: str) -> str:
        number = await id_of(call, entity, id)
        return msgspec.json.encode(await get(call, entity, number)).decode()

    return Resource(
        uri=f"trinity://{entity.name}/{{id}}",
        name=entity.name,
        title=f"{entity.title[:1].upper()}{entity.title[1:]}",
        description=f"What {entity.name}_get tells of {entity.title}. id: the {entity.noun}'s id"
        + (", or its whole English name." if entity.label else "."),
        read=read,
        complete={"id": completer(entity.name)},
    )


RESOURCES: tuple[Resource, ...] = tuple(_resource(entity) for entity in ENTITIES.values() if entity.has_tools)
"""One template for each entity that can be looked up."""


async def read_resource(call: Call, uri: str) -> tuple[str, str]:
    """Return media type and content of an entity's resource.

    :raises ToolError: the address is no entity's, there is no such row, or the database can't be read.
    """
    for resource in RESOURCES:
        variables = resource.variables(uri)
        if variables is not None:
            return JSON, await resource.read(call, **variables)
    kinds = ", ".join(resource.uri for resource in RESOURCES)
    raise ToolError(f"there is no resource {uri[:200]}; there are {kinds}")
