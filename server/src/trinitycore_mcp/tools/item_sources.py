"""Where an item comes from: item_sources."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Annotated

from msgspec import Struct

from trinitycore_mcp.entities import ENTITIES, names_of, references
from trinitycore_mcp.loot.answer import item_chance
from trinitycore_mcp.loot.conditions import line_conditions
from trinitycore_mcp.loot.expand import Expanded, Line
from trinitycore_mcp.loot.sources import SEARCHED, Owner, expanded, loots_with, owners, references_with
from trinitycore_mcp.loot.tables import LOOT_TABLES
from trinitycore_mcp.quests.giving import QuestGift, quests_giving
from trinitycore_mcp.schema import Schema
from trinitycore_mcp.toolkit import (
    Call,
    Cursor,
    Id,
    Limit,
    Locale,
    NextCursor,
    Notice,
    Range,
    Reference,
    Related,
    Tool,
    ToolError,
    doc,
    real,
    tool,
)
from trinitycore_mcp.vendors.lists import event_rows, vendors_with

_MAX_OWNERS = 10
_MAX_LISTED = 50
# Spell effects that make the item they name: create item, create mana gem, create item of a profession.
_CREATES = (24, 66, 157)
_MODE = 1
_TABLES = (
    *(each.table for each in LOOT_TABLES.values() if each.kind != "player"),
    *("npc_vendor", "quest_template", "spell_dbc", "achievement_reward", "playercreateinfo_item"),
)


class LootOwner(Struct, frozen=True):
    """Whose loot it is."""

    kind: Annotated[str, doc("creature, gameobject, item, zone, quest, achievement, spell, level or team")]
    id: int
    name: str | None


class LootSource(Struct, frozen=True):
    """A loot that holds the item."""

    table: Annotated[str, doc("creature: dropped; skinning, fishing, disenchant, mail ...: how it is got")]
    loot_id: int
    owners: Annotated[list[LootOwner], doc("the first of those whose loot it is; empty: nobody's")]
    owner_count: int
    chance_percent: Annotated[float, doc("that one loot holds it, references and groups counted in")]
    count: Range
    quest_required: Annotated[bool, doc("only for those with a quest that needs it")]
    references: Annotated[list[int], doc("reference templates that lead to it, outermost first")]
    conditions: list[str]


class LootCount(Struct, frozen=True):
    """How many loots of one table hold the item."""

    table: str
    loots: int


class StartEquipment(Struct, frozen=True):
    """Characters that begin with it."""

    race: Annotated[int, doc("0: every race")]
    character_class: Annotated[int, doc("0: every class")]
    count: int


class ItemSources(Struct, frozen=True):
    """Where an item comes from. Lists other than loot hold the first 50 and come with the first page only."""

    item: Reference
    loot: list[LootSource]
    loot_counts: list[LootCount]
    sold_by: list[Reference]
    sold_by_count: int
    quests: Annotated[list[QuestGift], doc("that reward it or hand it out when they are taken")]
    created_by: Annotated[list[Reference], doc("spells in the database that make it")]
    achievements: Annotated[list[Reference], doc("that send it")]
    start_equipment: list[StartEquipment]
    missing_tables: Annotated[list[str], doc("tables this database lacks, so what they hold is not known")]
    next_cursor: NextCursor
    notice: Notice
    related: list[Related]


@tool(title="Where an item comes from")
async def item_sources(
    call: Call,
    id: Annotated[Id, doc("item template id (entry)")],
    locale: Locale = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> ItemSources:
    """Every way to get an item: all loot (creatures, chests, skinning, pickpocketing, fishing, disenchanting, milling,
    prospecting, mails, other items, spells; through references too) with the chance that one loot holds it, vendors,
    quests that reward or hand it out, spells that make it, achievements and starting equipment. Empty everywhere:
    nobody can get it."""
    after = call.place(cursor, 2)
    schema = await call.schema()
    names, through = await asyncio.gather(names_of(call, "item", [id], locale), references_with(call, id))
    if id not in names and schema.has("item_template"):
        raise ToolError(f"there is no item with id {id}; item_search finds ids by name")
    found = await loots_with(call, id, through)
    places = [(SEARCHED.index(kind), number) for kind, ids in found.items() for number in ids]
    shown = [place for place in places if after is None or list(place) > after][: limit + 1]
    loot, others = await asyncio.gather(
        _loot(call, id, shown, through, locale), _others(call, schema, id, locale) if after is None else _nothing()
    )
    page = call.page(zip(loot, map(list, shown), strict=True), limit, itemgetter(1))
    sources = [each for each, _ in page.items]
    return ItemSources(
        item=Reference(id, names.get(id)),
        loot=sources,
        loot_counts=[LootCount(kind, len(ids)) for kind, ids in found.items() if ids],
        sold_by=others.sold_by,
        sold_by_count=others.sold_by_count,
        quests=others.quests,
        created_by=others.created_by,
        achievements=others.achievements,
        start_equipment=others.start_equipment,
        missing_tables=[table for table in _TABLES if not schema.has(table)],
        next_cursor=page.next_cursor,
        notice=page.notice,
        related=_related(id, sources, others),
    )


@dataclass
class _Others:
    """What is no loot."""

    sold_by: list[Reference] = field(default_factory=list)
    sold_by_count: int = 0
    quests: list[QuestGift] = field(default_factory=list)
    created_by: list[Reference] = field(default_factory=list)
    achievements: list[Reference] = field(default_factory=list)
    start_equipment: list[StartEquipment] = field(default_factory=list)


async def _nothing() -> _Others:
    return _Others()


async def _others(call: Call, schema: Schema, item: int, locale: str | None) -> _Others:
    vendors, quests, spells, achievements, start = await asyncio.gather(
        _vendors(call, schema, item),
        quests_giving(call, item, locale, _MAX_LISTED),
        _spells(call, schema, item),
        _achievements(call, schema, item),
        _start(call, schema, item),
    )
    listed = vendors[:_MAX_LISTED]
    shops, makers, deeds = await asyncio.gather(
        names_of(call, "creature", listed, locale),
        names_of(call, "spell", spells, locale),
        names_of(call, "achievement", achievements, locale),
    )
    return _Others(
        sold_by=references(listed, shops),
        sold_by_count=len(vendors),
        quests=quests,
        created_by=references(spells, makers),
        achievements=references(achievements, deeds),
        start_equipment=start,
    )


async def _loot(
    call: Call, item: int, places: Sequence[tuple[int, int]], through: set[int], locale: str | None
) -> list[LootSource]:
    """Return the loots at these places: index of the table's kind, loot id."""
    keys = [(SEARCHED[kind], number) for kind, number in places]
    by_kind: dict[str, list[int]] = {}
    for kind, number in keys:
        by_kind.setdefault(kind, []).append(number)
    loots, owned = await asyncio.gather(
        expanded(call, item, by_kind, through),
        asyncio.gather(*(owners(call, kind, ids) for kind, ids in by_kind.items())),
    )
    owner_of = dict(zip(by_kind, owned, strict=True))
    named = {key: owner_of[key[0]][key[1]][:_MAX_OWNERS] for key in keys}
    names = await _owner_names(call, [each for some in named.values() for each in some], locale)
    lines = [_lines(loots[key], item) for key in keys]
    conditions = await line_conditions(call, [each[0] for each in lines if each], locale)
    texts = iter(conditions)
    return [
        LootSource(
            table=key[0],
            loot_id=key[1],
            owners=[LootOwner(each.kind, each.id, names.get(each)) for each in named[key]],
            owner_count=len(owner_of[key[0]][key[1]]),
            chance_percent=real(100 * item_chance(loots[key], item, _MODE)),
            count=Range(
                min((each.last.entry.min_count for each in some), default=0),
                max((each.last.entry.max_count for each in some), default=0),
            ),
            quest_required=all(each.last.entry.quest for each in some),
            references=[step.entry.reference for step in some[0].steps[:-1]] if some else [],
            conditions=next(texts) if some else [],
        )
        for key, some in zip(keys, lines, strict=True)
    ]


