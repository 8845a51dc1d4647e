"""Creatures that walk and fight together."""

from __future__ import annotations

from typing import Annotated

from msgspec import Struct

from trinitycore_mcp.sentences import in_list, resolve
from trinitycore_mcp.spawns.rows import of_entry
from trinitycore_mcp.toolkit import (
    Call,
    Cursor,
    Flags,
    Id,
    Limit,
    NextCursor,
    Notice,
    Related,
    Tool,
    ToolError,
    doc,
    flags,
    real,
    tool,
)

# Members of one formation that are shown at most.
_MOST = 100


class FormationMember(Struct, frozen=True):
    """A creature of a formation."""

    guid: int
    name: Annotated[str | None, doc("null: there is no such spawn")]
    leads: bool
    distance: Annotated[float, doc("yards behind the leader")]
    angle: Annotated[float, doc("degrees, seen from the leader")]
    behaviour: Flags
    turns_at: Annotated[list[int], doc("waypoints at which it changes to the other side of the leader")]


class Formation(Struct, frozen=True):
    """A leader and those who follow it."""

    leader: int
    leader_name: str | None
    members: list[FormationMember]


class Formations(Struct, frozen=True):
    """Formations."""

    formations: list[Formation]
    next_cursor: NextCursor
    notice: Notice
    related: list[Related]


@tool(title="Formations of creatures")
async def formations(
    call: Call,
    spawn: Annotated[Id | None, doc("guid of a leader or member")] = None,
    creature: Annotated[Id | None, doc("entry of a creature: all formations that spawns of it are in")] = None,
    limit: Limit = 20,
    cursor: Cursor = None,
) -> Formations:
    """Which creatures walk or fight together: leader, members, where they walk, whom they assist.

    Give spawn or creature. The path that the leader walks is in waypoints.
    """
    if (spawn is None) == (creature is None):
        raise ToolError("give spawn or creature, one of them", kind="invalid_arguments")
    schema = await call.schema()
    table = schema.table("creature_formations")
    condition, parameters = "f.`memberGUID` = %s OR f.`leaderGUID` = %s", [spawn or 0, spawn or 0]
    if creature is not None:
        inside, times = of_entry(schema, "creature") if schema.has("creature") else ("", 0)
        spawns = f"(SELECT t.`guid` FROM {schema.table('creature')} t WHERE {inside})"
        condition = f"f.`memberGUID` IN {spawns} OR f.`leaderGUID` IN {spawns}"
        parameters = [creature] * times * 2
    place = call.place(cursor)
    after = " AND f.`leaderGUID` > %s" if place else ""
    leaders = await call.rows(
        f"SELECT DISTINCT f.`leaderGUID` AS guid FROM {table} f WHERE ({condition}){after} "
        "ORDER BY f.`leaderGUID` LIMIT %s",
        (*parameters, *(place or ()), limit + 1),
    )
    if not leaders and not place:
        what = f"creature spawn {spawn} is" if spawn is not None else f"spawns of creature {creature} are"
        raise ToolError(f"{what} in no formation")
    found = await _formations(call, [row["guid"] for row in leaders])
    page = call.page(found, limit, lambda formation: [formation.leader])
    return Formations(
        formations=page.items,
        next_cursor=page.next_cursor,
        notice=page.notice,
        related=[
            Related("waypoints", {"spawn": each.leader}, "the path that the leader walks, if it has one")
            for each in page.items[:1]
        ],
    )


async def _formations(call: Call, leaders: list[int]) -> list[Formation]:
    schema = await call.schema()
    if not leaders:
        return []
    columns = schema.columns(
        *("creature_formations", "leaderGUID", "memberGUID", "dist", "angle", "groupAI", "point_1", "point_2"),
        alias="f",
    )
    marks, parameters = in_list(leaders)
    rows = await call.rows(
        f"SELECT {columns} FROM {schema.table('creature_formations')} f "
        f"WHERE f.`leaderGUID` IN {marks} "
        "ORDER BY f.`leaderGUID`, f.`memberGUID` <> f.`leaderGUID`, f.`memberGUID` LIMIT %s",
        (*parameters, _MOST * len(leaders)),
    )
    guids = {row["memberGUID"] for row in rows} | set(leaders)
    names = await resolve(call, {("creature_spawn", guid) for guid in guids})
    by_leader: dict[int, list[FormationMember]] = {leader: [] for leader in leaders}
    for row in rows:
        members = by_leader[row["leaderGUID"]]
        if len(members) < _MOST:
            members.append(
                FormationMember(
                    guid=row["memberGUID"],
                    name=names.get(("creature_spawn", row["memberGUID"])),
                    leads=row["memberGUID"] == row["leaderGUID"],
                    distance=real(row["dist"]),
                    angle=real(row["angle"]),
                    behaviour=flags("formation_flags", row["groupAI"]),
                    turns_at=[row[column] for column in ("point_1", "point_2") if row[column]],
                )
            )
    return [Formation(leader, names.get(("creature_spawn", leader)), each) for leader, each in by_leader.items()]


TOOLS: tuple[Tool, ...] = (formations,)
