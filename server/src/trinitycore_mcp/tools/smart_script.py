"""SmartAI scripts in words."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated

from msgspec import Meta, Struct

from trinitycore_mcp.conditions import rows_of as condition_rows
from trinitycore_mcp.conditions import together
from trinitycore_mcp.database.session import Row
from trinitycore_mcp.entities import names_of
from trinitycore_mcp.sentences import Names, resolve
from trinitycore_mcp.smartai import (
    Part,
    Quotes,
    Step,
    Vocabulary,
    decode,
    list_ids,
    quotes_for,
    references,
    rows_of,
    vocabulary,
)
from trinitycore_mcp.smartai.decode import ACTION_LIST
from trinitycore_mcp.smartai.rows import MOST_ROWS
from trinitycore_mcp.smartai.vocabulary import LINK
from trinitycore_mcp.toolkit import (
    Call,
    Flags,
    Locale,
    Notice,
    Reference,
    Related,
    Tool,
    ToolError,
    doc,
    enums,
    flags,
    one_of,
    real,
    text_or_none,
    tool,
)
from trinitycore_mcp.tools.conditions import SMART_EVENT, decoded_for

_CREATURE, _GAMEOBJECT, _AREATRIGGER = 0, 1, 2
# Lists that start lists are followed this deep, and this many in all.
_DEEPEST_LIST = 3
_MOST_LISTS = 24
_MOST_SPAWNS = 20
# Their template says which AI they have: table, key.
_TEMPLATES = {_CREATURE: "creature_template", _GAMEOBJECT: "gameobject_template"}
_ENTITIES = {_CREATURE: "creature", _GAMEOBJECT: "gameobject"}
_RELATED_GET = {_CREATURE: "creature_get", _GAMEOBJECT: "gameobject_get"}


class SmartPart(Struct, frozen=True):
    """An event, action or target."""

    type: int
    name: Annotated[str | None, doc("null: this family of databases has no such type")]
    parameters: Annotated[dict[str, int], doc("the row's parameters by what they mean for this type")]


class SmartPosition(Struct, frozen=True):
    """A place, or an offset, on the script's own map."""

    x: float
    y: float
    z: float
    orientation: Annotated[float, doc("radians")]


class SmartRow(Struct, frozen=True):
    """One row of a script."""

    id: int
    sentence: Annotated[str, doc("when, what, on whom; in brackets: phases, chance, once")]
    event: SmartPart
    action: SmartPart
    target: SmartPart
    position: Annotated[SmartPosition | None, doc("target_x, y, z, o")]
    phases: Annotated[list[int], doc("event phases it runs in; empty: in all")]
    chance: Annotated[int, doc("percent")]
    flags: Flags
    difficulties: Annotated[str | None, doc("TrinityCore master: the difficulties it runs in; null: all")]
    links_to: Annotated[int | None, doc("the row that runs after this one")]
    linked_from: list[int]
    conditions: Annotated[list[str], doc("all must hold")]
    calls: Annotated[list[int], doc("action lists that it runs; they are in action_lists")]
    defect: Annotated[str | None, doc("why the row, or its link, does not work")]
    comment: Annotated[str | None, doc("the author's words; the sentence is made of the row itself")]


class ActionList(Struct, frozen=True):
    """A timed action list: its rows run one after the other."""

    id: int
    rows: list[SmartRow]


class SmartScript(Struct, frozen=True):
    """What something does by itself."""

    of: str
    entry: Annotated[Reference | None, doc("whose script it is; null: it has no name table")]
    spawn: Annotated[int | None, doc("the script is for this spawn only")]
    ai_name: Annotated[str | None, doc("AIName of the template: the script runs only if it is a SmartAI")]
    rows: list[SmartRow]
    action_lists: list[ActionList]
    spawns_with_own_script: Annotated[list[int], doc("guids of spawns that run a script of their own instead")]
    notice: Notice
    related: list[Related]


async def _entry_of_spawn(call: Call, kind: int, guid: int) -> int:
    """Return what a spawn spawns.

    :raises ToolError: there is no such spawn.
    """
    table = _ENTITIES[kind]
    schema = await call.schema()
    row = await call.row(
        f"SELECT {schema.columns(table, 'id', alias='t')} FROM {schema.table(table)} t WHERE t.`guid` = %s", (guid,)
    )
    if row is None:
        raise ToolError(f"there is no {table} spawn with guid {guid}; spawns finds the guids of a {table}")
    return int(row["id"])


async def _ai_name(call: Call, kind: int, entry: int) -> str | None:
    table = _TEMPLATES.get(kind)
    schema = await call.schema()
    if table is None or not schema.has(table, "AIName"):
        return None
    key = schema.column(table, "entry", "t")
    row = await call.row(
        f"SELECT {schema.columns(table, 'AIName', alias='t')} FROM {schema.table(table)} t WHERE {key} = %s", (entry,)
    )
    return text_or_none(row["AIName"]) if row else None


