"""Tables by the names that people give: those of this server, or TrinityCore 3.3.5's for what is called otherwise."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Literal, NamedTuple

from msgspec import Meta

from trinitycore_mcp.errors import ToolError
from trinitycore_mcp.schema import Schema

DatabaseKind = Literal["world", "characters", "auth", "hotfixes"]
DATABASES: tuple[DatabaseKind, ...] = ("world", "characters", "auth", "hotfixes")
WhichDatabase = Annotated[DatabaseKind, Meta(description="which of the game's databases")]
TableName = Annotated[str, Meta(min_length=1, max_length=64, description="name of the table")]
_QUOTED = re.compile(r"`([^`]+)`\.`([^`]+)`(?:\.`([^`]+)`)?")


class Place(NamedTuple):
    """Where a table is: `database` is world, characters, auth or hotfixes, `actual` what it is called here."""

    database: str
    actual: str
    table: str


class ColumnPlace(NamedTuple):
    """Where a column is."""

    table: Place
    column: str


def find_table(schema: Schema, database: str, table: str) -> Place:
    """Return where a table is.

    :raises ToolError: it is not there, with names that are near.
    """
    if table in schema.tables.get(database, {}):
        return Place(database, schema.databases[database], table)
    found = _QUOTED.fullmatch(schema.table(table, database))
    if found is None:
        raise ToolError(f"table {table} can't be described", kind="missing_table")
    return _place(schema, found[1], found[2])


def find_column(schema: Schema, database: str, table: str, column: str) -> ColumnPlace | None:
    """Return where a column is, both names as in TrinityCore 3.3.5; None: this family has it not, or computes it."""
    if not schema.has(table, database=database):
        return None
    sql = schema.column(table, column, database=database)
    found = _QUOTED.fullmatch(sql) if sql is not None else None
    return ColumnPlace(_place(schema, found[1], found[2]), found[3]) if found is not None and found[3] else None


def _place(schema: Schema, actual: str, table: str) -> Place:
    return Place(database_called(schema.databases, actual), actual, table)


def database_called(databases: Mapping[str, str], actual: str) -> str:
    """Return world, characters, auth or hotfixes for what a database is called here; its own name for any other."""
    return next((name for name, each in databases.items() if each == actual), actual)


def text(value: object) -> str | None:
    """Return a text of information_schema: MySQL 8 gives some of its columns as bytes."""
    return value.decode(errors="replace") if isinstance(value, bytes) else None if value is None else str(value)
