"""What a check is, and how its SELECT is made for the database at hand."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from trinitycore_mcp.schema import Family, Schema

_TABLE = re.compile(r"\{(\w+) (\w+)\}")
_COLUMN = re.compile(r"\{(\w+)\.(\w+)\}")


# Later clients bring their items along; the database holds those that were changed, unless somebody loaded all.
_CLIENT_DATA = {"item_template": 50_000}


class NotChecked(Exception):
    """A check can't be made on this database; the message says why."""


@dataclass(frozen=True)
class Check:
    """One kind of problem, or a part of it: several checks may have the same kind, for different tables.

    ``sql`` selects the rows that are wrong, every column under a name. In it ``{creature s}`` is a table (as
    TrinityCore 3.3.5 calls it) under an alias, and ``{s.guid}`` a column of it. Where families keep something in
    different tables, it holds a SELECT for each, and the first whose tables and columns are there is taken.
    """

    kind: str
    meaning: str
    sql: str | tuple[str, ...]
    key: tuple[str, ...]
    """Columns of the SELECT that tell its rows apart."""
    complete: tuple[tuple[str, int], ...] = ()
    """Tables that the check can only be made with when they hold this many rows at least: those of the client's data,
    of which a database may hold a few rows or all."""

    def needs(self, schema: Schema) -> tuple[tuple[str, int], ...]:
        """Return the tables that must hold so many rows for the check to be true of this database."""
        used = {table for table, _ in _TABLE.findall(self.sql if isinstance(self.sql, str) else " ".join(self.sql))}
        client = _CLIENT_DATA if schema.family is Family.TRINITYCORE_MASTER else {}
        return (*self.complete, *((table, rows) for table, rows in client.items() if table in used))

    def select(self, schema: Schema) -> str:
        """Return the SELECT for this database.

        :raises NotChecked: a table or column is not there.
        """
        variants = (self.sql,) if isinstance(self.sql, str) else self.sql
        reasons = []
        for variant in variants:
            try:
                return _resolve(schema, variant)
            except NotChecked as reason:
                reasons.append(reason)
        raise reasons[0]


@dataclass(frozen=True)
class Group:
    """Checks that belong together: one tool."""

    name: str
    title: str
    about: str
    """What is looked for, for the tool's description."""
    make: Callable[[Family], Sequence[Check]]
    """Returns the checks for a family; the kinds are the same for all."""

    @property
    def kinds(self) -> dict[str, str]:
        """Kind to meaning."""
        return {check.kind: check.meaning for check in self.make(Family.TRINITYCORE)}


def fixed(*checks: Check) -> Callable[[Family], Sequence[Check]]:
    """Return the `make` of a group whose checks are the same for all families."""
    return lambda _: checks


def absent(table: str, *conditions: str) -> str:
    """Return the SQL that says that a table has no row that meets the conditions.

    :param table: with its alias, e.g. "creature_template t".
    """
    return f"NOT EXISTS (SELECT 1 FROM {{{table}}} WHERE {' AND '.join(conditions)})"


def nowhere(value: str, *selects: str) -> str:
    """Return the join and condition that say that a value is among none of the selected ones.

    What is selected has no index on it, so it is gathered once: asked for each row, it would take hours.

    :param selects: SELECTs of one column called id each.
    """
    # DISTINCT keeps the server from merging the inner SELECT into the outer one.
    every = f"SELECT DISTINCT id FROM ({' UNION ALL '.join(selects)}) every_one"
    return f" LEFT JOIN ({every}) found ON found.id = {value} WHERE found.id IS NULL"


def numbers(values: Sequence[int]) -> str:
    """Return the values as an SQL list; of none, a list that holds no value that there is."""
    return ", ".join(str(int(value)) for value in sorted(set(values))) or "NULL"


def _resolve(schema: Schema, template: str) -> str:
    tables: dict[str, str] = {}
    for table, alias in _TABLE.findall(template):
        if tables.setdefault(alias, table) != table:
            raise ValueError(f"alias {alias} stands for {tables[alias]} and {table}")
        if not schema.has(table):
            raise NotChecked(f"table {table} is not in this database")

    def column(match: re.Match[str]) -> str:
        alias, name = match.groups()
        found = schema.column(tables[alias], name, alias)
        if found is None:
            raise NotChecked(f"table {tables[alias]} has no column {name} in this database")
        return found

    sql = _TABLE.sub(lambda match: f"{schema.table(match[1])} {match[2]}", template)
    return _COLUMN.sub(column, sql)
