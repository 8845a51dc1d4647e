"""Finding an entity's id when a caller gives an id or a name."""

from __future__ import annotations

from trinitycore_mcp.entities.completion import complete
from trinitycore_mcp.entities.entity import Entity
from trinitycore_mcp.entities.search import texts
from trinitycore_mcp.entities.sources import Sources
from trinitycore_mcp.toolkit import Call, ToolError

_LARGEST_ID = 0xFFFFFFFF


async def id_of(call: Call, entity: Entity, given: str, locale: str | None = None) -> int:
    """Return the id that a text stands for: an id in digits, or a whole name (the lowest id that has it).

    :raises ToolError: no such name, or the database can't be read.
    """
    text = given.strip()
    if text.isascii() and text.isdigit() and int(text) <= _LARGEST_ID:
        return int(text)
    if entity.label is None:
        raise ToolError(f"{given[:100]!r} is no id; {entity.plural.replace('_', ' ')} go by id only")
    sources = Sources(await call.schema(), entity, locale)
    names = texts(sources, (entity.label,))
    sources.expression("id", sources.key)
    if names:
        same = " OR ".join(f"{each} = %s" for each in names)
        row = await call.row(f"{sources.select()} WHERE {same} ORDER BY {sources.key} LIMIT 1", (text,) * len(names))
        if row is not None:
            return int(row["id"])
    near = await complete(call, entity, text[:3], 3, locale)
    hint = f"did you mean {' or '.join(near)}?" if near else f"{entity.name}_search finds them"
    raise ToolError(f"there is no {entity.noun} called {given[:100]!r}; {hint}")
