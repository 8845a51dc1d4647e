"""SmartAI scripts that can't run as written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from trinitycore_mcp.checks.check import Check, Group, absent, nowhere, numbers
from trinitycore_mcp.schema import Family
from trinitycore_mcp.sentences import Phrase, phrases

_SCRIPT = "{s.entryorguid} AS entryorguid, {s.source_type} AS source_type, {s.id} AS script_id"
_ROW = (
    f"SELECT {_SCRIPT}, {{s.event_type}} AS event_type, {{s.action_type}} AS action_type, "
    "{s.target_type} AS target_type FROM {smart_scripts s} WHERE "
)
_KEY = ("entryorguid", "source_type", "script_id")
_OTHERS = {Family.AZEROTHCORE: "smartai/azerothcore", Family.TRINITYCORE_MASTER: "smartai/trinitycore_master"}
# The three parts of a row, and how many parameters each has.
_PARTS = {"event": 4, "action": 6, "target": 3}
# What a parameter refers to: where it must be found.
_REFERRED = {
    "creature": ("creature_template t", "{t.entry}"),
    "gameobject": ("gameobject_template t", "{t.entry}"),
    "creature_spawn": ("creature t", "{t.guid}"),
    "gameobject_spawn": ("gameobject t", "{t.guid}"),
    "item": ("item_template t", "{t.entry}"),
    "quest": ("quest_template t", "{t.ID}"),
    "game_event": ("game_event t", "{t.eventEntry}"),
    "spell": ("spell_dbc t", "{t.Id}"),
    "action_list": ("smart_scripts t", "{t.source_type} = 9 AND {t.entryorguid}"),
}
# The client of 3.3.5 has about 49,800 spells, later ones several times that.
_COMPLETE = {"spell": (("spell_dbc", 45_000),)}
# Event 61: runs only when another row links to it. Source 9: a list of timed actions.
_LINKED, _LIST = 61, 9
_CALL_LIST, _CALL_RANDOM_LIST, _CALL_LIST_OF_RANGE = 80, 87, 88
_TALK = 1


def _words(family: Family, part: str) -> Mapping[int, Phrase]:
    return phrases(f"smartai/{part}s", _OTHERS.get(family), f"{part}s")


def _check(kind: str, meaning: str, where: str, complete: tuple[tuple[str, int], ...] = ()) -> Check:
    return Check(kind, meaning, _ROW + where, _KEY, complete)


def _unknown(family: Family) -> Iterable[Check]:
    for part in _PARTS:
        yield _check(
            f"unknown_{part}_type",
            f"a row has a type of {part} that does not exist",
            f"{{s.{part}_type}} NOT IN ({numbers(list(_words(family, part)))})",
        )


def _references(family: Family) -> Iterable[Check]:
    """Return the checks of the parameters that refer to rows, as the vocabulary says which do."""
    for kind, (table, key) in _REFERRED.items():
        wrong = []
        for part, count in _PARTS.items():
            for place in range(1, count + 1):
                types = [
                    number
                    for number, phrase in _words(family, part).items()
                    if len(phrase.params) >= place and phrase.params[place - 1][1] == kind
                ]
                if types:
                    parameter = f"{{s.{part}_param{place}}}"
                    wrong.append(
                        f"({{s.{part}_type}} IN ({numbers(types)}) AND {parameter} <> 0 AND "
                        + absent(table, f"{key} = {parameter}")
                        + ")"
                    )
        yield _check(
            f"{kind}_missing",
            f"a row refers to a {kind.replace('_', ' ')} that does not exist",
            " OR ".join(wrong) or "FALSE",
            _COMPLETE.get(kind, ()),
        )


def _owners() -> Iterable[Check]:
    """Return the checks of whose script it is: source 0 a creature's, 1 a gameobject's; below 0 one spawn's."""
    for number, kind, ai in ((0, "creature", "SmartAI"), (1, "gameobject", "SmartGameObjectAI")):
        source = f"{{s.source_type}} = {number} AND {{s.entryorguid}}"
        yield Check(
            "owner_missing",
            "a script belongs to a creature, gameobject or spawn that does not exist",
            "SELECT DISTINCT {s.entryorguid} AS entryorguid, {s.source_type} AS source_type FROM {smart_scripts s} "
            f"WHERE ({source} > 0 AND {absent(f'{kind}_template t', '{t.entry} = {s.entryorguid}')}) "
            f"OR ({source} < 0 AND {absent(f'{kind} g', '{g.guid} = -{s.entryorguid}')})",
            ("entryorguid", "source_type"),
        )
        yield Check(
            "ai_without_script",
            "a creature or gameobject is set to run a script (AIName) but has none",
            f"SELECT {{t.entry}} AS {kind} FROM {{{kind}_template t}} WHERE {{t.AIName}} = '{ai}' AND "
            + absent("smart_scripts s", f"{{s.source_type}} = {number}", "{s.entryorguid} = {t.entry}")
            + f" AND NOT EXISTS (SELECT 1 FROM {{{kind} g}} JOIN {{smart_scripts o}} ON {{o.source_type}} = {number} "
            "AND {o.entryorguid} = -CAST({g.guid} AS SIGNED) WHERE {g.id} = {t.entry})",
            (kind,),
        )
        yield Check(
            "script_without_ai",
            "a script belongs to a creature or gameobject that is not set to run it (AIName)",
            f"SELECT DISTINCT {{t.entry}} AS {kind}, {{t.AIName}} AS ai_name FROM {{smart_scripts s}} "
            f"JOIN {{{kind}_template t}} ON {{t.entry}} = {{s.entryorguid}} "
            f"WHERE {{s.source_type}} = {number} AND {{s.entryorguid}} > 0 AND {{t.AIName}} <> '{ai}'",
            (kind,),
        )


