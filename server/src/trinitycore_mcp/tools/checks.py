"""Checks of the world's consistency: check_spawns, check_loot ... one tool for each group, and check_summary."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from trinitycore_mcp.cache.policy import CachePolicy
from trinitycore_mcp.checks import GROUPS, Group
from trinitycore_mcp.checks.run import KindCount, NotCheckedKind, Place, Value, Wrong, run
from trinitycore_mcp.entities import ENTITIES, names_of
from trinitycore_mcp.toolkit import (
    Call,
    Cursor,
    Limit,
    NextCursor,
    Notice,
    Related,
    Tool,
    ToolError,
    define,
    did_you_mean,
    doc,
    tool,
)

# A check reads whole tables, and what it finds stays until somebody edits content.
CHECKS = CachePolicy(ttl=300.0, stale=1800.0, local_ttl=10.0)
_TIMEOUT = 120.0
_TIMEOUT_OF_ALL = 600.0
# Entities with a tool X_get that takes an id.
_GETS = ("creature", "gameobject", "item", "quest", "spell", "game_event")


class Problem(Struct, frozen=True):
    """A row that is wrong."""

    kind: Annotated[str, doc("counts tells what it means")]
    row: Annotated[dict[str, Value], doc("ids of the row, and what it refers to")]
    names: Annotated[dict[str, str], doc("names of those of row's ids that exist")]


class CheckPage(Struct, frozen=True):
    """What a check found: how many of each kind, and one page of the rows."""

    counts: Annotated[list[KindCount], doc("of all kinds that were checked; on the first page only")]
    total: Annotated[int | None, doc("sum of counts; null on later pages")]
    not_checked: Annotated[
        list[NotCheckedKind],
        doc("what this database lacks the tables or the data for, on the first page only; what took too long, on each"),
    ]
    problems: Annotated[list[Problem], doc("kind after kind")]
    next_cursor: NextCursor
    notice: Notice
    related: list[Related]


class GroupCount(Struct, frozen=True):
    """How many problems of one kind one check has."""

    check: Annotated[str, doc("the tool that lists the rows")]
    kind: str
    meaning: str
    count: int
    more: bool


class GroupNotChecked(Struct, frozen=True):
    """A kind that one check could not look at."""

    check: str
    kind: str
    reason: str


class CheckSummary(Struct, frozen=True):
    """All checks as one table."""

    total: int
    counts: Annotated[list[GroupCount], doc("most problems first; kinds without any are left out")]
    clean: Annotated[list[str], doc("check.kind of all that were checked and have no problem")]
    not_checked: list[GroupNotChecked]
    related: list[Related]


def _tool(group: Group) -> Tool:
    kinds = group.kinds
    only = Annotated[
        Annotated[str, Meta(max_length=64)] | None,
        Meta(description="only this kind of problem; default: all", extra_json_schema={"enum": [*kinds, None]}),
    ]

    async def check(call: Call, kind: str | None, limit: int, cursor: str | None) -> CheckPage:
        if kind is not None and kind not in kinds:
            raise ToolError(
                f"kind: {group.name} has no {kind[:64]!r}{did_you_mean(kind, kinds)}", kind="invalid_arguments"
            )
        place = call.place(cursor, 2)
        report = await run(call, group, kind=kind, rows=limit + 1, behind=_place(place))
        page = call.page(report.wrong, limit, lambda wrong: list(wrong.place))
        counts = list(report.counts.values())
        names = await _names(call, page.items)
        return CheckPage(
            counts=counts,
            total=sum(each.count for each in counts) if place is None else None,
            not_checked=report.not_checked,
            problems=[Problem(each.kind, each.row, _own(each, names)) for each in page.items],
            next_cursor=page.next_cursor,
            notice=page.notice,
            related=_related(page.items, names),
        )

    arguments = msgspec.defstruct(
        f"{group.name}_arguments",
        [("kind", only, None), ("limit", Limit, 50), ("cursor", Cursor, None)],
        frozen=True,
        forbid_unknown_fields=True,
        kw_only=True,
    )
    return define(
        group.name,
        check,
        CheckPage,
        title=group.title,
        description=f"Finds {group.about}. Returns how many there are of each kind and the rows, page by page, each "
        "with the ids to look up. A kind whose tables this database lacks is listed as not checked. check_summary "
        "counts all checks at once.",
        arguments=arguments,
        cache=CHECKS,
        timeout=_TIMEOUT,
    )


def _place(place: list[Any] | None) -> Place | None:
    if place is None:
        return None
    number, key = place
    if not isinstance(number, int) or not isinstance(key, str):
        raise ToolError("cursor: not one of ours; start without one", kind="invalid_arguments")
    return number, key


async def _names(call: Call, wrong: list[Wrong]) -> dict[str, dict[int, str]]:
    """Return the names of all that the rows name, by entity and id."""
    entities = sorted({name for each in wrong for name in each.row if name in ENTITIES})
    found = await asyncio.gather(
        *(
            names_of(call, entity, [value for each in wrong if isinstance(value := each.row.get(entity), int)])
            for entity in entities
        )
    )
    return dict(zip(entities, found, strict=True))


def _own(wrong: Wrong, names: dict[str, dict[int, str]]) -> dict[str, str]:
    return {
        column: names[column][value]
        for column, value in wrong.row.items()
        if column in names and isinstance(value, int) and value in names[column]
    }


def _related(wrong: list[Wrong], names: dict[str, dict[int, str]]) -> list[Related]:
    """Return how to look at the first of the things that exist."""
    seen = dict.fromkeys(
        (entity, value)
        for each in wrong
        for entity, value in each.row.items()
        if entity in _GETS and isinstance(value, int) and value in names.get(entity, {})
    )
    return [
        Related(tool=f"{entity}_get", arguments={"id": value}, why=names[entity][value] or "look at it")
        for entity, value in list(seen)[:10]
    ]


@tool(title="All checks, counted", cache=CHECKS, timeout=_TIMEOUT_OF_ALL)
async def check_summary(call: Call) -> CheckSummary:
    """How many problems the world has by check and kind: spawns, loot, quests, vendors, SmartAI scripts, conditions and
    gossip. It reads the whole world once and may take a minute; the check_ tools list the rows."""
    schema = await call.schema()
    total, done = sum(len(group.make(schema.family)) for group in GROUPS), 0
    counts: list[GroupCount] = []
    not_checked: list[GroupNotChecked] = []
    for group in GROUPS:
        report = await run(call, group, steps=(done, total))
        done += len(group.make(schema.family))
        counts += [
            GroupCount(group.name, each.kind, each.meaning, each.count, each.more) for each in report.counts.values()
        ]
        not_checked += [GroupNotChecked(group.name, each.kind, each.reason) for each in report.not_checked]
    wrong = sorted((each for each in counts if each.count), key=lambda each: (-each.count, each.check, each.kind))
    return CheckSummary(
        total=sum(each.count for each in wrong),
        counts=wrong,
        clean=[f"{each.check}.{each.kind}" for each in counts if not each.count],
        not_checked=not_checked,
        related=[Related(tool=each.check, arguments={"kind": each.kind}, why=each.meaning) for each in wrong[:10]],
    )


TOOLS: tuple[Tool, ...] = (*(_tool(group) for group in GROUPS), check_summary)
