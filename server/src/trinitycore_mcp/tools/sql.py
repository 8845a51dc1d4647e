"""Statements of one's own, only reading: sql_select, sql_explain.

What a statement can't do is seen to by the database (see database.adhoc): the account's grants, a READ ONLY
transaction, one statement, limits on time, rows and bytes. What it can read is what the account may read, characters
and accounts among it, hence scope `players`. Personal data stays unread because the account has no right to it: while
it has one, every statement is refused (see database.personal). get_security_status shows what it has been granted.
"""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any

from msgspec import Meta, Struct

from trinitycore_mcp.database.errors import (
    DatabaseError,
    QueryFailed,
    SchemaChanged,
    StatementRefused,
    TooExpensive,
)
from trinitycore_mcp.database.personal import PersonalDataReadable
from trinitycore_mcp.database.statement import MAX_BYTES
from trinitycore_mcp.errors import ToolError, nearest
from trinitycore_mcp.schema import Schema
from trinitycore_mcp.structure.places import DatabaseKind
from trinitycore_mcp.toolkit import NONE, Call, Notice, Related, Tool, doc, tool
from trinitycore_mcp.toolkit.call import database_error
from trinitycore_mcp.tools.account import ACCOUNT_COLUMNS

_MOST_CHARACTERS = 4096
_SAFE_INTEGER = 2**53
# A decimal of more digits than this is no number that JSON readers keep as it is.
_EXACT_DIGITS = 15
_REFUSED = re.compile(r"^the database refused the statement \((?P<code>\d+)\): (?P<message>.*)$", re.DOTALL)
# Errors whose message tells of the statement's text, names and rights, and never of a row's content: syntax, names
# that are not there or not plain, rights, and wrong use of columns, subqueries, groups and functions.
_TELLING = frozenset(
    {1044, 1046, 1049, 1051, 1052, 1054, 1055, 1056, 1060, 1064, 1065, 1066, 1096, 1109, 1111, 1120, 1140, 1142, 1143}
    | {1146, 1149, 1154, 1191, 1193, 1222, 1227, 1235, 1241, 1242, 1247, 1248, 1250, 1305, 1318, 1356, 1370, 1415}
    | {1582, 1583, 1584, 1630, 3065, 3593, 4015, 4016, 4079}
)
_NO_DATABASE, _NO_TABLE, _NO_COLUMN, _DENIED = 1046, 1146, 1054, frozenset({1044, 1142, 1143})
_TABLE = re.compile(r"'(?P<database>[^'.]*)\.(?P<table>[^']*)'")

Query = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=MAX_BYTES,
        description="one statement: SELECT, WITH ... SELECT, SHOW, DESCRIBE or EXPLAIN; tables with their database, "
        "e.g. SELECT entry, name FROM world.creature_template (schema_databases tells what the databases are called)",
    ),
]
Unqualified = Annotated[
    DatabaseKind | None,
    Meta(description="where tables without a database are looked up; null: every table is written with its database"),
]
SqlValue = str | int | float | None


class SqlColumn(Struct, frozen=True):
    """A column of a result."""

    name: str
    type: Annotated[str, doc("in SQL's words: int, varchar, text, decimal, datetime ...")]


class SqlResult(Struct, frozen=True):
    """What a statement gave."""

    columns: list[SqlColumn]
    rows: Annotated[
        list[list[SqlValue]],
        doc(
            "values in the columns' order: times as text, binary ones as 0x and hexadecimal digits, decimals as text "
            "where a number would lose digits"
        ),
    ]
    row_count: Annotated[int, doc("rows in this answer")]
    notice: Notice
    duration_ms: float
    host: Annotated[str, doc("the database host that answered")]


class SqlPlan(Struct, frozen=True):
    """What the database would do for a statement."""

    estimated_rows: Annotated[int, doc("rows that it would look at, over all steps")]
    allowed_rows: Annotated[int, doc("sql_select refuses a statement that would look at more")]
    would_run: bool
    steps: Annotated[list[dict[str, SqlValue]], doc("as the database's EXPLAIN tells them; columns differ by version")]
    related: list[Related]


@tool(title="Run a reading SQL statement", scope="players", cache=NONE)
async def sql_select(
    call: Call,
    query: Query,
    limit: Annotated[int, Meta(ge=1, le=10_000, description="rows at most; the server has a limit of its own")] = 100,
    database: Unqualified = None,
) -> SqlResult:
    """Run one reading SQL statement on the game's databases, for what no other tool answers. Nothing can be changed:
    the account may only read, in a read-only transaction, within limits of time, rows and bytes; a statement that would
    look at too many rows is refused before it runs (sql_explain tells how many). Columns with personal data or secrets
    can't be read. Prefer the other tools: they decode numbers to names and know how kinds of database differ.
    schema_tables, table_describe and table_relations tell what to write."""
    try:
        found = await call.services.database.select(call.tool, query, schema=_actual(call, database), max_rows=limit)
    except DatabaseError as error:
        raise await _told(call, error) from error
    shortened = 0
    rows: list[list[SqlValue]] = []
    for row in found.rows:
        values = [_value(each) for each in row]
        for place, value in enumerate(values):
            if isinstance(value, str) and len(value) > _MOST_CHARACTERS:
                values[place] = f"{value[:_MOST_CHARACTERS]}... ({len(value)} characters)"
                shortened += 1
        rows.append(values)
    most = call.services.config.database.max_rows
    notices = [f"{found.truncated}: narrow it by WHERE, or raise limit (at most {most})"] if found.truncated else []
    notices += [f"{shortened} values are cut after {_MOST_CHARACTERS} characters"] if shortened else []
    return SqlResult(
        columns=[SqlColumn(each.name, each.type) for each in found.columns],
        rows=rows,
        row_count=len(rows),
        notice="; ".join(notices) or None,
        duration_ms=round(found.seconds * 1000, 3),
        host=found.host,
    )


