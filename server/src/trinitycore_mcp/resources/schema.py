"""trinity://schema and trinity://schema/{database}/{table}."""

from __future__ import annotations

from typing import Any

from trinitycore_mcp.errors import ToolError, did_you_mean
from trinitycore_mcp.resources.results import as_json, result_of
from trinitycore_mcp.structure.places import DATABASES
from trinitycore_mcp.structure.tables import describe
from trinitycore_mcp.toolkit import Call
from trinitycore_mcp.toolkit.resource import Resource
from trinitycore_mcp.tools.schema_listing import schema_databases


async def _schema(call: Call) -> str:
    schema = await call.schema()
    listed = await result_of(call, schema_databases)
    tables: dict[str, Any] = {name: sorted(schema.tables.get(name, {})) for name in DATABASES}
    return as_json(
        {"family": listed.family, "version": listed.version, "databases": listed.databases, "tables": tables}
    )


async def _table(call: Call, database: str, table: str) -> str:
    schema = await call.schema()
    known: dict[str, str] = {actual: name for name, actual in schema.databases.items()}
    known.update((name, name) for name in DATABASES)
    if database not in known:
        raise ToolError(f"there is no database {database[:64]!r}{did_you_mean(database, DATABASES)}")
    return as_json(await describe(call, known[database], table))


async def _databases(call: Call, prefix: str) -> list[str]:
    schema = await call.schema()
    return [name for name in DATABASES if name.startswith(prefix) and schema.tables.get(name)]


async def _tables(call: Call, prefix: str) -> list[str]:
    """Return the tables of all databases: which one is meant is not told."""
    schema = await call.schema()
    folded = prefix.casefold()
    names = {table for tables in schema.tables.values() for table in tables}
    return sorted(name for name in names if name.casefold().startswith(folded))


RESOURCES: tuple[Resource, ...] = (
    Resource(
        uri="trinity://schema",
        name="schema",
        title="Databases and tables",
        description="The game's databases: family, version, sizes, and the names of all tables.",
        read=_schema,
    ),
    Resource(
        uri="trinity://schema/{database}/{table}",
        name="table",
        title="Structure of a table",
        description="Columns, keys and comments of one table. database: world, characters, auth or hotfixes.",
        read=_table,
        complete={"database": _databases, "table": _tables},
    ),
)
