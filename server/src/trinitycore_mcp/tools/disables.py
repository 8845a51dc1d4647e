"""What is turned off."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from msgspec import Meta, Struct

from trinitycore_mcp.database.session import Row
from trinitycore_mcp.schema import Family
from trinitycore_mcp.sentences import Names, resolve
from trinitycore_mcp.sentences.values import show
from trinitycore_mcp.toolkit import (
    Call,
    Cursor,
    Flags,
    Limit,
    Locale,
    Named,
    NextCursor,
    Notice,
    Reference,
    Related,
    Tool,
    ToolError,
    doc,
    enums,
    flags,
    named,
    one_of,
    text_or_none,
    tool,
)

_SPELL, _QUEST, _MAP, _VMAP, _DUNGEON_FINDER = 0, 1, 2, 6, 8
# What the entry is, by source type, when it has a name.
_KINDS = {
    _SPELL: "spell",
    _QUEST: "quest",
    _MAP: "map",
    4: "achievement_criteria",
    _VMAP: "map",
    7: "map",
    _DUNGEON_FINDER: "map",
    9: "game_event",
    10: "item",
}
# There, 7 is the line of sight through a gameobject.
_AZEROTHCORE = {7: "gameobject"}
_FLAGS = {_SPELL: "disable_spell_flags", _MAP: "disable_map_flags", _VMAP: "disable_vmap_flags"}
_ON_MAPS, _IN_AREAS = 0x10, 0x20
_GET = {"spell": "spell_get", "quest": "quest_get"}


class Disabled(Struct, frozen=True):
    """Something that is turned off."""

    type: Named
    entry: Reference
    flags: Annotated[Flags | None, doc("what of it, or for whom; null: all of it")]
    maps: Annotated[list[Reference], doc("spells: on these maps only; empty: everywhere")]
    areas: Annotated[list[Reference], doc("spells: in these zones and areas only; empty: everywhere")]
    sentence: str
    comment: str | None


class DisabledPage(Struct, frozen=True):
    """What is turned off."""

    disabled: list[Disabled]
    next_cursor: NextCursor
    notice: Notice
    related: list[Related]


def _listed(row: Row, column: str) -> list[int]:
    """Return the ids of a column that lists them with commas."""
    parts = [part.strip() for part in str(row[column] or "").split(",")]
    return [int(part) for part in parts if part.isdigit()]


def _maps(row: Row) -> list[int]:
    return _listed(row, "params_0") if row["sourceType"] == _SPELL and row["flags"] & _ON_MAPS else []


def _areas(row: Row) -> list[int]:
    return _listed(row, "params_1") if row["sourceType"] == _SPELL and row["flags"] & _IN_AREAS else []


def _decoded(row: Row, kinds: Mapping[int, str], names: Names) -> Disabled:
    number, entry = row["sourceType"], row["entry"]
    kind = kinds.get(number)
    type_name = named("disable_type", number)
    if kind == "gameobject":
        type_name = Named(value=number, name="Gameobject Line of Sight")
    enum = _FLAGS.get(number)
    set_flags = flags(enum, row["flags"]) if enum else None
    what = show(kind, entry, names) if kind else f"{type_name.name or f'source type {number}'} {entry}"
    if kind in ("map", "gameobject") and number != _MAP:
        what = f"{type_name.name} of {what}"
    sentence = f"{what} is turned off"
    maps, areas = _maps(row), _areas(row)
    if set_flags is not None:
        where = flags(enum, row["flags"] & (_ON_MAPS | _IN_AREAS)).names if enum and number == _SPELL else []
        whom = [name for name in set_flags.names if name not in where]
        sentence += f" for: {', '.join(whom)}" if whom else ""
    places = [*(show("map", each, names) for each in maps), *(show("area", each, names) for each in areas)]
    sentence += f" on {', '.join(places)}" if places else ""
    return Disabled(
        type=type_name,
        entry=Reference(id=entry, name=names.get((kind, entry)) if kind else None),
        flags=set_flags,
        maps=_references("map", maps, names),
        areas=_references("area", areas, names),
        sentence=sentence[:1].upper() + sentence[1:],
        comment=text_or_none(row["comment"]),
    )


def _references(kind: str, ids: list[int], names: Mapping[tuple[str, int], str]) -> list[Reference]:
    return [Reference(id=each, name=names.get((kind, each))) for each in ids]


@tool(title="What is disabled")
async def disabled(
    call: Call,
    type: Annotated[
        Annotated[str, one_of("disable_type", "only of this type")] | None, doc("only of this type")
    ] = None,
    entry: Annotated[
        Annotated[int, Meta(ge=0, le=0xFFFFFFFF)] | None, doc("one spell, quest, map ...: give type, too")
    ] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
    locale: Locale = None,
) -> DisabledPage:
    """What the table disables turns off: spells (for whom, where), quests, maps, battlegrounds, criteria, collision.

    An empty answer for a type and entry means that it is not turned off.
    """
    if entry is not None and type is None:
        raise ToolError("entry: give type, too; the same number means something else in each", kind="invalid_arguments")
    schema = await call.schema()
    table = schema.table("disables")
    conditions, parameters = ["1 = 1"], []
    if type is not None:
        conditions.append("d.`sourceType` = %s")
        parameters.append(enums.number("disable_type", type, "type"))
    if entry is not None:
        conditions.append("d.`entry` = %s")
        parameters.append(entry)
    place = call.place(cursor, 2)
    if place is not None:
        conditions.append("(d.`sourceType`, d.`entry`) > (%s, %s)")
    columns = ("sourceType", "entry", "flags", "params_0", "params_1", "comment")
    rows = await call.rows(
        f"SELECT {schema.columns('disables', *columns, alias='d')} FROM {table} d WHERE {' AND '.join(conditions)} "
        "ORDER BY d.`sourceType`, d.`entry` LIMIT %s",
        (*parameters, *(place or ()), limit + 1),
    )
    kinds = _KINDS | (_AZEROTHCORE if schema.family is Family.AZEROTHCORE else {})
    wanted = {(kinds[row["sourceType"]], row["entry"]) for row in rows if row["sourceType"] in kinds}
    wanted |= {("map", each) for row in rows for each in _maps(row)}
    wanted |= {("area", each) for row in rows for each in _areas(row)}
    names = await resolve(call, wanted, locale)
    page = call.page(
        [_decoded(row, kinds, names) for row in rows], limit, lambda each: [each.type.value, each.entry.id]
    )
    related = [
        Related(_GET[kind], {"id": each.entry.id}, "what is turned off")
        for each in page.items[:5]
        if (kind := kinds.get(each.type.value)) in _GET
    ]
    return DisabledPage(page.items, page.next_cursor, page.notice, related)


TOOLS: tuple[Tool, ...] = (disabled,)