def _lines(loot: Expanded, item: int) -> list[Line]:
    """Return the lines of the item, those that can drop first."""
    found = [line for line in loot.lines if line.last.kind == "item" and line.last.entry.item == item]
    return sorted(found, key=lambda line: line.problem is not None)


async def _owner_names(call: Call, every: Iterable[Owner], locale: str | None) -> dict[Owner, str]:
    ids: dict[str, set[int]] = {}
    for owner in every:
        if owner.kind in ENTITIES:
            ids.setdefault(owner.kind, set()).add(owner.id)
    found = await asyncio.gather(*(names_of(call, kind, each, locale) for kind, each in ids.items()))
    return {Owner(kind, number): name for kind, each in zip(ids, found, strict=True) for number, name in each.items()}


async def _vendors(call: Call, schema: Schema, item: int) -> list[int]:
    """Return the creatures that sell the item; lists that are no creatures are left out where that can be told."""
    if not schema.has("npc_vendor"):
        return []
    sold, events = await asyncio.gather(vendors_with(call, item), event_rows(call, "item", item))
    found = sorted({vendor for vendor, _ in sold} | {row["entry"] for row in events or ()})
    if not found or not schema.has("creature_template"):
        return found
    known = await names_of(call, "creature", found)
    return [vendor for vendor in found if vendor in known]


