"""Quests: quest_get."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from mcp.server.mcpserver import MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from pydantic import BaseModel, Field

from trinitycore_mcp.database.schema import WorldSchema
from trinitycore_mcp.database.session import Row
from trinitycore_mcp.tools.names import Flags, Named, flags, named
from trinitycore_mcp.tools.results import READ_ONLY, Id, Money, Reference, Related, money, text_or_none
from trinitycore_mcp.tools.world import World

_KIND = "quest_get"
_OPTIONAL = (
    *("quest_template_addon", "quest_offer_reward", "quest_request_items"),
    *("creature_queststarter", "creature_questender", "gameobject_queststarter", "gameobject_questender"),
)


class Objective(BaseModel):
    """Something to do."""

    kind: Literal["creature", "gameobject", "item", "players"]
    target: Reference | None = Field(description="null for players")
    count: int
    text: str | None = Field(description="the quest's own words for it")


class ItemCount(BaseModel):
    """A number of one item."""

    item: Reference
    count: int


class Reputation(BaseModel):
    """A gain of reputation with a faction."""

    faction_id: int
    value: int = Field(description="row of QuestFactionReward.dbc; negative: a loss")
    override: int | None = Field(description="the amount in hundredths, instead of that row's")


class Rewards(BaseModel):
    """What the quest gives."""

    money: Money = Field(description="negative: it costs that much")
    xp_difficulty: int = Field(description="column of QuestXP.dbc")
    items: list[ItemCount] = Field(description="all of these")
    choice: list[ItemCount] = Field(description="one of these")
    spell_id: int | None
    honor: int
    title_id: int | None
    talents: int
    reputation: list[Reputation]


class People(BaseModel):
    """Who has the quest."""

    creatures: list[Reference]
    gameobjects: list[Reference]


class Quest(BaseModel):
    """A quest."""

    id: int
    title: str
    level: int = Field(description="-1: scales with the character")
    min_level: int
    max_level: int | None
    type: Named
    info: Named
    zone_id: int | None
    sort_id: int | None = Field(description="QuestSort.dbc, for quests sorted by class, profession or event")
    suggested_players: int
    flags: Flags
    special_flags: Flags
    allowed_races: Flags = Field(description="value 0: all")
    allowed_classes: Flags = Field(description="value 0: all")
    time_limit_s: int | None
    summary: str | None = Field(description="the objectives as the quest log words them")
    description: str | None
    completion_log: str | None
    progress_text: str | None = Field(description="said when the character comes back too early")
    reward_text: str | None = Field(description="said when it is handed in")
    objectives: list[Objective]
    start_item: Reference | None
    rewards: Rewards
    previous_quest: Reference | None
    previous_quest_is_active: bool = Field(description="the previous one must be in the log, not done")
    next_quest: Reference | None
    next_in_chain: Reference | None = Field(description="offered by the ender as soon as this one is handed in")
    exclusive_group: int | None
    started_by: People
    ended_by: People
    missing_tables: list[str] = Field(description="tables this database lacks, so what they hold is not shown")
    related: list[Related]


def register(server: MCPServer[Any], world: World) -> None:
    """Add the tool."""

    @server.tool(title="Get a quest", annotations=READ_ONLY)
    async def quest_get(
        id: Annotated[Id, Field(description="quest id")],
    ) -> Quest:
        """Everything about one quest by its id: texts, levels, who may take it, objectives, rewards, who starts and
        ends it, and the quests before and after it. creature_get names the quests of an NPC."""
        row = await world.row(_KIND, "quest_template", "ID", id)
        if row is None:
            raise ToolError(f"there is no quest with id {id}; creature_get names the quests of an NPC")
        return await _Reader(world, await world.schema(), row).read()


class _Reader:
    """Puts one quest together from its tables."""

    def __init__(self, world: World, schema: WorldSchema, row: Row) -> None:
        self._world = world
        self._schema = schema
        self._row = row
        self._id: int = row["ID"]

    async def read(self) -> Quest:
        row = self._row
        addon, offer, request, started, ended = await asyncio.gather(
            self._side_row("quest_template_addon"),
            self._side_row("quest_offer_reward"),
            self._side_row("quest_request_items"),
            self._people("queststarter"),
            self._people("questender"),
        )
        previous: int = addon.get("PrevQuestID", 0)
        following: int = addon.get("NextQuestID", 0)
        items, creatures, gameobjects, titles = await asyncio.gather(
            self._names("item_template", "entry", "name", self._item_ids()),
            self._names("creature_template", "entry", "name", [row[f"RequiredNpcOrGo{n}"] for n in range(1, 5)]),
            self._names("gameobject_template", "entry", "name", [-row[f"RequiredNpcOrGo{n}"] for n in range(1, 5)]),
            self._names("quest_template", "ID", "LogTitle", [abs(previous), following, row["RewardNextQuest"]]),
        )
        sort: int = row["QuestSortID"]
        return Quest(
            id=self._id,
            title=row["LogTitle"] or "",
            level=row["QuestLevel"],
            min_level=row["MinLevel"],
            max_level=addon.get("MaxLevel") or None,
            type=named("quest_type", row["QuestType"]),
            info=named("quest_info", row["QuestInfoID"]),
            zone_id=sort if sort > 0 else None,
            sort_id=-sort if sort < 0 else None,
            suggested_players=row["SuggestedGroupNum"],
            flags=flags("quest_flags", row["Flags"]),
            special_flags=flags("quest_special_flags", addon.get("SpecialFlags")),
            allowed_races=flags("character_races", row["AllowableRaces"]),
            allowed_classes=flags("character_classes", addon.get("AllowableClasses")),
            time_limit_s=row["TimeAllowed"] or None,
            summary=text_or_none(row["LogDescription"]),
            description=text_or_none(row["QuestDescription"]),
            completion_log=text_or_none(row["QuestCompletionLog"]),
            progress_text=text_or_none(request.get("CompletionText")),
            reward_text=text_or_none(offer.get("RewardText")),
            objectives=self._objectives(creatures, gameobjects, items),
            start_item=_reference(row["StartItem"], items),
            rewards=self._rewards(items),
            previous_quest=_reference(abs(previous), titles),
            previous_quest_is_active=previous < 0,
            next_quest=_reference(following, titles),
            next_in_chain=_reference(row["RewardNextQuest"], titles),
            exclusive_group=addon.get("ExclusiveGroup") or None,
            started_by=started,
            ended_by=ended,
            missing_tables=[table for table in _OPTIONAL if not self._schema.has(table)],
            related=_related(started, ended, [abs(previous), following]),
        )

    async def _side_row(self, table: str) -> Row:
        """Return the quest's row of a table that may be absent, or an empty one."""
        if not self._schema.has(table):
            return {}
        return await self._world.row(_KIND, table, "ID", self._id) or {}

    async def _names(self, table: str, key: str, name: str, ids: list[int]) -> Mapping[int, str]:
        return await self._world.names_of(_KIND, table, key, name, ids)

    async def _people(self, role: str) -> People:
        found: dict[str, list[Reference]] = {}
        for kind in ("creature", "gameobject"):
            table, template = f"{kind}_{role}", f"{kind}_template"
            found[kind] = []
            if self._schema.has(table):
                rows = await self._world.fetch(
                    _KIND,
                    f"SELECT `id` FROM {self._world.table(table)} WHERE `quest` = %s ORDER BY `id` LIMIT 100",
                    (self._id,),
                )
                ids: list[int] = [row["id"] for row in rows]
                names = await self._names(template, "entry", "name", ids)
                found[kind] = [Reference(id=number, name=names.get(number)) for number in ids]
        return People(creatures=found["creature"], gameobjects=found["gameobject"])

    def _item_ids(self) -> list[int]:
        row = self._row
        return [
            row["StartItem"],
            *(row[f"RequiredItemId{n}"] for n in range(1, 7)),
            *(row[f"RewardItem{n}"] for n in range(1, 5)),
            *(row[f"RewardChoiceItemID{n}"] for n in range(1, 7)),
        ]

    def _objectives(
        self, creatures: Mapping[int, str], gameobjects: Mapping[int, str], items: Mapping[int, str]
    ) -> list[Objective]:
        row = self._row
        found = []
        for n in range(1, 5):
            number, text = row[f"RequiredNpcOrGo{n}"], text_or_none(row[f"ObjectiveText{n}"])
            count = row[f"RequiredNpcOrGoCount{n}"]
            if number > 0:
                target = _reference(number, creatures)
                found.append(Objective(kind="creature", target=target, count=count, text=text))
            elif number < 0:
                target = _reference(-number, gameobjects)
                found.append(Objective(kind="gameobject", target=target, count=count, text=text))
        for n in range(1, 7):
            if number := row[f"RequiredItemId{n}"]:
                target = _reference(number, items)
                found.append(Objective(kind="item", target=target, count=row[f"RequiredItemCount{n}"], text=None))
        if row["RequiredPlayerKills"]:
            found.append(Objective(kind="players", target=None, count=row["RequiredPlayerKills"], text=None))
        return found

    def _rewards(self, items: Mapping[int, str]) -> Rewards:
        row = self._row
        return Rewards(
            money=money(row["RewardMoney"]),
            xp_difficulty=row["RewardXPDifficulty"],
            items=_counts(row, "RewardItem{}", "RewardAmount{}", 4, items),
            choice=_counts(row, "RewardChoiceItemID{}", "RewardChoiceItemQuantity{}", 6, items),
            spell_id=row["RewardDisplaySpell"] or row["RewardSpell"] or None,
            honor=row["RewardHonor"],
            title_id=row["RewardTitle"] or None,
            talents=row["RewardTalents"],
            reputation=[
                Reputation(
                    faction_id=row[f"RewardFactionID{n}"],
                    value=row[f"RewardFactionValue{n}"],
                    override=row[f"RewardFactionOverride{n}"] or None,
                )
                for n in range(1, 6)
                if row[f"RewardFactionID{n}"]
            ],
        )


def _reference(number: int, names: Mapping[int, str]) -> Reference | None:
    return Reference(id=number, name=names.get(number)) if number else None


def _counts(row: Row, id_column: str, count_column: str, last: int, names: Mapping[int, str]) -> list[ItemCount]:
    return [
        ItemCount(item=Reference(id=number, name=names.get(number)), count=row[count_column.format(n)])
        for n in range(1, last + 1)
        if (number := row[id_column.format(n)])
    ]


def _related(started: People, ended: People, quests: list[int]) -> list[Related]:
    people = {creature.id: creature for creature in (*started.creatures, *ended.creatures)}
    return [
        *(
            Related(tool="creature_get", arguments={"id": number}, why=f"{who.name or number} starts or ends it")
            for number, who in people.items()
        ),
        *(
            Related(tool="quest_get", arguments={"id": number}, why="the quest before or after it")
            for number in dict.fromkeys(quests)
            if number
        ),
    ]
