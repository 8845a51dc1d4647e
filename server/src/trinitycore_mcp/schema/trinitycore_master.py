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

# Each looks up one column of the row, or the nth row, that another table has for this one.
_ITEM_EFFECT = (
    "(SELECT e.`{column}` FROM {{item_x_item_effect}} x JOIN {{item_effect}} e ON e.`ID` = x.`ItemEffectID` "
    "WHERE x.`ItemID` = {{t}}.`ID` ORDER BY e.`LegacySlotIndex`, e.`ID` LIMIT {skip}, 1)"
)
_ITEM_EFFECTS = {
    "spellid": "SpellID",
    "spelltrigger": "TriggerType",
    "spellcharges": "Charges",
    "spellcooldown": "CoolDownMSec",
}
_ITEM = "(SELECT i.`{column}` FROM {{item}} i WHERE i.`ID` = {{t}}.`ID` LIMIT 1)"
_OF_SPELL = "(SELECT o.`{column}` FROM {{{table}}} o WHERE o.`SpellID` = {{t}}.`ID` ORDER BY o.`ID` LIMIT 1)"
_SPELL_EFFECT = (
    "(SELECT e.`{column}` FROM {{spell_effect}} e WHERE e.`SpellID` = {{t}}.`ID` AND e.`EffectIndex` = {index} "
    "ORDER BY e.`ID` LIMIT 1)"
)
_SPELL_EFFECTS = {
    "Effect": "Effect",
    "EffectBasePoints": "EffectBasePoints",
    "EffectApplyAuraName": "EffectAura",
    "EffectAmplitude": "EffectAuraPeriod",
    "EffectImplicitTargetA": "ImplicitTarget1",
    "EffectImplicitTargetB": "ImplicitTarget2",
    "EffectItemType": "EffectItemType",
    "EffectMiscValue": "EffectMiscValue1",
    "EffectMiscValueB": "EffectMiscValue2",
    "EffectTriggerSpell": "EffectTriggerSpell",
}
_SPELL = {
    "SchoolMask": ("spell_misc", "SchoolMask"),
    "DurationIndex": ("spell_misc", "DurationIndex"),
    "CastingTimeIndex": ("spell_misc", "CastingTimeIndex"),
    "RangeIndex": ("spell_misc", "RangeIndex"),
    "Dispel": ("spell_categories", "DispelType"),
    "Mechanic": ("spell_categories", "Mechanic"),
    "BaseLevel": ("spell_levels", "BaseLevel"),
    "SpellLevel": ("spell_levels", "SpellLevel"),
    "MaxLevel": ("spell_levels", "MaxLevel"),
    "RecoveryTime": ("spell_cooldowns", "RecoveryTime"),
}
# An area trigger leads to one of the world's named places.
_SAFE_LOC = "(SELECT w.`{column}` FROM {{world_safe_locs}} w WHERE w.`ID` = {{t}}.`PortLocID`)"
_SAFE_LOCS = {
    "target_map": "MapID",
    "target_position_x": "LocX",
    "target_position_y": "LocY",
    "target_position_z": "LocZ",
    "target_orientation": "Facing",
}

TABLES: Mapping[str, str] = {
    "creature_default_trainer": "creature_trainer",
    "itemextendedcost_dbc": "hotfixes.item_extended_cost",
    # Columns below are expressions over these two.
    "auction_items": "characters.auction_items",
    "item_instance": "characters.item_instance",
    "areatable_dbc": "hotfixes.area_table",
    "area_table_locale": "hotfixes.area_table_locale",
    "broadcast_text": "hotfixes.broadcast_text",
    "broadcast_text_locale": "hotfixes.broadcast_text_locale",
    "dungeonencounter_dbc": "hotfixes.dungeon_encounter",
    "dungeon_encounter_locale": "hotfixes.dungeon_encounter_locale",
    "faction_dbc": "hotfixes.faction",
    "faction_locale": "hotfixes.faction_locale",
    "factiontemplate_dbc": "hotfixes.faction_template",
    "item": "hotfixes.item",
    "item_effect": "hotfixes.item_effect",
    "item_template": "hotfixes.item_sparse",
    "item_template_locale": "hotfixes.item_sparse_locale",
    "item_x_item_effect": "hotfixes.item_x_item_effect",
    "map_dbc": "hotfixes.map",
    "map_locale": "hotfixes.map_locale",
    "spell_categories": "hotfixes.spell_categories",
    "spell_cooldowns": "hotfixes.spell_cooldowns",
    "spell_dbc": "hotfixes.spell_name",
    "spell_effect": "hotfixes.spell_effect",
    "spell_levels": "hotfixes.spell_levels",
    "spell_misc": "hotfixes.spell_misc",
    "spell_name_locale": "hotfixes.spell_name_locale",
    "mapdifficulty_dbc": "hotfixes.map_difficulty",
    "waypoint_data": "waypoint_path_node",
    "game_graveyard": "world_safe_locs",
}

