"""What the loot tools answer: rows with their chances, group sums, names and conditions."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import partial
from operator import is_, itemgetter
from typing import Annotated

from msgspec import Struct

from trinitycore_mcp.entities import names_of
from trinitycore_mcp.loot.conditions import line_conditions
from trinitycore_mcp.loot.expand import Expanded, Line, Step, expand, read_rows
from trinitycore_mcp.loot.items import ItemFacts, item_facts, items_in
from trinitycore_mcp.loot.rules import Odds, shares
from trinitycore_mcp.loot.tables import LOOT_TABLES
from trinitycore_mcp.toolkit import (
    Call,
    Flags,
    Named,
    NextCursor,
    Notice,
    Range,
    Reference,
    Related,
    doc,
    flags,
    named,
    real,
)


class LootStep(Struct, frozen=True):
    """A reference on the way to a row."""

    reference: int
    chance_percent: Annotated[float, doc("of the row that refers to it")]
    rolls: Annotated[int, doc("how often its template is then rolled")]
    group: Annotated[int | None, doc("TrinityCore: only this group of it is rolled; AzerothCore: the row's own group")]


class LootRow(Struct, frozen=True):
    """A row of the expanded loot."""

    what: Annotated[str, doc("item, currency, tracking quest, or reference (one that leads nowhere)")]
    id: int
    name: Annotated[str | None, doc("null: no such row in this database")]
    quality: Named | None
    chance_percent: Annotated[
        float, doc("that one loot holds it by way of this row: references, groups and repeated rolls counted in")
    ]
    item_chance_percent: Annotated[float, doc("that one loot holds the item at all, by whichever rows")]
    row_chance_percent: Annotated[float, doc("Chance as in the table; 0 in a group: an equal part of what is left")]
    group: int | None
    count: Range
    quest_required: bool
    loot_mode: Flags
    via: Annotated[list[LootStep], doc("references that lead here, outermost first")]
    conditions: Annotated[list[str], doc("when it drops at all; those of references on the way included")]
    problem: Annotated[str | None, doc("why it never drops; null: it does")]
    comment: str | None


class LootGroup(Struct, frozen=True):
    """A group of the loot's own rows: at most one of them is taken."""

    group: int
    rows: int
    explicit_percent: Annotated[float, doc("sum of its chances; above 100 the last ones get less than they say")]
    equal_rows: Annotated[int, doc("rows with Chance 0, which share the rest")]
    equal_share_percent: float | None
    nothing_percent: Annotated[float, doc("chance that it gives nothing")]


class LootPage(Struct, frozen=True):
    """Loot of one source."""

    owner: Reference | None
    table: str
    loot_id: Annotated[int | None, doc("Entry in the table; null: it has no such loot")]
    loot_mode: Annotated[Flags, doc("the mode that chances are computed for")]
    rows: list[LootRow]
    row_count: int
    groups: list[LootGroup]
    next_cursor: NextCursor
    notice: Notice
    related: list[Related]


async def read_loot(call: Call, kind: str, ids: Sequence[int]) -> tuple[dict[int, Expanded], ItemFacts]:
    """Return loot templates by id, expanded, and facts about the items in them.

    :param kind: a key of LOOT_TABLES.
    :raises ToolError: the table is missing, or the database can't be read.
    """
    rows = await read_rows(call, kind, ids)
    schema = await call.schema()
    facts = await item_facts(call, items_in(rows.values()))
    return {number: expand(schema.family, kind, number, rows, facts) for table, number in rows if table == kind}, facts


