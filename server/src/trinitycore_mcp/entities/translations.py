"""Texts in other languages: in a table of their own, or in columns of the same row."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from trinitycore_mcp.schema import Schema

ENGLISH = "enUS"


@dataclass(frozen=True, kw_only=True)
class Translations:
    """Where an entity's texts stand in other languages."""

    table: str | None = None
    """A table that has the key of the entity and the language."""
    key: str = "ID"
    texts: Mapping[str, str] = field(default_factory=dict)
    """Column of the entity to column of that table."""
    columns: Mapping[str, str] = field(default_factory=dict)
    """Column of the entity to the one beside it, {locale} standing for the language."""


@dataclass(frozen=True)
class Translation:
    """The texts of an entity in one language, as SQL."""

    joins: Mapping[str, str] = field(default_factory=dict)
    """Column of the entity to the join that its translation needs."""
    columns: Mapping[str, str] = field(default_factory=dict)
    """Column of the entity to the SQL of its translation, for those that may have one."""


def language_column(schema: Schema, table: str, alias: str = "") -> str | None:
    """Return the column that holds the language of a table of texts: tables differ in its spelling."""
    return schema.column(table, "locale", alias) or schema.column(table, "Locale", alias)


def translation(
    schema: Schema, entity_table: str, key: str, where: Iterable[Translations], locale: str | None, *, alias: str = "t"
) -> Translation:
    """Return where the texts in a language are; nowhere for English.

    :param key: the SQL of the entity's key.
    :param locale: one of the closed set of `toolkit.Locale`: it stands in the SQL.
    """
    joins: dict[str, str] = {}
    columns: dict[str, str] = {}
    if locale is None or locale == ENGLISH:
        return Translation()
    for number, each in enumerate(where):
        if each.table is not None and schema.has(each.table, each.key):
            other = f"{alias}_l{number}"
            join = (
                f" LEFT JOIN {schema.table(each.table)} {other} ON {schema.column(each.table, each.key, other)} = {key}"
                f" AND {language_column(schema, each.table, other)} = '{locale}'"
            )
            for column, text in each.texts.items():
                if (found := schema.column(each.table, text, other)) is not None:
                    columns[column] = found
                    joins[column] = join
        for column, text in each.columns.items():
            if (found := schema.column(entity_table, text.format(locale=locale), alias)) is not None:
                columns.setdefault(column, found)
    return Translation(joins, columns)
