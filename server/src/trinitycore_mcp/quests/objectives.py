"""What has to be done for a quest.

TrinityCore 3.3.5 and AzerothCore keep it in columns of quest_template: RequiredNpcOrGo above 0 is a creature, below 0
a game object (the number without sign). TrinityCore master has a row of quest_objectives for each.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated

from msgspec import Struct

from trinitycore_mcp.database.session import Row
from trinitycore_mcp.quests.rows import quest_row
from trinitycore_mcp.sentences.names import Names
from trinitycore_mcp.toolkit import Call, Reference, doc, named

_NPC_OR_GO = range(1, 5)
_ITEMS = range(1, 7)
_FACTIONS = (1, 2)
_COLUMNS = (
    *(f"RequiredNpcOrGo{n}" for n in _NPC_OR_GO),
    *(f"RequiredNpcOrGoCount{n}" for n in _NPC_OR_GO),
    *(f"ObjectiveText{n}" for n in _NPC_OR_GO),
    *(f"RequiredItemId{n}" for n in _ITEMS),
    *(f"RequiredItemCount{n}" for n in _ITEMS),
    *(f"RequiredFactionId{n}" for n in _FACTIONS),
    *(f"RequiredFactionValue{n}" for n in _FACTIONS),
    "RequiredPlayerKills",
)
# quest_objectives.Type: what its ObjectID is the id of, where that has names here.
_KINDS = {0: "creature", 1: "item", 2: "gameobject", 3: "creature", 5: "spell", 6: "faction", 7: "faction"}
_PLAYERS = 9


@dataclass(frozen=True)
class Wish:
    """Something to be done, as ids."""

    kind: str
    id: int
    count: int
    text: str | None


class Goal(Struct, frozen=True):
    """Something to be done."""

    kind: Annotated[
        str,
        doc(
            "creature (killed, or credited by a script), gameobject (used), item, players (killed), faction "
            "(reputation points), or a kind of newer schemas"
        ),
    ]
    target: Annotated[Reference | None, doc("null: none, such as for players")]
    count: Annotated[int, doc("how many; for a faction the reputation points")]
    text: Annotated[str | None, doc("the quest's own words for it")]  # fmt: skip


async def wishes(call: Call, quest: int) -> list[Wish]:
    """Return what is to be done.

    :raises ToolError: there is no such quest, a table is missing, or the database can't be read.
    """
    schema = await call.schema()
    if schema.has("quest_objectives"):
        columns = schema.columns("quest_objectives", "Type", "ObjectID", "Amount", "Description", alias="t")
        rows = await call.rows(
            f"SELECT {columns} FROM {schema.table('quest_objectives')} t WHERE t.`QuestID` = %s ORDER BY t.`ID`",
            (quest,),
        )
        return [_of_row(row) for row in rows]
    return list(_of_columns(await quest_row(call, quest, _COLUMNS)))


def _of_row(row: Row) -> Wish:
    number = row["Type"]
    name = "players" if number == _PLAYERS else named("quest_objective_type", number).name or f"type {number}"
    return Wish(_KINDS.get(number, name), row["ObjectID"] or 0, row["Amount"] or 0, row["Description"] or None)


def _of_columns(row: Row) -> Iterable[Wish]:
    for n in _NPC_OR_GO:
        number = row[f"RequiredNpcOrGo{n}"] or 0
        # Words without a target stand for what a script credits.
        if number or row[f"ObjectiveText{n}"]:
            kind = "creature" if number > 0 else "gameobject" if number else "event"
            yield Wish(kind, abs(number), row[f"RequiredNpcOrGoCount{n}"] or 0, row[f"ObjectiveText{n}"] or None)
    for n in _ITEMS:
        if item := row[f"RequiredItemId{n}"]:
            yield Wish("item", item, row[f"RequiredItemCount{n}"] or 0, None)
    for n in _FACTIONS:
        if faction := row[f"RequiredFactionId{n}"]:
            yield Wish("faction", faction, row[f"RequiredFactionValue{n}"] or 0, None)
    if kills := row["RequiredPlayerKills"]:
        yield Wish("players", 0, kills, None)


def goals(wanted: Iterable[Wish], names: Names) -> list[Goal]:
    """Return what is to be done, with names."""
    return [
        Goal(each.kind, Reference(each.id, names.get((each.kind, each.id))) if each.id else None, each.count, each.text)
        for each in wanted
    ]
