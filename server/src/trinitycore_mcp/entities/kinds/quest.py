"""Quests."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Annotated, Any

from msgspec import Struct

from trinitycore_mcp.database.session import Row
from trinitycore_mcp.entities import filters as by
from trinitycore_mcp.entities.entity import KEY, Entity, Link, Part
from trinitycore_mcp.entities.fields import (
    computed,
    enum,
    flag_set,
    key,
    label,
    number,
    number_or_none,
    refers,
    text,
)
from trinitycore_mcp.entities.naming import names_of, reference
from trinitycore_mcp.entities.parts import listed
from trinitycore_mcp.entities.registry import ENTITIES as ALL
from trinitycore_mcp.entities.translations import Translations
from trinitycore_mcp.schema import Schema
from trinitycore_mcp.toolkit import Call, Money, Reference, doc, money, named


class QuestObjective(Struct, frozen=True):
    """Something to do."""

    kind: Annotated[str, doc("creature, gameobject, item, players, or another kind of newer schemas")]
    target: Annotated[Reference | None, doc("null: it has none, such as players")]
    count: int
    text: Annotated[str | None, doc("the quest's own words for it")]


class QuestItem(Struct, frozen=True):
    """A number of one item."""

    item: Reference
    count: int


class QuestReputation(Struct, frozen=True):
    """A gain of reputation with a faction."""

    faction: Reference
    value: Annotated[int, doc("row of QuestFactionReward.dbc; negative: a loss")]
    override: Annotated[int | None, doc("the amount in hundredths, instead of that row's")]


class QuestRewards(Struct, frozen=True):
    """What the quest gives."""

    money: Annotated[Money | None, doc("negative: it costs that much; null: this family has it by level")]
    xp_difficulty: Annotated[int, doc("column of QuestXP.dbc")]
    items: Annotated[list[QuestItem], doc("all of these")]
    choice: Annotated[list[QuestItem], doc("one of these")]
    spell: Reference | None
    honor: int
    title_id: int | None
    talents: int
    reputation: list[QuestReputation]


class QuestPeople(Struct, frozen=True):
    """Who has the quest."""

    creatures: list[Reference]
    gameobjects: list[Reference]


_NPC_OR_GO = range(1, 5)
_ITEMS = range(1, 7)
_COLUMNS = (
    *("RewardMoney", "RewardXPDifficulty", "RewardDisplaySpell", "RewardSpell", "RewardHonor", "RewardTitle"),
    *("RewardTalents", "RequiredPlayerKills"),
    *(f"{column}{n}" for n in _NPC_OR_GO for column in ("RequiredNpcOrGo", "RequiredNpcOrGoCount", "ObjectiveText")),
    *(f"{column}{n}" for n in _ITEMS for column in ("RequiredItemId", "RequiredItemCount")),
    *(f"{column}{n}" for n in range(1, 5) for column in ("RewardItem", "RewardAmount")),
    *(f"{column}{n}" for n in _ITEMS for column in ("RewardChoiceItemID", "RewardChoiceItemQuantity")),
    *(f"RewardFaction{what}{n}" for n in range(1, 6) for what in ("ID", "Value", "Override")),
)
# quest_objectives.Type of newer schemas, and the entity that its ObjectID belongs to.
_TARGETS = {0: "creature", 1: "item", 2: "gameobject", 3: "creature", 5: "spell", 6: "faction", 7: "faction"}
_PLAYERS = 9


async def _goals(call: Call, schema: Schema, row: Row, locale: str | None) -> tuple[Any, ...]:
    """Return objectives and rewards, with names: all names of one kind at once."""
    wanted = _wanted(row) if not schema.has("quest_objectives") else await _objective_rows(call, schema, row)
    rewards = [row.get(f"RewardItem{n}") for n in range(1, 5)] + [row.get(f"RewardChoiceItemID{n}") for n in _ITEMS]
    ids: dict[str, list[int | None]] = {
        "creature": [],
        "gameobject": [],
        "item": rewards,
        "spell": [row.get("RewardDisplaySpell"), row.get("RewardSpell")],
        "faction": [row.get(f"RewardFactionID{n}") for n in range(1, 6)],
    }
    for kind, target, _, _ in wanted:
        if kind in ids:
            ids[kind].append(target)
    asked = [kind for kind, numbers in ids.items() if any(numbers)]
    found = await asyncio.gather(*(names_of(call, ALL[kind], ids[kind], locale) for kind in asked))
    names: dict[str, dict[int, str]] = {kind: {} for kind in ids} | dict(zip(asked, found, strict=True))
    objectives = [
        QuestObjective(kind, reference(target, names.get(kind, {})), count, words)
        for kind, target, count, words in wanted
    ]
    return objectives, _rewards(row, names)


Wanted = tuple[str, int, int, str | None]
"""Kind, id, count and the quest's words."""