def _make(family: Family) -> Sequence[Check]:
    same_script = ("{o.entryorguid} = {s.entryorguid}", "{o.source_type} = {s.source_type}")
    return (
        _check(
            "link_missing",
            "a row links to a row that the script does not have",
            "{s.link} <> 0 AND " + absent("smart_scripts o", *same_script, "{o.id} = {s.link}"),
        ),
        _check(
            "link_to_other_event",
            "a row links to a row whose event is not Link: it runs on its own event, not on the link",
            "{s.link} <> 0 AND EXISTS (SELECT 1 FROM {smart_scripts o} WHERE "
            + " AND ".join((*same_script, "{o.id} = {s.link}", f"{{o.event_type}} <> {_LINKED}"))
            + ")",
        ),
        _check(
            "link_never_used",
            "a row waits for a link (its event is Link) that no row of the script makes",
            f"{{s.event_type}} = {_LINKED} AND " + absent("smart_scripts o", *same_script, "{o.link} = {s.id}"),
        ),
        *_unknown(family),
        *_owners(),
        *_references(family),
        Check(
            "action_list_unused",
            "a list of timed actions that no row calls",
            "SELECT DISTINCT {s.entryorguid} AS action_list FROM {smart_scripts s} "
            "LEFT JOIN (SELECT DISTINCT {r.action_param1} AS least, {r.action_param2} AS most FROM {smart_scripts r} "
            f"WHERE {{r.action_type}} = {_CALL_LIST_OF_RANGE}) ranges "
            "ON {s.entryorguid} BETWEEN ranges.least AND ranges.most"
            + nowhere(
                "{s.entryorguid}",
                *(
                    f"SELECT {{a{place}.action_param{place}}} AS id FROM {{smart_scripts a{place}}} "
                    f"WHERE {{a{place}.action_type}} IN "
                    f"({f'{_CALL_LIST}, ' if place == 1 else ''}{_CALL_RANDOM_LIST})"
                    for place in range(1, 7)
                ),
            )
            + f" AND ranges.least IS NULL AND {{s.source_type}} = {_LIST}",
            ("action_list",),
        ),
        _check(
            "text_missing",
            "a creature is to say a text group of its own that creature_text does not have",
            # On itself (target 1): on others the text may be theirs.
            f"{{s.source_type}} = 0 AND {{s.entryorguid}} > 0 AND {{s.action_type}} = {_TALK} "
            "AND {s.target_type} = 1 AND "
            + absent("creature_text x", "{x.CreatureID} = {s.entryorguid}", "{x.GroupID} = {s.action_param1}"),
        ),
    )


GROUP = Group(
    "check_smart_scripts",
    "Check SmartAI scripts",
    "scripts with broken links, unknown event, action or target types, owners that do not exist or are not set to run "
    "them, AIName without a script, and references to creatures, gameobjects, items, quests, spells, texts or action "
    "lists that do not exist",
    _make,
)
