"""Spells, as far as a database holds them: most are in the client's files only."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Struct

from trinitycore_mcp.database.session import Row
from trinitycore_mcp.entities import filters as by
from trinitycore_mcp.entities.entity import KEY, Entity, Link, Part
from trinitycore_mcp.entities.fields import (
    computed,
    decimal,
    each,
    enum,
    flag_set,
    key,
    label,
    number,
    number_or_none,
    refers,
    text,
)
from trinitycore_mcp.entities.parts import listed
from trinitycore_mcp.entities.translations import Translations
from trinitycore_mcp.schema import Schema
from trinitycore_mcp.toolkit import Call, Flags, Named, Reference, doc, flags, real


class SpellEffect(Struct, frozen=True):
    """One of the up to three things a spell does."""

    effect: Named
    aura: Annotated[Named, doc("what it applies, for effects that apply an aura")]
    base_points: Annotated[float, doc("the strength is this, plus 1 to die_sides where there are such")]
    die_sides: Annotated[int | None, doc("null: this family has none")]
    period_ms: Annotated[int, doc("between the ticks of an aura; 0: none")]
    target_a: Annotated[int, doc("implicit target")]
    target_b: int
    misc_value: int
    misc_value_b: int
    triggers: Annotated[Reference | None, doc("the spell it casts or teaches")]
    item: Annotated[Reference | None, doc("the item it makes")]


def _effect(n: int) -> tuple[Any, ...]:
    return (
        enum("effect", f"Effect{n}", "spell_effect"),
        enum("aura", f"EffectApplyAuraName{n}", "spell_aura"),
        decimal("base_points", f"EffectBasePoints{n}"),
        number("die_sides", f"EffectDieSides{n}", optional=True),
        number("period_ms", f"EffectAmplitude{n}"),
        number("target_a", f"EffectImplicitTargetA{n}"),
        number("target_b", f"EffectImplicitTargetB{n}"),
        number("misc_value", f"EffectMiscValue{n}"),
        number("misc_value_b", f"EffectMiscValueB{n}"),
        refers("triggers", f"EffectTriggerSpell{n}", "spell"),
        refers("item", f"EffectItemType{n}", "item"),
    )


class SpellProc(Struct, frozen=True):
    """When the spell's aura acts, where the database overrules the client."""

    schools: Flags
    chance: Annotated[float, doc("in percent; 0: the spell's own")]
    procs_per_minute: float
    cooldown_ms: int
    charges: int


async def _server_side(call: Call, schema: Schema, row: Row, locale: str | None) -> tuple[Any, ...]:
    """Return what the server adds to the client's spell: its scripts and when it procs."""
    scripts: list[str] = []
    proc = None
    if schema.has("spell_script_names"):
        # A negative id stands for the spell and all its higher ranks.
        rows = await call.rows(
            f"SELECT DISTINCT `ScriptName` AS name FROM {schema.table('spell_script_names')} "
            "WHERE `spell_id` IN (%s, %s) ORDER BY 1",
            (row[KEY], -row[KEY]),
        )
        scripts = [each["name"] for each in rows]
    if schema.has("spell_proc"):
        columns = schema.columns("spell_proc", "SchoolMask", "Chance", "ProcsPerMinute", "Cooldown", "Charges")
        found = await call.row(
            f"SELECT {columns} FROM {schema.table('spell_proc')} WHERE `SpellId` IN (%s, %s) LIMIT 1",
            (row[KEY], -row[KEY]),
        )
        if found is not None:
            schools = flags("spell_school_mask", found["SchoolMask"])
            rate = real(found["ProcsPerMinute"])
            proc = SpellProc(schools, real(found["Chance"]), rate, found["Cooldown"], found["Charges"])
    return scripts, proc


