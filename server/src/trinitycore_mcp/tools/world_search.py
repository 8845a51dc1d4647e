"""Searching all entities at once: world_search."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Annotated

from msgspec import Meta, Struct

from trinitycore_mcp.database.session import Row
from trinitycore_mcp.entities import ENTITIES, Entity
from trinitycore_mcp.entities.fields import label
from trinitycore_mcp.entities.search import MATCHES, Found, Match, Place, matches
from trinitycore_mcp.entities.sources import Sources
from trinitycore_mcp.schema import Schema
from trinitycore_mcp.toolkit import (
    CONTENT,
    Call,
    Cursor,
    Limit,
    Locale,
    NextCursor,
    Notice,
    Related,
    Text,
    Tool,
    ToolError,
    doc,
    nearest,
    tool,
)

# Those with names to search, in the order in which hits of one rank are shown.
_KINDS: dict[str, Entity] = {name: entity for name, entity in ENTITIES.items() if entity.summary and entity.label}
# Tables searched at the same time: one call must not take the whole pool.
_AT_ONCE = 3
_BEFORE_ALL = -(1 << 62)
_BEHIND_ALL = 1 << 62


class WorldSearchHit(Struct, frozen=True):
    """Something with a name that matches."""

    kind: Annotated[str, doc("what it is; the tool kind_get shows it whole")]
    id: int
    name: str
    match: Annotated[
        Match,
        doc("how well the name matches: the whole name, its beginning, the beginning of a word, a part of it"),
    ]


class WorldSearchPage(Struct, frozen=True):
    """One page of hits."""

    hits: list[WorldSearchHit]
    skipped_kinds: Annotated[list[str], doc("kinds whose names this database does not have")]
    next_cursor: NextCursor
    notice: Notice
    related: list[Related]


Kinds = Annotated[
    Annotated[list[str], Meta(max_length=len(_KINDS), extra_json_schema={"items": {"enum": list(_KINDS)}})] | None,
    doc("only these kinds; default: all"),
]


@tool(title="Search the world", cache=CONTENT)
async def world_search(
    call: Call,
    text: Annotated[Text, doc("the name or a part of it, any case")],
    kinds: Kinds = None,
    limit: Limit = 20,
    cursor: Cursor = None,
    locale: Locale = None,
) -> WorldSearchPage:
    """Find anything with a name: creatures, items, quests, game objects, spells, game events, factions, zones, maps,
    achievements, encounters. Best matches come first, whatever their kind. Use it when you have a name and don't know
    what it is; the search of one kind (creature_search ...) has filters, and text_search looks into quest, gossip and
    creature texts."""
    text = text.strip()
    if not text:
        raise ToolError("text: it is empty", kind="invalid_arguments")
    wanted = _wanted(kinds)
    place = call.place(cursor, 3)
    schema = await call.schema()
    searched = [name for name in wanted if _has_names(schema, ENTITIES[name])]
    gate = asyncio.Semaphore(_AT_ONCE)

    async def one(name: str) -> list[tuple[int, int, int, WorldSearchHit]]:
        order = wanted.index(name)
        async with gate:
            found = await _search_one(call, schema, ENTITIES[name], text, limit + 1, _after(place, order), locale)
        return [(rank, order, number, hit) for hit, rank, number in found]

    per_kind = await asyncio.gather(*(one(name) for name in searched))
    hits = sorted((hit for each in per_kind for hit in each), key=lambda hit: hit[:3])[: limit + 1]
    page = call.page(hits, limit, lambda hit: list(hit[:3]))
    shown = [hit[3] for hit in page.items]
    return WorldSearchPage(
        hits=shown,
        skipped_kinds=[name for name in wanted if name not in searched],
        next_cursor=page.next_cursor,
        notice=page.notice,
        related=[Related(f"{hit.kind}_get", {"id": hit.id}, f"{hit.name}, whole") for hit in shown[:3]],
    )


def _wanted(kinds: list[str] | None) -> list[str]:
    """Return the kinds to search, in their order.

    :raises ToolError: there is no such kind.
    """
    for kind in kinds or ():
        if kind not in _KINDS:
            near = nearest(kind, _KINDS)
            hint = f"did you mean {' or '.join(near)}?" if near else f"allowed are {', '.join(_KINDS)}"
            raise ToolError(f"kinds: there is no {kind[:64]!r}; {hint}", kind="invalid_arguments")
    return [name for name in _KINDS if not kinds or name in kinds]


def _has_names(schema: Schema, entity: Entity) -> bool:
    return schema.has(entity.table, entity.key, entity.label or "", database=entity.database)


def _after(place: list[int] | None, order: int) -> Place | None:
    """Return the rank and id behind which one kind's hits go on.

    :param place: rank, order of the kind, and id of the last hit of the page before.
    """
    if place is None:
        return None
    rank, last_order, number = (int(part) for part in place)
    if order == last_order:
        return rank, number
    return (rank, _BEHIND_ALL) if order < last_order else (rank, _BEFORE_ALL)


async def _search_one(
    call: Call, schema: Schema, entity: Entity, text: str, most: int, after: Place | None, locale: str | None
) -> list[Found]:
    """Return the hits among one kind, best first, as hit, rank and id."""
    sources = Sources(schema, entity, locale)
    name_of: Callable[[Row], str] = label(entity.label or "").compile(sources)

    def make(row: Row) -> WorldSearchHit:
        return WorldSearchHit(entity.name, row["match_key"], name_of(row), MATCHES[row["match_rank"]])

    return await matches(call, sources, make, text, (), (), most, after, name_only=True)


TOOLS: tuple[Tool, ...] = (world_search,)
