"""Which databases and tables there are: schema_databases, schema_tables."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from trinitycore_mcp.errors import ToolError
from trinitycore_mcp.schema.catalogue import Tables
from trinitycore_mcp.structure.places import DATABASES, DatabaseKind, WhichDatabase
from trinitycore_mcp.structure.places import text as as_text
from trinitycore_mcp.toolkit import Call, Cursor, NextCursor, Notice, Related, Tool, doc, text_or_none, tool

_MOST_COLUMNS = 20
TableLimit = Annotated[int, Meta(ge=1, le=500, description="tables at most")]


class GameDatabase(Struct, frozen=True):
    """One of the game's databases."""

    database: Annotated[DatabaseKind, doc("what tools call it")]
    actual_name: Annotated[str, doc("what it is called on this server: the name to use in SQL")]
    present: Annotated[bool, doc("false: it is not there, is empty, or our account may read nothing in it")]
    tables: Annotated[int, doc("tables and views that our account may read from")]
    estimated_rows: Annotated[int | None, doc("the storage engine's estimate")]
    data_bytes: int | None
    index_bytes: int | None


class GameDatabases(Struct, frozen=True):
    """All of the game's databases."""

    family: Annotated[str, doc("the kind of world database; unknown: none that we know, or it is not loaded")]
    version: Annotated[str | None, doc("what the world says its version is")]
    updated: Annotated[str | None, doc("when the world's newest update was applied, by the database's clock")]
    databases: list[GameDatabase]
    related: list[Related]


class ListedTable(Struct, frozen=True):
    """A table or view."""

    name: str
    kind: Annotated[str, doc("BASE TABLE or VIEW")]
    columns: Annotated[int, doc("how many our account may read")]
    estimated_rows: Annotated[int | None, doc("the storage engine's estimate, often some percent off")]
    data_bytes: int | None
    index_bytes: int | None
    comment: str | None
    matching_columns: Annotated[list[str], doc(f"columns that contain the text, {_MOST_COLUMNS} at most")]


class TableList(Struct, frozen=True):
    """One page of a database's tables, by name."""

    database: Annotated[str, doc("what it is called on this server")]
    family: str
    found: Annotated[int, doc("tables that match, on all pages")]
    tables: list[ListedTable]
    next_cursor: NextCursor
    notice: Notice
    related: list[Related]


@tool(title="List the game's databases")
async def schema_databases(call: Call) -> GameDatabases:
    """The game's databases on this server: world, characters, auth and hotfixes with their real names, the family they
    are of (TrinityCore 3.3.5, TrinityCore master, AzerothCore), version, number of tables, and rows and bytes as the
    storage engine estimates them. The first call before writing SQL; database_versions has versions and updates of
    each database."""
    schema = await call.schema()
    names = list(schema.databases.values())
    rows = await call.rows(
        "SELECT TABLE_SCHEMA AS d, SUM(TABLE_ROWS) AS estimate, SUM(DATA_LENGTH) AS data, SUM(INDEX_LENGTH) AS indexes "
        f"FROM information_schema.TABLES WHERE TABLE_SCHEMA IN ({', '.join(['%s'] * len(names))}) "
        "GROUP BY TABLE_SCHEMA",
        tuple(names),
    )
    sums = {row["d"]: row for row in rows}
    databases = []
    for database in DATABASES:
        actual = schema.databases[database]
        found = sums.get(actual)
        tables = len(schema.tables.get(database, {}))
        databases.append(
            GameDatabase(
                database=database,
                actual_name=actual,
                present=tables > 0,
                tables=tables,
                estimated_rows=_whole(found["estimate"]) if found else None,
                data_bytes=_whole(found["data"]) if found else None,
                index_bytes=_whole(found["indexes"]) if found else None,
            )
        )
    return GameDatabases(
        family=str(schema.family),
        version=schema.version,
        updated=schema.updated,
        databases=databases,
        related=[
            Related("schema_tables", {"database": each.database}, f"the tables of {each.actual_name}")
            for each in databases
            if each.present
        ],
    )


def _whole(value: object) -> int | None:
    """Return a sum, which comes as a decimal, as a whole number."""
    return int(str(value).partition(".")[0]) if value is not None else None


@tool(title="List a database's tables")
async def schema_tables(
    call: Call,
    database: WhichDatabase = "world",
    text: Annotated[
        Annotated[str, Meta(min_length=1, max_length=64)] | None,
        doc("only tables that have this in their name, or in the name of one of their columns; case does not matter"),
    ] = None,
    limit: TableLimit = 100,
    cursor: Cursor = None,
) -> TableList:
    """The tables of one of the game's databases by name, with row and size estimates and comments. With text it also
    finds tables by what their columns are called, e.g. every table with a quest column. table_describe then shows one
    table's columns and keys, table_relations what refers to it."""
    schema = await call.schema()
    place = call.place(cursor)
    actual, tables = schema.databases[database], schema.tables.get(database, {})
    if not tables:
        raise ToolError(
            f"database {actual} ({database}) is empty or not there, or our account may read nothing in it; "
            "schema_databases shows which are there",
            kind="missing_table",
        )
    folded = (text or "").casefold()
    names = sorted(
        name
        for name, columns in tables.items()
        if folded in name.casefold() or any(folded in column.casefold() for column in columns)
    )
    wanted = [name for name in names if place is None or name > str(place[0])][: limit + 1]
    page = call.page(await _listed(call, actual, wanted, tables, folded), limit, lambda each: [each.name])
    return TableList(
        database=actual,
        family=str(schema.family),
        found=len(names),
        tables=page.items,
        next_cursor=page.next_cursor,
        notice=page.notice,
        related=[
            Related(
                "table_describe", {"table": each.name, "database": database}, "the first of these, with its columns"
            )
            for each in page.items[:1]
        ],
    )


async def _listed(call: Call, actual: str, names: list[str], tables: Tables, folded: str) -> list[ListedTable]:
    if not names:
        return []
    rows = await call.rows(
        "SELECT TABLE_NAME AS name, TABLE_TYPE AS kind, TABLE_ROWS AS estimate, DATA_LENGTH AS data, "
        "INDEX_LENGTH AS indexes, TABLE_COMMENT AS remark FROM information_schema.TABLES "
        f"WHERE TABLE_SCHEMA = %s AND TABLE_NAME IN ({', '.join(['%s'] * len(names))})",
        (actual, *names),
    )
    by_name = {row["name"]: row for row in rows}
    listed = []
    for name in names:
        row = by_name.get(name)
        if row is None:  # dropped since the schema was looked at
            continue
        remark = as_text(row["remark"])
        matching = [column for column in sorted(tables[name]) if folded and folded in column.casefold()]
        listed.append(
            ListedTable(
                name=name,
                kind=as_text(row["kind"]) or "",
                columns=len(tables[name]),
                estimated_rows=row["estimate"],
                data_bytes=row["data"],
                index_bytes=row["indexes"],
                comment=text_or_none(remark) if remark != "VIEW" else None,
                matching_columns=matching[:_MOST_COLUMNS],
            )
        )
    return listed


TOOLS: tuple[Tool, ...] = (schema_databases, schema_tables)
