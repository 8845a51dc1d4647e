"""Creatures: NPCs and monsters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from msgspec import Struct

from trinitycore_mcp.database.session import Row
from trinitycore_mcp.entities import filters as by
from trinitycore_mcp.entities.entity import KEY, Entity, Link, Part, equal, flagged, given
from trinitycore_mcp.entities.fields import (
    count,
    decimal,
    enum,
    flag_set,
    key,
    label,
    number,
    number_or_none,
    numbers,
    refers,
    span,
    text,
)
from trinitycore_mcp.entities.parts import listed
from trinitycore_mcp.entities.translations import Translations
from trinitycore_mcp.schema import Schema
from trinitycore_mcp.toolkit import Call, doc, real


class CreatureModel(Struct, frozen=True):
    """One look of a creature."""

    display_id: int
    scale: Annotated[float | None, doc("null: the family keeps one scale for all models")]
    probability: Annotated[float | None, doc("weight among the models; null: equal")]


_IN_TEMPLATE = ("modelid1", "modelid2", "modelid3", "modelid4")


async def _models(call: Call, schema: Schema, row: Row, locale: str | None) -> tuple[Any, ...]:
    """Return the models: columns of the template in TrinityCore 3.3.5, a table of their own elsewhere."""
    if not schema.has("creature_template_model"):
        ids = dict.fromkeys(value for column in _IN_TEMPLATE if (value := row.get(column)))
        return ([CreatureModel(number, None, None) for number in ids],)
    rows = await call.rows(
        f"SELECT {schema.columns('creature_template_model', 'CreatureDisplayID', 'DisplayScale', 'Probability')} "
        f"FROM {schema.table('creature_template_model')} WHERE `CreatureID` = %s ORDER BY `Idx`",
        (row[KEY],),
    )
    return ([CreatureModel(r["CreatureDisplayID"], real(r["DisplayScale"]), real(r["Probability"])) for r in rows],)


def _may_walk(values: Mapping[str, Any]) -> bool:
    """Return whether a path may belong to the creature: by the way it moves, or started by its script."""
    return bool(values["movement_type"].name == "Waypoint" or values["ai_name"] == "SmartAI")


CREATURE = Entity(
    name="creature",
    plural="creatures",
    title="a creature",
    about=(
        "Everything about one creature (NPC or monster) by its id: level, rank, type, faction, roles, models, "
        "modifiers, loot ids, script, spells, the quests it starts and ends, and how many are placed in the world."
    ),
    table="creature_template",
    key="entry",
    label="name",
    translations=(
        Translations(table="creature_template_locale", key="entry", texts={"name": "Name", "subname": "Title"}),
    ),
    fields=(
        key(),
        label("name"),
        text("subname", "subname", "the title under the name"),
        span("level", "minlevel", "maxlevel", "by content tuning instead where it is null", optional=True),
        enum("rank", "rank", "creature_rank"),
        enum("type", "type", "creature_type"),
        enum("family", "family", "creature_family"),
        enum("unit_class", "unit_class", "unit_class"),
        enum("expansion", "exp", "expansion", "whose base statistics apply"),
        refers("faction", "faction", "faction_template", "faction template, by the name of its faction"),
        flag_set("npc_flags", "npcflag", "npc_flags", "roles: vendor, trainer, ..."),
        flag_set("unit_flags", "unit_flags", "unit_flags"),
        flag_set("type_flags", "type_flags", "creature_type_flags"),
        flag_set("flags_extra", "flags_extra", "creature_flags_extra"),
        decimal("scale", "scale", optional=True),
        decimal("speed_walk", "speed_walk"),
        decimal("speed_run", "speed_run"),
        decimal("health_modifier", "HealthModifier"),
        decimal("mana_modifier", "ManaModifier"),
        decimal("armor_modifier", "ArmorModifier"),
        decimal("damage_modifier", "DamageModifier"),
        decimal("experience_modifier", "ExperienceModifier"),
        enum("damage_school", "dmgschool", "damage_school"),
        number("attack_time_ms", "BaseAttackTime"),
        span("loot_money", "mingold", "maxgold", "in copper"),
        number_or_none("loot_id", "lootid", "in creature_loot_template"),
        number_or_none("pickpocket_loot_id", "pickpocketloot"),
        number_or_none("skin_loot_id", "skinloot"),
        number_or_none("gossip_menu_id", "gossip_menu_id"),
        number_or_none("vehicle_id", "VehicleId"),
        enum("movement_type", "MovementType", "movement_type"),
        text("ai_name", "AIName"),
        text("script_name", "ScriptName"),
        numbers("kill_credit_ids", "KillCredit1", "KillCredit2", about="creatures that a kill of it counts for"),
        numbers(
            "difficulty_creature_ids", "difficulty_entry_1", "difficulty_entry_2", "difficulty_entry_3",
            about="its templates in other difficulties",
        ),
        count("spawn_count", "creature", "id", "how many are placed in the world"),
        count("line_count", "creature_text", "CreatureID", "how many lines it can say"),
    ),
    tables=("creature",),
    parts=(
        Part((("models", list[CreatureModel]),), _models, columns=_IN_TEMPLATE),
        listed("spells", "spell", "creature_template_spell", "CreatureID", "Spell", "spells it knows", order="Index"),
        listed("quests_started", "quest", "creature_queststarter", "id", "quest", "quests it gives"),
        listed("quests_ended", "quest", "creature_questender", "id", "quest", "quests handed in to it"),
    ),
    summary=("id", "name", "subname", "level", "rank", "type", "npc_flags", "faction"),
    searched="name or title",
    also_matches=("subname",),
    filters=(
        by.at_least("min_level", "maxlevel", "its highest level is at least this", most=255),
        by.at_most("max_level", "minlevel", "its lowest level is at most this", most=255),
        by.by_name("type", "type", "creature_type", "only this type"),
        by.by_name("rank", "rank", "creature_rank", "only this rank"),
        by.with_flag("npc_flag", "npcflag", "npc_flags", "only those with this role"),
        by.equal("faction", "faction", "only this faction template id"),
    ),
    links=(
        Link("creature_loot", "id", "what it drops", when=given("loot_id")),
        Link("creature_loot", "id", "what skinning it gives", more={"kind": "skinning"}, when=given("skin_loot_id")),
        Link(
            "creature_loot", "id", "what it has in its pockets", more={"kind": "pickpocketing"},
            when=given("pickpocket_loot_id"),
        ),
        Link("vendor_items", "id", "what it sells", when=flagged("npc_flags", "Vendor")),
        Link("trainer_spells", "id", "what it teaches", when=flagged("npc_flags", "Trainer")),
        Link("smart_script", "id", "what it does by itself", more={"of": "creature"}, when=equal("ai_name", "SmartAI")),
        Link("spawns", "id", "where it stands", more={"kind": "creature"}, when=given("spawn_count")),
        Link("creature_text", "id", "what it says", argument="creature", when=given("line_count")),
        Link("waypoints", "id", "the paths that it walks", argument="creature", when=_may_walk),
        Link("quest_get", "quests_started", "the quest {name}, which it starts"),
        Link("quest_get", "quests_ended", "the quest {name}, which it ends"),
        Link("creature_get", "difficulty_creature_ids", "its template in another difficulty"),
        Link("gossip_tree", "gossip_menu_id", "what it says and offers, with all menus below", argument="menu"),
    ),
)  # fmt: skip

ENTITIES = (CREATURE,)
