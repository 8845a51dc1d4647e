"""What things cost at a vendor: money, and what an extended cost asks for."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated

from msgspec import Struct

from trinitycore_mcp.database.session import Row
from trinitycore_mcp.entities import names_of
from trinitycore_mcp.toolkit import Call, Money, Reference, doc, money

# item_template.FlagsExtra: the money is asked for besides the extended cost.
_ALSO_MONEY = 0x4
_SLOTS = range(1, 6)


class CostItem(Struct, frozen=True):
    """Pieces of an item that are taken in payment."""

    item: Reference
    count: int


class ExtendedCost(Struct, frozen=True):
    """What is asked for instead of money, or besides it."""

    id: int
    known: Annotated[bool, doc("false: this database does not hold what the id stands for; clients do")]
    honor_points: int
    arena_points: int
    arena_rating: Annotated[int, doc("the personal rating that is needed")]
    items: list[CostItem]


@dataclass(frozen=True)
class Prices:
    """Prices of the items in one answer."""

    items: Mapping[int, Row]
    costs: Mapping[int, ExtendedCost]

    def money(self, item: int, extended_cost: int) -> Money | None:
        """Return the money for one purchase, None when the item or its price is not known."""
        row = self.items.get(item)
        if row is None or row["BuyPrice"] is None:
            return None
        asked = not extended_cost or int(row["FlagsExtra"] or 0) & _ALSO_MONEY
        return money(row["BuyPrice"] if asked else 0)

    def pieces(self, item: int) -> int | None:
        """Return how many pieces one purchase gives."""
        row = self.items.get(item)
        return int(row["BuyCount"] or 1) if row else None

    def extended(self, number: int) -> ExtendedCost | None:
        """Return an extended cost, None for 0."""
        if not number:
            return None
        return self.costs.get(number) or ExtendedCost(number, False, 0, 0, 0, [])


async def prices_of(call: Call, items: Iterable[int], costs: Iterable[int], locale: str | None) -> Prices:
    """Return the prices of items, and extended costs by id."""
    found, known = await asyncio.gather(
        _items(call, set(items)), _costs(call, {each for each in costs if each}, locale)
    )
    return Prices(found, known)


async def _items(call: Call, ids: set[int]) -> dict[int, Row]:
    schema = await call.schema()
    if not ids or not schema.has("item_template", "entry"):
        return {}
    marks = ", ".join(["%s"] * len(ids))
    rows = await call.rows(
        f"SELECT {schema.columns('item_template', 'entry', 'BuyPrice', 'BuyCount', 'FlagsExtra', alias='t')} "
        f"FROM {schema.table('item_template')} t WHERE {schema.column('item_template', 'entry', 't')} IN ({marks})",
        sorted(ids),
    )
    return {row["entry"]: row for row in rows}


async def _costs(call: Call, ids: set[int], locale: str | None) -> dict[int, ExtendedCost]:
    schema = await call.schema()
    if not ids or not schema.has("itemextendedcost_dbc", "ID"):
        return {}
    columns = ["ID", "HonorPoints", "ArenaPoints", "RequiredArenaRating"]
    columns += [f"{name}_{n}" for name in ("ItemID", "ItemCount") for n in _SLOTS]
    marks = ", ".join(["%s"] * len(ids))
    rows = await call.rows(
        f"SELECT {schema.columns('itemextendedcost_dbc', *columns, alias='t')} "
        f"FROM {schema.table('itemextendedcost_dbc')} t WHERE t.`ID` IN ({marks})",
        sorted(ids),
    )
    names = await names_of(call, "item", (row[f"ItemID_{n}"] for row in rows for n in _SLOTS), locale)
    return {
        row["ID"]: ExtendedCost(
            id=row["ID"],
            known=True,
            honor_points=row["HonorPoints"] or 0,
            arena_points=row["ArenaPoints"] or 0,
            arena_rating=row["RequiredArenaRating"] or 0,
            items=[
                CostItem(Reference(row[f"ItemID_{n}"], names.get(row[f"ItemID_{n}"])), row[f"ItemCount_{n}"])
                for n in _SLOTS
                if row[f"ItemID_{n}"]
            ],
        )
        for row in rows
    }
