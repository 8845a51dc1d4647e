"""Names of rows by their ids, for everything that shows an id."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence

from trinitycore_mcp.database.session import Row
from trinitycore_mcp.entities.entity import Entity
from trinitycore_mcp.entities.per_schema import once
from trinitycore_mcp.entities.registry import ENTITIES
from trinitycore_mcp.entities.sources import Referring
from trinitycore_mcp.entities.translations import translation
from trinitycore_mcp.schema import Schema
from trinitycore_mcp.toolkit import Call, Reference

# Lists are filled up to one of these lengths: few statements for the database to prepare, however many ids.
_LENGTHS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)
_ONLY_ZERO = {0}


async def names_of(call: Call, entity: Entity, ids: Iterable[int | None], locale: str | None = None) -> dict[int, str]:
    """Return the names of rows by id; ids that are not above 0 are no ids (of maps: not below 0).

    Rows that are not there or have no name are left out, and so are all when the table is missing: a name is a
    convenience.

    :param locale: the language, e.g. deDE; a name that is not translated is in English.
    :raises ToolError: the database can't be read.
    """
    least = 0 if entity.starts_at_zero else 1
    wanted = sorted({number for number in ids if number is not None and number >= least})
    if not wanted:
        return {}
    schema = await call.schema()
    chunks = [wanted[start : start + _LENGTHS[-1]] for start in range(0, len(wanted), _LENGTHS[-1])]
    found = await asyncio.gather(*(_names(call, schema, entity, chunk, locale) for chunk in chunks))
    return found[0] if len(found) == 1 else {number: name for each in found for number, name in each.items()}


async def _names(call: Call, schema: Schema, entity: Entity, ids: list[int], locale: str | None) -> dict[int, str]:
    length = next(each for each in _LENGTHS if each >= len(ids))
    what = ("names", entity.name, locale, length)
    sql = once(schema, what, _statement, schema, entity, locale, length)
    if sql is None:
        return {}
    rows = await call.rows(sql, (*ids, *(ids[-1:] * (length - len(ids)))))
    return {row["id"]: name for row in rows if (name := row["local"] or row["name"])}


def _statement(schema: Schema, entity: Entity, locale: str | None, length: int) -> str | None:
    if entity.label is None or not schema.has(entity.table, entity.key, entity.label, database=entity.database):
        return None
    key = schema.column(entity.table, entity.key, "t", database=entity.database)
    name = schema.column(entity.table, entity.label, "t", database=entity.database)
    texts = translation(schema, entity.table, str(key), entity.translations, locale)
    local, join = texts.columns.get(entity.label, "NULL"), texts.joins.get(entity.label, "")
    marks = ", ".join(["%s"] * length)
    table = schema.table(entity.table, entity.database)
    return f"SELECT {key} AS id, {name} AS name, {local} AS local FROM {table} t{join} WHERE {key} IN ({marks})"


async def name_references(call: Call, references: Sequence[Referring], rows: Sequence[Row], locale: str | None) -> None:
    """Put the names of what rows refer to into the rows: the names of one entity with one statement, all at once.

    :param references: as `Sources.references` has them.
    """
    ids: dict[str, set[int]] = {}
    for each in references:
        for row in rows:
            if (number := row[each.id]) is not None and number >= 0:
                ids.setdefault(each.entity, set()).add(number)
    wanted = {name: found for name, found in ids.items() if found != _ONLY_ZERO or ENTITIES[name].starts_at_zero}
    if not wanted:
        return
    if len(wanted) == 1:
        [(name, numbers)] = wanted.items()
        names = {name: await names_of(call, ENTITIES[name], numbers, locale)}
    else:
        found = await asyncio.gather(*(names_of(call, ENTITIES[each], ids[each], locale) for each in wanted))
        names = dict(zip(wanted, found, strict=True))
    for each in references:
        known = names.get(each.entity)
        if known:
            for row in rows:
                row[each.name] = known.get(row[each.id])


def reference(number: int | None, names: Mapping[int, str]) -> Reference | None:
    """Return an id with its name, or None for no id (0)."""
    return Reference(id=number, name=names.get(number)) if number else None


def references(numbers: Iterable[int | None], names: Mapping[int, str]) -> list[Reference]:
    """Return ids with their names, in order, without those that are 0."""
    return [Reference(id=number, name=names.get(number)) for number in numbers if number]
