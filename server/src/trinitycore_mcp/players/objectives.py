"""How far a character is with the objectives of its quests.

TrinityCore 3.3.5 and AzerothCore keep counters in columns of character_queststatus, in the order of the quest's
required creatures and items; TrinityCore master keeps a row for each objective of the table quest_objectives.
"""

from __future__ import annotations

import asyncio
from typing import Annotated, Literal

from msgspec import Struct

from trinitycore_mcp.database.session import Row
from trinitycore_mcp.entities import names_of
from trinitycore_mcp.schema import Schema
from trinitycore_mcp.toolkit import Call, Reference, doc

Kind = Literal["creature", "gameobject", "item", "players", "other"]

_NPCS = range(1, 5)
_ITEMS = range(1, 7)
# quest_objectives.Type of TrinityCore master: what ObjectID is.
_KINDS: dict[int, Kind] = {0: "creature", 1: "item", 2: "gameobject", 3: "creature", 9: "players"}


class ProgressObjective(Struct, frozen=True):
    """One thing a quest asks for, and how much of it is done."""

    kind: Annotated[Kind, doc("players: players to kill; other: what the client only knows")]
    target: Annotated[Reference | None, doc("the creature, gameobject or item")]
    done: int
    needed: Annotated[int | None, doc("null: the quest's template is not there")]


async def objectives_of(
    call: Call, schema: Schema, guid: int, quests: list[int], locale: str | None
) -> dict[int, list[ProgressObjective]]:
    """Return the objectives of these quests of one character, by quest."""
    if not quests:
        return {}
    if schema.has("character_queststatus", "mobcount1", database="characters"):
        found = await _by_columns(call, schema, guid)
    elif schema.has("character_queststatus_objectives", database="characters") and schema.has("quest_objectives"):
        found = await _by_rows(call, schema, guid)
    else:
        return {}
    kinds: tuple[Kind, ...] = ("creature", "gameobject", "item")
    names = await asyncio.gather(
        *(
            names_of(call, kind, [id for each in found.values() for k, id, _, _ in each if k == kind], locale)
            for kind in kinds
        )
    )
    named = dict(zip(kinds, names, strict=True))
    return {
        quest: [
            ProgressObjective(kind, Reference(id, named[kind].get(id)) if kind in named and id else None, done, needed)
            for kind, id, done, needed in each
        ]
        for quest, each in found.items()
    }


_Found = dict[int, list[tuple[Kind, int, int, int | None]]]


async def _by_columns(call: Call, schema: Schema, guid: int) -> _Found:
    counters = [f"mobcount{n}" for n in _NPCS] + [f"itemcount{n}" for n in _ITEMS] + ["playercount"]
    columns = schema.columns("character_queststatus", "quest", *counters, alias="s", database="characters")
    needs = [f"RequiredNpcOrGo{n}" for n in _NPCS] + [f"RequiredNpcOrGoCount{n}" for n in _NPCS]
    needs += [f"RequiredItemId{n}" for n in _ITEMS] + [f"RequiredItemCount{n}" for n in _ITEMS]
    needs.append("RequiredPlayerKills")
    join = ""
    if schema.has("quest_template", "ID"):
        columns += ", " + schema.columns("quest_template", *needs, alias="q")
        join = (
            f" LEFT JOIN {schema.table('quest_template')} q ON {schema.column('quest_template', 'ID', 'q')} = s.`quest`"
        )
    rows = await call.rows(
        f"SELECT {columns} FROM {schema.table('character_queststatus', 'characters')} s{join} WHERE s.`guid` = %s",
        (guid,),
    )
    return {row["quest"]: _counters(row) for row in rows}


def _counters(row: Row) -> list[tuple[Kind, int, int, int | None]]:
    """Return the objectives of one quest; without its template, the counters that are not 0."""
    known = "RequiredNpcOrGo1" in row
    found: list[tuple[Kind, int, int, int | None]] = []
    for n in _NPCS:
        target, done = int(row.get(f"RequiredNpcOrGo{n}") or 0), int(row[f"mobcount{n}"] or 0)
        if target or (done and not known):
            needed = row[f"RequiredNpcOrGoCount{n}"] if known else None
            found.append(("gameobject" if target < 0 else "creature", abs(target), done, needed))
    for n in _ITEMS:
        target, done = int(row.get(f"RequiredItemId{n}") or 0), int(row[f"itemcount{n}"] or 0)
        if target or (done and not known):
            found.append(("item", target, done, row[f"RequiredItemCount{n}"] if known else None))
    kills = row.get("RequiredPlayerKills")
    if kills or (row["playercount"] and not known):
        found.append(("players", 0, int(row["playercount"] or 0), kills))
    return found


async def _by_rows(call: Call, schema: Schema, guid: int) -> _Found:
    rows = await call.rows(
        "SELECT s.`quest` AS quest, o.`Type` AS type, o.`ObjectID` AS object, o.`Amount` AS needed, "
        "COALESCE(p.`data`, 0) AS done "
        f"FROM {schema.table('character_queststatus', 'characters')} s "
        f"JOIN {schema.table('quest_objectives')} o ON o.`QuestID` = s.`quest` "
        f"LEFT JOIN {schema.table('character_queststatus_objectives', 'characters')} p "
        "ON p.`guid` = s.`guid` AND p.`quest` = s.`quest` AND p.`objective` = o.`StorageIndex` "
        "WHERE s.`guid` = %s AND o.`StorageIndex` >= 0 ORDER BY s.`quest`, o.`Order`, o.`ID`",
        (guid,),
    )
    found: _Found = {}
    for row in rows:
        kind = _KINDS.get(row["type"], "other")
        target = int(row["object"]) if kind in ("creature", "gameobject", "item") else 0
        found.setdefault(row["quest"], []).append((kind, target, int(row["done"]), row["needed"]))
    return found
