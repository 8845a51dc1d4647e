"""The structure of one table, read from information_schema: what our account may see of it, and never a row."""

from __future__ import annotations

import asyncio
from typing import Annotated

from msgspec import Struct

from trinitycore_mcp.database.session import Row
from trinitycore_mcp.errors import ToolError
from trinitycore_mcp.structure.places import Place, find_table, text
from trinitycore_mcp.toolkit import Call, Related, doc, text_or_none


class TableColumn(Struct, frozen=True):
    """A column."""

    name: str
    type: Annotated[str, doc("as SQL, e.g. int(10) unsigned")]
    nullable: bool
    default: Annotated[str | None, doc("as SQL, e.g. 'a text' or 0; null: none, or NULL")]
    key: Annotated[str | None, doc("PRI: part of the primary key; UNI: unique; MUL: first in an index")]
    extra: Annotated[str | None, doc("e.g. auto_increment")]
    comment: str | None


class TableIndex(Struct, frozen=True):
    """An index; the primary key is called PRIMARY."""

    name: str
    unique: bool
    columns: list[str]


class ForeignKey(Struct, frozen=True):
    """A rule of the database itself that this table's columns hold a key of another one's."""

    name: str
    columns: list[str]
    references_table: str
    references_columns: list[str]


class TableStructure(Struct, frozen=True):
    """A table's structure."""

    database: Annotated[str, doc("what the database is called on this server")]
    table: str
    family: Annotated[str, doc("the kind of world database: TrinityCore 3.3.5, TrinityCore master, AzerothCore")]
    kind: Annotated[str, doc("BASE TABLE or VIEW")]
    comment: str | None
    engine: str | None
    collation: str | None
    estimated_rows: Annotated[int | None, doc("the storage engine's estimate, often some percent off")]
    data_bytes: int | None
    index_bytes: int | None
    columns: list[TableColumn]
    indexes: list[TableIndex]
    foreign_keys: list[ForeignKey]
    related: list[Related]


async def describe(call: Call, database: str, table: str) -> TableStructure:
    """Return a table's structure.

    :param database: world, characters, auth or hotfixes.
    :param table: its name here, or TrinityCore 3.3.5's.
    :raises ToolError: it is not there, or the database can't be read.
    """
    schema = await call.schema()
    place = find_table(schema, database, table)
    found, columns, indexes, keys = await asyncio.gather(
        call.row(
            "SELECT TABLE_TYPE AS kind, ENGINE AS engine, TABLE_ROWS AS estimate, TABLE_COMMENT AS remark, "
            "TABLE_COLLATION AS collation, DATA_LENGTH AS data, INDEX_LENGTH AS indexes "
            "FROM information_schema.TABLES WHERE TABLE_SCHEMA = %s AND TABLE_NAME = %s",
            (place.actual, place.table),
        ),
        _columns(call, place),
        _indexes(call, place),
        _foreign_keys(call, place),
    )
    if found is None or not columns:
        raise ToolError(f"table {place.table} went away from database {place.actual} just now", kind="missing_table")
    comment = text(found["remark"])
    return TableStructure(
        database=place.actual,
        table=place.table,
        family=str(schema.family),
        kind=text(found["kind"]) or "",
        # A view's comment is the word VIEW, on both flavours.
        comment=text_or_none(comment) if comment != "VIEW" else None,
        engine=text(found["engine"]),
        collation=text(found["collation"]),
        estimated_rows=found["estimate"],
        data_bytes=found["data"],
        index_bytes=found["indexes"],
        columns=columns,
        indexes=indexes,
        foreign_keys=keys,
        related=[
            Related(
                "table_relations",
                {"table": place.table, "database": place.database},
                "what its columns refer to, and what refers to it",
            ),
        ],
    )


# As SQL in both flavours. MariaDB has it so, and the word NULL where that is the default; MySQL has texts without their
# quotes, and tells expressions from them in EXTRA.
_DEFAULT = (
    "NULLIF(IF(LOCATE('MariaDB', VERSION()) OR NUMERIC_PRECISION IS NOT NULL OR DATA_TYPE = 'bit' "
    "OR LOCATE('DEFAULT_GENERATED', EXTRA), COLUMN_DEFAULT, QUOTE(COLUMN_DEFAULT)), 'NULL')"
)


async def _columns(call: Call, place: Place) -> list[TableColumn]:
    rows = await call.rows(
        f"SELECT COLUMN_NAME AS name, COLUMN_TYPE AS type, IS_NULLABLE AS nullable, {_DEFAULT} AS value, "
        "COLUMN_KEY AS part, EXTRA AS extra, COLUMN_COMMENT AS remark FROM information_schema.COLUMNS "
        "WHERE TABLE_SCHEMA = %s AND TABLE_NAME = %s ORDER BY ORDINAL_POSITION",
        (place.actual, place.table),
    )
    return [
        TableColumn(
            name=row["name"],
            type=text(row["type"]) or "",
            nullable=row["nullable"] == "YES",
            default=text(row["value"]),
            key=text_or_none(text(row["part"])),
            extra=text_or_none(text(row["extra"])),
            comment=text_or_none(text(row["remark"])),
        )
        for row in rows
    ]


async def _indexes(call: Call, place: Place) -> list[TableIndex]:
    rows = await call.rows(
        "SELECT INDEX_NAME AS name, NON_UNIQUE AS repeats, COLUMN_NAME AS col FROM information_schema.STATISTICS "
        "WHERE TABLE_SCHEMA = %s AND TABLE_NAME = %s ORDER BY INDEX_NAME <> 'PRIMARY', INDEX_NAME, SEQ_IN_INDEX",
        (place.actual, place.table),
    )
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(row["name"], []).append(row)
    return [
        TableIndex(name, not int(parts[0]["repeats"]), [part["col"] for part in parts if part["col"]])
        for name, parts in found.items()
    ]


async def _foreign_keys(call: Call, place: Place) -> list[ForeignKey]:
    rows = await call.rows(
        "SELECT CONSTRAINT_NAME AS name, COLUMN_NAME AS col, REFERENCED_TABLE_SCHEMA AS other_database, "
        "REFERENCED_TABLE_NAME AS other_table, REFERENCED_COLUMN_NAME AS other "
        "FROM information_schema.KEY_COLUMN_USAGE WHERE TABLE_SCHEMA = %s AND TABLE_NAME = %s "
        "AND REFERENCED_TABLE_NAME IS NOT NULL ORDER BY CONSTRAINT_NAME, ORDINAL_POSITION",
        (place.actual, place.table),
    )
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(row["name"], []).append(row)
    return [
        ForeignKey(
            name,
            [part["col"] for part in parts],
            parts[0]["other_table"]
            if parts[0]["other_database"] == place.actual
            else f"{parts[0]['other_database']}.{parts[0]['other_table']}",
            [part["other"] for part in parts],
        )
        for name, parts in found.items()
    ]
