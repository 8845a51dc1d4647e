"""What a quest gives: quest_rewards."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Annotated

from msgspec import Struct

from trinitycore_mcp.database.session import Row
from trinitycore_mcp.quests.giving import CHOICES, REWARDS
from trinitycore_mcp.quests.reputation import reward
from trinitycore_mcp.quests.rows import quest_row
from trinitycore_mcp.sentences.names import Names, resolve
from trinitycore_mcp.toolkit import Call, Id, Locale, Money, Reference, Related, Tool, doc, money, real, tool

_FACTIONS = range(1, 6)
_PARTS = {
    "reward": ("RewardItem", "RewardAmount", REWARDS),
    "choice": ("RewardChoiceItemID", "RewardChoiceItemQuantity", CHOICES),
}
_TEMPLATE = (
    *("ID", "LogTitle", "QuestLevel", "RewardMoney", "RewardBonusMoney", "RewardXPDifficulty", "RewardHonor"),
    *("RewardKillHonor", "RewardArenaPoints", "RewardTalents", "RewardTitle", "RewardSpell", "RewardDisplaySpell"),
    *("RewardNextQuest",),
    *(f"{column}{n}" for what, count, numbers in _PARTS.values() for n in numbers for column in (what, count)),
    *(f"RewardFaction{what}{n}" for n in _FACTIONS for what in ("ID", "Value", "Override")),
)
_ADDON = ("RewardMailTemplateID", "RewardMailDelay")


class RewardItem(Struct, frozen=True):
    """Pieces of an item."""

    item: Reference
    count: int


class RewardReputation(Struct, frozen=True):
    """Reputation with a faction."""

    faction: Reference
    reputation: Annotated[int | None, doc("points before bonuses; negative: a loss; null: its index has no meaning")]
    index: Annotated[int, doc("RewardFactionValue: which entry of the client's reward table")]


class RewardXP(Struct, frozen=True):
    """Experience."""

    difficulty: Annotated[int, doc("RewardXPDifficulty: which column of the client's table by level; 0: none")]
    amount: Annotated[
        int | None,
        doc("for a character of the quest's level; much higher ones get less. null: this database lacks the table"),
    ]


class RewardMail(Struct, frozen=True):
    """A mail that comes after the quest."""

    template: int
    delay_s: int
    sender: Annotated[Reference | None, doc("creature that sends it; null: whoever took the quest back")]


class QuestRewardList(Struct, frozen=True):
    """What a quest gives."""

    quest: Reference
    money: Annotated[
        Money | None,
        doc("negative: it costs that much to hand it in; null: clients work it out by themselves"),
    ]
    money_at_max_level: Annotated[Money | None, doc("instead of experience, added for those who can't gain any")]
    xp: RewardXP
    items: Annotated[list[RewardItem], doc("all of these")]
    choice: Annotated[list[RewardItem], doc("one of these")]
    reputation: list[RewardReputation]
    spell_cast: Annotated[Reference | None, doc("cast on the character")]
    spell_shown: Annotated[Reference | None, doc("shown as the reward")]
    title: Reference | None
    honor: Annotated[int, doc("points")]
    honor_kills: Annotated[float, doc("honor of so many kills at the character's level")]
    arena_points: int
    talents: int
    mail: RewardMail | None
    offers_next: Annotated[Reference | None, doc("offered at once when it is handed in")]
    related: list[Related]


@tool(title="What a quest gives")
async def quest_rewards(
    call: Call,
    id: Annotated[Id, doc("quest id")],
    locale: Locale = None,
) -> QuestRewardList:
    """Everything that a quest gives when it is handed in: money (negative: it costs), experience, items that all get
    and items to choose from, reputation in points, spells, title, honor, arena points, talents, the mail that follows
    and the quest that is offered next. What it asks for: quest_requirements."""
    row = await quest_row(call, id, _TEMPLATE, _ADDON)
    mail = row["RewardMailTemplateID"] or 0
    xp, sender = await asyncio.gather(_xp(call, row), _sender(call, id) if mail else _no_sender())
    names = await resolve(call, _references(id, row, sender), locale)

    def named(kind: str, number: int | None) -> Reference | None:
        return Reference(number, names.get((kind, number))) if number else None

    bonus = row["RewardBonusMoney"] or 0
    items, choice = (_items(row, part, names) for part in ("reward", "choice"))
    return QuestRewardList(
        quest=Reference(id, names.get(("quest", id), row["LogTitle"])),
        money=None if row["RewardMoney"] is None else money(row["RewardMoney"]),
        money_at_max_level=money(bonus) if bonus else None,
        xp=RewardXP(row["RewardXPDifficulty"] or 0, xp),
        items=items,
        choice=choice,
        reputation=_reputation(row, names),
        spell_cast=named("spell", max(row["RewardSpell"] or 0, 0)),
        spell_shown=named("spell", row["RewardDisplaySpell"]),
        title=named("title", row["RewardTitle"]),
        honor=int(row["RewardHonor"] or 0),
        honor_kills=real(row["RewardKillHonor"]),
        arena_points=row["RewardArenaPoints"] or 0,
        talents=row["RewardTalents"] or 0,
        mail=RewardMail(mail, row["RewardMailDelay"] or 0, named("creature", sender)) if mail else None,
        offers_next=named("quest", row["RewardNextQuest"]),
        related=_related(id, mail, [*items, *choice]),
    )


def _references(quest: int, row: Row, sender: int | None) -> set[tuple[str, int]]:
    found = {("quest", quest), ("quest", row["RewardNextQuest"] or 0), ("title", row["RewardTitle"] or 0)}
    found |= {("spell", row["RewardSpell"] or 0), ("spell", row["RewardDisplaySpell"] or 0), ("creature", sender or 0)}
    found |= {("item", row[f"{column}{n}"] or 0) for column, _, numbers in _PARTS.values() for n in numbers}
    return found | {("faction", row[f"RewardFactionID{n}"] or 0) for n in _FACTIONS}


def _items(row: Row, part: str, names: Names) -> list[RewardItem]:
    column, count, numbers = _PARTS[part]
    return [
        RewardItem(Reference(item, names.get(("item", item))), row[f"{count}{n}"] or 0)
        for n in numbers
        if (item := row[f"{column}{n}"])
    ]


def _reputation(row: Row, names: Names) -> list[RewardReputation]:
    return [
        RewardReputation(
            Reference(faction, names.get(("faction", faction))),
            reward(row[f"RewardFactionValue{n}"] or 0, row[f"RewardFactionOverride{n}"] or 0),
            row[f"RewardFactionValue{n}"] or 0,
        )
        for n in _FACTIONS
        if (faction := row[f"RewardFactionID{n}"])
    ]


async def _xp(call: Call, row: Row) -> int | None:
    """Return the experience by level and difficulty, where the database holds the client's table of it."""
    schema = await call.schema()
    difficulty, level = row["RewardXPDifficulty"] or 0, row["QuestLevel"] or 0
    if not difficulty:
        return 0
    # The table's first column is for difficulty 0.
    column = schema.column("questxp_dbc", f"Difficulty_{difficulty + 1}", "t")
    if column is None or level <= 0:
        return None
    found = await call.row(f"SELECT {column} AS xp FROM {schema.table('questxp_dbc')} t WHERE t.`ID` = %s", (level,))
    return int(found["xp"]) if found else None


async def _sender(call: Call, quest: int) -> int | None:
    schema = await call.schema()
    if not schema.has("quest_mail_sender"):
        return None
    row = await call.row(
        f"SELECT t.`RewardMailSenderEntry` AS sender FROM {schema.table('quest_mail_sender')} t WHERE t.`QuestId` = %s",
        (quest,),
    )
    return int(row["sender"]) if row else None


async def _no_sender() -> None:
    return None


def _related(quest: int, mail: int, items: Iterable[RewardItem]) -> list[Related]:
    found = [Related("quest_requirements", {"id": quest}, "what it asks for")]
    if mail:
        found.append(Related("reference_loot", {"id": mail, "table": "mail"}, "what the mail holds"))
    return found + [Related("item_get", {"id": each.item.id}, "a reward") for each in list(items)[:5]]


TOOLS: tuple[Tool, ...] = (quest_rewards,)
