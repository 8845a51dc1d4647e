"""What characters have and do: character_inventory, character_quests."""

from __future__ import annotations

import asyncio
from typing import Annotated

from msgspec import Struct

from trinitycore_mcp.database.session import Row
from trinitycore_mcp.entities import names_of, reference
from trinitycore_mcp.players.common import PlayerGuid, PlayerName, find_player, player_names
from trinitycore_mcp.players.inventory import Enchantment, Place, charges, enchantments, place
from trinitycore_mcp.players.objectives import ProgressObjective, objectives_of
from trinitycore_mcp.players.times import now, when
from trinitycore_mcp.schema import Schema
from trinitycore_mcp.toolkit import (
    LIVE,
    Call,
    Cursor,
    Flags,
    Limit,
    Locale,
    Named,
    NextCursor,
    Notice,
    Reference,
    Related,
    Tool,
    doc,
    flags,
    named,
    tool,
)

# The client's quest log holds 25, later ones 35; the table keeps dropped quests too.
_MOST_QUESTS = 100


class InventoryItem(Struct, frozen=True):
    """An item of a character."""

    guid: Annotated[int, doc("of this one item, not of its kind")]
    item: Reference
    quality: Annotated[Named | None, doc("null: the item's template is not there")]
    count: int
    place: Place
    durability: Annotated[int | None, doc("null: it does not wear out, or its template is not there")]
    max_durability: int | None
    charges: Annotated[list[int], doc("of its spells; below 0: it is used up with the last one")]
    flags: Flags
    random_property: Annotated[int | None, doc("below 0: a random suffix")]
    enchantments: list[Enchantment]
    creator: Annotated[Reference | None, doc("the character that made it")]


class Inventory(Struct, frozen=True):
    """One page of a character's items: worn, in bags and in the bank."""

    character: Reference
    items: list[InventoryItem]
    next_cursor: NextCursor
    notice: Notice
    related: list[Related]


class QuestProgress(Struct, frozen=True):
    """A quest in a character's log."""

    quest: Reference
    status: Named
    explored: Annotated[bool, doc("the place or event that it asks for was reached")]
    time_left_until: Annotated[str | None, doc("UTC, ISO 8601: when a timed quest fails; null: it is not timed")]
    objectives: list[ProgressObjective]


class CharacterQuests(Struct, frozen=True):
    """A character's quests."""

    character: Reference
    active: Annotated[list[QuestProgress], doc(f"{_MOST_QUESTS} at most")]
    rewarded: Annotated[int | None, doc("quests done and rewarded; null: their table is not there")]
    daily_done: Annotated[int | None, doc("daily quests done since the last reset")]
    weekly_done: int | None
    related: list[Related]