async def _spells(call: Call, schema: Schema, item: int) -> list[int]:
    effects = [
        (schema.column("spell_dbc", f"Effect{n}", "t"), schema.column("spell_dbc", f"EffectItemType{n}", "t"))
        for n in (1, 2, 3)
    ]
    made = ", ".join(map(str, _CREATES))
    where = [f"({made_by} IN ({made}) AND {what} = %s)" for made_by, what in effects if made_by and what]
    if not where:
        return []
    return await _ids(call, schema, "spell_dbc", "Id", " OR ".join(where), [item] * len(where))


async def _achievements(call: Call, schema: Schema, item: int) -> list[int]:
    column = schema.column("achievement_reward", "ItemID", "t")
    return await _ids(call, schema, "achievement_reward", "ID", f"{column} = %s", [item]) if column else []


async def _ids(call: Call, schema: Schema, table: str, key: str, where: str, values: Sequence[int]) -> list[int]:
    rows = await call.rows(
        f"SELECT {schema.column(table, key, 't')} AS id FROM {schema.table(table)} t WHERE {where} "
        f"ORDER BY 1 LIMIT {_MAX_LISTED}",
        values,
    )
    return [row["id"] for row in rows]


async def _start(call: Call, schema: Schema, item: int) -> list[StartEquipment]:
    if not schema.has("playercreateinfo_item"):
        return []
    rows = await call.rows(
        f"SELECT {schema.columns('playercreateinfo_item', 'race', 'class', 'amount', alias='t')} "
        f"FROM {schema.table('playercreateinfo_item')} t WHERE t.`itemid` = %s ORDER BY 1, 2 LIMIT {_MAX_LISTED}",
        (item,),
    )
    return [StartEquipment(row["race"], row["class"], row["amount"]) for row in rows]


def _related(item: int, sources: Sequence[LootSource], others: _Others) -> list[Related]:
    found = [Related("item_get", {"id": item}, "the item")]
    if others.sold_by:
        found.append(Related("vendors_of_item", {"id": item}, "prices, stock and conditions"))
    found += [Related("quest_rewards", {"id": each.quest.id}, "all that the quest gives") for each in others.quests[:3]]
    kinds = {"creature": "corpse", "skinning": "skinning", "pickpocketing": "pickpocketing"}
    for source in sources[:5]:
        owner = source.owners[0].id if source.owners else None
        if source.table in kinds and owner:
            found.append(Related("creature_loot", {"id": owner, "kind": kinds[source.table]}, "the whole loot"))
        elif source.table == "gameobject" and owner:
            found.append(Related("gameobject_loot", {"id": owner}, "the whole loot"))
    return found


TOOLS: tuple[Tool, ...] = (item_sources,)