SPELL = Entity(
    name="spell",
    plural="spells",
    title="a spell",
    about=(
        "One spell by its id, as the database holds it: name, school, effects and auras, levels, duration, rank, "
        "scripts and procs. TrinityCore 3.3.5 and AzerothCore keep only spells here that the client lacks or that "
        "differ from it."
    ),
    elsewhere=("rank", "script_names", "proc", "requires", "required_by"),
    absence="the database holds only spells that differ from the client's files",
    table="spell_dbc",
    key="Id",
    label="SpellName",
    joins={"spell_ranks": "spell_id"},
    translations=(
        Translations(
            table="spell_name_locale",
            texts={"SpellName": "Name_lang"},
            columns={
                "SpellName": "Name_Lang_{locale}",
                "NameSubtext_Lang_enUS": "NameSubtext_Lang_{locale}",
                "Description_Lang_enUS": "Description_Lang_{locale}",
            },
        ),
    ),
    fields=(
        key(),
        label("SpellName", "empty: this database does not have it"),
        computed(
            "client_only", bool, ("Id",), lambda number: number is None,
            "only the client's files hold the spell itself: shown is what other tables say of it, else 0 or null",
        ),
        text("subtext", "NameSubtext_Lang_enUS", "such as the rank in words"),
        text("description", "Description_Lang_enUS", "with the client's placeholders"),
        flag_set("schools", "SchoolMask", "spell_school_mask"),
        enum("dispel_type", "Dispel", "dispel_type"),
        enum("mechanic", "Mechanic", "spell_mechanic"),
        number("max_level", "MaxLevel"),
        number("base_level", "BaseLevel"),
        number("spell_level", "SpellLevel"),
        number_or_none("duration_ms", "duration", "null: none, or not in this database", none=(0,)),
        number_or_none("cast_time_ms", "cast_time", "null: none, or not in this database"),
        number("duration_index", "DurationIndex", "row of SpellDuration.dbc"),
        number("casting_time_index", "CastingTimeIndex", "row of SpellCastTimes.dbc"),
        number("range_index", "RangeIndex", "row of SpellRange.dbc"),
        number_or_none("recovery_ms", "RecoveryTime", "cooldown"),
        number_or_none("mana_cost", "ManaCost"),
        number_or_none("max_stacks", "StackAmount"),
        number("proc_chance", "ProcChance", "in percent", optional=True),
        number_or_none("proc_charges", "ProcCharges"),
        number_or_none("max_targets", "MaxAffectedTargets"),
        enum("spell_family", "SpellFamilyName", "spell_family", optional=True),
        each("effects", SpellEffect, range(1, 4), "Effect{n}", _effect),
        number_or_none("rank", "spell_ranks.rank"),
        refers("first_rank", "spell_ranks.first_spell_id", "spell"),
    ),
    parts=(
        Part(
            (("script_names", list[str]), ("proc", SpellProc | None)), _server_side,
            tables=("spell_script_names", "spell_proc"),
        ),
        listed("requires", "spell", "spell_required", "spell_id", "req_spell", "spells that must be known before"),
        listed("required_by", "spell", "spell_required", "req_spell", "spell_id", "spells that need this one"),
    ),
    summary=("id", "name", "subtext", "schools", "spell_level"),
    filters=(
        by.with_flag("school", "SchoolMask", "spell_school_mask", "only this school"),
        by.by_name("mechanic", "Mechanic", "spell_mechanic", "only this mechanic"),
        by.by_name("dispel_type", "Dispel", "dispel_type", "only what is dispelled as this"),
        by.any_of("effect", ("Effect1", "Effect2", "Effect3"), "spell_effect", "only those with this effect"),
        by.any_of(
            "aura", ("EffectApplyAuraName1", "EffectApplyAuraName2", "EffectApplyAuraName3"), "spell_aura",
            "only those that apply this aura",
        ),
    ),
    links=(
        Link("spell_get", "first_rank", "the first rank: {name}"),
        Link("spell_get", "requires", "needed before: {name}"),
    ),
)  # fmt: skip

ENTITIES = (SPELL,)