COLUMNS: Mapping[str, str] = {
    "broadcast_text_locale.Text": "Text_lang",
    "broadcast_text_locale.Text1": "Text1_lang",
    "creature_addon.path_id": "PathId",
    "creature_template_addon.path_id": "PathId",
    **{f"areatrigger_teleport.{column}": _SAFE_LOC.format(column=here) for column, here in _SAFE_LOCS.items()},
    "game_graveyard.Map": "MapID",
    **{f"game_graveyard.{axis}": f"Loc{axis.upper()}" for axis in "xyz"},
    "waypoint_data.id": "PathId",
    "waypoint_data.point": "NodeId",
    **{f"waypoint_data.position_{axis}": f"Position{axis.upper()}" for axis in "xyz"},
    "waypoint_data.orientation": "Orientation",
    "waypoint_data.delay": "Delay",
    "waypoint_data.move_type": "(SELECT p.`MoveType` FROM {waypoint_path} p WHERE p.`PathId` = {t}.`PathId`)",
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
    "areatable_dbc.AreaName_Lang_enUS": "AreaName",
    "areatable_dbc.Flags": "Flags1",
    "creature_template.rank": "Classification",
    "creature_template.exp": "RequiredExpansion",
    "creature_template.type_flags": _LOOT_ID.format(column="TypeFlags"),
    "creature_template.mingold": _LOOT_ID.format(column="GoldMin"),
    "creature_template.maxgold": _LOOT_ID.format(column="GoldMax"),
    **{
        f"creature_template.{column}": _LOOT_ID.format(column=column)
        for column in ("HealthModifier", "ManaModifier", "ArmorModifier", "DamageModifier")
    },
    "creature_template.gossip_menu_id": (
        "(SELECT MIN(g.`MenuID`) FROM {creature_template_gossip} g WHERE g.`CreatureID` = {t}.`entry`)"
    ),
    "dungeonencounter_dbc.Name_Lang_enUS": "Name",
    "dungeonencounter_dbc.Difficulty": "DifficultyID",
    "faction_dbc.Name_Lang_enUS": "Name",
    "faction_dbc.Description_Lang_enUS": "Description",
    **{f"faction_dbc.ReputationBase_{n}": f"ReputationBase{n}" for n in range(1, 5)},
    "factiontemplate_dbc.name": "(SELECT f.`Name` FROM {faction_dbc} f WHERE f.`ID` = {t}.`Faction` LIMIT 1)",
    "item_template.entry": "ID",
    "item_template.name": "Display",
    "item_template.description": "Description",
    "item_template.class": _ITEM.format(column="ClassID"),
    "item_template.subclass": _ITEM.format(column="SubclassID"),
    "item_template.Quality": "OverallQualityID",
    "item_template.bonding": "Bonding",
    "item_template.AllowableRace": "AllowableRace1",
    "item_template.delay": "ItemDelay",
    "item_template.BuyCount": "VendorStackCount",
    "item_template.stackable": "Stackable",
    "item_template.maxcount": "MaxCount",
    **{f"item_template.socketColor_{n}": f"SocketType{n}" for n in (1, 2, 3)},
    "item_template.socketBonus": "SocketMatchEnchantmentID",
    "item_template.itemset": "ItemSet",
    "item_template.lockid": "LockID",
    "item_template.PageText": "PageID",
    "item_template.requiredspell": "RequiredAbility",
    "item_template.RequiredReputationFaction": "MinFactionID",
    "item_template.RequiredReputationRank": "MinReputation",
    "item_template.startquest": "StartQuestID",
    "item_template.duration": "DurationInInventory",
    **{
        f"item_template.{column}_{n}": _ITEM_EFFECT.format(column=here, skip=n - 1)
        for column, here in _ITEM_EFFECTS.items()
        for n in range(1, 6)
    },
    "item_template_locale.Name": "Display_lang",
    "item_template_locale.Description": "Description_lang",
    "map_dbc.MapName_Lang_enUS": "MapName",
    "mapdifficulty_dbc.Difficulty": "DifficultyID",
    "mapdifficulty_dbc.RaidDuration": "ResetInterval",
    **{f"{table}.Type": "type" for table in ("quest_greeting", "quest_greeting_locale")},
    "quest_template.RewardDisplaySpell": "RewardDisplaySpell1",
    "quest_template_locale.Title": "LogTitle",
    "quest_template_locale.Objectives": "LogDescription",
    "quest_template_locale.Details": "QuestDescription",
    "quest_template_locale.EndText": "AreaDescription",
    "quest_template_locale.CompletedText": "QuestCompletionLog",
    "spell_dbc.Id": "ID",
    "spell_dbc.SpellName": "Name",
    **{f"spell_dbc.{column}": _OF_SPELL.format(table=table, column=here) for column, (table, here) in _SPELL.items()},
    **{
        f"spell_dbc.{column}{n}": _SPELL_EFFECT.format(column=here, index=n - 1)
        for column, here in _SPELL_EFFECTS.items()
        for n in (1, 2, 3)
    },
}
