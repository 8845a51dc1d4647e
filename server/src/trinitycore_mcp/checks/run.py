"""Runs checks: how many rows are wrong, and which."""

from __future__ import annotations

import json
from collections.abc import Awaitable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Annotated, Any, TypeVar

from msgspec import Struct

from trinitycore_mcp.checks.check import Check, Group, NotChecked
from trinitycore_mcp.schema import Schema
from trinitycore_mcp.toolkit import Call, ToolError, doc

# More rows are not counted: who has ten thousand wrong in the same way has one cause, not ten thousand.
MOST_COUNTED = 10_000

Value = int | float | str | None
Place = tuple[int, str]
"""Number of the check in its group, and the row's key as JSON."""
T = TypeVar("T")


class KindCount(Struct, frozen=True):
    """How many problems of one kind there are."""

    kind: str
    meaning: str
    count: int
    more: Annotated[bool, doc(f"there are more: in one table no more than {MOST_COUNTED} are counted")]


class NotCheckedKind(Struct, frozen=True):
    """A kind, or a part of it, that can't be checked on this database."""

    kind: str
    reason: str


@dataclass(frozen=True)
class Wrong:
    """A wrong row."""

    kind: str
    place: Place
    row: dict[str, Value]


@dataclass
class Report:
    """What checks have found."""

    counts: dict[str, KindCount] = field(default_factory=dict)
    not_checked: list[NotCheckedKind] = field(default_factory=list)
    wrong: list[Wrong] = field(default_factory=list)

    def count(self, check: Check, number: int) -> None:
        """Add a check's rows to those of its kind."""
        before = self.counts.get(check.kind)
        self.counts[check.kind] = KindCount(
            kind=check.kind,
            meaning=check.meaning,
            count=min(number, MOST_COUNTED) + (before.count if before else 0),
            more=number > MOST_COUNTED or bool(before and before.more),
        )

    def leave_out(self, check: Check, reason: NotChecked) -> None:
        """Note that a check could not be made, once for each reason."""
        note = NotCheckedKind(check.kind, str(reason))
        if note not in self.not_checked:
            self.not_checked.append(note)


async def run(
    call: Call,
    group: Group,
    *,
    kind: str | None = None,
    rows: int = 0,
    behind: Place | None = None,
    steps: tuple[int, int] | None = None,
) -> Report:
    """Count the problems of a group and collect wrong rows in a steady order; tell the client how far it is.

    What this database can't be checked for, by its tables or data, is told with the counts.

    :param kind: only this kind.
    :param rows: as many rows at most.
    :param behind: rows behind this place only, and no counts.
    :param steps: checks of the whole call that are done, and all that it makes.
    """
    schema = await call.schema()
    report = Report()
    chosen = [(n, each) for n, each in enumerate(group.make(schema.family)) if kind is None or each.kind == kind]
    done, total = steps or (0, len(chosen))
    for number, check in chosen:
        await call.progress(done, total, f"{group.name}: {check.kind}")
        done += 1
        if behind is not None and (number < behind[0] or len(report.wrong) >= rows):
            continue
        try:
            select = await _ready(call, schema, check)
        except NotChecked as reason:
            if behind is None:
                report.leave_out(check, reason)
            continue
        try:
            if behind is None:
                found = await _count(call, select)
                report.count(check, found)
                if not found:
                    continue
            if len(report.wrong) < rows:
                after = behind[1] if behind is not None and behind[0] == number else None
                report.wrong += await _rows(call, number, check, select, after, rows - len(report.wrong))
        except NotChecked as reason:
            report.leave_out(check, reason)
    return report


async def _ready(call: Call, schema: Schema, check: Check) -> str:
    """Return the check's SELECT, after looking whether the client's data it needs is there."""
    select = check.select(schema)
    for table, least in check.needs(schema):
        if not schema.has(table):
            raise NotChecked(f"table {table} is not in this database")
        full = schema.table(table)
        row = await call.row(f"SELECT COUNT(*) AS n FROM (SELECT 1 FROM {full} LIMIT {least}) c")
        if row is None or row["n"] < least:
            raise NotChecked(f"table {table} holds only a part of the client's data ({row['n'] if row else 0} rows)")
    return select


async def _count(call: Call, select: str) -> int:
    counted = call.row(f"SELECT COUNT(*) AS n FROM (SELECT 1 FROM ({select}) p LIMIT {MOST_COUNTED + 1}) c")
    row = await _patiently(counted)
    return int(row["n"]) if row else 0


async def _rows(call: Call, number: int, check: Check, select: str, after: str | None, most: int) -> list[Wrong]:
    keys = ", ".join(f"p.`{column}`" for column in check.key)
    where, values = "", []
    if after is not None:
        values = _key(after, len(check.key))
        where = f" WHERE ({keys}) > ({', '.join(['%s'] * len(values))})"
    found = await _patiently(
        call.rows(f"SELECT p.* FROM ({select}) p{where} ORDER BY {keys} LIMIT %s", (*values, most))
    )
    rows = [{name: _plain(value) for name, value in row.items()} for row in found]
    return [Wrong(check.kind, (number, json.dumps([row[name] for name in check.key])), row) for row in rows]


def _key(text: str, size: int) -> list[Any]:
    try:
        values = json.loads(text)
    except ValueError:
        values = None
    if not isinstance(values, list) or len(values) != size or not all(isinstance(v, int | float | str) for v in values):
        raise ToolError("cursor: not one of ours; start without one", kind="invalid_arguments")
    return values


def _plain(value: Any) -> Value:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return value if isinstance(value, int | float | str) else None


async def _patiently(question: Awaitable[T]) -> T:
    """Return the answer; a check whose statement takes too long is left out, the others go on."""
    try:
        return await question
    except ToolError as error:
        if error.kind == "timeout":
            raise NotChecked(f"this database needs too long for it: {error}") from error
        raise
