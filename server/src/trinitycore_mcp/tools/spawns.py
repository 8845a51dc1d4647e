"""Where creatures and gameobjects stand."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from trinitycore_mcp.database.session import Row
from trinitycore_mcp.entities import names_of
from trinitycore_mcp.schema import Schema
from trinitycore_mcp.spawns import KINDS, Kind, Spawn, select, shown
from trinitycore_mcp.spawns.rows import of_entry
from trinitycore_mcp.toolkit import (
    Call,
    Cursor,
    Id,
    Limit,
    Locale,
    NextCursor,
    Notice,
    Reference,
    Related,
    Tool,
    ToolError,
    doc,
    tool,
)

MapId = Annotated[int, Meta(ge=0, le=0xFFFF)]
Coordinate = Annotated[float, Meta(ge=-20000, le=20000)]


class Spawns(Struct, frozen=True):
    """Spawns of one entry."""

    kind: Kind
    entry: Reference
    total: Annotated[int, doc("spawns that fit the filters, on all pages")]
    spawns: list[Spawn]
    next_cursor: NextCursor
    notice: Notice
    related: list[Related]


class SpawnsNear(Struct, frozen=True):
    """Spawns around a place."""

    spawns: Annotated[list[Spawn], doc("nearest first")]
    next_cursor: NextCursor
    notice: Notice
    related: list[Related]


@tool(title="Spawns of a creature or gameobject")
async def spawns(
    call: Call,
    kind: Annotated[Literal["creature", "gameobject"], doc("what it is")],
    id: Annotated[Id, doc("its entry, as in creature_get or gameobject_get")],
    map: Annotated[MapId | None, doc("only on this map")] = None,
    zone: Annotated[Id | None, doc("only in this zone or area, where the database says which")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
    locale: Locale = None,
) -> Spawns:
    """Where a creature or gameobject stands: position, respawn time, phase, difficulty, movement, pool, group, event.

    In the order of their guids. For everything around a place take spawns_near; for what shares a pool or spawn group,
    spawn_groups_pools.
    """
    schema = await call.schema()
    condition, times = of_entry(schema, kind) if schema.has(kind) else ("", 0)
    start = select(schema, kind)
    parameters: list[object] = [id] * times
    if map is not None:
        condition += " AND t.`map` = %s"
        parameters.append(map)
    if zone is not None:
        condition += f" AND {_in_zone(schema, kind)}"
        parameters += [zone, zone]
    place = call.place(cursor)
    after = " AND t.`guid` > %s" if place else ""
    rows, counted, names = await asyncio.gather(
        call.rows(
            f"{start} WHERE {condition}{after} ORDER BY t.`guid` LIMIT %s", (*parameters, *(place or ()), limit + 1)
        ),
        call.row(f"SELECT COUNT(*) AS n FROM {schema.table(kind)} t WHERE {condition}", parameters),
        names_of(call, kind, [id], locale),
    )
    total = int(counted["n"]) if counted else 0
    if not rows and not place:
        raise ToolError(await _none_there(call, schema, kind, id, known=id in names, map=map, zone=zone))
    page = call.page(await shown(call, kind, rows, locale), limit, lambda spawn: [spawn.guid])
    return Spawns(
        kind=kind,
        entry=Reference(id=id, name=names.get(id)),
        total=total,
        spawns=page.items,
        next_cursor=page.next_cursor,
        notice=page.notice,
        related=_related(page.items, kind, id),
    )


def _in_zone(schema: Schema, kind: Kind) -> str:
    if not schema.has(kind, "zoneId", "areaId"):
        raise ToolError(f"zone: this database does not keep the zone of a {kind}'s spawns; filter by map")
    return "(t.`zoneId` = %s OR t.`areaId` = %s)"


async def _none_there(
    call: Call, schema: Schema, kind: Kind, entry: int, *, known: bool, map: int | None, zone: int | None
) -> str:
    """Say why there are no spawns."""
    if map is None and zone is None:
        if known or not schema.has(f"{kind}_template"):
            return f"{kind} {entry} has no spawns: it may be summoned by scripts or spells, or not be in the game"
        return f"there is no {kind} with id {entry}; {kind}_search finds ids by name"
    condition, times = of_entry(schema, kind)
    unknown = "SUM(t.`zoneId` = 0)" if schema.has(kind, "zoneId") else "0"
    row = await call.row(
        f"SELECT COUNT(*) AS n, GROUP_CONCAT(DISTINCT t.`map` ORDER BY t.`map` SEPARATOR ', ') AS maps, "
        f"{unknown} AS unknown FROM {schema.table(kind)} t WHERE {condition}",
        [entry] * times,
    )
    if row is None or not row["n"]:
        return f"{kind} {entry} has no spawns at all"
    where = f"{kind} {entry} has no spawns there; its {row['n']} spawns are on map {row['maps']}"
    if zone is not None and row["unknown"]:
        where += f", and {row['unknown']} of them have no zone in the database: filter by map, or take spawns_near"
    return where


def _related(found: Sequence[Spawn], kind: Kind, entry: int) -> list[Related]:
    related = [Related(f"{kind}_get", {"id": entry}, "what it is")]
    first = next(iter(found), None)
    pooled = next((spawn for spawn in found if spawn.pool or spawn.spawn_groups), None)
    if pooled is not None:
        related.append(
            Related("spawn_groups_pools", {"kind": kind, "guid": pooled.guid}, "what it shares a pool or group with")
        )
    walking = next((spawn for spawn in found if spawn.path), None)
    if walking is not None:
        related.append(Related("waypoints", {"spawn": walking.guid}, "the path that it walks"))
    following = next((spawn for spawn in found if spawn.formation_leader), None)
    if following is not None:
        related.append(Related("formations", {"spawn": following.guid}, "whom it follows"))
    if first is not None:
        where = {"map": first.position.map, "x": first.position.x, "y": first.position.y, "z": first.position.z}
        related.append(Related("spawns_near", where, "what stands around the first one"))
    return related


@tool(title="Spawns around a place")
async def spawns_near(
    call: Call,
    map: Annotated[MapId, doc("the map's id")],
    x: Annotated[Coordinate, doc("yards, to the north")],
    y: Annotated[Coordinate, doc("yards, to the west")],
    z: Annotated[Coordinate | None, doc("leave it out to ignore heights")] = None,
    radius: Annotated[float, Meta(gt=0, le=1000, description="yards")] = 50,
    kind: Annotated[Literal["creature", "gameobject"] | None, doc("only these; default: both")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
    locale: Locale = None,
) -> SpawnsNear:
    """What stands around a place, creatures and gameobjects, nearest first, with their distance in yards.

    For all places of one creature take spawns; teleports finds coordinates by name.
    """
    schema = await call.schema()
    place = call.place(cursor, 3)
    kinds = [kind] if kind is not None else [each for each in KINDS if schema.has(each)] or list(KINDS)
    found = await asyncio.gather(*(_near(call, schema, each, (map, x, y, z), radius, place, limit) for each in kinds))
    rows = [(each, row) for each, many in zip(kinds, found, strict=True) for row in many]
    rows.sort(key=lambda pair: (pair[1]["d2"], KINDS.index(pair[0]), pair[1]["guid"]))
    rows = rows[: limit + 1]
    by_kind = await asyncio.gather(
        *(shown(call, each, [row for other, row in rows if other == each], locale) for each in kinds)
    )
    spawns = {(spawn.kind, spawn.guid): spawn for many in by_kind for spawn in many}
    squares = {(each, row["guid"]): float(row["d2"]) for each, row in rows}
    ordered = [spawns[each, row["guid"]] for each, row in rows]

    def place_of(spawn: Spawn) -> list[Any]:
        return [squares[spawn.kind, spawn.guid], KINDS.index(spawn.kind), spawn.guid]

    page = call.page(ordered, limit, place_of)
    return SpawnsNear(
        spawns=page.items,
        next_cursor=page.next_cursor,
        notice=page.notice or (None if ordered else f"nothing stands within {radius:g} yards"),
        related=[
            Related(f"{spawn.kind}_get", {"id": spawn.entry.id}, "what the nearest one is") for spawn in page.items[:1]
        ],
    )


async def _near(
    call: Call,
    schema: Schema,
    kind: Kind,
    center: tuple[int, float, float, float | None],
    radius: float,
    place: list[Any] | None,
    limit: int,
) -> list[Row]:
    """Return the spawns of one kind around a place, nearest first, with the square of their distance as d2."""
    map_id, x, y, z = center
    axes = [("x", x), ("y", y)] if z is None else [("x", x), ("y", y), ("z", z)]
    square = " + ".join(f"POW(t.`position_{axis}` - %s, 2)" for axis, _ in axes)
    values = [value for _, value in axes]
    # The box lets the database pass over most rows before it computes a distance.
    box = " AND ".join(f"t.`position_{axis}` BETWEEN %s AND %s" for axis, _ in axes)
    sides = [side for value in values for side in (value - radius, value + radius)]
    having, after = "d2 <= %s", []
    if place is not None:
        distance, last_kind, guid = place
        if KINDS.index(kind) < last_kind:
            having, after = "d2 <= %s AND d2 > %s", [distance]
        elif KINDS.index(kind) > last_kind:
            having, after = "d2 <= %s AND d2 >= %s", [distance]
        else:
            having, after = "d2 <= %s AND (d2 > %s OR (d2 = %s AND guid > %s))", [distance, distance, guid]
    return await call.rows(
        f"{select(schema, kind, f', {square} AS d2')} WHERE t.`map` = %s AND {box} HAVING {having} "
        "ORDER BY d2, guid LIMIT %s",
        (*values, map_id, *sides, radius * radius, *after, limit + 1),
    )


TOOLS: tuple[Tool, ...] = (spawns, spawns_near)
