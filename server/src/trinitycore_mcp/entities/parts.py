"""Parts that several entities have: lists of what points to an entity from a table of pairs."""

from __future__ import annotations

from typing import Annotated, Any

from trinitycore_mcp.database.session import Row
from trinitycore_mcp.entities.entity import KEY, Part
from trinitycore_mcp.entities.per_schema import once
from trinitycore_mcp.entities.registry import ENTITIES
from trinitycore_mcp.entities.sources import name_sql
from trinitycore_mcp.schema import Schema
from trinitycore_mcp.toolkit import Call, Reference, doc

MOST = 100
"""Rows that such a list holds at most."""


def listed(name: str, entity: str, table: str, match: str, value: str, about: str, *, order: str | None = None) -> Part:
    """Return a part of one field: the references, each once, in the rows of a table that have this entity's id.

    :param entity: what the references are to.
    :param match: the column of this entity's id.
    :param value: the column of the other's.
    :param order: the column to sort by; default: `value`.
    """

    async def read(call: Call, schema: Schema, row: Row, locale: str | None) -> tuple[Any, ...]:
        what = ("listed", table, match, value, locale)
        statement = once(schema, what, _listing, schema, entity, table, match, value, order or value, locale)
        if statement is None:
            return ([],)
        sql, names = statement
        rows = await call.rows(sql, (row[KEY],))
        return ([Reference(each["id"], next((each[name] for name in names if each[name]), None)) for each in rows],)

    return Part(((name, Annotated[list[Reference], doc(f"{about}; at most {MOST}")]),), read, tables=(table,))


def _listing(
    schema: Schema, entity: str, table: str, match: str, value: str, order: str, locale: str | None
) -> tuple[str, list[str]] | None:
    """Return the statement and what it calls the names, the best language first; None: the table is not there."""
    number = schema.column(table, value, "r")
    if number is None:
        return None
    names = name_sql(schema, ENTITIES[entity], number, locale)
    aliases = [f"name{n}" for n in range(len(names))]
    columns = ", ".join([f"{number} AS id", *(f"{sql} AS {alias}" for sql, alias in zip(names, aliases, strict=True))])
    sql = (
        f"SELECT {columns} FROM {schema.table(table)} r WHERE {schema.column(table, match, 'r')} = %s "
        f"GROUP BY {number} ORDER BY MIN({schema.column(table, order, 'r')}) LIMIT {MOST}"
    )
    return sql, aliases
