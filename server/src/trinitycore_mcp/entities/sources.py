"""One SELECT of an entity in the making: fields ask for the columns they read, and learn under which key they come."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from trinitycore_mcp.entities.translations import translation
from trinitycore_mcp.schema import Schema

if TYPE_CHECKING:
    from trinitycore_mcp.entities.entity import Entity

ALIAS = "t"
_GIVEN = "given"


@dataclass(frozen=True)
class Referring:
    """Ids in rows that point to another entity."""

    entity: str
    id: str
    """The rows' key of the id."""
    name: str
    """The rows' key that its name is put under."""


class Sources:
    """Collects the select list and the joins of one statement over an entity's table, called t in it."""

    def __init__(self, schema: Schema, entity: Entity, locale: str | None, *, outer: bool = False) -> None:
        """:param outer: begin with an id, the statement's first parameter, and read what there is of it: nulls for
            the entity's own row if that is not there.
        :raises MissingTable: the entity's table is not there.
        """
        self.schema = schema
        self.entity = entity
        self.locale = locale
        self.table = schema.table(entity.table, entity.database)
        key = schema.column(entity.table, entity.key, ALIAS, database=entity.database)
        assert key is not None, f"{entity.table}.{entity.key}"
        self.key = f"{_GIVEN}.`id`" if outer else key
        self._from = f"{self.table} {ALIAS}"
        if outer:
            self._from = f"(SELECT CAST(%s AS UNSIGNED) AS `id`) {_GIVEN} LEFT JOIN {self._from} ON {key} = {self.key}"
        self._translation = translation(schema, entity.table, key, entity.translations, locale, alias=ALIAS)
        self.references: dict[str, Referring] = {}
        """Ids among what is selected, whose names are wanted; by the row's key."""
        self._select: dict[str, str] = {}
        self._joins: dict[str, None] = {}

    def sql(self, column: str) -> str | None:
        """Return the SQL of a column (of the entity's table, or table.column of a joined one); None: not there."""
        table, _, name = column.rpartition(".")
        if not table:
            return self.schema.column(self.entity.table, column, ALIAS, database=self.entity.database)
        if not self.schema.has(table, key := self.entity.joins[table]):
            return None
        alias = f"j_{table}"
        found = self.schema.column(table, name, alias)
        if found is not None:
            on = self.schema.column(table, key, alias)
            self._joins[f" LEFT JOIN {self.schema.table(table)} {alias} ON {on} = {self.key}"] = None
        return found

    def value(self, column: str) -> str | None:
        """Select a column and return the row's key for it, or None when this database lacks it."""
        if column not in self._select:
            sql = self.sql(column)
            if sql is None:
                return None
            self._select[column] = sql
        return column

    def values(self, columns: Iterable[str]) -> list[str | None]:
        """Select several columns."""
        return [self.value(column) for column in columns]

    def translated_sql(self, column: str) -> str | None:
        """Return the SQL of a text in the language asked for, or None when it is nowhere (or English is asked for)."""
        found = self._translation.columns.get(column)
        if found is not None and (join := self._translation.joins.get(column)):
            self._joins[join] = None
        return found

    def translated(self, column: str) -> str | None:
        """Select a text in the language asked for; return the row's key for it, or None."""
        sql = self.translated_sql(column)
        return self.expression(f"{column}@{self.locale}", sql) if sql is not None else None

    def expression(self, name: str, sql: str) -> str:
        """Select an expression under a name of its own; return the row's key for it."""
        self._select[name] = sql
        return name

    def reference(self, column: str, sql: str, entity: str) -> tuple[str, str]:
        """Select an id of another entity; return the row's keys for it and for its name.

        The name is no part of the statement: see `named_references`.
        """
        found = Referring(entity, self.expression(f"{column}#{entity}", sql), f"{column}@{entity}")
        self.references[found.id] = found
        return found.id, found.name

    def select(self, only: str | None = None) -> str:
        """Return the statement so far, up to and with its joins.

        :param only: a select list to take the place of what was asked for.
        """
        columns = only or ", ".join(f"{sql} AS `{name}`" for name, sql in self._select.items())
        return f"SELECT {columns} FROM {self._from}{''.join(self._joins)}"


def name_sql(schema: Schema, entity: Entity, sql: str, locale: str | None) -> list[str]:
    """Return subqueries for the name of an entity's row: in the language asked for, where there is one, and English.

    They stay apart because tables differ in collation. Nothing comes back when this database has no such names.

    :param sql: the row's id.
    """
    if entity.label is None or not schema.has(entity.table, entity.key, entity.label, database=entity.database):
        return []
    alias = "n"
    key = schema.column(entity.table, entity.key, alias, database=entity.database) or ""
    table = schema.table(entity.table, entity.database)
    names = []
    texts = translation(schema, entity.table, key, entity.translations, locale, alias=alias)
    if (local := texts.columns.get(entity.label)) is not None:
        join = texts.joins.get(entity.label, "")
        names.append(f"(SELECT {local} FROM {table} {alias}{join} WHERE {key} = {sql} LIMIT 1)")
    name = schema.column(entity.table, entity.label, alias, database=entity.database)
    return [*names, f"(SELECT {name} FROM {table} {alias} WHERE {key} = {sql} LIMIT 1)"]
