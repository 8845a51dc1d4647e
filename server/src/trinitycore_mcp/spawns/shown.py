"""A spawn as tools show it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Annotated

from msgspec import Struct

from trinitycore_mcp.database.session import Row
from trinitycore_mcp.entities import names_of, reference
from trinitycore_mcp.spawns.memberships import memberships_of
from trinitycore_mcp.spawns.rows import Kind
from trinitycore_mcp.toolkit import (
    Call,
    Flags,
    Named,
    Position,
    Reference,
    doc,
    flags,
    named,
    real,
    text_or_none,
)


class SpawnEvent(Struct, frozen=True):
    """A game event that a spawn depends on."""

    event: Reference
    present: Annotated[bool, doc("true: there during the event only; false: gone during the event")]


class Spawn(Struct, frozen=True):
    """One spawn."""

    kind: Kind
    guid: int
    entry: Reference
    or_entries: Annotated[list[Reference], doc("AzerothCore: it may be one of these instead")]
    position: Position
    orientation: Annotated[float, doc("radians")]
    map: Reference
    zone: Annotated[Reference | None, doc("null: the database does not say")]
    area: Reference | None
    respawn_seconds: Annotated[int, doc("gameobjects: negative or 0: it does not respawn by itself")]
    spawn_mask: Annotated[Flags | None, doc("map difficulties it is in; null: TrinityCore master has difficulties")]
    difficulties: Annotated[str | None, doc("TrinityCore master: ids of the difficulties it is in")]
    phase_mask: Annotated[int | None, doc("bits of the phases it is in")]
    phase_id: Annotated[int | None, doc("TrinityCore master: its phase")]
    movement: Annotated[Named | None, doc("creatures only")]
    wander_distance: Annotated[float | None, doc("yards; creatures that move at random")]
    path: Annotated[int | None, doc("waypoint path of creature_addon")]
    state: Annotated[Named | None, doc("gameobjects only")]
    pool: Annotated[int | None, doc("pool that decides whether it is there")]
    spawn_groups: list[int]
    events: list[SpawnEvent]
    formation_leader: Annotated[int | None, doc("guid of the creature that it follows")]
    script: Annotated[str | None, doc("C++ script of this spawn")]
    string_id: str | None
    distance: Annotated[float | None, doc("yards from the place asked for")] = None


async def shown(call: Call, kind: Kind, rows: Sequence[Row], locale: str | None = None) -> list[Spawn]:
    """Return spawns as tools show them, in the order of the rows.

    :param rows: of `select`; a column ``d2`` is the square of the distance.
    """
    if not rows:
        return []
    others = ("id", "id2", "id3")
    areas = [row[column] for row in rows for column in ("zoneId", "areaId")]
    entries, maps, zones, belongs = await asyncio.gather(
        names_of(call, kind, [row[column] for row in rows for column in others], locale),
        names_of(call, "map", [row["map"] for row in rows], locale),
        names_of(call, "zone", areas, locale),
        memberships_of(call, kind, [row["guid"] for row in rows]),
    )
    events = await names_of(
        call, "game_event", [abs(each) for many in belongs.events.values() for each in many], locale
    )
    found = []
    for row in rows:
        guid = row["guid"]
        pool = belongs.pools.get(guid)
        is_creature = kind == "creature"
        leader = belongs.leaders.get(guid)
        found.append(
            Spawn(
                kind=kind,
                guid=guid,
                entry=Reference(id=row["id"], name=entries.get(row["id"])),
                or_entries=[Reference(id=row[key], name=entries.get(row[key])) for key in others[1:] if row[key]],
                position=Position(
                    map=row["map"], x=real(row["position_x"]), y=real(row["position_y"]), z=real(row["position_z"])
                ),
                orientation=real(row["orientation"]),
                map=Reference(id=row["map"], name=maps.get(row["map"])),
                zone=reference(row["zoneId"], zones),
                area=reference(row["areaId"], zones),
                respawn_seconds=row["spawntimesecs"],
                spawn_mask=None if row["spawnMask"] is None else flags("spawn_mask", row["spawnMask"]),
                difficulties=text_or_none(row["spawnDifficulties"]),
                phase_mask=row["phaseMask"],
                phase_id=row["PhaseId"] or None,
                movement=named("movement_type", row["MovementType"]) if is_creature else None,
                wander_distance=real(row["wander_distance"]) if is_creature and row["wander_distance"] else None,
                path=belongs.paths.get(guid),
                state=None if is_creature else named("go_state", row["state"]),
                pool=pool.pool if pool else None,
                spawn_groups=belongs.groups.get(guid, []),
                events=[
                    SpawnEvent(Reference(id=abs(each), name=events.get(abs(each))), each > 0)
                    for each in belongs.events.get(guid, ())
                ],
                formation_leader=leader if leader != guid else None,
                script=text_or_none(row["ScriptName"]),
                string_id=text_or_none(row["StringId"]),
                distance=round(float(row["d2"]) ** 0.5, 2) if "d2" in row else None,
            )
        )
    return found
