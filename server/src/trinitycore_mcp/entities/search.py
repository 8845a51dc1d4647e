"""Finding entities by name and by filters: best matches first, page by page, in the language asked for.

Rows are ordered by how well they match, then by id; a cursor is the place of a page's last row in that order.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

from msgspec import Struct

from trinitycore_mcp.database.session import Row
from trinitycore_mcp.entities import results
from trinitycore_mcp.entities.entity import Entity
from trinitycore_mcp.entities.naming import name_references
from trinitycore_mcp.entities.plan import reader
from trinitycore_mcp.entities.sources import Sources
from trinitycore_mcp.toolkit import Call, Related, ToolError

Match = Literal["exact", "prefix", "word", "contained", "elsewhere"]
MATCHES: tuple[Match, ...] = ("exact", "prefix", "word", "contained", "elsewhere")
"""How well a text matches, by rank: the name itself, its beginning, the beginning of a word in it, a part of it,
or a part of another text, such as the title under the name."""
Place = tuple[int, int]
"""Rank and id."""
Found = tuple[Any, int, int]
"""A row's result, its rank and its id."""


async def search(
    call: Call,
    entity: Entity,
    text: str | None,
    filters: Mapping[str, Any],
    limit: int,
    cursor: str | None,
    locale: str | None,
) -> Struct:
    """Return a page of an entity's search.

    :param filters: values by argument; those that are None do not narrow.
    :raises ToolError: neither text nor filter is given, a filter's value is not allowed, this database lacks the
        table or a column, the cursor is no good, or the database can't be read.
    """
    text = (text or "").strip()
    if not text and all(value is None for value in filters.values()):
        names = ", ".join(["text", *filters])
        raise ToolError(f"{call.tool}: give text or at least one filter ({names})", kind="invalid_arguments")
    place = call.place(cursor, 2)
    after = (int(place[0]), int(place[1])) if place is not None else None
    schema = await call.schema()
    sources = Sources(schema, entity, locale)
    by_name = {field.name: field for field in entity.fields}
    make = reader(sources, [by_name[name] for name in entity.summary], results.summary(entity))
    conditions, values = [], []
    for each in entity.filters:
        if (value := filters.get(each.argument)) is not None:
            sql, more = each.apply(sources, value)
            conditions.append(sql)
            values += more
    found = await matches(call, sources, make, text, conditions, values, limit + 1, after)
    page = call.page(found, limit, lambda each: [each[1], each[2]])
    items = [each[0] for each in page.items]
    related = [Related(f"{entity.name}_get", {"id": page.items[0][2]}, "the first of these, whole")] if items else []
    return results.page(entity)(items, page.next_cursor, page.notice, related)


async def matches(
    call: Call,
    sources: Sources,
    make: Callable[[Row], Any],
    text: str,
    conditions: Sequence[str],
    values: Sequence[object],
    most: int,
    after: Place | None,
    *,
    name_only: bool = False,
) -> list[Found]:
    """Return the rows that match, best first.

    :param sources: has the columns that `make` reads; it is completed here.
    :param text: empty: every row that meets the conditions, by id.
    :param after: the place behind which to go on.
    :param name_only: look into the name, not into what else the entity's search looks into.
    """
    others = () if name_only else sources.entity.also_matches
    rank, rank_values, match, match_values = _rank(sources, text, others)
    sources.expression("match_rank", rank)
    sources.expression("match_key", sources.key)
    where = [*conditions, *([match] if match else [])] or ["1 = 1"]
    having: str = ""
    having_values: tuple[int, ...] = ()
    if after is not None:
        having = " HAVING match_rank > %s OR (match_rank = %s AND match_key > %s)"
        having_values = (after[0], *after)
    rows = await call.rows(
        f"{sources.select()} WHERE {' AND '.join(where)}{having} ORDER BY match_rank, match_key LIMIT %s",
        (*rank_values, *values, *match_values, *having_values, most),
    )
    if sources.references:
        await name_references(call, tuple(sources.references.values()), rows, sources.locale)
    return [(make(row), int(row["match_rank"]), int(row["match_key"])) for row in rows]


def _rank(sources: Sources, text: str, others: Sequence[str]) -> tuple[str, list[object], str, list[object]]:
    """Return the SQL of a row's rank and of whether it matches, each with its values.

    :raises ToolError: this database has no names to search.
    """
    if not text:
        return "0", [], "", []
    names = texts(sources, (sources.entity.label or "",))
    if not names:
        family = sources.schema.family
        raise ToolError(f"text: this database (family: {family}) has no names of {sources.entity.plural}")
    plain = literal(text)
    patterns = (text, f"{plain}%", f"% {plain}%", f"%{plain}%")
    cases: list[str] = []
    values: list[object] = []
    for number, pattern in enumerate(patterns):
        comparison = "= %s" if number == 0 else "LIKE %s ESCAPE '!'"
        cases.append(f"WHEN {' OR '.join(f'{name} {comparison}' for name in names)} THEN {number}")
        values += [pattern] * len(names)
    everywhere = [*names, *texts(sources, others)]
    match = f"({' OR '.join(f'''{each} LIKE %s ESCAPE '!' ''' for each in everywhere)})"
    return f"CASE {' '.join(cases)} ELSE 4 END", values, match, [patterns[3]] * len(everywhere)


def literal(text: str) -> str:
    """Return the text with the wildcards of LIKE taken literally; the escape character is an exclamation mark."""
    return text.replace("!", "!!").replace("%", "!%").replace("_", "!_")


def texts(sources: Sources, columns: Sequence[str]) -> list[str]:
    """Return the SQL of columns and of their translations, as far as they are there."""
    found = [sql for column in columns for sql in (sources.sql(column), sources.translated_sql(column))]
    return [sql for sql in found if sql is not None]
