"""Conditions of unknown types, or about what is not there."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from trinitycore_mcp.checks.check import Check, Group, absent, nowhere, numbers
from trinitycore_mcp.conditions.vocabulary import vocabulary
from trinitycore_mcp.schema import Family

_ROW = (
    "SELECT {c.SourceTypeOrReferenceId} AS source_type, {c.SourceGroup} AS source_group, "
    "{c.SourceEntry} AS source_entry, {c.SourceId} AS source_id, {c.ElseGroup} AS else_group, "
    "{c.ConditionTypeOrReference} AS condition_type, {c.ConditionTarget} AS condition_target, "
    "{c.ConditionValue1} AS value1, {c.ConditionValue2} AS value2, {c.ConditionValue3} AS value3 "
    "FROM {conditions c} WHERE "
)
_KEY = (
    *("source_type", "source_group", "source_entry", "source_id", "else_group", "condition_type", "condition_target"),
    *("value1", "value2", "value3"),
)
# What a value of a condition refers to: where it must be found.
_REFERRED = {
    "item": ("item_template t", "{t.entry}"),
    "quest": ("quest_template t", "{t.ID}"),
    "creature": ("creature_template t", "{t.entry}"),
    "gameobject": ("gameobject_template t", "{t.entry}"),
    "game_event": ("game_event t", "{t.eventEntry}"),
}
_LOOT = {
    1: "creature", 2: "disenchant", 3: "fishing", 4: "gameobject", 5: "item", 6: "mail", 7: "milling",
    8: "pickpocketing", 9: "prospecting", 10: "reference", 11: "skinning", 12: "spell",
}  # fmt: skip
_SOURCE_MISSING = "a condition is attached to something that does not exist"


def _check(kind: str, meaning: str, where: str) -> Check:
    return Check(kind, meaning, _ROW + where, _KEY)


def _values(family: Family) -> Iterable[Check]:
    """Return the checks of the values that refer to rows, as the vocabulary says which do."""
    for kind, (table, key) in _REFERRED.items():
        places = (
            (place, [n for n, phrase in vocabulary(family).types.items() if _refers(phrase.params, place, kind)])
            for place in (1, 2, 3)
        )
        wrong = [
            f"({{c.ConditionTypeOrReference}} IN ({numbers(types)}) AND {{c.ConditionValue{place}}} <> 0 AND "
            + absent(table, f"{key} = {{c.ConditionValue{place}}}")
            + ")"
            for place, types in places
            if types
        ]
        yield _check(f"{kind}_missing", f"a condition asks for a {kind} that does not exist", " OR ".join(wrong))


def _refers(params: Sequence[tuple[str, str]], place: int, kind: str) -> bool:
    return len(params) >= place and params[place - 1][1] == kind


def _source(number: int, where: str) -> Check:
    return _check("source_missing", _SOURCE_MISSING, f"{{c.SourceTypeOrReferenceId}} = {number} AND {where}")


def _sources() -> Iterable[Check]:
    for number, kind in _LOOT.items():
        # In a row that refers to a reference, the item column holds the reference's number.
        yield _source(
            number,
            absent(f"{kind}_loot_template l", "{l.Entry} = {c.SourceGroup}", "{l.Item} = {c.SourceEntry}"),
        )
    yield _source(14, absent("gossip_menu m", "{m.MenuID} = {c.SourceGroup}", "{m.TextID} = {c.SourceEntry}"))
    yield _source(15, absent("gossip_menu_option o", "{o.MenuID} = {c.SourceGroup}", "{o.OptionID} = {c.SourceEntry}"))
    yield _source(19, absent("quest_template q", "{q.ID} = {c.SourceEntry}"))
    yield _source(
        22,
        absent(
            "smart_scripts s",
            "{s.entryorguid} = {c.SourceEntry}",
            "{s.source_type} = {c.SourceId}",
            "{s.id} = CAST({c.SourceGroup} AS SIGNED) - 1",
        ),
    )
    # AzerothCore has rows with item 0, for all that a vendor sells.
    yield _source(
        23,
        "{c.SourceEntry} <> 0 AND "
        + absent("npc_vendor v", "{v.entry} = {c.SourceGroup}", "{v.item} = {c.SourceEntry}"),
    )


def _make(family: Family) -> Sequence[Check]:
    known = vocabulary(family)
    return (
        _check(
            "unknown_condition_type",
            "a condition has a type that does not exist",
            "{c.ConditionTypeOrReference} >= 0 AND "
            f"{{c.ConditionTypeOrReference}} NOT IN ({numbers(list(known.types))})",
        ),
        _check(
            "unknown_source_type",
            "a condition is attached to a type of source that does not exist",
            "{c.SourceTypeOrReferenceId} >= 0 AND "
            f"{{c.SourceTypeOrReferenceId}} NOT IN ({numbers(list(known.sources))})",
        ),
        _check(
            "reference_missing",
            "a condition refers to a condition reference that does not exist",
            "{c.ConditionTypeOrReference} < 0 AND "
            + absent("conditions r", "{r.SourceTypeOrReferenceId} = {c.ConditionTypeOrReference}"),
        ),
        Check(
            "reference_unused",
            "a condition reference that no condition refers to",
            "SELECT DISTINCT {c.SourceTypeOrReferenceId} AS reference FROM {conditions c}"
            + nowhere(
                "{c.SourceTypeOrReferenceId}",
                "SELECT {r.ConditionTypeOrReference} AS id FROM {conditions r} WHERE {r.ConditionTypeOrReference} < 0",
            )
            + " AND {c.SourceTypeOrReferenceId} < 0",
            ("reference",),
        ),
        *_values(family),
        *_sources(),
    )


GROUP = Group(
    "check_conditions",
    "Check conditions",
    "conditions of unknown types, references that do not exist or are not used, conditions that ask for items, quests, "
    "creatures, gameobjects or events that do not exist, and conditions attached to loot, gossip, quests, scripts or "
    "vendor items that do not exist",
    _make,
)
