"""Vendors: vendor_items, vendors_of_item."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from operator import itemgetter
from typing import Annotated

from msgspec import Struct

from trinitycore_mcp.database.session import Row
from trinitycore_mcp.entities import names_of, reference
from trinitycore_mcp.toolkit import (
    Call,
    Cursor,
    Id,
    Limit,
    Locale,
    Money,
    NextCursor,
    Notice,
    Reference,
    Related,
    Tool,
    ToolError,
    doc,
    tool,
)
from trinitycore_mcp.tools.conditions import sentences_for
from trinitycore_mcp.vendors.lists import MAX_DEPTH, MAX_ROWS, event_rows, rows_of, vendors_with
from trinitycore_mcp.vendors.prices import ExtendedCost, prices_of

_VENDOR_FLAG = 0x80
# Conditions of source type 23: group is the vendor's creature id, entry the item.
_CONDITIONS = 23


class VendorItem(Struct, frozen=True):
    """Something that a vendor sells."""

    item: Reference
    price: Annotated[Money | None, doc("for one purchase; null: the item is not in this database")]
    pieces: Annotated[int | None, doc("that one purchase gives")]
    extended_cost: Annotated[ExtendedCost | None, doc("honor, arena points, items; null: money only")]
    stock: Annotated[int | None, doc("pieces there are at most; null: no limit")]
    restock_s: Annotated[int | None, doc("seconds after which one purchase's pieces are added; null: no limit")]
    list_entry: Annotated[int | None, doc("npc_vendor entry of the list it comes from; null: the vendor's own")]
    event: Annotated[Reference | None, doc("only while this game event is on")]
    conditions: Annotated[list[str], doc("who may buy it")]


class VendorItems(Struct, frozen=True):
    """What a vendor sells."""

    vendor: Reference
    has_vendor_flag: Annotated[
        bool | None,
        doc("whether npcflag makes it a vendor; false: nobody can buy. null: no creature_template here"),
    ]
    items: list[VendorItem]
    item_count: int
    missing_lists: Annotated[list[int], doc("lists that it refers to and that have no rows")]
    next_cursor: NextCursor
    notice: Notice
    related: list[Related]


class ItemVendor(Struct, frozen=True):
    """Who sells an item, and for what."""

    vendor: Annotated[Reference, doc("creature; name null: no creature, only a list that others may refer to")]
    has_vendor_flag: bool | None
    spawn_count: Annotated[int | None, doc("how many are placed in the world; null: not in this database")]
    extended_cost: ExtendedCost | None
    stock: int | None
    restock_s: int | None
    list_entry: int | None
    event: Reference | None
    conditions: list[str]


class ItemVendors(Struct, frozen=True):
    """Who sells an item."""

    item: Reference
    price: Annotated[Money | None, doc("money for one purchase where no extended cost is asked for")]
    pieces: int | None
    vendors: list[ItemVendor]
    vendor_count: int
    next_cursor: NextCursor
    notice: Notice
    related: list[Related]


@tool(title="What a vendor sells")
async def vendor_items(
    call: Call,
    id: Annotated[Id, doc("creature template id (entry) of the vendor")],
    locale: Locale = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> VendorItems:
    """Everything a vendor sells, lists it refers to included: price in money, extended cost (honor, arena points,
    items), stock and restock time, conditions, and what game events add. Who sells a given item: vendors_of_item."""
    after = call.place(cursor, 4)
    (rows, missing), events, creatures = await asyncio.gather(
        rows_of(call, id), event_rows(call, "creature", id), _creatures(call, [id])
    )
    if not rows and not events and not creatures.get(id):
        raise ToolError(f"there is no vendor with id {id}: no such creature, and npc_vendor has no rows of it")
    # What events add comes last, as if by lists of their own.
    every = [*rows, *({**row, "position": MAX_DEPTH * MAX_ROWS + row["eventEntry"]} for row in events or ())]
    shown = [row for row in every if after is None or _place(row) > after][: limit + 1]
    prices, items, names, games, texts = await asyncio.gather(
        prices_of(call, (row["item"] for row in shown), (row["ExtendedCost"] for row in shown), locale),
        names_of(call, "item", (row["item"] for row in shown), locale),
        names_of(call, "creature", [id], locale),
        names_of(call, "game_event", (row.get("eventEntry") for row in shown), locale),
        sentences_for(call, _CONDITIONS, sorted({(id, row["item"]) for row in shown}), locale),
    )
    found = [
        VendorItem(
            item=Reference(row["item"], items.get(row["item"])),
            price=prices.money(row["item"], row["ExtendedCost"]),
            pieces=prices.pieces(row["item"]),
            extended_cost=prices.extended(row["ExtendedCost"]),
            stock=row["maxcount"] or None,
            restock_s=row["incrtime"] if row["maxcount"] else None,
            list_entry=row["entry"] if row["entry"] != id else None,
            event=reference(row.get("eventEntry"), games),
            conditions=texts.get((id, row["item"]), []),
        )
        for row in shown
    ]
    page = call.page(zip(found, map(_place, shown), strict=True), limit, itemgetter(1))
    items_shown = [each for each, _ in page.items]
    template = creatures.get(id)
    unknown = "what game events add is not known: table creature or game_event_npc_vendor is missing"
    return VendorItems(
        vendor=Reference(id, names.get(id)),
        has_vendor_flag=_sells(template),
        items=items_shown,
        item_count=len(every),
        missing_lists=missing,
        next_cursor=page.next_cursor,
        notice=page.notice or (unknown if events is None else None),
        related=[Related("creature_get", {"id": id}, "the vendor")]
        + [Related("vendors_of_item", {"id": each.item.id}, "who else sells it") for each in items_shown[:3]],
    )


@tool(title="Who sells an item")
async def vendors_of_item(
    call: Call,
    id: Annotated[Id, doc("item template id (entry)")],
    locale: Locale = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> ItemVendors:
    """Every vendor that sells an item, by its own list, by a list it refers to or by a game event: extended cost,
    stock, restock time, conditions, and whether the vendor is in the world at all. All other ways to get an item:
    item_sources."""
    after = call.place(cursor, 3)
    sold, events = await asyncio.gather(vendors_with(call, id), event_rows(call, "item", id))
    every = sorted(
        [(vendor, row["ExtendedCost"], 0, row) for vendor, row in sold]
        + [(row["entry"], row["ExtendedCost"], row["eventEntry"], row) for row in events or ()],
        key=lambda each: each[:3],
    )
    every = list({each[:3]: each for each in every}.values())
    shown = [each for each in every if after is None or list(each[:3]) > after][: limit + 1]
    ids = sorted({each[0] for each in shown})
    (items, prices), (creatures, names, games, spawns, texts) = await asyncio.gather(
        asyncio.gather(
            names_of(call, "item", [id], locale), prices_of(call, [id], (each[1] for each in shown), locale)
        ),
        asyncio.gather(
            _creatures(call, ids),
            names_of(call, "creature", ids, locale),
            names_of(call, "game_event", (each[2] for each in shown), locale),
            _spawns(call, ids),
            sentences_for(call, _CONDITIONS, [(number, id) for number in ids], locale),
        ),
    )
    if not every and not items and id not in prices.items and (await call.schema()).has("item_template"):
        raise ToolError(f"there is no item with id {id}; item_search finds ids by name")
    found = [
        ItemVendor(
            vendor=Reference(vendor, names.get(vendor)),
            has_vendor_flag=_sells(creatures.get(vendor)),
            spawn_count=None if spawns is None else spawns.get(vendor, 0),
            extended_cost=prices.extended(cost),
            stock=row["maxcount"] or None,
            restock_s=row["incrtime"] if row["maxcount"] else None,
            list_entry=row["entry"] if row["entry"] != vendor else None,
            event=reference(event, games),
            conditions=texts.get((vendor, id), []),
        )
        for vendor, cost, event, row in shown
    ]
    page = call.page(zip(found, (list(each[:3]) for each in shown), strict=True), limit, itemgetter(1))
    vendors = [each for each, _ in page.items]
    return ItemVendors(
        item=Reference(id, items.get(id)),
        price=prices.money(id, 0),
        pieces=prices.pieces(id),
        vendors=vendors,
        vendor_count=len(every),
        next_cursor=page.next_cursor,
        notice=page.notice,
        related=[Related("item_sources", {"id": id}, "all other ways to get it")]
        + [Related("vendor_items", {"id": each.vendor.id}, "all it sells") for each in vendors[:3]],
    )


def _place(row: Row) -> list[int]:
    return [row["position"], row["slot"], row["item"], row["ExtendedCost"]]


async def _creatures(call: Call, ids: Sequence[int]) -> dict[int, Row]:
    """Return npcflag of creatures by id; nothing when the table is missing."""
    schema = await call.schema()
    if not ids or not schema.has("creature_template", "entry"):
        return {}
    key = schema.column("creature_template", "entry", "t")
    rows = await call.rows(
        f"SELECT {schema.columns('creature_template', 'entry', 'npcflag', alias='t')} "
        f"FROM {schema.table('creature_template')} t WHERE {key} IN ({', '.join(['%s'] * len(ids))})",
        ids,
    )
    return {row["entry"]: row for row in rows}


def _sells(creature: Row | None) -> bool | None:
    return None if creature is None else bool(int(creature["npcflag"]) & _VENDOR_FLAG)


async def _spawns(call: Call, ids: Sequence[int]) -> dict[int, int] | None:
    """Return the number of spawns by creature id, None when the table is missing."""
    schema = await call.schema()
    if not schema.has("creature", "id"):
        return None
    if not ids:
        return {}
    key = schema.column("creature", "id", "t")
    rows = await call.rows(
        f"SELECT {key} AS id, COUNT(*) AS n FROM {schema.table('creature')} t "
        f"WHERE {key} IN ({', '.join(['%s'] * len(ids))}) GROUP BY {key}",
        ids,
    )
    return {row["id"]: int(row["n"]) for row in rows}


TOOLS: tuple[Tool, ...] = (vendor_items, vendors_of_item)
