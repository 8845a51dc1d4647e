"""Quests of a creature or game object: creature_quests."""

from __future__ import annotations

import asyncio
from operator import itemgetter
from typing import Annotated, Literal

from msgspec import Struct

from trinitycore_mcp.database.session import Row
from trinitycore_mcp.entities import names_of, references
from trinitycore_mcp.schema import Schema
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

_MAX_ROWS = 2_000


class GiverQuest(Struct, frozen=True):
    """A quest of a creature or game object."""

    quest: Reference
    starts: Annotated[bool, doc("it can be taken here at any time")]
    ends: Annotated[bool, doc("it can be handed in here")]
    starts_in_events: Annotated[list[Reference], doc("it can be taken here only while one of these game events is on")]
    seasonal_event: Annotated[Reference | None, doc("it may be done again each time this event comes")]
    pool: Annotated[int | None, doc("only some quests of this pool are offered at a time")]
    level: Annotated[int | None, doc("null: no such quest in this database")]
    min_level: int | None


class GiverQuests(Struct, frozen=True):
    """Quests of a creature or game object."""

    giver: Reference
    quests: list[GiverQuest]
    quest_count: int
    next_cursor: NextCursor
    notice: Notice
    related: list[Related]


@tool(title="Quests of a creature or game object")
async def creature_quests(
    call: Call,
    id: Annotated[Id, doc("creature or game object template id (entry)")],
    kind: Annotated[Literal["creature", "gameobject"], doc("what the id is of")] = "creature",
    locale: Locale = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> GiverQuests:
    """Every quest that a creature (or a game object, such as a wanted poster) starts or takes back, with quests that
    it starts only during game events, seasonal quests and pools of daily quests. Then quest_get shows one whole,
    quest_requirements who may take it."""
    after = call.place(cursor)
    schema = await call.schema()
    starts, ends, events, names = await asyncio.gather(
        _quests(call, schema, f"{kind}_queststarter", id),
        _quests(call, schema, f"{kind}_questender", id),
        _events(call, schema, kind, id),
        names_of(call, kind, [id], locale),
    )
    if id not in names and not (starts or ends or events):
        schema.table(f"{kind}_template")
        raise ToolError(f"there is no {kind} with id {id}; {kind}_search finds ids by name")
    every = sorted(starts | ends | events.keys())
    shown = [quest for quest in every if after is None or quest > after[0]][: limit + 1]
    titles, levels, seasons, pools = await asyncio.gather(
        names_of(call, "quest", shown, locale),
        _levels(call, schema, shown),
        _by_quest(call, schema, "game_event_seasonal_questrelation", "questId", "eventEntry", shown),
        _pools(call, schema, shown),
    )
    event_ids = [event for quest in shown for event in events.get(quest, ())]
    games = await names_of(call, "game_event", [*event_ids, *seasons.values()], locale)
    found = [
        GiverQuest(
            quest=Reference(quest, titles.get(quest)),
            starts=quest in starts,
            ends=quest in ends,
            starts_in_events=references(events.get(quest, ()), games),
            seasonal_event=Reference(seasons[quest], games.get(seasons[quest])) if quest in seasons else None,
            pool=pools.get(quest),
            level=levels.get(quest, {}).get("QuestLevel"),
            min_level=levels.get(quest, {}).get("MinLevel"),
        )
        for quest in shown
    ]
    page = call.page(zip(found, ([quest] for quest in shown), strict=True), limit, itemgetter(1))
    quests = [each for each, _ in page.items]
    return GiverQuests(
        giver=Reference(id, names.get(id)),
        quests=quests,
        quest_count=len(every),
        next_cursor=page.next_cursor,
        notice=page.notice,
        related=[Related(f"{kind}_get", {"id": id}, f"the {'game object' if kind == 'gameobject' else kind}")]
        + [Related("quest_get", {"id": each.quest.id}, each.quest.name or "the quest") for each in quests[:5]],
    )


async def _quests(call: Call, schema: Schema, table: str, giver: int) -> set[int]:
    rows = await call.rows(
        f"SELECT {schema.columns(table, 'quest', alias='t')} FROM {schema.table(table)} t "
        f"WHERE {schema.column(table, 'id', 't')} = %s LIMIT {_MAX_ROWS}",
        (giver,),
    )
    return {row["quest"] for row in rows}


async def _events(call: Call, schema: Schema, kind: str, giver: int) -> dict[int, list[int]]:
    """Return the events by quest; none when the table is missing."""
    table = f"game_event_{kind}_quest"
    if not schema.has(table):
        return {}
    rows = await call.rows(
        f"SELECT t.`quest` AS quest, t.`eventEntry` AS event FROM {schema.table(table)} t "
        f"WHERE t.`id` = %s ORDER BY t.`eventEntry` LIMIT {_MAX_ROWS}",
        (giver,),
    )
    found: dict[int, list[int]] = {}
    for row in rows:
        found.setdefault(row["quest"], []).append(row["event"])
    return found


async def _levels(call: Call, schema: Schema, quests: list[int]) -> dict[int, Row]:
    if not quests or not schema.has("quest_template"):
        return {}
    rows = await call.rows(
        f"SELECT {schema.columns('quest_template', 'ID', 'QuestLevel', 'MinLevel', alias='t')} "
        f"FROM {schema.table('quest_template')} t "
        f"WHERE {schema.column('quest_template', 'ID', 't')} IN ({', '.join(['%s'] * len(quests))})",
        quests,
    )
    return {row["ID"]: row for row in rows}


async def _by_quest(call: Call, schema: Schema, table: str, key: str, value: str, quests: list[int]) -> dict[int, int]:
    """Return one value by quest from a table with a row for each; nothing when it is missing."""
    if not quests or not schema.has(table, key, value):
        return {}
    quest = schema.column(table, key, "t")
    rows = await call.rows(
        f"SELECT {quest} AS quest, {schema.column(table, value, 't')} AS value FROM {schema.table(table)} t "
        f"WHERE {quest} IN ({', '.join(['%s'] * len(quests))})",
        quests,
    )
    return {row["quest"]: row["value"] for row in rows}


async def _pools(call: Call, schema: Schema, quests: list[int]) -> dict[int, int]:
    """Return the pool by quest: quest_pool_members, or pool_quest of AzerothCore."""
    if schema.has("quest_pool_members"):
        return await _by_quest(call, schema, "quest_pool_members", "questId", "poolId", quests)
    return await _by_quest(call, schema, "pool_quest", "entry", "pool_entry", quests)


TOOLS: tuple[Tool, ...] = (creature_quests,)
