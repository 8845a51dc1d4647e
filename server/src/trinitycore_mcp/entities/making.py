"""The tools of an entity, made of its description."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from trinitycore_mcp.entities import results
from trinitycore_mcp.entities.entity import Entity
from trinitycore_mcp.entities.get import get
from trinitycore_mcp.entities.search import search
from trinitycore_mcp.toolkit import CONTENT, Call, Cursor, Limit, Locale, Text, Tool, define, doc

_TEXT = Annotated[Text | None, doc("the name or a part of it, any case; best matches come first")]


def tools_of(entity: Entity) -> tuple[Tool, ...]:
    """Return the tools: get, and search when the entity has a summary."""
    if not entity.has_tools:
        return ()
    return (_get_tool(entity), _search_tool(entity)) if entity.summary else (_get_tool(entity),)


def _get_tool(entity: Entity) -> Tool:
    async def function(call: Call, number: int, locale: str | None) -> Struct:
        return await get(call, entity, number, locale)

    least = 0 if entity.starts_at_zero else 1
    number = Annotated[int, Meta(ge=least, le=0xFFFFFFFF, description=f"{entity.noun} id")]
    hint = f" Use {entity.name}_search when you know a name only." if entity.summary else ""
    return define(
        f"{entity.name}_get",
        function,
        results.whole(entity),
        title=f"Get {entity.title}",
        description=f"{entity.about}{hint}",
        arguments=_arguments(f"{entity.name}_get", [("id", number), ("locale", Locale, None)]),
        cache=CONTENT,
    )


def _search_tool(entity: Entity) -> Tool:
    names = [each.argument for each in entity.filters]

    async def function(call: Call, text: str | None, *rest: Any) -> Struct:
        *values, limit, cursor, locale = rest
        return await search(call, entity, text, dict(zip(names, values, strict=True)), limit, cursor, locale)

    filters = [(each.argument, each.type, None) for each in entity.filters]
    plural = entity.plural.replace("_", " ")
    narrow = f" and by {', '.join(names)}" if names else ""
    give = " Give text or at least one filter." if names else ""
    return define(
        f"{entity.name}_search",
        function,
        results.page(entity),
        title=f"Search {plural}",
        description=(
            f"Find {plural} by {entity.searched}{narrow}. Best matches come first: the whole name, its beginning, the "
            f"beginning of a word, a part.{give} Then {entity.name}_get shows one whole."
        ),
        arguments=_arguments(
            f"{entity.name}_search",
            [("text", _TEXT, None), *filters, ("limit", Limit, 20), ("cursor", Cursor, None), ("locale", Locale, None)],
        ),
        cache=CONTENT,
    )


def _arguments(name: str, fields: list[Any]) -> type[Struct]:
    return msgspec.defstruct(f"{name}_arguments", fields, frozen=True, forbid_unknown_fields=True, kw_only=True)
