"""What happens where players walk: area triggers."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Annotated, Literal

from msgspec import Meta, Struct

from trinitycore_mcp.database.session import Row
from trinitycore_mcp.entities import names_of, reference
from trinitycore_mcp.schema import Schema
from trinitycore_mcp.sentences import in_list
from trinitycore_mcp.toolkit import (
    Call,
    Cursor,
    Id,
    Limit,
    Locale,
    NextCursor,
    Notice,
    Position,
    Reference,
    Related,
    Tool,
    ToolError,
    doc,
    real,
    text_or_none,
    tool,
)

# What a trigger does: table, its key, its other columns.
_TABLES: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "teleport": (
        "areatrigger_teleport",
        "ID",
        (
            *("Name", "target_map", "target_position_x", "target_position_y", "target_position_z"),
            "target_orientation",
        ),
    ),
    "quest": ("areatrigger_involvedrelation", "id", ("quest",)),
    "tavern": ("areatrigger_tavern", "id", ("name", "faction")),
    "script": ("areatrigger_scripts", "entry", ("ScriptName",)),
    # AzerothCore keeps where they lie; for others only the client knows.
    "shape": ("areatrigger", "entry", ("map", "x", "y", "z", "radius", "length", "width", "height", "orientation")),
}
_DOES = ("teleport", "quest", "tavern", "script")
_SMART = "SmartTrigger"


class TriggerTeleport(Struct, frozen=True):
    """Where a trigger takes players to."""

    name: str | None
    to: Position
    orientation: Annotated[float, doc("radians")]
    map: Reference


class TriggerShape(Struct, frozen=True):
    """Where a trigger lies: a ball of a radius, or a box."""

    position: Position
    radius: Annotated[float | None, doc("yards; null: a box")]
    box: Annotated[list[float] | None, doc("length, width, height in yards; null: a ball")]
    orientation: Annotated[float, doc("radians, of the box")]


class AreaTrigger(Struct, frozen=True):
    """A trigger, and all that it does."""

    id: int
    shape: Annotated[TriggerShape | None, doc("null: this database does not hold it, only the client does")]
    teleport: TriggerTeleport | None
    quest: Annotated[Reference | None, doc("quest whose exploration it completes")]
    tavern: Annotated[str | None, doc("name of the inn: players rest here; empty: an inn without a name")]
    script: Annotated[str | None, doc("C++ script, or SmartTrigger for a SmartAI script")]


class AreaTriggers(Struct, frozen=True):
    """Triggers."""

    triggers: list[AreaTrigger]
    next_cursor: NextCursor
    notice: Notice
    related: list[Related]


def _union(schema: Schema, does: str | None) -> str:
    """Return the SELECT of the ids of triggers.

    :raises MissingTable: the database has none of the tables.
    """
    kinds = [does] if does is not None else [each for each in _DOES if schema.has(_TABLES[each][0])] or list(_DOES)
    parts = []
    for kind in kinds:
        table, key, _ = _TABLES[kind]
        parts.append(f"SELECT {schema.column(table, key, 't') or key} AS id FROM {schema.table(table)} t")
    return " UNION ".join(parts)


@tool(title="Area triggers")
async def areatriggers(
    call: Call,
    id: Annotated[Id | None, doc("one trigger")] = None,
    does: Annotated[Literal["teleport", "quest", "tavern", "script"] | None, doc("only those that do this")] = None,
    to_map: Annotated[
        Annotated[int, Meta(ge=0, le=0xFFFF)] | None, doc("only those that teleport to this map: a dungeon's entrances")
    ] = None,
    quest: Annotated[Id | None, doc("only those that complete the exploration of this quest")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
    locale: Locale = None,
) -> AreaTriggers:
    """What happens when a player walks into an area trigger: teleport, quest exploration, inn, script.

    By id, by what it does, by the map it leads to, or by quest. Its SmartAI rows are in smart_script (of areatrigger).
    """
    schema = await call.schema()
    conditions, parameters = ["1 = 1"], []
    if id is not None:
        conditions.append("ids.id = %s")
        parameters.append(id)
    if to_map is not None:
        target = schema.column("areatrigger_teleport", "target_map", "p")
        key = schema.column("areatrigger_teleport", "ID", "p")
        conditions.append(f"ids.id IN (SELECT {key} FROM {schema.table('areatrigger_teleport')} p WHERE {target} = %s)")
        parameters.append(to_map)
    if quest is not None:
        table = schema.table("areatrigger_involvedrelation")
        conditions.append(f"ids.id IN (SELECT q.`id` FROM {table} q WHERE q.`quest` = %s)")
        parameters.append(quest)
    place = call.place(cursor)
    if place is not None:
        conditions.append("ids.id > %s")
    rows = await call.rows(
        f"SELECT CAST(ids.id AS SIGNED) AS id FROM ({_union(schema, does)}) ids WHERE {' AND '.join(conditions)} "
        "ORDER BY ids.id LIMIT %s",
        (*parameters, *(place or ()), limit + 1),
    )
    wanted = [row["id"] for row in rows]
    if not wanted and id is not None and does is None and await _shapes_alone(call, schema, id):
        wanted = [id]
    if not wanted and place is None:
        raise ToolError(_nothing(id, does, to_map, quest))
    page = call.page(await _triggers(call, schema, wanted, locale), limit, lambda trigger: [trigger.id])
    return AreaTriggers(page.items, page.next_cursor, page.notice, _related(page.items))


async def _shapes_alone(call: Call, schema: Schema, trigger: int) -> bool:
    """Return whether a trigger exists though nothing is attached to it."""
    if not schema.has("areatrigger", "entry", "radius"):
        return False
    table = schema.table("areatrigger")
    return await call.row(f"SELECT t.`entry` FROM {table} t WHERE t.`entry` = %s", (trigger,)) is not None


def _nothing(id: int | None, does: str | None, to_map: int | None, quest: int | None) -> str:
    if id is not None:
        return f"nothing is attached to area trigger {id}" + (f" as {does}" if does else "")
    if to_map is not None:
        return f"no area trigger leads to map {to_map}; players may come there otherwise, or it has no entrance"
    if quest is not None:
        return f"no area trigger completes quest {quest}"
    return "there are no area triggers of that kind"


async def _triggers(call: Call, schema: Schema, ids: Sequence[int], locale: str | None) -> list[AreaTrigger]:
    found = await asyncio.gather(*(_rows(call, schema, kind, ids) for kind in _TABLES))
    by_kind = dict(zip(_TABLES, found, strict=True))
    quests, maps = await asyncio.gather(
        names_of(call, "quest", [row["quest"] for row in by_kind["quest"].values()], locale),
        names_of(call, "map", [row["target_map"] for row in by_kind["teleport"].values()], locale),
    )
    triggers = []
    for each in ids:
        quest, tavern, script = (by_kind[kind].get(each) for kind in ("quest", "tavern", "script"))
        triggers.append(
            AreaTrigger(
                id=each,
                shape=_shape(by_kind["shape"].get(each)),
                teleport=_teleport(by_kind["teleport"].get(each), maps),
                quest=reference(quest["quest"], quests) if quest else None,
                tavern=(tavern["name"] or "") if tavern else None,
                script=text_or_none(script["ScriptName"]) if script else None,
            )
        )
    return triggers


async def _rows(call: Call, schema: Schema, kind: str, ids: Sequence[int]) -> dict[int, Row]:
    table, key, columns = _TABLES[kind]
    # TrinityCore master has another table called areatrigger, of what scripts spawn.
    if not ids or not schema.has(table, key) or (kind == "shape" and not schema.has(table, "radius")):
        return {}
    marks, parameters = in_list(ids)
    rows = await call.rows(
        f"SELECT {schema.columns(table, key, *columns, alias='t')} FROM {schema.table(table)} t "
        f"WHERE {schema.column(table, key, 't')} IN {marks}",
        parameters,
    )
    return {row[key]: row for row in rows}


def _shape(row: Row | None) -> TriggerShape | None:
    if row is None:
        return None
    box = [real(row[side]) for side in ("length", "width", "height")]
    return TriggerShape(
        position=Position(map=row["map"], x=real(row["x"]), y=real(row["y"]), z=real(row["z"])),
        radius=real(row["radius"]) if row["radius"] else None,
        box=None if row["radius"] else box,
        orientation=real(row["orientation"]),
    )


def _teleport(row: Row | None, maps: Mapping[int, str]) -> TriggerTeleport | None:
    if row is None or row["target_map"] is None:
        return None
    x, y, z = (real(row[f"target_position_{axis}"]) for axis in "xyz")
    return TriggerTeleport(
        name=text_or_none(row["Name"]),
        to=Position(map=row["target_map"], x=x, y=y, z=z),
        orientation=real(row["target_orientation"]),
        map=Reference(id=row["target_map"], name=maps.get(row["target_map"])),
    )


def _related(triggers: Sequence[AreaTrigger]) -> list[Related]:
    found = []
    for trigger in triggers[:5]:
        if trigger.quest is not None:
            found.append(Related("quest_get", {"id": trigger.quest.id}, "the quest whose exploration it completes"))
        if trigger.script == _SMART:
            found.append(Related("smart_script", {"of": "areatrigger", "id": trigger.id}, "what its script does"))
    return found


TOOLS: tuple[Tool, ...] = (areatriggers,)
