"""Loot: creature_loot, gameobject_loot, item_loot, reference_loot."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from trinitycore_mcp.entities import names_of, reference
from trinitycore_mcp.loot.answer import LootPage, loot_page
from trinitycore_mcp.loot.tables import LOOT_TABLES
from trinitycore_mcp.schema import Family
from trinitycore_mcp.toolkit import Call, Cursor, Id, Limit, Locale, Reference, Related, Tool, ToolError, doc, tool

Mode = Annotated[
    int,
    Meta(
        ge=1, le=0xFFFF, description="bits of the loot mode that is on: 1 the usual one, 2, 4, 8, 16 hard modes, "
        "32768 junk fish; rows of other modes have chance 0",
    ),
]  # fmt: skip
_CREATURE = {"corpse": ("creature", "lootid"), "skinning": ("skinning", "skinloot")}
_CREATURE["pickpocketing"] = ("pickpocketing", "pickpocketloot")
_ITEM = {"contents": "item", "disenchant": "disenchant", "milling": "milling", "prospecting": "prospecting"}
# gameobject_template.type: chests, fishing holes; TrinityCore master also gathering nodes. Data1 is their loot id.
_CHESTS = (3, 25)
_GATHERING_NODE = 50


@tool(title="Loot of a creature")
async def creature_loot(
    call: Call,
    id: Annotated[Id, doc("creature template id (entry)")],
    kind: Annotated[Literal["corpse", "skinning", "pickpocketing"], doc("which loot of the creature")] = "corpse",
    loot_mode: Mode = 1,
    locale: Locale = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> LootPage:
    """What a creature drops, or what skinning or pickpocketing it gives: every item with the chance that one loot
    holds it, references expanded, groups resolved by the core's rules, counts, quest items, conditions as sentences,
    and rows that can never drop with the reason. Chances are those at drop rates of 1, for somebody who has the quest
    and meets the conditions. For the other way, who drops an item, use item_sources."""
    table, column = _CREATURE[kind]
    schema = await call.schema()
    key = schema.column("creature_template", "entry", "t")
    harder = [f"difficulty_entry_{n}" for n in (1, 2, 3)]
    row = await call.row(
        f"SELECT {schema.columns('creature_template', 'name', column, *harder, alias='t')} "
        f"FROM {schema.table('creature_template')} t WHERE {key} = %s",
        (id,),
    )
    if row is None:
        raise ToolError(f"there is no creature with id {id}; creature_search finds ids by name")
    names = await names_of(call, "creature", [id], locale)
    related = [Related("creature_get", {"id": id}, "the creature")]
    related += [
        Related("creature_loot", {"id": row[each], "kind": kind}, "the same creature in another difficulty")
        for each in harder
        if row[each]
    ]
    return await loot_page(
        call, table, int(row[column] or 0), Reference(id, names.get(id, row["name"])),
        loot_mode=loot_mode, locale=locale, limit=limit, cursor=cursor, related=related,
        absent=f"creature {id} has no {kind} loot: its {column} is 0",
    )  # fmt: skip


@tool(title="Loot of a game object")
async def gameobject_loot(
    call: Call,
    id: Annotated[Id, doc("gameobject template id (entry): a chest, a herb or ore node, a fishing hole")],
    loot_mode: Mode = 1,
    locale: Locale = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> LootPage:
    """What a chest, a herb or ore node or a fishing hole holds: every item with the chance that one loot holds it,
    references expanded, groups resolved by the core's rules, counts, quest items and conditions."""
    schema = await call.schema()
    key = schema.column("gameobject_template", "entry", "t")
    row = await call.row(
        f"SELECT {schema.columns('gameobject_template', 'name', 'type', 'Data1', alias='t')} "
        f"FROM {schema.table('gameobject_template')} t WHERE {key} = %s",
        (id,),
    )
    if row is None:
        raise ToolError(f"there is no game object with id {id}; gameobject_search finds ids by name")
    types = (*_CHESTS, _GATHERING_NODE) if schema.family is Family.TRINITYCORE_MASTER else _CHESTS
    holds = row["type"] in types
    names = await names_of(call, "gameobject", [id], locale)
    why = "its Data1 is 0" if holds else f"its type is {row['type']}, only types {', '.join(map(str, types))} have loot"
    return await loot_page(
        call, "gameobject", int(row["Data1"] or 0) if holds else 0, Reference(id, names.get(id, row["name"])),
        loot_mode=loot_mode, locale=locale, limit=limit, cursor=cursor,
        related=[Related("gameobject_get", {"id": id}, "the game object")],
        absent=f"game object {id} has no loot: {why}",
    )  # fmt: skip


@tool(title="Loot of an item")
async def item_loot(
    call: Call,
    id: Annotated[Id, doc("item template id (entry)")],
    kind: Annotated[
        Literal["contents", "disenchant", "milling", "prospecting"],
        doc("what opening it gives, or disenchanting, milling (herbs) or prospecting (ores)"),
    ] = "contents",
    loot_mode: Mode = 1,
    locale: Locale = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> LootPage:
    """What an item gives when it is opened, disenchanted, milled or prospected: every item with its chance, references
    expanded, groups resolved by the core's rules, counts and conditions. Where the item itself comes from:
    item_sources."""
    table = _ITEM[kind]
    loot_id = id if kind != "disenchant" else await _disenchant_id(call, id)
    names = await names_of(call, "item", [id], locale)
    return await loot_page(
        call, table, loot_id, reference(id, names),
        loot_mode=loot_mode, locale=locale, limit=limit, cursor=cursor,
        related=[Related("item_get", {"id": id}, "the item")],
        absent=f"item {id} can't be disenchanted: its DisenchantID is 0",
    )  # fmt: skip


async def _disenchant_id(call: Call, item: int) -> int:
    schema = await call.schema()
    key = schema.column("item_template", "entry", "t")
    row = await call.row(
        f"SELECT {schema.columns('item_template', 'DisenchantID', alias='t')} "
        f"FROM {schema.table('item_template')} t WHERE {key} = %s",
        (item,),
    )
    if row is None:
        raise ToolError(f"there is no item with id {item}; item_search finds ids by name")
    return int(row["DisenchantID"] or 0)


@tool(title="Loot of a reference, fishing, mail or spell")
async def reference_loot(
    call: Call,
    id: Annotated[
        Id, doc("Entry in the table: the number that other rows refer to; for fishing an area id, for mail a mail "
                "template id, for spell a spell id")
    ],
    table: Annotated[
        Literal["reference", "fishing", "mail", "spell"], doc("which loot table's Entry the id is")
    ] = "reference",
    loot_mode: Mode = 1,
    locale: Locale = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> LootPage:  # fmt: skip
    """What a shared template of reference_loot_template gives each time it is rolled, or what fishing in an area, a
    mail or a spell that makes random items gives: every item with its chance, references expanded. For the loot of a
    creature, game object or item use their own tools: they know the loot id."""
    names = await names_of(call, {"fishing": "zone", "spell": "spell"}[table], [id], locale) if table in (
        "fishing", "spell") else {}  # fmt: skip
    page = await loot_page(
        call, table, id, reference(id, names),
        loot_mode=loot_mode, locale=locale, limit=limit, cursor=cursor,
    )  # fmt: skip
    if not page.row_count:
        raise ToolError(f"{LOOT_TABLES[table].table} has no rows of Entry {id}")
    return page


TOOLS: tuple[Tool, ...] = (creature_loot, gameobject_loot, item_loot, reference_loot)