@tool(title="Explain a SQL statement", scope="players", cache=NONE)
async def sql_explain(call: Call, query: Query, database: Unqualified = None) -> SqlPlan:
    """The database's plan for one SELECT, which is not run: in which order it would read which tables, by which index,
    how many rows it would look at, and whether sql_select would run it. For making a slow or refused statement
    cheaper."""
    try:
        plan = await call.services.database.explain(call.tool, query, schema=_actual(call, database))
    except DatabaseError as error:
        raise await _told(call, error) from error
    allowed = call.services.config.database.max_scan_rows
    again = {"query": query} if database is None else {"query": query, "database": database}
    fits = plan.estimated_rows <= allowed
    return SqlPlan(
        estimated_rows=min(plan.estimated_rows, _SAFE_INTEGER),
        allowed_rows=allowed,
        would_run=fits,
        steps=[{name: _value(value) for name, value in step.items()} for step in plan.rows],
        related=[Related("sql_select", again, "run it")] if fits else [],
    )


def _actual(call: Call, database: DatabaseKind | None) -> str | None:
    """Return what a database is called on this server."""
    return getattr(call.services.config.database.databases, database) if database is not None else None


def _value(value: Any) -> SqlValue:
    """Return a value of a row as JSON has it."""
    if value is None or isinstance(value, str | int | float):
        return value
    if isinstance(value, bytes | bytearray):
        return f"0x{value.hex()}"
    if isinstance(value, Decimal):
        return _number(value)
    if isinstance(value, timedelta):
        return _duration(value)
    if isinstance(value, datetime):
        return value.isoformat(" ")
    return value.isoformat() if isinstance(value, date) else str(value)


def _number(value: Decimal) -> SqlValue:
    """Return a decimal as a number where that keeps its value, else as text."""
    if value == value.to_integral_value() and abs(value) <= _SAFE_INTEGER:
        return int(value)
    return float(value) if len(value.as_tuple().digits) <= _EXACT_DIGITS else str(value)


def _duration(value: timedelta) -> str:
    """Return a TIME value as SQL writes it, e.g. -26:03:04.5 (its hours may pass a day)."""
    seconds, rest = divmod(abs(value) // timedelta(microseconds=1), 1_000_000)
    sign = "-" if value < timedelta() else ""
    fraction = f".{rest:06d}".rstrip("0") if rest else ""
    return f"{sign}{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}{fraction}"


async def _told(call: Call, error: DatabaseError) -> ToolError:
    """Return the error to show: with the database's own words where they can't hold a row's content."""
    if isinstance(error, PersonalDataReadable):
        account = f"{call.services.config.database.databases.auth}.account"
        return ToolError(
            f"{error}. Who runs this server should REVOKE its SELECT on databases and tables with such columns and "
            f"grant the other columns, as in GRANT SELECT ({', '.join(ACCOUNT_COLUMNS)}) ON {account}; docs/server.md, "
            '"What the reading account may see", has a statement that lists all. A change counts within a minute. All '
            "other tools go on",
            kind="database",
        )
    if isinstance(error, StatementRefused):
        return ToolError(str(error), kind="invalid_arguments")
    if isinstance(error, TooExpensive):
        return ToolError(f"{error}; sql_explain shows the plan", kind="too_large")
    refused = _REFUSED.match(str(error)) if isinstance(error, QueryFailed | SchemaChanged) else None
    if refused is None:
        return database_error(error)
    code = int(refused["code"])
    if code not in _TELLING:
        return ToolError(f"the database refused the statement (database error {code})", kind="database")
    hint = _hint(await call.schema(), code, refused["message"])
    return ToolError(f"the database refused the statement: {refused['message']}{hint}", kind="invalid_arguments")


def _hint(schema: Schema, code: int, message: str) -> str:
    """Return what would help, if we know."""
    if code == _NO_DATABASE:
        names = ", ".join(schema.databases[name] for name, tables in schema.tables.items() if tables)
        example = f"{schema.databases['world']}.creature_template"
        return f": write tables with their database, e.g. {example} ({names}), or set the argument database"
    if code in _DENIED:
        return " (our account may not read that)"
    if code == _NO_COLUMN:
        return "; table_describe tells a table's columns"
    found = _TABLE.search(message) if code == _NO_TABLE else None
    if found is None:
        return ""
    tables = {f"{schema.databases[name]}.{table}" for name, each in schema.tables.items() for table in each}
    elsewhere = sorted(each for each in tables if each.partition(".")[2] == found["table"])
    near = elsewhere or nearest(f"{found['database']}.{found['table']}", tables)
    return f"; did you mean {' or '.join(near[:3])}?" if near else "; schema_tables finds tables"


TOOLS: tuple[Tool, ...] = (sql_select, sql_explain)
