"""Auctions: auction_search, auction_prices."""

from __future__ import annotations

import asyncio
from typing import Annotated

from msgspec import Meta, Struct

from trinitycore_mcp.database.session import Row
from trinitycore_mcp.entities import names_of, reference
from trinitycore_mcp.players.auctions import Auctions, House
from trinitycore_mcp.players.common import player_names
from trinitycore_mcp.players.times import When, now, when
from trinitycore_mcp.toolkit import (
    LIVE,
    Call,
    Cursor,
    Limit,
    Locale,
    Money,
    Named,
    NextCursor,
    Notice,
    Reference,
    Related,
    Tool,
    doc,
    money,
    named,
    one_of,
    tool,
)

SearchText = Annotated[
    Annotated[str, Meta(min_length=1, max_length=100)] | None, doc("part of the item's name, any case")
]
ItemId = Annotated[Annotated[int, Meta(ge=1, le=0xFFFFFFFF)] | None, doc("only this item id")]
Quality = Annotated[
    Annotated[str, one_of("item_quality", "only items of this quality")] | None, doc("only items of this quality")
]
Price = Annotated[int, Meta(ge=0, le=2**63 - 1)]
WhichHouse = Annotated[House | None, doc("only this side's auction house")]


class Auction(Struct, frozen=True):
    """An auction that runs."""

    id: int
    house: Named
    item: Reference
    count: int
    unit_buyout: Annotated[Money | None, doc("the buyout of one unit, rounded down; null: bids only")]
    buyout: Annotated[Money | None, doc("for all units; null: bids only")]
    bid: Annotated[Money | None, doc("the highest so far; null: nobody has bid")]
    start_bid: Money
    deposit: Money
    seller: Annotated[Reference | None, doc("a character, by guid; null: the server itself")]
    ends: When
    seconds_left: Annotated[int, doc("0: it has ended and waits for the server to settle it")]


class AuctionPage(Struct, frozen=True):
    """One page of auctions."""

    auctions: Annotated[list[Auction], doc("cheapest unit first, those without a buyout last")]
    next_cursor: NextCursor
    notice: Notice
    related: list[Related]


class ItemPrices(Struct, frozen=True):
    """What one item is offered for, by unit; every price is one that is really asked."""

    item: Reference
    auctions: int
    bid_only: Annotated[int, doc("auctions without a buyout; they are not among the prices")]
    units: Annotated[int, doc("units that can be bought out")]
    min: Money | None
    lower_quartile: Money | None
    median: Money | None
    upper_quartile: Money | None
    max: Money | None


class PricePage(Struct, frozen=True):
    """One page of prices, by item id."""

    prices: list[ItemPrices]
    next_cursor: NextCursor
    notice: Notice
    related: list[Related]


