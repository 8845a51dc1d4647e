"""What state the databases are in: database_versions."""

from __future__ import annotations

import asyncio
from typing import Annotated

from msgspec import Meta, Struct

from trinitycore_mcp.schema import Schema
from trinitycore_mcp.structure.places import DATABASES, DatabaseKind, WhichDatabase
from trinitycore_mcp.toolkit import Call, Cursor, Limit, NextCursor, Notice, Related, Tool, doc, text_or_none, tool

_PARTS = ("core_version", "core_revision", "db_version", "cache_id")
# AzerothCore had these, one for each database, before it took over `updates`.
_OLD_VERSIONS = {"world": "version_db_world", "characters": "version_db_characters", "auth": "version_db_auth"}


class DatabaseVersion(Struct, frozen=True):
    """What one database says of its state."""

    database: DatabaseKind
    actual_name: str
    core_version: Annotated[str | None, doc("the world server that started on it last; null: it does not say")]
    core_revision: str | None
    db_version: Annotated[str | None, doc("of the content")]
    cache_id: Annotated[int | None, doc("what clients compare their caches with")]
    updates: Annotated[int | None, doc("updates applied; null: it has no table of them")]
    newest_update: str | None
    newest_update_at: Annotated[str | None, doc("by the database's clock")]


class AppliedUpdate(Struct, frozen=True):
    """An update that was applied."""

    name: Annotated[str, doc("file name")]
    hash: Annotated[str | None, doc("SHA-1 of the file")]
    state: Annotated[str, doc("RELEASED, ARCHIVED, CUSTOM, MODULE or PENDING")]
    applied_at: Annotated[str, doc("by the database's clock")]
    duration_ms: int


class DatabaseVersions(Struct, frozen=True):
    """The databases' versions, and one page of the updates of one of them, newest first."""

    family: str
    versions: list[DatabaseVersion]
    database: DatabaseKind
    updates: list[AppliedUpdate]
    next_cursor: NextCursor
    notice: Notice
    related: list[Related]


@tool(title="Versions and updates of the databases")
async def database_versions(
    call: Call,
    database: Annotated[WhichDatabase, doc("whose updates are listed")] = "world",
    text: Annotated[
        Annotated[str, Meta(min_length=1, max_length=100)] | None, doc("only updates with this in their file name")
    ] = None,
    limit: Limit = 20,
    cursor: Cursor = None,
) -> DatabaseVersions:
    """The version of each of the game's databases (core that started on it, content version, number of updates and the
    newest one), and the updates that were applied to one of them, newest first. For questions such as whether a fix is
    in, or why two realms differ."""
    schema = await call.schema()
    place = call.place(cursor, 2)
    versions, updates = await asyncio.gather(
        asyncio.gather(*(_version(call, schema, each) for each in DATABASES if schema.tables.get(each))),
        _updates(call, schema, database, text, limit + 1, place),
    )
    page = call.page(updates, limit, lambda each: [each.applied_at, each.name])
    return DatabaseVersions(
        family=str(schema.family),
        versions=list(versions),
        database=database,
        updates=page.items,
        next_cursor=page.next_cursor,
        notice=page.notice
        or (None if schema.has("updates", database=database) else f"database {database} has no table of updates"),
        related=[Related("schema_databases", {}, "sizes and tables of the databases")],
    )


async def _version(call: Call, schema: Schema, database: DatabaseKind) -> DatabaseVersion:
    version, updates = await asyncio.gather(_stated(call, schema, database), _newest(call, schema, database))
    count, name, at = updates
    return DatabaseVersion(
        database=database,
        actual_name=schema.databases[database],
        core_version=text_or_none(version[0]),
        core_revision=text_or_none(version[1]),
        db_version=text_or_none(version[2]),
        cache_id=int(version[3]) if version[3] is not None else None,
        updates=count,
        newest_update=name,
        newest_update_at=at,
    )


async def _stated(call: Call, schema: Schema, database: DatabaseKind) -> list[str | None]:
    """Return the values of _PARTS, as far as the database has them."""
    if schema.has("version", database=database):
        columns = schema.columns("version", *_PARTS, database=database)
        row = await call.row(f"SELECT {columns} FROM {schema.table('version', database)} LIMIT 1")
        return [str(row[part]) if row is not None and row[part] is not None else None for part in _PARTS]
    old = _OLD_VERSIONS.get(database, "")
    if schema.has(old, "sql_rev", database=database):
        table = schema.table(old, database)
        row = await call.row(f"SELECT MAX(`sql_rev`) AS revision FROM {table}")
        return [None, None, str(row["revision"]) if row is not None and row["revision"] else None, None]
    return [None] * len(_PARTS)


async def _newest(call: Call, schema: Schema, database: DatabaseKind) -> tuple[int | None, str | None, str | None]:
    """Return how many updates there are, the name of the newest, and when it was applied."""
    if not schema.has("updates", "name", "timestamp", database=database):
        return None, None, None
    table = schema.table("updates", database)
    count, row = await asyncio.gather(
        call.row(f"SELECT COUNT(*) AS updates FROM {table}"),
        call.row(f"SELECT `name`, `timestamp` AS at FROM {table} ORDER BY `timestamp` DESC, `name` DESC LIMIT 1"),
    )
    number = int(count["updates"]) if count is not None else 0
    return (number, row["name"], str(row["at"])) if row is not None else (number, None, None)


async def _updates(
    call: Call, schema: Schema, database: str, text: str | None, most: int, after: list[object] | None
) -> list[AppliedUpdate]:
    if not schema.has("updates", "name", "timestamp", database=database):
        return []
    conditions, values = ["1 = 1"], list[object]()
    if text is not None:
        conditions.append("LOCATE(%s, `name`) > 0")
        values.append(text)
    if after is not None:
        conditions.append("(`timestamp` < %s OR (`timestamp` = %s AND `name` < %s))")
        values += [after[0], after[0], after[1]]
    columns = schema.columns("updates", "name", "hash", "state", "timestamp", "speed", database=database)
    rows = await call.rows(
        f"SELECT {columns} FROM {schema.table('updates', database)} WHERE {' AND '.join(conditions)} "
        "ORDER BY `timestamp` DESC, `name` DESC LIMIT %s",
        (*values, most),
    )
    return [
        AppliedUpdate(
            name=row["name"],
            hash=row["hash"] or None,
            state=row["state"] or "",
            applied_at=str(row["timestamp"]),
            duration_ms=row["speed"] or 0,
        )
        for row in rows
    ]


TOOLS: tuple[Tool, ...] = (database_versions,)
