"""What a quest asks of a character: quest_requirements."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Annotated

from msgspec import Struct

from trinitycore_mcp.database.session import Row
from trinitycore_mcp.quests.objectives import Goal, Wish, goals, wishes
from trinitycore_mcp.quests.previous import previous_sentences
from trinitycore_mcp.quests.relations import addon_rows
from trinitycore_mcp.quests.reputation import rank
from trinitycore_mcp.quests.rows import quest_row
from trinitycore_mcp.sentences.names import Names, resolve
from trinitycore_mcp.toolkit import (
    Call,
    Flags,
    Id,
    Locale,
    Money,
    Reference,
    Related,
    Tool,
    doc,
    flags,
    money,
    tool,
)
from trinitycore_mcp.tools.conditions import sentences_for

# Conditions of source type 19: entry is the quest, group is 0.
_CONDITIONS = 19
_ALL_RACES = 0xFFFFFFFF
_TEMPLATE = (
    *("ID", "LogTitle", "QuestType", "QuestLevel", "MinLevel", "AllowableRaces", "TimeAllowed", "StartItem", "Flags"),
    *("RewardMoney", "SuggestedGroupNum"),
)
_ADDON = (
    *("MaxLevel", "AllowableClasses", "RequiredSkillID", "RequiredSkillPoints", "RequiredMinRepFaction"),
    *("RequiredMinRepValue", "RequiredMaxRepFaction", "RequiredMaxRepValue", "SpecialFlags", "SourceSpellID"),
    "ProvidedItemCount",
)


class SkillNeed(Struct, frozen=True):
    """A skill that is needed."""

    skill: Reference
    points: int


class ReputationNeed(Struct, frozen=True):
    """A bound of reputation with a faction."""

    faction: Reference
    value: Annotated[int, doc("reputation points, 0 is where Neutral begins")]
    rank: Annotated[str, doc("the rank that this many points belong to")]


class QuestRequirements(Struct, frozen=True):
    """What a quest asks of a character: to be taken, and to be handed in."""

    quest: Reference
    enabled: Annotated[bool | None, doc("false: nobody can take it, by its type or by table disables")]
    events: Annotated[
        list[Reference], doc("game events that add somebody who starts it; quest_get names those who always do")
    ]
    level: Annotated[int | None, doc("of the quest; -1: the character's own")]
    min_level: int | None
    max_level: Annotated[int | None, doc("null: none")]
    races: Annotated[Flags | None, doc("null: all")]
    classes: Annotated[Flags | None, doc("null: all")]
    skill: SkillNeed | None
    min_reputation: ReputationNeed | None
    max_reputation: Annotated[ReputationNeed | None, doc("it must be below this")]
    previous: Annotated[list[str], doc("sentences that must all hold before it can be taken")]
    conditions: Annotated[list[str], doc("of table conditions, that must all hold before it can be taken")]
    time_limit_s: Annotated[int | None, doc("null: none")]
    suggested_players: int | None
    start_item: Annotated[Goal | None, doc("handed out when it is taken")]
    start_spell: Annotated[Reference | None, doc("cast on the character when it is taken")]
    goals: Annotated[list[Goal], doc("all to be done before it can be handed in")]
    needs_script: Annotated[bool, doc("a script or an event has to credit it besides the goals")]
    pay: Annotated[Money | None, doc("money to hand in; null: none")]
    flags: Flags
    special_flags: Flags
    related: list[Related]


@tool(title="What a quest asks for")
async def quest_requirements(
    call: Call,
    id: Annotated[Id, doc("quest id")],
    locale: Locale = None,
) -> QuestRequirements:
    """What a character needs to take a quest and to hand it in: levels, races, classes, skill, reputation, previous
    quests as sentences, conditions, time limit; creatures, game objects, items, players, reputation and money that it
    asks for. Why a character can't get a quest is mostly answered here; the way there by quest_chain."""
    row, related, texts, wanted, disabled, events = await asyncio.gather(
        quest_row(call, id, _TEMPLATE, _ADDON),
        _relations(call, id),
        sentences_for(call, _CONDITIONS, [(0, id)], locale),
        wishes(call, id),
        _disabled(call, id),
        _events(call, id),
    )
    asked = _references(id, row, related, wanted) | {("game_event", event) for event in events}
    names = await resolve(call, asked, locale)
    title = names.get(("quest", id), row["LogTitle"])
    special = row["SpecialFlags"] or 0
    schema = await call.schema()
    return QuestRequirements(
        quest=Reference(id, title),
        enabled=False if disabled else None if row["QuestType"] is None else row["QuestType"] != 1,
        events=[Reference(event, names.get(("game_event", event))) for event in events],
        level=row["QuestLevel"],
        min_level=row["MinLevel"],
        max_level=row["MaxLevel"] or None,
        races=_restriction("character_races", row["AllowableRaces"]),
        classes=_restriction("character_classes", row["AllowableClasses"]),
        skill=_skill(row, names),
        min_reputation=_reputation(row, "RequiredMin", names),
        max_reputation=_reputation(row, "RequiredMax", names),
        previous=previous_sentences(id, related, names, schema.family),
        conditions=texts.get((0, id), []),
        time_limit_s=row["TimeAllowed"] if (row["TimeAllowed"] or 0) > 0 else None,
        suggested_players=row["SuggestedGroupNum"] or None,
        start_item=_start_item(row, names),
        start_spell=_named("spell", row["SourceSpellID"], names),
        goals=goals(wanted, names),
        needs_script=bool(special & 0x2),
        pay=money(-row["RewardMoney"]) if (row["RewardMoney"] or 0) < 0 else None,
        flags=flags("quest_flags", row["Flags"]),
        special_flags=flags("quest_special_flags", special),
        related=_related(id, wanted),
    )


