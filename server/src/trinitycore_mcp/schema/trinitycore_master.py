"""What TrinityCore master calls differently from TrinityCore 3.3.5.

TABLES: "table" to "table", or to "database.table" (database: world, characters, auth, hotfixes).
COLUMNS: "table.column" (both as in TrinityCore 3.3.5) to the column's name here, or to an SQL expression in
parentheses, in which {t} stands for the table's alias and {other_table} for another table's full name.
"""

from __future__ import annotations

from collections.abc import Mapping

# An auction holds one item, or several stacks of one kind.
_AUCTION = (
    "(SELECT {what} FROM {{auction_items}} e JOIN {{item_instance}} i ON i.`guid` = e.`itemGuid` "
    "WHERE e.`auctionId` = {{t}}.`id`)"
)
_LOOT = (
    *("creature", "disenchant", "fishing", "gameobject", "item", "mail", "milling", "pickpocketing", "prospecting"),
    *("reference", "skinning", "spell"),
)
# A creature has loot of its own in each difficulty; 0 is the open world's.
_LOOT_ID = (
    "(SELECT d.`{column}` FROM {{creature_template_difficulty}} d WHERE d.`Entry` = {{t}}.`entry` "
    "ORDER BY d.`DifficultyID` LIMIT 1)"
)

TABLES: Mapping[str, str] = {
    "creature_default_trainer": "creature_trainer",
    "itemextendedcost_dbc": "hotfixes.item_extended_cost",
    # Columns below are expressions over these two.
    "auction_items": "characters.auction_items",
    "item_instance": "characters.item_instance",
}

COLUMNS: Mapping[str, str] = {
    "auctionhouse.houseid": "auctionHouseId",
    "auctionhouse.itemguid": "(SELECT MIN(e.`itemGuid`) FROM {auction_items} e WHERE e.`auctionId` = {t}.`id`)",
    "auctionhouse.itemowner": "owner",
    "auctionhouse.count": _AUCTION.format(what="SUM(i.`count`)"),
    # What can be stacked is priced by unit; of what can't there is one.
    "auctionhouse.buyoutprice": "({t}.`buyoutOrUnitPrice` * "
    + _AUCTION.format(what="SUM(GREATEST(i.`count`, 1))")
    + ")",
    "auctionhouse.time": "endTime",
    "auctionhouse.buyguid": "bidder",
    "auctionhouse.lastbid": "bidAmount",
    "auctionhouse.startbid": "minBid",
    **{f"{table}.description": "note" for table in ("gm_bug", "gm_complaint", "gm_suggestion")},
    "characters.totalHonorPoints": "honor",
    # A row's ItemType says what Item is: 0 an item, 1 a reference, 2 a currency, 3 a quest that keeps track.
    **{f"{kind}_loot_template.Reference": "(IF({t}.`ItemType` = 1, {t}.`Item`, 0))" for kind in _LOOT},
    "creature_template.lootid": _LOOT_ID.format(column="LootID"),
    "creature_template.pickpocketloot": _LOOT_ID.format(column="PickPocketLootID"),
    "creature_template.skinloot": _LOOT_ID.format(column="SkinLootID"),
    "creature_default_trainer.CreatureId": "CreatureID",
    "creature_default_trainer.TrainerId": "TrainerID",
    **{f"itemextendedcost_dbc.{column}_{n}": f"{column}{n}" for column in ("ItemID", "ItemCount") for n in range(1, 6)},
}
