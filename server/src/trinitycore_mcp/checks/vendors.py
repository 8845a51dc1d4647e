"""Vendors whose lists are wrong."""

from __future__ import annotations

from trinitycore_mcp.checks.check import Check, Group, absent, fixed, nowhere

_ROW = "SELECT {v.entry} AS creature, {v.slot} AS slot, {v.item} AS item"
_KEY = ("creature", "item", "extended_cost")
_FROM = "{v.ExtendedCost} AS extended_cost FROM {npc_vendor v} WHERE "
# UNIT_NPC_FLAG_VENDOR: the client offers to trade.
_VENDOR = "({t.npcflag} & 128)"


def _check(kind: str, meaning: str, where: str, complete: tuple[tuple[str, int], ...] = ()) -> Check:
    return Check(kind, meaning, f"{_ROW}, {_FROM}{where}", _KEY, complete)


GROUP = Group(
    "check_vendors",
    "Check vendors",
    "vendors' lists with items, creatures, lists or extended costs that do not exist, vendors without a list, lists "
    "whose creature is no vendor, and stock that can't be",
    fixed(
        _check(
            "item_missing",
            "a vendor's list has an item that does not exist",
            # Below 0 it is another vendor's list.
            "{v.item} > 0 AND " + absent("item_template t", "{t.entry} = {v.item}"),
        ),
        _check(
            "list_missing",
            "a vendor's list takes in another list that is empty",
            "{v.item} < 0 AND " + absent("npc_vendor o", "{o.entry} = -{v.item}"),
        ),
        Check(
            "creature_missing",
            "a vendor's list belongs to a creature that does not exist, and no other list takes it in",
            "SELECT DISTINCT {v.entry} AS creature FROM {npc_vendor v}"
            + nowhere("{v.entry}", "SELECT -{o.item} AS id FROM {npc_vendor o} WHERE {o.item} < 0")
            + " AND "
            + absent("creature_template t", "{t.entry} = {v.entry}"),
            ("creature",),
        ),
        Check(
            "list_without_flag",
            "a creature has a vendor's list but not the vendor flag: nobody can buy from it",
            "SELECT DISTINCT {t.entry} AS creature FROM {npc_vendor v} JOIN {creature_template t} "
            f"ON {{t.entry}} = {{v.entry}} WHERE {_VENDOR} = 0",
            ("creature",),
        ),
        Check(
            "flag_without_list",
            "a creature has the vendor flag but nothing to sell",
            f"SELECT {{t.entry}} AS creature FROM {{creature_template t}} WHERE {_VENDOR} <> 0 AND "
            + absent("npc_vendor v", "{v.entry} = {t.entry}"),
            ("creature",),
        ),
        _check(
            "stock_without_restock",
            "an item is limited in number but never restocked",
            "{v.item} > 0 AND {v.maxcount} > 0 AND {v.incrtime} = 0",
        ),
        _check(
            "restock_without_limit",
            "an item has a time to restock but is not limited in number",
            "{v.item} > 0 AND {v.maxcount} = 0 AND {v.incrtime} > 0",
        ),
        _check(
            "extended_cost_missing",
            "an item's extended cost does not exist",
            "{v.ExtendedCost} <> 0 AND " + absent("itemextendedcost_dbc c", "{c.ID} = {v.ExtendedCost}"),
            # The client of 3.3.5 has about 2,900.
            (("itemextendedcost_dbc", 2000),),
        ),
    ),
)