async def _relations(call: Call, quest: int) -> list[Row]:
    """Return rows of quest_template_addon: the quest, those that name it, and those of their exclusive groups."""
    schema = await call.schema()
    if not schema.has("quest_template_addon"):
        return []
    rows = await addon_rows(call, [quest])
    groups = {row["ExclusiveGroup"] for row in rows if row["ExclusiveGroup"]}
    if not groups:
        return rows
    more = await addon_rows(call, (), groups)
    return list({row["ID"]: row for row in (*rows, *more)}.values())


async def _disabled(call: Call, quest: int) -> bool:
    """Return whether table disables turns the quest off: source type 1."""
    schema = await call.schema()
    if not schema.has("disables"):
        return False
    sql = f"SELECT 1 FROM {schema.table('disables')} t WHERE t.`sourceType` = 1 AND t.`entry` = %s"
    return await call.row(sql, (quest,)) is not None


async def _events(call: Call, quest: int) -> list[int]:
    """Return the events in which somebody starts the quest who doesn't otherwise."""
    schema = await call.schema()
    tables = [table for table in ("game_event_creature_quest", "game_event_gameobject_quest") if schema.has(table)]
    if not tables:
        return []
    union = " UNION ".join(
        f"SELECT t.`eventEntry` AS event FROM {schema.table(table)} t WHERE t.`quest` = %s" for table in tables
    )
    return sorted(row["event"] for row in await call.rows(union, [quest] * len(tables)))


def _references(quest: int, row: Row, related: Iterable[Row], wanted: Iterable[Wish]) -> set[tuple[str, int]]:
    found = {("quest", quest), ("item", row["StartItem"] or 0), ("spell", row["SourceSpellID"] or 0)}
    found |= {("skill", row["RequiredSkillID"] or 0)}
    found |= {("faction", row[f"Required{end}RepFaction"] or 0) for end in ("Min", "Max")}
    for each in related:
        found |= {("quest", each["ID"]), ("quest", abs(each["PrevQuestID"] or 0)), ("quest", each["NextQuestID"] or 0)}
        found |= {("quest", abs(each["BreadcrumbForQuestId"] or 0))}
    return found | {(wish.kind, wish.id) for wish in wanted}


def _restriction(enum: str, mask: int | None) -> Flags | None:
    """Return a mask of races or classes, None when it lets all in."""
    number = int(mask or 0)
    if number in (0, -1) or number & _ALL_RACES == _ALL_RACES:
        return None
    return flags(enum, number)


def _named(kind: str, number: int | None, names: Names) -> Reference | None:
    return Reference(number, names.get((kind, number))) if number else None


def _skill(row: Row, names: Names) -> SkillNeed | None:
    skill = _named("skill", row["RequiredSkillID"], names)
    return SkillNeed(skill, row["RequiredSkillPoints"] or 0) if skill else None


def _reputation(row: Row, prefix: str, names: Names) -> ReputationNeed | None:
    faction = _named("faction", row[f"{prefix}RepFaction"], names)
    value = row[f"{prefix}RepValue"] or 0
    return ReputationNeed(faction, value, rank(value)) if faction else None


def _start_item(row: Row, names: Names) -> Goal | None:
    item = _named("item", row["StartItem"], names)
    return Goal("item", item, row["ProvidedItemCount"] or 1, None) if item else None


def _related(quest: int, wanted: Iterable[Wish]) -> list[Related]:
    found = [
        Related("quest_chain", {"id": quest}, "the quests before and after it"),
        Related("quest_rewards", {"id": quest}, "what it gives"),
    ]
    for wish in list(wanted)[:5]:
        if wish.kind == "item" and wish.id:
            found.append(Related("item_sources", {"id": wish.id}, "where a needed item comes from"))
        elif wish.kind in ("creature", "gameobject") and wish.id:
            found.append(Related("spawns", {"kind": wish.kind, "id": wish.id}, "where it is in the world"))
    return found


TOOLS: tuple[Tool, ...] = (quest_requirements,)