def _wanted(row: Row) -> list[Wanted]:
    """Return the objectives that stand in the columns of the template."""
    found: list[Wanted] = []
    for n in _NPC_OR_GO:
        number = row.get(f"RequiredNpcOrGo{n}") or 0
        if number:
            kind = "creature" if number > 0 else "gameobject"
            words = row.get(f"ObjectiveText{n}") or None
            found.append((kind, abs(number), row[f"RequiredNpcOrGoCount{n}"], words))
    for n in _ITEMS:
        if number := row.get(f"RequiredItemId{n}"):
            found.append(("item", number, row[f"RequiredItemCount{n}"], None))
    if kills := row.get("RequiredPlayerKills"):
        found.append(("players", 0, kills, None))
    return found


async def _objective_rows(call: Call, schema: Schema, row: Row) -> list[Wanted]:
    """Return the objectives of newer schemas, which have a table of their own."""
    columns = schema.columns("quest_objectives", "Type", "ObjectID", "Amount", "Description")
    rows = await call.rows(
        f"SELECT {columns} FROM {schema.table('quest_objectives')} WHERE `QuestID` = %s ORDER BY `Order`, `ID`",
        (row[KEY],),
    )
    found: list[Wanted] = []
    for each in rows:
        kind = each["Type"]
        name = "players" if kind == _PLAYERS else named("quest_objective_type", kind).name or f"type {kind}"
        found.append(
            (_TARGETS.get(kind, name), each["ObjectID"] or 0, each["Amount"] or 0, each["Description"] or None)
        )
    return found


def _rewards(row: Row, names: Mapping[str, Mapping[int, str]]) -> QuestRewards:
    spell = row.get("RewardDisplaySpell") or row.get("RewardSpell")
    factions = names["faction"]
    return QuestRewards(
        money=money(row["RewardMoney"]) if "RewardMoney" in row else None,
        xp_difficulty=row.get("RewardXPDifficulty") or 0,
        items=_counts(row, "RewardItem", "RewardAmount", range(1, 5), names["item"]),
        choice=_counts(row, "RewardChoiceItemID", "RewardChoiceItemQuantity", _ITEMS, names["item"]),
        spell=reference(spell, names["spell"]),
        honor=row.get("RewardHonor") or 0,
        title_id=row.get("RewardTitle") or None,
        talents=row.get("RewardTalents") or 0,
        reputation=[
            QuestReputation(
                Reference(faction, factions.get(faction)),
                row.get(f"RewardFactionValue{n}") or 0,
                row.get(f"RewardFactionOverride{n}") or None,
            )
            for n in range(1, 6)
            if (faction := row.get(f"RewardFactionID{n}"))
        ],
    )


def _counts(row: Row, id_column: str, count_column: str, numbers: range, names: Mapping[int, str]) -> list[QuestItem]:
    return [
        QuestItem(Reference(number, names.get(number)), row[f"{count_column}{n}"])
        for n in numbers
        if (number := row.get(f"{id_column}{n}"))
    ]


def _people(name: str, role: str) -> Part:
    """Return the part that tells who starts or ends a quest."""
    about = "at most 100 of each"
    creatures = listed("creatures", "creature", f"creature_{role}", "quest", "id", about)
    gameobjects = listed("gameobjects", "gameobject", f"gameobject_{role}", "quest", "id", about)

    async def read(call: Call, schema: Schema, row: Row, locale: str | None) -> tuple[Any, ...]:
        (npcs,), (objects,) = await asyncio.gather(
            creatures.read(call, schema, row, locale), gameobjects.read(call, schema, row, locale)
        )
        return (QuestPeople(npcs, objects),)

    return Part(((name, QuestPeople),), read, tables=(*creatures.tables, *gameobjects.tables))


def _in_a_chain(values: Mapping[str, Any]) -> bool:
    return any(values[field] for field in ("previous_quest", "next_quest", "next_in_chain", "exclusive_group"))