async def loot_page(
    call: Call,
    kind: str,
    loot_id: int,
    owner: Reference | None,
    *,
    loot_mode: int,
    locale: str | None,
    limit: int,
    cursor: str | None,
    related: Sequence[Related] = (),
    absent: str = "",
) -> LootPage:
    """Return one page of a template's rows with their chances.

    :param kind: a key of LOOT_TABLES.
    :param loot_id: Entry in that table; 0: the owner has none.
    :param absent: what to say when there is none.
    """
    schema = await call.schema()
    schema.table(LOOT_TABLES[kind].table)  # or say that it is missing
    after = call.place(cursor)
    all_loot, facts = await read_loot(call, kind, [loot_id]) if loot_id else ({}, ItemFacts(None))
    loot = all_loot.get(loot_id)
    table = LOOT_TABLES[kind].table
    if loot is None:
        notice = absent if not loot_id else f"{table} has no rows of Entry {loot_id}"
        return LootPage(
            owner, table, loot_id or None, flags("loot_mode", loot_mode), [], 0, [], None, notice, list(related)
        )
    start = tuple(map(int, str(after[0]).split("."))) if after else ()
    lines = [line for line in loot.lines if line.place > start]
    lines = lines[: limit + 1]
    rows = await _rows(call, lines, loot, facts, loot_mode, locale)
    places = ([".".join(map(str, line.place))] for line in lines)
    cut = call.page(zip(rows, places, strict=True), limit, itemgetter(1))
    rows = [row for row, _ in cut.items]
    items = [row.id for row in rows if row.what == "item"]
    follow = [Related("item_sources", {"id": number}, "where else it comes from") for number in items[:3]]
    return LootPage(
        owner=owner,
        table=table,
        loot_id=loot_id,
        loot_mode=flags("loot_mode", loot_mode),
        rows=rows,
        row_count=len(loot.lines),
        groups=_groups(loot, loot_mode),
        next_cursor=cut.next_cursor,
        notice=cut.notice
        or (f"the expanded loot is larger: only {len(loot.lines)} rows are known" if loot.cut else None),
        related=[*related, *follow],
    )


def chances(loot: Expanded, lines: Sequence[Line], mode: int) -> list[float]:
    """Return the chance (0 to 1) of each line to drop, by way of this line."""
    odds = Odds(loot.template, mode)
    known: dict[tuple[object, ...], float] = {}
    found = []
    for line in lines:
        entry = line.last.entry
        if line.problem or line.last.kind == "reference":
            found.append(0.0)
            continue
        # Rows of one group that share equally are alike.
        equal = entry.group and not entry.chance
        alike = (line.steps[:-1], entry.group, entry.limit, entry.mode) if equal else line.place
        if alike not in known:
            known[alike] = odds.chance(partial(is_, entry))
        found.append(known[alike])
    return found


def item_chance(loot: Expanded, item: int, mode: int) -> float:
    """Return the chance (0 to 1) that the loot holds the item."""
    wanted = {id(line.last.entry) for line in loot.lines if line.last.kind == "item" and line.last.entry.item == item}
    return Odds(loot.template, mode).chance(lambda each: id(each) in wanted)


async def _rows(
    call: Call, lines: Sequence[Line], loot: Expanded, facts: ItemFacts, mode: int, locale: str | None
) -> list[LootRow]:
    dropped = [line for line in lines if line.last.kind == "item"]
    names, conditions = await asyncio.gather(
        names_of(call, "item", (line.last.entry.item for line in dropped), locale), line_conditions(call, lines, locale)
    )
    often: dict[int, int] = {}
    for line in loot.lines:
        if line.last.kind == "item":
            often[line.last.entry.item] = often.get(line.last.entry.item, 0) + 1
    totals: dict[int, float] = {}
    rows = []
    for line, chance, texts in zip(lines, chances(loot, lines, mode), conditions, strict=True):
        step = line.last
        entry = step.entry
        total = chance
        if step.kind == "item" and often[entry.item] > 1:
            if entry.item not in totals:
                totals[entry.item] = item_chance(loot, entry.item, mode)
            total = totals[entry.item]
        quality = facts.quality(entry.item) if step.kind == "item" else None
        rows.append(
            LootRow(
                what=step.kind,
                id=entry.reference or entry.item,
                name=names.get(entry.item) if step.kind == "item" else None,
                quality=None if quality is None else named("item_quality", quality),
                chance_percent=real(100 * chance),
                item_chance_percent=real(100 * total),
                row_chance_percent=real(entry.chance),
                group=entry.group or None,
                count=Range(entry.min_count, entry.max_count),
                quest_required=entry.quest,
                loot_mode=flags("loot_mode", entry.mode),
                via=[_step(each) for each in line.steps[:-1]],
                conditions=texts,
                problem=line.problem,
                comment=step.comment,
            )
        )
    return rows


def _step(step: Step) -> LootStep:
    entry = step.entry
    return LootStep(entry.reference, real(entry.chance), entry.max_count, entry.group or None)


def _groups(loot: Expanded, mode: int) -> list[LootGroup]:
    found = []
    for number, members in loot.template.groups.items():
        rolled = [each for each in members if each.mode & mode]
        parts, nothing = shares(rolled)
        equal = [part for each, part in zip(rolled, parts, strict=True) if not each.chance]
        found.append(
            LootGroup(
                group=number,
                rows=len(members),
                explicit_percent=real(sum(each.chance for each in rolled)),
                equal_rows=len(equal),
                equal_share_percent=real(100 * equal[0]) if equal else None,
                nothing_percent=real(100 * nothing),
            )
        )
    return found
