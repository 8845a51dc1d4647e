"""Rows of one table whose texts hold a phrase."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from trinitycore_mcp.database.session import Row
from trinitycore_mcp.entities.per_schema import once
from trinitycore_mcp.schema import Schema
from trinitycore_mcp.texts.excerpt import Excerpt, excerpt
from trinitycore_mcp.texts.phrase import pattern_of
from trinitycore_mcp.texts.sources import Searched, Source, searched
from trinitycore_mcp.toolkit import Call


class TextRow(Struct, frozen=True):
    """A row with the phrase."""

    key: tuple[int, ...]
    more: dict[str, int]
    found: list[Excerpt]


async def rows_with(
    call: Call, source: Source, phrase: str, most: int, after: Sequence[int] | None, locale: str | None
) -> list[TextRow]:
    """Return the first rows with the phrase, in the order of the key.

    :param most: rows at most.
    :param after: the key behind which to go on.
    """
    schema = await call.schema()
    texts = once(schema, ("texts", source.table, locale), searched, schema, source, locale)
    if not texts.texts:
        return []
    pattern = pattern_of(phrase)
    found: dict[tuple[int, ...], TextRow] = {}
    while True:
        behind, values = _behind(schema, source, after)
        wanted = most - len(found)
        rows = await call.rows(
            f"SELECT {_select(schema, source, texts)} FROM {schema.table(source.table)} t{texts.joins} "
            f"WHERE {behind}{texts.condition} ORDER BY {', '.join(f'k{n}' for n in range(len(source.keys)))} LIMIT %s",
            (*([pattern] * len(texts.texts)), *values, *([pattern] * len(texts.texts)), wanted),
        )
        for row in rows:
            after = tuple(int(row[f"k{n}"]) for n in range(len(source.keys)))
            more = {column: int(row[column]) for column in source.more if row[column] is not None}
            # A hotfix may stand beside the row that it replaces: the same key twice.
            found.setdefault(after, TextRow(after, more, excerpts(texts, row, phrase)))
        if len(rows) < wanted or len(found) >= most:
            return list(found.values())


def excerpts(texts: Searched, row: Row, phrase: str) -> list[Excerpt]:
    """Return where the phrase stands in a row read with `texts_sql`; each text once, however many fields have it."""
    found: dict[str, str] = {}
    for number, (field, _) in enumerate(texts.texts):
        if (text := row[f"x{number}"]) is not None:
            found.setdefault(text, field)
    return [excerpt(field, text, phrase) for text, field in found.items()]


def texts_sql(texts: Searched) -> str:
    """Return a select list: each text that is like %s, NULL for the others."""
    return ", ".join(f"IF({sql} LIKE %s ESCAPE '!', {sql}, NULL) AS x{n}" for n, (_, sql) in enumerate(texts.texts))


def _select(schema: Schema, source: Source, texts: Searched) -> str:
    keys = [f"{schema.column(source.table, key, 't')} AS k{n}" for n, key in enumerate(source.keys)]
    more = [schema.columns(source.table, *source.more, alias="t")] if source.more else []
    return ", ".join([texts_sql(texts), *keys, *more])


def _behind(schema: Schema, source: Source, after: Sequence[int] | None) -> tuple[str, list[int]]:
    """Return the condition for keys behind one, such as ``(a > 1 OR (a = 1 AND (b > 2))) AND``, and its values."""
    if after is None:
        return "", []
    sql = ""
    values: list[int] = []
    for key, value in reversed(list(zip(source.keys, after, strict=True))):
        column = schema.column(source.table, key, "t")
        sql = f"({column} > %s OR ({column} = %s AND {sql}))" if sql else f"({column} > %s)"
        values = [value, value, *values] if values else [value]
    return f"{sql} AND ", values