QUEST = Entity(
    name="quest",
    plural="quests",
    title="a quest",
    about=(
        "Everything about one quest by its id: texts, levels, who may take it, objectives, rewards, who starts and "
        "ends it, and the quests before and after it. creature_get names the quests of an NPC."
    ),
    table="quest_template",
    key="ID",
    label="LogTitle",
    joins={"quest_template_addon": "ID", "quest_offer_reward": "ID", "quest_request_items": "ID"},
    translations=(
        Translations(
            table="quest_template_locale",
            texts={
                "LogTitle": "Title",
                "LogDescription": "Objectives",
                "QuestDescription": "Details",
                "QuestCompletionLog": "CompletedText",
            },
        ),
        Translations(table="quest_offer_reward_locale", texts={"quest_offer_reward.RewardText": "RewardText"}),
        Translations(
            table="quest_request_items_locale", texts={"quest_request_items.CompletionText": "CompletionText"}
        ),
    ),
    fields=(
        key(),
        label("LogTitle"),
        number("level", "QuestLevel", "-1: scales with the character", optional=True),
        number("min_level", "MinLevel", optional=True),
        number_or_none("max_level", "quest_template_addon.MaxLevel"),
        enum("type", "QuestType", "quest_type"),
        enum("info", "QuestInfoID", "quest_info"),
        computed("zone_id", int | None, ("QuestSortID",), lambda sort: sort if (sort or 0) > 0 else None),
        computed(
            "sort_id", int | None, ("QuestSortID",), lambda sort: -sort if (sort or 0) < 0 else None,
            "QuestSort.dbc, for quests sorted by class, profession or event",
        ),
        number("suggested_players", "SuggestedGroupNum"),
        flag_set("flags", "Flags", "quest_flags"),
        flag_set("special_flags", "quest_template_addon.SpecialFlags", "quest_special_flags"),
        flag_set("allowed_races", "AllowableRaces", "character_races", "value 0: all", everything=-1),
        flag_set("allowed_classes", "quest_template_addon.AllowableClasses", "character_classes", "value 0: all"),
        number_or_none("time_limit_s", "TimeAllowed"),
        text("summary", "LogDescription", "the objectives as the quest log words them"),
        text("description", "QuestDescription"),
        text("completion_log", "QuestCompletionLog"),
        text("progress_text", "quest_request_items.CompletionText", "said when the character comes back too early"),
        text("reward_text", "quest_offer_reward.RewardText", "said when it is handed in"),
        refers("start_item", "StartItem", "item"),
        refers("previous_quest", "quest_template_addon.PrevQuestID", "quest", absolute=True),
        computed(
            "previous_quest_is_active", bool, ("quest_template_addon.PrevQuestID",), lambda quest: (quest or 0) < 0,
            "the previous one must be in the log, not done",
        ),
        refers("next_quest", "quest_template_addon.NextQuestID", "quest", absolute=True),
        refers("next_in_chain", "RewardNextQuest", "quest", "offered by the ender when this one is handed in"),
        number_or_none("exclusive_group", "quest_template_addon.ExclusiveGroup"),
    ),
    parts=(
        Part((("objectives", list[QuestObjective]), ("rewards", QuestRewards)), _goals, columns=_COLUMNS),
        _people("started_by", "queststarter"),
        _people("ended_by", "questender"),
    ),
    summary=("id", "name", "level", "min_level", "info", "zone_id"),
    searched="title",
    filters=(
        by.at_least("min_level", "QuestLevel", "quest level at least this", most=255),
        by.at_most("max_level", "QuestLevel", "quest level at most this", most=255),
        by.by_name("info", "QuestInfoID", "quest_info", "only this kind"),
        by.equal("zone_id", "QuestSortID", "only quests of this zone", least=1),
        by.with_flag("flag", "Flags", "quest_flags", "only those with this flag"),
    ),
    links=(
        Link("quest_requirements", "id", "who may take it, and what must be done for it"),
        Link("quest_rewards", "id", "what it gives, in experience and reputation, too"),
        Link("quest_chain", "id", "the quests before and after it, as a graph", when=_in_a_chain),
        Link("creature_get", "started_by.creatures", "{name} starts it"),
        Link("creature_get", "ended_by.creatures", "{name} ends it"),
        Link("gameobject_get", "started_by.gameobjects", "{name} starts it"),
        Link("gameobject_get", "ended_by.gameobjects", "{name} ends it"),
        Link("quest_get", "previous_quest", "the quest before it: {name}"),
        Link("quest_get", "next_quest", "the quest after it: {name}"),
        Link("quest_get", "next_in_chain", "the quest after it: {name}"),
        Link("item_get", "start_item", "the item that comes with it: {name}"),
    ),
)  # fmt: skip

ENTITIES = (QUEST,)