async def _own_scripts(call: Call, kind: int, entry: int) -> list[int]:
    """Return the guids of an entry's spawns that have a script of their own."""
    schema = await call.schema()
    table = _ENTITIES.get(kind)
    if table is None or not schema.has(table, "guid", "id"):
        return []
    rows = await call.rows(
        f"SELECT DISTINCT t.`guid` AS guid FROM {schema.table('smart_scripts')} s "
        f"JOIN {schema.table(table)} t ON t.`guid` = -CAST(s.`entryorguid` AS SIGNED) "
        f"WHERE s.`entryorguid` < 0 AND s.`source_type` = %s AND {schema.column(table, 'id', 't')} = %s "
        "ORDER BY t.`guid` LIMIT %s",
        (kind, entry, _MOST_SPAWNS),
    )
    return [row["guid"] for row in rows]


async def _lists(call: Call, rows: Sequence[Row]) -> dict[int, list[Row]]:
    """Return the rows of the action lists that rows start, directly or not, by the list's id."""
    found: dict[int, list[Row]] = {}
    newest = rows
    for _ in range(_DEEPEST_LIST):
        wanted = [number for row in newest for number in list_ids(row) if number not in found]
        wanted = list(dict.fromkeys(wanted))[: _MOST_LISTS - len(found)]
        if not wanted:
            break
        more = await rows_of(call, ACTION_LIST, wanted)
        found |= {number: more.get(number, []) for number in wanted}
        newest = [row for each in more.values() for row in each]
    return found


async def _conditions(call: Call, script: int, rows: Sequence[Row], locale: str | None) -> dict[int, list[str]]:
    """Return the conditions of a script's rows by the row's id."""
    schema = await call.schema()
    if not rows or not schema.has("conditions"):
        return {}
    kind = rows[0]["source_type"]
    found = await condition_rows(call, SMART_EVENT, [(row["id"] + 1, script) for row in rows], kind)
    decoded = await decoded_for(call, SMART_EVENT, found, locale)
    return {key[0] - 1: together(alternatives) for key, alternatives in decoded.items()}


def _part(part: Part) -> SmartPart:
    return SmartPart(part.number, part.name, part.values)


def _defect(
    step: Step, by_id: Mapping[int, Row], linked_from: Sequence[int], lists: Mapping[int, list[Row]]
) -> str | None:
    row = step.row
    for part, what in ((step.event, "event"), (step.action, "action"), (step.target, "target")):
        if part.name is None:
            return f"there is no {what} type {part.number}"
    link = row["link"]
    if link and link not in by_id:
        return f"it links to row {link}, which is not there"
    if link and by_id[link]["event_type"] != LINK:
        return f"it links to row {link}, whose event is not Link"
    if row["event_type"] == LINK and not linked_from and row["source_type"] != ACTION_LIST:
        return "no row links to it, so it never runs"
    missing = [number for number in list_ids(row) if number in lists and not lists[number]]
    return f"action list {missing[0]} has no rows" if missing else None


def _shown(
    steps: Sequence[Step], conditions: Mapping[int, list[str]], lists: Mapping[int, list[Row]]
) -> list[SmartRow]:
    by_id = {step.row["id"]: step.row for step in steps}
    linked: dict[int, list[int]] = {}
    for step in steps:
        if step.row["link"]:
            linked.setdefault(step.row["link"], []).append(step.row["id"])
    shown = []
    for step in steps:
        row = step.row
        x, y, z, o = (real(row[f"target_{axis}"]) for axis in "xyzo")
        origins = linked.get(row["id"], [])
        shown.append(
            SmartRow(
                id=row["id"],
                sentence=step.sentence,
                event=_part(step.event),
                action=_part(step.action),
                target=_part(step.target),
                position=SmartPosition(x, y, z, o) if x or y or z or o else None,
                phases=step.phases,
                chance=row["event_chance"],
                flags=flags("smart_event_flags", row["event_flags"]),
                difficulties=text_or_none(row["Difficulties"]),
                links_to=row["link"] or None,
                linked_from=origins,
                conditions=conditions.get(row["id"], []),
                calls=list_ids(row),
                defect=_defect(step, by_id, origins, lists),
                comment=text_or_none(row["comment"]),
            )
        )
    return shown


def _steps(words: Vocabulary, rows: Iterable[Row], names: Names, quotes: Quotes, owner: int | None) -> list[Step]:
    return [decode(words, row, names, quotes, owner) for row in rows]


