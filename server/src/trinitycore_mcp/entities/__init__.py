"""The things of the game that can be looked up: one design for all of them.

Adding one is data, registered by a module in kinds/:

    TELEPORT = Entity(
        name="teleport", plural="teleports", title="a teleport", about="A place that game masters go to by name.",
        table="game_tele", key="id", label="name",
        fields=(key(), label("name"), refers("map", "map", "map", none=())),
        summary=("id", "name", "map"),
        filters=(filters.equal("map", "map", "only on this map"),),
    )

It then has teleport_get, teleport_search, trinity://teleport/{id} with completion, and its part in world_search.
"""

from __future__ import annotations

from collections.abc import Iterable

from trinitycore_mcp.entities import naming
from trinitycore_mcp.entities.catalogue import load
from trinitycore_mcp.entities.entity import Entity
from trinitycore_mcp.entities.naming import reference, references
from trinitycore_mcp.entities.registry import ENTITIES
from trinitycore_mcp.toolkit import Call

load()

__all__ = ["ENTITIES", "Entity", "names_of", "reference", "references"]


async def names_of(call: Call, entity: str, ids: Iterable[int | None], locale: str | None = None) -> dict[int, str]:
    """Return the names of rows by id; ids that are not above 0 are no ids (of maps: not below 0).

    Rows that are not there or have no name are left out, and so are all when the table is missing: a name is a
    convenience.

    :param entity: a key of ENTITIES.
    :param locale: the language, e.g. deDE; a name that is not translated is in English.
    :raises ToolError: the database can't be read.
    """
    return await naming.names_of(call, ENTITIES[entity], ids, locale)
