"""Items."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Struct

from trinitycore_mcp.entities import filters as by
from trinitycore_mcp.entities.entity import Entity, Link
from trinitycore_mcp.entities.fields import (
    coins,
    computed,
    decimal,
    each,
    enum,
    flag_set,
    key,
    label,
    number,
    number_or_none,
    numbers,
    refers,
    text,
)
from trinitycore_mcp.entities.translations import Translations
from trinitycore_mcp.toolkit import Named, Reference, doc, enums


class ItemStat(Struct, frozen=True):
    """A bonus to one statistic."""

    stat: Named
    amount: int


class ItemDamage(Struct, frozen=True):
    """Damage of a weapon's hit, before modifiers."""

    school: Named
    min: float
    max: float


class ItemSpell(Struct, frozen=True):
    """A spell the item casts."""

    spell: Reference | None
    trigger: Named
    charges: Annotated[int, doc("negative: the item is used up with the last one; 0: no limit")]
    procs_per_minute: float
    cooldown_ms: Annotated[int | None, doc("null: the spell's own")]


SCHOOLS = ("holy", "fire", "nature", "frost", "shadow", "arcane")
_RESISTANCES = tuple(f"{school}_res" for school in SCHOOLS)


def _resistances(*values: int | None) -> dict[str, int]:
    return {school: value for school, value in zip(SCHOOLS, values, strict=True) if value}


def _subclass(of_class: int | None, subclass: int | None) -> Named:
    number = subclass or 0
    return Named(value=number, name=enums.values("item_subclass").get((of_class or 0) * 1000 + number))


def _spell(n: int) -> tuple[Any, ...]:
    return (
        refers("spell", f"spellid_{n}", "spell"),
        enum("trigger", f"spelltrigger_{n}", "item_spell_trigger"),
        number("charges", f"spellcharges_{n}"),
        decimal("procs_per_minute", f"spellppmRate_{n}"),
        number_or_none("cooldown_ms", f"spellcooldown_{n}", none=(-1,)),
    )


ITEM = Entity(
    name="item",
    plural="items",
    title="an item",
    about=(
        "Everything about one item by its id: class, quality, where it is worn, levels, stats, damage, armor, spells, "
        "sockets, prices, binding, who may use it, the quest it starts."
    ),
    table="item_template",
    key="entry",
    label="name",
    translations=(
        Translations(table="item_template_locale", texts={"name": "Name", "description": "Description"}),
    ),
    fields=(
        key(),
        label("name"),
        enum("quality", "Quality", "item_quality"),
        enum("item_class", "class", "item_class"),
        computed("subclass", Named, ("class", "subclass"), _subclass),
        enum("inventory_type", "InventoryType", "inventory_type", "where it is worn"),
        number("item_level", "ItemLevel"),
        number("required_level", "RequiredLevel"),
        text("description", "description", "the yellow text in its tooltip"),
        enum("bonding", "bonding", "item_bonding"),
        flag_set("allowed_classes", "AllowableClass", "character_classes", "value -1: all", everything=-1),
        flag_set("allowed_races", "AllowableRace", "character_races", "value -1: all", everything=-1),
        each("stats", ItemStat, range(1, 11), "stat_value{n}", lambda n: (
            enum("stat", f"stat_type{n}", "item_stat"), number("amount", f"stat_value{n}"),
        )),
        each("damage", ItemDamage, range(1, 3), "dmg_max{n}", lambda n: (
            enum("school", f"dmg_type{n}", "damage_school"),
            decimal("min", f"dmg_min{n}"), decimal("max", f"dmg_max{n}"),
        )),
        number_or_none("attack_time_ms", "delay"),
        number("armor", "armor", optional=True),
        number("block", "block", optional=True),
        computed("resistances", dict[str, int], _RESISTANCES, _resistances, "by school, only those that are not 0"),
        each("spells", ItemSpell, range(1, 6), "spellid_{n}", _spell),
        coins("buy_price", "BuyPrice", "for buy_count pieces"),
        number("buy_count", "BuyCount"),
        coins("sell_price", "SellPrice"),
        computed("stack_size", int, ("stackable",), lambda size: size or 1),
        number_or_none("max_count", "maxcount", "how many a character may have; null: no limit"),
        number("container_slots", "ContainerSlots"),
        number("durability", "MaxDurability", optional=True),
        numbers("socket_colors", "socketColor_1", "socketColor_2", "socketColor_3", distinct=False),
        number_or_none("socket_bonus_id", "socketBonus"),
        number_or_none("item_set_id", "itemset"),
        number_or_none("random_property_id", "RandomProperty"),
        number_or_none("random_suffix_id", "RandomSuffix"),
        number_or_none("disenchant_id", "DisenchantID", "in disenchant_loot_template"),
        number_or_none("lock_id", "lockid"),
        number_or_none("page_text_id", "PageText"),
        number_or_none("required_skill_id", "RequiredSkill"),
        number_or_none("required_skill_rank", "RequiredSkillRank"),
        refers("required_spell", "requiredspell", "spell", "a spell that the user must know"),
        refers("required_reputation_faction", "RequiredReputationFaction", "faction"),
        number_or_none("required_reputation_rank", "RequiredReputationRank"),
        refers("starts_quest", "startquest", "quest"),
        number_or_none("duration_s", "duration"),
        text("script_name", "ScriptName"),
    ),
    summary=(
        "id", "name", "quality", "item_class", "subclass", "inventory_type", "item_level", "required_level",
    ),
    filters=(
        by.by_name("quality", "Quality", "item_quality", "only this quality"),
        by.by_name("item_class", "class", "item_class", "only this class"),
        by.by_names_of(
            "subclass", ("class", "subclass"), "item_subclass", "only this subclass, of any class that has it",
            lambda number: divmod(number, 1000),
        ),
        by.by_name("inventory_type", "InventoryType", "inventory_type", "only what is worn there"),
        by.at_least("min_item_level", "ItemLevel", "item level at least this", most=1000),
        by.at_most("max_item_level", "ItemLevel", "item level at most this", most=1000),
        by.at_most("max_required_level", "RequiredLevel", "usable at this character level", most=1000),
    ),
    links=(
        Link("item_sources", "id", "where it comes from: who drops, sells, rewards or contains it"),
        Link("quest_get", "starts_quest", "the quest it starts: {name}"),
        Link("page_text_get", "page_text_id", "what is written in it"),
    ),
)  # fmt: skip

ENTITIES = (ITEM,)
