"""What AzerothCore calls differently from TrinityCore 3.3.5.

TABLES: "table" to "table", or to "database.table" (database: world, characters, auth, hotfixes).
COLUMNS: "table.column" (both as in TrinityCore 3.3.5) to the column's name here, or to an SQL expression in
parentheses, in which {t} stands for the table's alias and {other_table} for another table's full name.
"""

from __future__ import annotations

from collections.abc import Mapping

# A spell has three effects, whose columns end in a number.
_EFFECT = {
    "EffectDieSides": "EffectDieSides",
    "EffectBasePoints": "EffectBasePoints",
    "EffectImplicitTargetA": "ImplicitTargetA",
    "EffectImplicitTargetB": "ImplicitTargetB",
    "EffectApplyAuraName": "EffectAura",
    "EffectAmplitude": "EffectAuraPeriod",
    "EffectMiscValue": "EffectMiscValue",
    "EffectMiscValueB": "EffectMiscValueB",
    "EffectTriggerSpell": "EffectTriggerSpell",
}

TABLES: Mapping[str, str] = {
    "access_requirement": "dungeon_access_template",
}

COLUMNS: Mapping[str, str] = {
    **{f"spell_dbc.{column}{n}": f"{column}_{n}" for column in ("Effect", "EffectItemType") for n in (1, 2, 3)},
    "creature.id": "id1",
    "account_access.AccountID": "id",
    "account_access.SecurityLevel": "gmlevel",
    "access_requirement.mapId": "map_id",
    "access_requirement.level_min": "min_level",
    "access_requirement.level_max": "max_level",
    "access_requirement.item_level": "min_avg_item_level",
    "achievement_dbc.requiredFaction": "Faction",
    "achievement_dbc.mapID": "Instance_Id",
    "achievement_dbc.points": "Points",
    "achievement_dbc.flags": "Flags",
    "achievement_dbc.count": "Minimum_Criteria",
    "achievement_dbc.refAchievement": "Shares_Criteria",
    "achievement_reward_locale.Body": "Text",
    **{f"{table}.Text": "MaleText" for table in ("broadcast_text", "broadcast_text_locale")},
    **{f"{table}.Text1": "FemaleText" for table in ("broadcast_text", "broadcast_text_locale")},
    **{f"{table}.Type": "type" for table in ("quest_greeting", "quest_greeting_locale")},
    "factiontemplate_dbc.name": "(SELECT f.`Name_Lang_enUS` FROM {faction_dbc} f WHERE f.`ID` = {t}.`Faction`)",
    **{f"spell_dbc.{column}{n}": f"{here}_{n}" for column, here in _EFFECT.items() for n in (1, 2, 3)},
    "spell_dbc.Id": "ID",
    "spell_dbc.SpellName": "Name_Lang_enUS",
    "spell_dbc.Dispel": "DispelType",
    "spell_dbc.StackAmount": "CumulativeAura",
    "spell_dbc.MaxAffectedTargets": "MaxTargets",
    "spell_dbc.SpellFamilyName": "SpellClassSet",
    "spell_dbc.duration": "(SELECT d.`Duration` FROM {spellduration_dbc} d WHERE d.`ID` = {t}.`DurationIndex`)",
    "spell_dbc.cast_time": "(SELECT c.`Base` FROM {spellcasttimes_dbc} c WHERE c.`ID` = {t}.`CastingTimeIndex`)",
}