@tool(title="A character's items", scope="players", cache=LIVE)
async def character_inventory(
    call: Call,
    guid: PlayerGuid = None,
    name: PlayerName = None,
    locale: Locale = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Inventory:
    """What a character wears, carries and keeps in the bank, slot by slot: count, durability, charges, enchantments
    and who made it. Items in the mail or the auction house are not among them."""
    found = await find_player(call, guid, name)
    schema = await call.schema()
    place_before = call.place(cursor, 2)
    after = ""
    values: list[object] = [found.guid]
    if place_before is not None:
        after = " AND (i.`bag` > %s OR (i.`bag` = %s AND i.`slot` > %s))"
        values += [place_before[0], *place_before]
    template, join = _template(schema)
    inventory = schema.table("character_inventory", "characters")
    instance = schema.columns(
        "item_instance", "itemEntry", "count", "charges", "flags", "enchantments", "randomPropertyId", "durability",
        "creatorGuid", alias="n", database="characters",
    )  # fmt: skip
    rows = await call.rows(
        f"SELECT i.`item` AS guid, i.`bag` AS bag, i.`slot` AS slot, b.`slot` AS bag_slot, {instance}, {template} "
        f"FROM {inventory} i JOIN {schema.table('item_instance', 'characters')} n ON n.`guid` = i.`item` "
        f"LEFT JOIN {inventory} b ON b.`item` = i.`bag` AND b.`guid` = i.`guid`{join} "
        f"WHERE i.`guid` = %s{after} ORDER BY i.`bag`, i.`slot` LIMIT %s",
        (*values, limit + 1),
    )
    names, creators = await asyncio.gather(
        names_of(call, "item", [row["itemEntry"] for row in rows], locale),
        player_names(call, [row["creatorGuid"] for row in rows]),
    )
    items = [_item(schema, row, names, creators) for row in rows]
    page = call.page(items, limit, lambda item: [item.place.bag_guid or 0, item.place.slot])
    kinds = dict.fromkeys(item.item.id for item in page.items)
    return Inventory(
        character=Reference(id=found.guid, name=found.name),
        items=page.items,
        next_cursor=page.next_cursor,
        notice=page.notice,
        related=[Related(tool="item_get", arguments={"id": id}, why=names.get(id) or "the item") for id in kinds][:10],
    )


def _template(schema: Schema) -> tuple[str, str]:
    """Return what the item's template adds: quality and the durability it can have."""
    if not schema.has("item_template", "entry", "Quality"):
        return "NULL AS quality, NULL AS max_durability", ""
    quality = schema.column("item_template", "Quality", "t")
    durability = schema.column("item_template", "MaxDurability", "t") or "NULL"
    join = (
        f" LEFT JOIN {schema.table('item_template')} t ON {schema.column('item_template', 'entry', 't')} = "
        f"{schema.column('item_instance', 'itemEntry', 'n', database='characters')}"
    )
    return f"{quality} AS quality, {durability} AS max_durability", join


def _item(schema: Schema, row: Row, names: dict[int, str], creators: dict[int, str]) -> InventoryItem:
    wears = bool(row["max_durability"])
    return InventoryItem(
        guid=row["guid"],
        item=Reference(id=row["itemEntry"], name=names.get(row["itemEntry"])),
        quality=None if row["quality"] is None else named("item_quality", row["quality"]),
        count=row["count"],
        place=place(schema.family, row["bag"], row["slot"], row["bag_slot"]),
        durability=row["durability"] if wears else None,
        max_durability=row["max_durability"] or None,
        charges=charges(row["charges"]),
        flags=flags("item_instance_flags", row["flags"]),
        random_property=row["randomPropertyId"] or None,
        enchantments=enchantments(row["enchantments"]),
        creator=reference(row["creatorGuid"], creators),
    )


@tool(title="A character's quests", scope="players", cache=LIVE)
async def character_quests(
    call: Call, guid: PlayerGuid = None, name: PlayerName = None, locale: Locale = None
) -> CharacterQuests:
    """The quests in a character's log, with their state and how far each objective is, and how many quests it has
    finished. quest_get tells what a quest asks for; quest_chain why one can't be taken yet."""
    found = await find_player(call, guid, name)
    schema = await call.schema()
    columns = schema.columns("character_queststatus", "quest", "status", "explored", "timer", database="characters")
    rows, rewarded, daily, weekly = await asyncio.gather(
        call.rows(
            f"SELECT {columns} FROM {schema.table('character_queststatus', 'characters')} "
            f"WHERE `guid` = %s AND `status` <> 0 ORDER BY `quest` LIMIT {_MOST_QUESTS}",
            (found.guid,),
        ),
        _count(call, schema, "character_queststatus_rewarded", found.guid),
        _count(call, schema, "character_queststatus_daily", found.guid),
        _count(call, schema, "character_queststatus_weekly", found.guid),
    )
    ids = [row["quest"] for row in rows]
    names, objectives = await asyncio.gather(
        names_of(call, "quest", ids, locale), objectives_of(call, schema, found.guid, ids, locale)
    )
    return CharacterQuests(
        character=Reference(id=found.guid, name=found.name),
        active=[
            QuestProgress(
                quest=Reference(id=row["quest"], name=names.get(row["quest"])),
                status=named("quest_status", row["status"]),
                explored=bool(row["explored"]),
                time_left_until=_timer(row["timer"]),
                objectives=objectives.get(row["quest"], []),
            )
            for row in rows
        ],
        rewarded=rewarded,
        daily_done=daily,
        weekly_done=weekly,
        related=[Related(tool="quest_get", arguments={"id": id}, why=names.get(id) or "the quest") for id in ids[:10]],
    )


def _timer(value: int | None) -> str | None:
    # For quests without a time limit the server writes when it saved the character: that lies in the past.
    return when(value) if value and value > now() else None


async def _count(call: Call, schema: Schema, table: str, guid: int) -> int | None:
    if not schema.has(table, database="characters"):
        return None
    row = await call.row(f"SELECT COUNT(*) AS n FROM {schema.table(table, 'characters')} WHERE `guid` = %s", (guid,))
    return int(row["n"]) if row else 0


TOOLS: tuple[Tool, ...] = (character_inventory, character_quests)
