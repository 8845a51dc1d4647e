"""Named places, graveyards, and the triggers that lie in the world."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from trinitycore_mcp.database.session import Row
from trinitycore_mcp.entities import names_of
from trinitycore_mcp.toolkit import (
    Call,
    Cursor,
    Id,
    Limit,
    Locale,
    Named,
    NextCursor,
    Notice,
    Position,
    Reference,
    Related,
    Text,
    Tool,
    ToolError,
    doc,
    named,
    real,
    text_or_none,
    tool,
)

MapId = Annotated[int, Meta(ge=0, le=0xFFFF)]
# LIKE's own characters, which a search text may hold.
_ESCAPES = str.maketrans({"%": r"\%", "_": r"\_", "\\": r"\\"})


class Teleport(Struct, frozen=True):
    """A place that game masters teleport to by name."""

    id: int
    name: str
    position: Position
    orientation: Annotated[float, doc("radians")]
    map: Reference


class Teleports(Struct, frozen=True):
    """Places by name."""

    teleports: list[Teleport]
    next_cursor: NextCursor
    notice: Notice
    related: list[Related]


@tool(title="Teleport locations")
async def teleports(
    call: Call,
    text: Annotated[Text | None, doc("part of the name, e.g. goldshire")] = None,
    map: Annotated[MapId | None, doc("only on this map")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
    locale: Locale = None,
) -> Teleports:
    """Places of the in-game command .tele: names with their coordinates, by part of the name or by map.

    Coordinates serve spawns_near. Graveyards and dungeon entrances are in graveyards and areatriggers.
    """
    schema = await call.schema()
    table = schema.table("game_tele")
    conditions: list[str] = ["1 = 1"]
    parameters: list[object] = []
    if text is not None:
        conditions.append("t.`name` LIKE %s")
        parameters.append(f"%{text.replace(' ', '').translate(_ESCAPES)}%")
    if map is not None:
        conditions.append("t.`map` = %s")
        parameters.append(map)
    place = call.place(cursor, 2)
    if place is not None:
        conditions.append("(t.`name`, t.`id`) > (%s, %s)")
    columns = ("id", "name", "position_x", "position_y", "position_z", "orientation", "map")
    rows = await call.rows(
        f"SELECT {schema.columns('game_tele', *columns, alias='t')} FROM {table} t "
        f"WHERE {' AND '.join(conditions)} ORDER BY t.`name`, t.`id` LIMIT %s",
        (*parameters, *(place or ()), limit + 1),
    )
    maps = await names_of(call, "map", [row["map"] for row in rows], locale)
    found = [
        Teleport(
            id=row["id"],
            name=row["name"],
            position=_position(row, "map", "position_x", "position_y", "position_z"),
            orientation=real(row["orientation"]),
            map=Reference(id=row["map"], name=maps.get(row["map"])),
        )
        for row in rows
    ]
    page = call.page(found, limit, lambda each: [each.name, each.id])
    return Teleports(page.items, page.next_cursor, page.notice, _around(page.items[0].position) if page.items else [])


def _position(row: Row, map: str, x: str, y: str, z: str) -> Position:
    return Position(map=row[map], x=real(row[x]), y=real(row[y]), z=real(row[z]))


def _around(position: Position) -> list[Related]:
    where = {"map": position.map, "x": position.x, "y": position.y, "z": position.z}
    return [Related("spawns_near", where, "what stands around the first place")]


class Graveyard(Struct, frozen=True):
    """Where ghosts of a zone rise."""

    id: int
    zone: Reference
    faction: Annotated[Named | None, doc("whose ghosts; null: this family of databases uses conditions for that")]
    position: Annotated[Position | None, doc("null: this database does not hold it, only the client does")]
    name: str | None


class Graveyards(Struct, frozen=True):
    """Graveyards and the zones they serve."""

    graveyards: list[Graveyard]
    next_cursor: NextCursor
    notice: Notice
    related: list[Related]


@tool(title="Graveyards")
async def graveyards(
    call: Call,
    zone: Annotated[Id | None, doc("only those that serve this zone or area")] = None,
    id: Annotated[Id | None, doc("one graveyard: all zones that it serves")] = None,
    map: Annotated[MapId | None, doc("only on this map, where the database has positions")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
    locale: Locale = None,
) -> Graveyards:
    """At which graveyards the dead of a zone rise, by side, with position where the database has it.

    zone_search finds a zone's id. One graveyard serves several zones, and each zone may have several.
    """
    schema = await call.schema()
    table = schema.table("graveyard_zone")
    positions = schema.has("game_graveyard", "Map", "x", "y", "z")
    join = f" LEFT JOIN {schema.table('game_graveyard')} p ON p.`ID` = g.`ID`" if positions else ""
    extra = (
        schema.columns("game_graveyard", "Map", "x", "y", "z", "Comment", alias="p") if positions else "NULL AS `Map`"
    )
    conditions, parameters = ["1 = 1"], []
    for column, value in (("g.`GhostZone`", zone), ("g.`ID`", id)):
        if value is not None:
            conditions.append(f"{column} = %s")
            parameters.append(value)
    if map is not None:
        if not positions:
            raise ToolError("map: this database has no positions of graveyards; give zone")
        conditions.append(f"{schema.column('game_graveyard', 'Map', 'p')} = %s")
        parameters.append(map)
    place = call.place(cursor, 2)
    if place is not None:
        conditions.append("(g.`GhostZone`, g.`ID`) > (%s, %s)")
    zone_comment = schema.column("graveyard_zone", "Comment", "g") or "NULL"
    rows = await call.rows(
        f"SELECT {schema.columns('graveyard_zone', 'ID', 'GhostZone', 'Faction', alias='g')}, "
        f"{zone_comment} AS about, {extra} FROM {table} g{join} WHERE {' AND '.join(conditions)} "
        "ORDER BY g.`GhostZone`, g.`ID` LIMIT %s",
        (*parameters, *(place or ()), limit + 1),
    )
    if not rows and place is None:
        asked = [f"{what} {value}" for what, value in (("zone", zone), ("id", id), ("map", map)) if value is not None]
        raise ToolError(f"there is no graveyard for {', '.join(asked) or 'any zone'}; zone_search finds ids of zones")
    zones = await names_of(call, "zone", [row["GhostZone"] for row in rows], locale)
    found = [
        Graveyard(
            id=row["ID"],
            zone=Reference(id=row["GhostZone"], name=zones.get(row["GhostZone"])),
            faction=None if row["Faction"] is None else named("graveyard_faction", row["Faction"]),
            position=None if row["Map"] is None else _position(row, "Map", "x", "y", "z"),
            name=text_or_none(row.get("Comment")) or text_or_none(row["about"]),
        )
        for row in rows
    ]
    page = call.page(found, limit, lambda each: [each.zone.id, each.id])
    first = next((each.position for each in page.items if each.position is not None), None)
    return Graveyards(page.items, page.next_cursor, page.notice, _around(first) if first is not None else [])


TOOLS: tuple[Tool, ...] = (teleports, graveyards)
