"""Tables: table_describe."""

from __future__ import annotations

import difflib
from typing import Annotated, Any, Literal

from mcp.server.mcpserver import MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from pydantic import BaseModel, Field

from trinitycore_mcp.config import DatabaseNames
from trinitycore_mcp.database.schema import Family
from trinitycore_mcp.database.session import Row
from trinitycore_mcp.tools.results import READ_ONLY, text_or_none
from trinitycore_mcp.tools.world import World

_KIND = "table_describe"


class Column(BaseModel):
    """A column."""

    name: str
    type: str = Field(description="as SQL, e.g. int(10) unsigned")
    nullable: bool
    default: str | None
    comment: str | None


class Index(BaseModel):
    """An index; the primary key is called PRIMARY."""

    name: str
    unique: bool
    columns: list[str]


class Table(BaseModel):
    """A table's structure."""

    database: str = Field(description="what the database is called on this server")
    table: str
    world_family: str = Field(description="TrinityCore 3.3.5, AzerothCore or unknown")
    comment: str | None
    engine: str | None
    estimated_rows: int | None = Field(description="the storage engine's estimate, often some percent off")
    columns: list[Column]
    indexes: list[Index]


def register(server: MCPServer[Any], world: World, databases: DatabaseNames) -> None:
    """Add the tool."""

    @server.tool(title="Describe a table", annotations=READ_ONLY)
    async def table_describe(
        table: Annotated[str, Field(min_length=1, max_length=64, description="name of the table")],
        database: Annotated[
            Literal["world", "characters", "auth"], Field(description="which of the game's databases")
        ] = "world",
    ) -> Table:
        """The structure of one database table: columns with types, defaults and comments, indexes, and about how many
        rows it has. No rows are read."""
        name = str(getattr(databases, database))
        family = (await world.schema()).family
        rows = await world.fetch(
            _KIND,
            "SELECT TABLE_NAME AS name, ENGINE AS engine, TABLE_ROWS AS estimate, TABLE_COMMENT AS comment "
            "FROM information_schema.TABLES WHERE TABLE_SCHEMA = %s AND TABLE_NAME = %s",
            (name, table),
        )
        if not rows:
            raise ToolError(await _missing(world, name, table, family))
        head = rows[0]
        return Table(
            database=name,
            table=head["name"],
            world_family=family,
            comment=text_or_none(head["comment"]),
            engine=head["engine"],
            estimated_rows=head["estimate"],
            columns=await _columns(world, name, table),
            indexes=await _indexes(world, name, table),
        )


async def _missing(world: World, database: str, table: str, family: Family) -> str:
    """Return what to say of a table that is not there, with those of a like name."""
    rows = await world.fetch(
        _KIND, "SELECT TABLE_NAME AS name FROM information_schema.TABLES WHERE TABLE_SCHEMA = %s", (database,)
    )
    near = difflib.get_close_matches(table, [row["name"] for row in rows], n=5, cutoff=0.6)
    hint = f"; near to it: {', '.join(near)}" if near else f" ({len(rows)} tables are)"
    return f"table {table} is missing from database {database} (family: {family}){hint}"


async def _columns(world: World, database: str, table: str) -> list[Column]:
    rows = await world.fetch(
        _KIND,
        "SELECT COLUMN_NAME AS name, COLUMN_TYPE AS type, IS_NULLABLE AS nullable, COLUMN_DEFAULT AS value, "
        "COLUMN_COMMENT AS comment FROM information_schema.COLUMNS "
        "WHERE TABLE_SCHEMA = %s AND TABLE_NAME = %s ORDER BY ORDINAL_POSITION",
        (database, table),
    )
    return [
        Column(
            name=row["name"],
            type=_text(row["type"]) or "",
            nullable=row["nullable"] == "YES",
            default=_text(row["value"]),
            comment=text_or_none(_text(row["comment"])),
        )
        for row in rows
    ]


async def _indexes(world: World, database: str, table: str) -> list[Index]:
    rows = await world.fetch(
        _KIND,
        "SELECT INDEX_NAME AS name, NON_UNIQUE AS repeats, COLUMN_NAME AS col FROM information_schema.STATISTICS "
        "WHERE TABLE_SCHEMA = %s AND TABLE_NAME = %s ORDER BY INDEX_NAME <> 'PRIMARY', INDEX_NAME, SEQ_IN_INDEX",
        (database, table),
    )
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(row["name"], []).append(row)
    return [
        Index(name=name, unique=not int(parts[0]["repeats"]), columns=[part["col"] for part in parts if part["col"]])
        for name, parts in found.items()
    ]


def _text(value: object) -> str | None:
    """Return a text column's value: MySQL 8 gives some of information_schema's as bytes."""
    return value.decode() if isinstance(value, bytes) else None if value is None else str(value)
