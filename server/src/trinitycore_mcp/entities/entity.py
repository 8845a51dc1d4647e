"""What an entity is: a kind of thing in the game's databases that can be looked up by id and found by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from trinitycore_mcp.schema import Schema


@dataclass(frozen=True, kw_only=True)
class Translations:
    """Where an entity's texts stand in other languages: in a table of their own, or in columns of the same row."""

    table: str | None = None
    """The table; it has the language in a column called locale."""
    key: str = "ID"
    texts: Mapping[str, str] = field(default_factory=dict)
    """Column of the entity's table to column of that table."""
    columns: Mapping[str, str] = field(default_factory=dict)
    """Column of the entity's table to the one beside it, {locale} standing for the language."""


@dataclass(frozen=True)
class Translation:
    """The texts of one entity in one language, as SQL over the entity's table under the alias t."""

    join: str = ""
    """Joins the table of texts under the alias l."""
    columns: Mapping[str, str] = field(default_factory=dict)

    def of(self, column: str) -> tuple[str, str]:
        """Return the SQL of a column's translation, and the join that it needs; NULL and none when it has none."""
        translated = self.columns.get(column)
        return (translated, self.join) if translated else ("NULL", "")


@dataclass(frozen=True, kw_only=True)
class Entity:
    """A kind of thing: its table, and what makes tools of it. Names are those of TrinityCore 3.3.5."""

    name: str
    """Tools are called after it: creature_get."""
    plural: str
    table: str
    key: str
    label: str | None = None
    """The column of its name, when it has one."""
    translations: Translations = field(default_factory=Translations)
    database: str = "world"

    def translation(self, schema: Schema, locale: str | None) -> Translation:
        """Return where the texts in a language are; nowhere for English.

        :param locale: one of the closed set of `toolkit.Locale`: it stands in the SQL.
        """
        where = self.translations
        if locale is None or locale == "enUS":
            return Translation()
        if where.table is not None and schema.has(where.table, where.key, database=self.database):
            key = schema.column(self.table, self.key, "t", database=self.database)
            other = schema.column(where.table, where.key, "l", database=self.database)
            language = schema.column(where.table, "locale", "l", database=self.database)
            table = schema.table(where.table, self.database)
            found = {
                column: schema.column(where.table, text, "l", database=self.database)
                for column, text in where.texts.items()
            }
            return Translation(
                join=f" LEFT JOIN {table} l ON {other} = {key} AND {language} = '{locale}'",
                columns={column: sql for column, sql in found.items() if sql},
            )
        found = {
            column: schema.column(self.table, text.format(locale=locale), "t", database=self.database)
            for column, text in where.columns.items()
        }
        return Translation(columns={column: sql for column, sql in found.items() if sql})
