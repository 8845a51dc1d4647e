"""Conditions: when loot drops, gossip shows, spells hit, vendors sell, scripts run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from msgspec import Meta, Struct

from trinitycore_mcp.conditions import Alternative, by_key, decode, references_of, rows_of, sentence_of, together
from trinitycore_mcp.conditions.decode import capital, references
from trinitycore_mcp.conditions.rows import select
from trinitycore_mcp.conditions.vocabulary import Vocabulary, source_names, vocabulary
from trinitycore_mcp.database.session import Row
from trinitycore_mcp.sentences import Names, Reference, resolve
from trinitycore_mcp.sentences.values import is_reference, show
from trinitycore_mcp.toolkit import (
    Call,
    Cursor,
    Limit,
    Locale,
    Named,
    NextCursor,
    Notice,
    Related,
    Tool,
    ToolError,
    did_you_mean,
    doc,
    text_or_none,
    tool,
)

SMART_EVENT = 22


class ConditionRow(Struct, frozen=True):
    """One condition."""

    type: Named
    sentence: str
    negative: Annotated[bool, doc("true: it must not hold; the sentence says so already")]
    target: Annotated[int, doc("which of the source's objects it is about: 0, 1 or 2")]
    values: Annotated[dict[str, int], doc("ConditionValue1 to 3 by what they mean for this type")]
    error: Annotated[str | None, doc("for spells: error type and text id shown when it fails")]


class ConditionGroup(Struct, frozen=True):
    """Conditions that must all hold."""

    else_group: int
    all_of: list[ConditionRow]


class ConditionSource(Struct, frozen=True):
    """What conditions are attached to."""

    group: Annotated[int, doc("SourceGroup")]
    entry: Annotated[int, doc("SourceEntry")]
    source_id: Annotated[int, doc("SourceId: the source type of the script for SmartAI, else 0")]
    about: Annotated[str, doc("the source in words")]
    sentence: Annotated[str, doc("all that must hold, as one sentence")]
    any_of: Annotated[list[ConditionGroup], doc("one group that holds is enough")]


class Conditions(Struct, frozen=True):
    """Sources and their conditions."""

    source_type: Annotated[Named | None, doc("null: a reference template")]
    sources: list[ConditionSource]
    next_cursor: NextCursor
    notice: Notice
    related: list[Related]


async def sentences_for(
    call: Call, source_type: int, keys: Sequence[tuple[int, int]], locale: str | None = None
) -> dict[tuple[int, int], list[str]]:
    """Return for sources of one type the sentences that must all hold; sources without conditions are left out.

    :param source_type: e.g. 1 for creature loot, 14 for a gossip menu's text, 23 for a vendor's item.
    :param keys: source group and source entry.
    :returns: nothing when the database has no conditions.
    :raises ToolError: the database can't be read.
    """
    schema = await call.schema()
    if not keys or not schema.has("conditions"):
        return {}
    decoded = await decoded_for(call, source_type, await rows_of(call, source_type, keys), locale)
    found: dict[tuple[int, int], list[str]] = {}
    for (group, entry, _), alternatives in decoded.items():
        found.setdefault((group, entry), []).extend(together(alternatives))
    return found


async def decoded_for(
    call: Call, source_type: int, rows: Sequence[Row], locale: str | None = None
) -> dict[tuple[int, int, int], list[Alternative]]:
    """Return rows of one type of source, decoded, by group, entry and source id."""
    words = vocabulary((await call.schema()).family)
    templates = await references_of(call, rows)
    everything = [*rows, *(row for each in templates.values() for row in each)]
    names = await resolve(call, references(words, everything), locale)
    return {key: decode(words, each, names, templates, source_type) for key, each in by_key(rows).items()}


def _source_reference(source: str, value: int) -> Reference | None:
    return (source, value) if is_reference(source) and source not in _NO_NAMES and value > 0 else None


_NO_NAMES = frozenset({"unused", "custom", "entry", "entry_or_guid", "object_kind"})
# What a script belongs to, by SourceId of a condition on SmartAI.
_SCRIPTS = {0: "creature", 1: "gameobject", 2: "areatrigger", 9: "action_list"}


def _about(words: Vocabulary, source_type: int, row: Row, names: Names) -> str:
    """Return a source in words."""
    if source_type < 0:
        return f"condition template {-source_type}"
    source = words.sources[source_type]
    group, entry, script = row["SourceGroup"], row["SourceEntry"], row["SourceId"]
    if source_type == SMART_EVENT:
        kind = _SCRIPTS.get(script, f"script of source type {script}")
        owner = show(f"{kind}_spawn", -entry, names) if entry < 0 else show(kind, entry, names)
        return f"{source.data['about']}: row {group - 1} of {owner}"
    parts = [
        show(str(source.data[place]), value, names) if value or source.data[place] != "unused" else ""
        for place, value in (("entry", entry), ("group", group))
    ]
    between = ", " if source.data["group"] == "effect_mask" else " in "
    return f"{source.data['about']}: {between.join(part for part in parts if part)}"


def _source_references(words: Vocabulary, source_type: int, row: Row) -> list[Reference]:
    if source_type < 0:
        return []
    group, entry = row["SourceGroup"], row["SourceEntry"]
    if source_type == SMART_EVENT:
        kind = _SCRIPTS.get(row["SourceId"], "")
        return [(f"{kind}_spawn", -entry) if entry < 0 else (kind, entry)]
    data = words.sources[source_type].data
    pairs = (_source_reference(str(data["entry"]), entry), _source_reference(str(data["group"]), group))
    return [pair for pair in pairs if pair is not None]


def _shown(alternatives: Sequence[Alternative]) -> list[ConditionGroup]:
    return [
        ConditionGroup(
            else_group=group.else_group,
            all_of=[
                ConditionRow(
                    type=Named(value=each.row["ConditionTypeOrReference"], name=each.type_name),
                    sentence=capital(each.sentence),
                    negative=bool(each.row["NegativeCondition"]),
                    target=each.row["ConditionTarget"],
                    values=each.values,
                    error=text_or_none(
                        f"type {each.row['ErrorType']}, text {each.row['ErrorTextId']}" if each.row["ErrorType"] else ""
                    ),
                )
                for each in group.rows
            ],
        )
        for group in alternatives
    ]


def _source_number(words: Vocabulary, name: str) -> int:
    number = words.source_number(name)
    if number is None:
        known = [source.name for key, source in words.sources.items() if key]
        raise ToolError(
            f"source_type: this family has no {name[:64]!r}{did_you_mean(name[:64], known)}", kind="invalid_arguments"
        )
    return number


@tool(title="Conditions of a source")
async def conditions_of(
    call: Call,
    source_type: Annotated[
        Annotated[str, Meta(extra_json_schema={"enum": source_names()})] | None,
        doc("what the conditions are attached to"),
    ] = None,
    group: Annotated[
        Annotated[int, Meta(ge=0, le=0xFFFFFFFF)] | None,
        doc("SourceGroup: loot entry, gossip menu, vendor, vehicle, spell effect mask, or a script row's id + 1"),
    ] = None,
    entry: Annotated[
        Annotated[int, Meta(ge=-0x80000000, le=0x7FFFFFFF)] | None,
        doc("SourceEntry: item, text, option, spell, quest, creature, or a script's entry (a spawn: -guid)"),
    ] = None,
    source_id: Annotated[
        Annotated[int, Meta(ge=0, le=12)] | None,
        doc("for SmartAI: 0 creature, 1 gameobject, 2 area trigger, 9 action list"),
    ] = None,
    reference: Annotated[
        Annotated[int, Meta(ge=1, le=0x7FFFFFFF)] | None, doc("a reference template's number, instead of source_type")
    ] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
    locale: Locale = None,
) -> Conditions:
    """When something of the game is allowed or shown: rows of the table conditions, decoded to sentences with names.

    Give source_type, and group and entry to narrow it down. Rows of one ElseGroup must all hold; one group is enough.
    gossip_tree and the loot tools already show the conditions of their rows.
    """
    if (source_type is None) == (reference is None):
        raise ToolError("give source_type or reference, one of them", kind="invalid_arguments")
    schema = await call.schema()
    words = vocabulary(schema.family)
    number = -(reference or 0) if source_type is None else _source_number(words, source_type)
    asked = {"SourceGroup": group, "SourceEntry": entry, "SourceId": source_id}
    filters = [(f"c.`{column}` = %s", value) for column, value in asked.items() if value is not None]
    where = " AND ".join(["c.`SourceTypeOrReferenceId` = %s", *(sql for sql, _ in filters)])
    parameters: list[object] = [number, *(value for _, value in filters)]
    key = "(c.`SourceGroup`, c.`SourceEntry`, c.`SourceId`)"
    place = call.place(cursor, 3)
    after = f" AND {key} > (%s, %s, %s)" if place else ""
    keys = await call.rows(
        "SELECT DISTINCT c.`SourceGroup`, c.`SourceEntry`, c.`SourceId` "
        f"FROM {schema.table('conditions')} c WHERE {where}{after} "
        "ORDER BY c.`SourceGroup`, c.`SourceEntry`, c.`SourceId` LIMIT %s",
        (*parameters, *(place or ()), limit + 1),
    )
    rows: list[Row] = []
    if keys:
        first, last = (list(row.values()) for row in (keys[0], keys[-1]))
        rows = await call.rows(
            select(schema, f"{where} AND {key} >= (%s, %s, %s) AND {key} <= (%s, %s, %s)"),
            (*parameters, *first, *last),
        )
    firsts = {key: each[0] for key, each in by_key(rows).items()}
    decoded = await decoded_for(call, number, rows, locale)
    wanted = {pair for row in firsts.values() for pair in _source_references(words, number, row)}
    names = await resolve(call, wanted, locale)
    sources = [
        ConditionSource(
            group=key[0],
            entry=key[1],
            source_id=key[2],
            about=_about(words, number, firsts[key], names),
            sentence=capital(sentence_of(alternatives)),
            any_of=_shown(alternatives),
        )
        for key, alternatives in decoded.items()
    ]
    page = call.page(sources, limit, lambda source: [source.group, source.entry, source.source_id])
    return Conditions(
        source_type=Named(value=number, name=words.sources[number].name) if number >= 0 else None,
        sources=page.items,
        next_cursor=page.next_cursor,
        notice=page.notice,
        related=_related(number, page.items),
    )


def _related(number: int, sources: Sequence[ConditionSource]) -> list[Related]:
    if number == SMART_EVENT and sources:
        source = sources[0]
        kind = {0: "creature", 1: "gameobject", 2: "areatrigger", 9: "action_list"}.get(source.source_id)
        if kind is not None and source.entry > 0:
            return [Related("smart_script", {"of": kind, "id": source.entry}, "the script that these rows belong to")]
    if number in (14, 15) and sources:
        return [Related("gossip_tree", {"menu": sources[0].group}, "the menu with all its options")]
    return []


TOOLS: tuple[Tool, ...] = (conditions_of,)
