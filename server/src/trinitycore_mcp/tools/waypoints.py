"""Paths that creatures walk."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from itertools import pairwise
from typing import Annotated

from msgspec import Meta, Struct

from trinitycore_mcp.database.session import Row
from trinitycore_mcp.entities import names_of
from trinitycore_mcp.schema import Schema
from trinitycore_mcp.toolkit import (
    Call,
    Named,
    Notice,
    Reference,
    Related,
    Tool,
    ToolError,
    doc,
    named,
    real,
    text_or_none,
    tool,
)

# Points of one table that are shown at most.
_MOST = 500
# Table: its key, then its columns for each of _NAMES.
_TABLES: dict[str, tuple[str | None, ...]] = {
    "waypoint_data": (
        *("id", "point", "position_x", "position_y", "position_z", "orientation", "delay"),
        *("move_type", "action", "action_chance", None),
    ),
    "waypoints": (
        *("entry", "pointid", "position_x", "position_y", "position_z", "orientation", "delay"),
        *(None, None, None, "point_comment"),
    ),
    "script_waypoint": (
        *("entry", "pointid", "location_x", "location_y", "location_z", None, "waittime"),
        *(None, None, None, "point_comment"),
    ),
}
# SmartAI actions that start a path: of any core, and of AzerothCore.
_START, _START_DATA = 53, 232
_NAMES = ("number", "x", "y", "z", "orientation", "delay", "move_type", "action", "chance", "comment")


class Waypoint(Struct, frozen=True):
    """One point of a path."""

    number: int
    x: float
    y: float
    z: float
    orientation: Annotated[float | None, doc("radians; null: it does not turn there")]
    delay: Annotated[int, doc("milliseconds that it waits there")]
    move: Annotated[Named | None, doc("how it goes there; null: the table does not say")]
    action: Annotated[int | None, doc("id in waypoint_scripts")]
    action_chance: Annotated[int | None, doc("percent")]
    comment: str | None


class WaypointPath(Struct, frozen=True):
    """A path."""

    table: Annotated[
        str,
        doc(
            "waypoint_data: of spawns, and of SmartAI in some cores; waypoints: of SmartAI; script_waypoint: of escorts"
        ),
    ]
    id: int
    why: Annotated[str, doc("how the path was found")]
    length: Annotated[float, doc("yards from the first to the last point")]
    points: list[Waypoint]


class WaypointPaths(Struct, frozen=True):
    """Paths."""

    creature: Annotated[Reference | None, doc("null: asked for a path")]
    spawn: int | None
    paths: list[WaypointPath]
    notice: Notice
    related: list[Related]


@tool(title="Waypoints of a path, spawn or creature")
async def waypoints(
    call: Call,
    spawn: Annotated[
        Annotated[int, Meta(ge=1, le=0xFFFFFFFF)] | None, doc("guid of a creature's spawn: the path it walks")
    ] = None,
    path: Annotated[
        Annotated[int, Meta(ge=1, le=0xFFFFFFFF)] | None, doc("a path's id, as SmartAI and creature_addon have it")
    ] = None,
    creature: Annotated[
        Annotated[int, Meta(ge=1, le=0xFFFFFFFF)] | None,
        doc("entry of a creature: the paths of its template, its SmartAI and its escort script"),
    ] = None,
) -> WaypointPaths:
    """The path that a spawn patrols, that a script starts, or that a creature's escort takes: points, waits, length.

    Give one of spawn, path, creature. Yards and milliseconds. Where a spawn stands at first is in spawns.
    """
    if [spawn, path, creature].count(None) != 2:
        raise ToolError("give one of spawn, path, creature", kind="invalid_arguments")
    schema = await call.schema()
    wanted: list[tuple[str, int, str]] = []
    entry, movement = creature, None
    if path is not None:
        wanted = [(table, path, "by its id") for table in _TABLES if table != "script_waypoint"]
    elif spawn is not None:
        entry, movement, wanted = await _of_spawn(call, schema, spawn)
    else:
        wanted = await _of_creature(call, schema, int(creature or 0))
    found = await asyncio.gather(
        *(_points(call, schema, table, number) for table, number, _ in wanted if _there(schema, table))
    )
    present = [each for each in wanted if _there(schema, each[0])]
    if not present and wanted:
        schema.table("waypoint_data")
    paths = [
        WaypointPath(table, number, why, _length(points[:_MOST]), points[:_MOST])
        for (table, number, why), points in zip(present, found, strict=True)
        if points
    ]
    if not paths:
        raise ToolError(_nothing(spawn, path, creature, movement, [number for _, number, _ in wanted]))
    names = await names_of(call, "creature", [entry])
    return WaypointPaths(
        creature=Reference(id=entry, name=names.get(entry)) if entry else None,
        spawn=spawn,
        paths=paths,
        notice=f"only the first {_MOST} points are shown" if any(len(each) > _MOST for each in found) else None,
        related=_related(entry, spawn),
    )


def _there(schema: Schema, table: str) -> bool:
    return schema.has(table) and schema.has(table, str(_TABLES[table][0]))


async def _of_spawn(call: Call, schema: Schema, guid: int) -> tuple[int, int, list[tuple[str, int, str]]]:
    """Return what spawns, how it moves, and the paths to look at."""
    addon = schema.has("creature_addon", "path_id")
    join = f" LEFT JOIN {schema.table('creature_addon')} a ON a.`guid` = t.`guid`" if addon else ""
    own = schema.column("creature_addon", "path_id", "a") if addon else "NULL"
    row = await call.row(
        f"SELECT {schema.columns('creature', 'id', 'MovementType', alias='t')}, {own} AS path "
        f"FROM {schema.table('creature')} t{join} WHERE t.`guid` = %s",
        (guid,),
    )
    if row is None:
        raise ToolError(f"there is no creature spawn with guid {guid}; spawns finds the guids of a creature")
    number, why = row["path"], "creature_addon of the spawn"
    if not number:
        number, why = await _template_path(call, schema, row["id"]), "creature_template_addon"
    return row["id"], row["MovementType"], [("waypoint_data", number, why)] if number else []


async def _template_path(call: Call, schema: Schema, entry: int) -> int | None:
    if not schema.has("creature_template_addon", "path_id"):
        return None
    row = await call.row(
        f"SELECT {schema.columns('creature_template_addon', 'path_id', alias='t')} "
        f"FROM {schema.table('creature_template_addon')} t WHERE t.`entry` = %s",
        (entry,),
    )
    return row["path_id"] if row else None


async def _of_creature(call: Call, schema: Schema, entry: int) -> list[tuple[str, int, str]]:
    """Return the paths that a creature's template and scripts name."""
    found = [("script_waypoint", entry, "escort script of the creature")]
    number = await _template_path(call, schema, entry)
    if number:
        found.append(("waypoint_data", number, "creature_template_addon"))
    started: set[int] = set()
    if schema.has("smart_scripts"):
        rows = await call.rows(
            "SELECT DISTINCT IF(s.`action_type` = %s, s.`action_param2`, s.`action_param1`) AS path "
            f"FROM {schema.table('smart_scripts')} s WHERE s.`action_type` IN (%s, %s) "
            "AND ((s.`source_type` = 0 AND s.`entryorguid` = %s) "
            "OR (s.`source_type` = 9 AND s.`entryorguid` BETWEEN %s AND %s)) LIMIT 20",
            (_START, _START, _START_DATA, entry, min(entry * 100, 0x7FFFFFFF), min(entry * 100 + 99, 0x7FFFFFFF)),
        )
        started = {row["path"] for row in rows}
        found += [
            (table, each, "started by its SmartAI script")
            for each in sorted(started)
            for table in ("waypoints", "waypoint_data")
        ]
    if entry not in started:  # by custom a SmartAI path has the creature's own entry
        found.append(("waypoints", entry, "path with the creature's entry"))
    return found