@tool(title="SmartAI script")
async def smart_script(
    call: Call,
    of: Annotated[str, one_of("smart_source_type", "whose script")] = "creature",
    id: Annotated[
        Annotated[int, Meta(ge=1, le=0x7FFFFFFF)] | None,
        doc("entry of the creature, gameobject, ..., or the list's id"),
    ] = None,
    spawn: Annotated[
        Annotated[int, Meta(ge=1, le=0x7FFFFFFF)] | None,
        doc("guid of one creature or gameobject: the script that only this spawn has; instead of id"),
    ] = None,
    locale: Locale = None,
) -> SmartScript:
    """What a creature, gameobject or area trigger does by itself: its SmartAI rows as sentences "When event, action".

    Ids are resolved to names, spoken texts quoted, links followed, called action lists shown with the script; rows that
    can't work have their defect named. For what it says alone take creature_text, for its path waypoints.
    """
    kind = enums.number("smart_source_type", of, "of")
    if (id is None) == (spawn is None):
        raise ToolError("give id or spawn, one of them", kind="invalid_arguments")
    if spawn is not None and kind not in _ENTITIES:
        raise ToolError("spawn: only creatures and gameobjects have spawns; give id", kind="invalid_arguments")
    schema = await call.schema()
    schema.table("smart_scripts")
    entry = await _entry_of_spawn(call, kind, spawn) if spawn is not None else int(id or 0)
    script = -spawn if spawn is not None else entry
    rows = (await rows_of(call, kind, [script])).get(script, [])
    others = await _own_scripts(call, kind, entry)
    if not rows and (spawn is not None or not others):
        raise _no_script(of, entry, spawn)
    lists = await _lists(call, rows)
    owner = entry if kind == _CREATURE else entry // 100 if kind == ACTION_LIST else None
    everything = [*rows, *(row for each in lists.values() for row in each)]
    words = vocabulary(schema.family)
    (names, quotes, own_names, ai_name), conditions = await asyncio.gather(
        asyncio.gather(
            resolve(call, references(words, everything), locale),
            quotes_for(call, ((row, owner) for row in everything), locale),
            names_of(call, _ENTITIES[kind], [entry], locale) if kind in _ENTITIES else _nothing(),
            _ai_name(call, kind, entry),
        ),
        asyncio.gather(*(_conditions(call, key, each, locale) for key, each in ((script, rows), *lists.items()))),
    )
    shown = _shown(_steps(words, rows, names, quotes, owner), conditions[0], lists)
    cut = len(everything) >= MOST_ROWS or len(lists) >= _MOST_LISTS
    return SmartScript(
        of=of,
        entry=Reference(id=entry, name=own_names.get(entry)) if kind in _ENTITIES else None,
        spawn=spawn,
        ai_name=ai_name,
        rows=shown,
        action_lists=[
            ActionList(number, _shown(_steps(words, each, names, quotes, owner), found, lists))
            for (number, each), found in zip(lists.items(), conditions[1:], strict=True)
        ],
        spawns_with_own_script=others,
        notice=f"only the first {MOST_ROWS} rows and {_MOST_LISTS} action lists are shown" if cut else None,
        related=_related(kind, entry, shown, others if spawn is None else []),
    )


async def _nothing() -> dict[int, str]:
    return {}


def _no_script(of: str, entry: int, spawn: int | None) -> ToolError:
    if spawn is not None:
        return ToolError(f"{of} spawn {spawn} has no script of its own; it runs that of {of} {entry}, if that has one")
    hint = "" if of == "action_list" else "; its script may be in C++ (ScriptName), or its behaviour in other tables"
    return ToolError(f"there is no SmartAI script for {of.replace('_', ' ')} {entry}{hint}")


def _related(kind: int, entry: int, rows: Sequence[SmartRow], others: Sequence[int]) -> list[Related]:
    found = []
    if kind in _RELATED_GET:
        found.append(Related(_RELATED_GET[kind], {"id": entry}, "whose script it is"))
    if kind == _CREATURE and any(row.action.name in ("Talk", "Simple Talk") for row in rows):
        found.append(Related("creature_text", {"creature": entry}, "all that it says"))
    paths = [row.action.parameters.get("path") for row in rows if (row.action.name or "").endswith("Start")]
    found += [Related("waypoints", {"path": path}, "the path that it takes") for path in dict.fromkeys(paths) if path]
    if kind == _AREATRIGGER:
        found.append(Related("areatriggers", {"id": entry}, "what else the area trigger does"))
    found += [
        Related("smart_script", {"of": list(_ENTITIES.values())[kind], "spawn": guid}, "a spawn's own script")
        for guid in others[:3]
    ]
    return found


TOOLS: tuple[Tool, ...] = (smart_script,)