@tool(title="Search auctions", scope="players", cache=LIVE)
async def auction_search(
    call: Call,
    text: SearchText = None,
    item: ItemId = None,
    quality: Quality = None,
    house: WhichHouse = None,
    min_unit_price: Annotated[Price | None, doc("buyout of one unit in copper, at least")] = None,
    max_unit_price: Annotated[Price | None, doc("buyout of one unit in copper, at most")] = None,
    locale: Locale = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> AuctionPage:
    """Running auctions by item name or id, quality, side and price of one unit, cheapest first: buyout, bid, seller
    and time left. auction_prices sums up what an item costs. Prices are in copper."""
    auctions = Auctions(await call.schema())
    auctions.narrow(text, item, quality, house)
    unit, buyout = auctions.unit_price, auctions.column("buyoutprice")
    if min_unit_price is not None:
        auctions.where(f"{buyout} > 0 AND {unit} >= %s", min_unit_price)
    if max_unit_price is not None:
        auctions.where(f"{buyout} > 0 AND {unit} <= %s", max_unit_price)
    columns = ", ".join(
        f"{auctions.column(name)} AS `{name}`"
        for name in ("houseid", "itemowner", "buyoutprice", "time", "buyguid", "lastbid", "startbid", "deposit")
    )
    inner = (
        f"SELECT a.`id` AS id, {columns}, {auctions.item} AS item, {auctions.count} AS amount, {unit} AS unit, "
        f"{buyout} = 0 AS bid_only {auctions.source}"
    )
    place = call.place(cursor, 3)
    after = " WHERE (x.bid_only, x.unit, x.id) > (%s, %s, %s)" if place is not None else ""
    rows = await call.rows(
        f"SELECT x.* FROM ({inner}) x{after} ORDER BY x.bid_only, x.unit, x.id LIMIT %s",
        (*auctions.values, *(place or ()), limit + 1),
    )
    names, sellers = await asyncio.gather(
        names_of(call, "item", [row["item"] for row in rows], locale),
        player_names(call, [row["itemowner"] for row in rows]),
    )
    present = now()
    page = call.page([_auction(row, names, sellers, present) for row in rows], limit, _place)
    kinds = list(dict.fromkeys(each.item.id for each in page.items))[:5]
    return AuctionPage(
        auctions=page.items,
        next_cursor=page.next_cursor,
        notice=page.notice,
        related=[
            Related(tool="auction_prices", arguments={"item": kind}, why=f"prices of {names.get(kind) or 'it'}")
            for kind in kinds
        ],
    )


def _place(auction: Auction) -> list[int]:
    unit = auction.unit_buyout
    return [int(unit is None), unit.copper if unit else 0, auction.id]


def _auction(row: Row, names: dict[int, str], sellers: dict[int, str], present: int) -> Auction:
    ends = int(row["time"] or 0)
    return Auction(
        id=row["id"],
        house=named("auction_house", row["houseid"]),
        item=Reference(id=row["item"], name=names.get(row["item"])),
        count=int(row["amount"]),
        unit_buyout=None if row["bid_only"] else money(int(row["unit"])),
        buyout=None if row["bid_only"] else money(int(row["buyoutprice"])),
        bid=money(int(row["lastbid"])) if row["lastbid"] and row["buyguid"] else None,
        start_bid=money(row["startbid"]),
        deposit=money(row["deposit"]),
        seller=reference(row["itemowner"], sellers),
        ends=when(ends),
        seconds_left=max(0, ends - present),
    )


# Nearest rank: the n-th part of the prices in order is a price that somebody asks.
_RANKS = (("q1", "0.25"), ("q2", "0.5"), ("q3", "0.75"))


@tool(title="Auction prices of items", scope="players", cache=LIVE)
async def auction_prices(
    call: Call,
    item: ItemId = None,
    text: SearchText = None,
    quality: Quality = None,
    house: WhichHouse = None,
    locale: Locale = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> PricePage:
    """What items cost in the auction house: for each item the number of auctions and units, and the least, quartiles,
    median and greatest buyout of one unit in copper, counted by auction. Give an item id, a part of the name, or
    nothing for all items. auction_search lists the auctions."""
    schema = await call.schema()
    auctions = Auctions(schema)
    auctions.narrow(text, item, quality, house)
    place = call.place(cursor)
    if place is not None:
        auctions.where(f"{auctions.item} > %s", place[0])
    buyout = auctions.column("buyoutprice")
    found = await call.rows(
        f"SELECT {auctions.item} AS item, COUNT(*) AS auctions, SUM({buyout} = 0) AS bid_only {auctions.source} "
        f"GROUP BY {auctions.item} ORDER BY {auctions.item} LIMIT %s",
        (*auctions.values, limit + 1),
    )
    if not found:
        return PricePage(prices=[], next_cursor=None, notice=None, related=[])
    # The page's items are those between its first and last.
    auctions.where(f"{auctions.item} BETWEEN %s AND %s AND {buyout} > 0", found[0]["item"], found[-1]["item"])
    quartiles = ", ".join(f"MAX(CASE WHEN x.place = CEIL(x.n * {share}) THEN x.unit END) AS {n}" for n, share in _RANKS)
    window = f"OVER (PARTITION BY {auctions.item}"
    distribution, names = await asyncio.gather(
        call.rows(
            f"SELECT x.item AS item, MAX(x.units) AS units, MIN(x.unit) AS least, MAX(x.unit) AS most, {quartiles} "
            f"FROM (SELECT {auctions.item} AS item, {auctions.unit_price} AS unit, "
            f"ROW_NUMBER() {window} ORDER BY {auctions.unit_price}) AS place, COUNT(*) {window}) AS n, "
            f"SUM({auctions.count}) {window}) AS units {auctions.source}) x GROUP BY x.item",
            auctions.values,
        ),
        names_of(call, "item", [row["item"] for row in found], locale),
    )
    by_item = {row["item"]: row for row in distribution}
    page = call.page(
        [_prices(row, by_item.get(row["item"]), names) for row in found], limit, lambda each: [each.item.id]
    )
    return PricePage(
        prices=page.items,
        next_cursor=page.next_cursor,
        notice=page.notice,
        related=[
            Related(tool="auction_search", arguments={"item": each.item.id}, why=each.item.name or "its auctions")
            for each in page.items[:5]
        ],
    )


def _prices(row: Row, prices: Row | None, names: dict[int, str]) -> ItemPrices:
    def price(name: str) -> Money | None:
        return money(int(prices[name])) if prices is not None else None

    return ItemPrices(
        item=Reference(id=row["item"], name=names.get(row["item"])),
        auctions=row["auctions"],
        bid_only=int(row["bid_only"]),
        units=int(prices["units"]) if prices is not None else 0,
        min=price("least"),
        lower_quartile=price("q1"),
        median=price("q2"),
        upper_quartile=price("q3"),
        max=price("most"),
    )


TOOLS: tuple[Tool, ...] = (auction_search, auction_prices)