async def _points(call: Call, schema: Schema, table: str, number: int) -> list[Waypoint]:
    key, *columns = _TABLES[table]
    names = [
        f"{(schema.column(table, column, 't') if column else None) or 'NULL'} AS `{name}`"
        for name, column in zip(_NAMES, columns, strict=True)
    ]
    rows = await call.rows(
        f"SELECT {', '.join(names)} FROM {schema.table(table)} t WHERE {schema.column(table, str(key), 't')} = %s "
        f"ORDER BY {schema.column(table, str(columns[0]), 't')} LIMIT %s",
        (number, _MOST + 1),
    )
    return [_point(row) for row in rows]


def _point(row: Row) -> Waypoint:
    return Waypoint(
        number=row["number"],
        x=real(row["x"]),
        y=real(row["y"]),
        z=real(row["z"]),
        orientation=None if row["orientation"] is None else real(row["orientation"]),
        delay=row["delay"] or 0,
        move=None if row["move_type"] is None else named("waypoint_move_type", row["move_type"]),
        action=row["action"] or None,
        action_chance=row["chance"] if row["action"] else None,
        comment=text_or_none(row["comment"]),
    )


def _length(points: Sequence[Waypoint]) -> float:
    total = 0.0
    for one, other in pairwise(points):
        total += ((one.x - other.x) ** 2 + (one.y - other.y) ** 2 + (one.z - other.z) ** 2) ** 0.5
    return round(total, 1)


def _nothing(
    spawn: int | None, path: int | None, creature: int | None, movement: int | None, numbers: Sequence[int]
) -> str:
    if path is not None:
        return f"there is no path {path} in waypoint_data or waypoints"
    if spawn is not None and numbers:
        return f"creature spawn {spawn} has path {numbers[0]}, which has no points"
    if spawn is not None:
        moves = named("movement_type", movement).name or f"movement type {movement}"
        return f"creature spawn {spawn} has no path; it moves by: {moves}"
    return f"creature {creature} has no path of its own; its spawns may have, ask by spawn (spawns finds their guids)"


def _related(entry: int | None, spawn: int | None) -> list[Related]:
    if not entry:
        return []
    found = [Related("smart_script", {"id": entry}, "when a script starts a path")]
    if spawn is None:
        found.append(Related("spawns", {"kind": "creature", "id": entry}, "where it stands"))
    else:
        found.append(Related("formations", {"spawn": spawn}, "who walks with it"))
    return found


TOOLS: tuple[Tool, ...] = (waypoints,)
