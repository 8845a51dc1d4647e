"""Quests that give an item."""

from __future__ import annotations

from typing import Annotated

from msgspec import Struct

from trinitycore_mcp.entities import names_of
from trinitycore_mcp.toolkit import Call, Reference, doc

REWARDS = range(1, 5)
CHOICES = range(1, 7)


class QuestGift(Struct, frozen=True):
    """A quest that gives the item."""

    quest: Reference
    how: Annotated[str, doc("reward; choice: one of several to choose from; start: handed out when it is taken")]
    count: int


async def quests_giving(call: Call, item: int, locale: str | None, limit: int) -> list[QuestGift]:
    """Return the quests that give an item, by id; none when quest_template is missing.

    :param limit: quests at most.
    """
    schema = await call.schema()
    if not schema.has("quest_template"):
        return []
    rewards = [(f"RewardItem{n}", f"RewardAmount{n}", "reward") for n in REWARDS]
    choices = [(f"RewardChoiceItemID{n}", f"RewardChoiceItemQuantity{n}", "choice") for n in CHOICES]
    pairs = [pair for pair in (*rewards, *choices) if schema.column("quest_template", pair[0])]
    start = schema.column("quest_template", "StartItem", "t")
    where = [f"{schema.column('quest_template', column, 't')} = %s" for column, _, _ in pairs]
    where += [f"{start} = %s"] if start else []
    columns = [column for column, count, _ in pairs for column in (column, count)]
    rows = await call.rows(
        f"SELECT {schema.columns('quest_template', 'ID', 'StartItem', *columns, alias='t')} "
        f"FROM {schema.table('quest_template')} t WHERE {' OR '.join(where)} ORDER BY 1 LIMIT {limit:d}",
        [item] * len(where),
    )
    names = await names_of(call, "quest", (row["ID"] for row in rows), locale)
    found = []
    for row in rows:
        quest = Reference(row["ID"], names.get(row["ID"]))
        found += [QuestGift(quest, how, int(row[count] or 0)) for column, count, how in pairs if row[column] == item]
        if row["StartItem"] == item:
            found.append(QuestGift(quest, "start", 1))
    return found
