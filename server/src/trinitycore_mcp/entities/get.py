"""Reading one entity by its id."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import Struct

from trinitycore_mcp.entities.entity import Entity
from trinitycore_mcp.entities.naming import name_references
from trinitycore_mcp.entities.plan import plan_of
from trinitycore_mcp.entities.results import whole
from trinitycore_mcp.entities.sources import Sources
from trinitycore_mcp.schema import Schema
from trinitycore_mcp.toolkit import Call, Reference, Related, ToolError

# How many ids of one list lead on: a list of hundreds would drown the rest.
_MOST_LINKS = 10


async def get(call: Call, entity: Entity, number: int, locale: str | None = None) -> Struct:
    """Return the entity with this id.

    :raises ToolError: there is none, its table is missing, or the database can't be read.
    """
    schema = await call.schema()
    plan = plan_of(schema, entity, locale)
    rows = await call.rows(plan.sql, (number,))
    elsewhere: tuple[str, ...] = ()
    if not rows:
        elsewhere = entity.elsewhere
        if not elsewhere:
            raise await _nothing(call, schema, entity, number)
        plan = plan_of(schema, entity, locale, outer=True)
        rows = await call.rows(plan.sql, (number,))
    if plan.references:
        await name_references(call, plan.references, rows, locale)
    values = plan.values(rows[0])
    if len(entity.parts) == 1:
        values += await entity.parts[0].read(call, schema, rows[0], locale)
    elif entity.parts:
        for part in await asyncio.gather(*(part.read(call, schema, rows[0], locale) for part in entity.parts)):
            values += part
    if entity.optional_tables:
        values.append(plan.missing_tables)
    kind = whole(entity)
    if elsewhere:
        by_name = dict(zip(kind.__struct_fields__, values, strict=False))
        if not any(by_name[name] for name in elsewhere):
            raise await _nothing(call, schema, entity, number)
    values.append(_related(entity, kind.__struct_fields__, values) if entity.links else [])
    return kind(*values)


async def _nothing(call: Call, schema: Schema, entity: Entity, number: int) -> ToolError:
    """Return the error for an id that is not there: with the ids that are nearest to it."""
    sources = Sources(schema, entity, None)
    key = sources.key
    rows = await call.rows(
        f"(SELECT {key} AS id FROM {sources.table} t WHERE {key} < %s ORDER BY {key} DESC LIMIT 1) UNION "
        f"(SELECT {key} AS id FROM {sources.table} t WHERE {key} > %s ORDER BY {key} LIMIT 1)",
        (number, number),
    )
    near = " and ".join(str(row["id"]) for row in sorted(rows, key=lambda row: int(row["id"])))
    hint = f"; {entity.name}_search finds ids by name" if entity.summary else ""
    around = f"nearest to it: {near}" if near else "there is none at all"
    why = f" ({entity.absence})" if entity.absence else ""
    return ToolError(f"there is no {entity.noun} with id {number}{why}{hint}; {around}")


def _related(entity: Entity, names: tuple[str, ...], values: list[Any]) -> list[Related]:
    """Return the calls that lead on from an entity, each once."""
    by_name = dict(zip(names, values, strict=False))
    found: dict[tuple[str, str, int, str], Related] = {}
    for link in entity.links:
        if link.when is not None and not link.when(by_name):
            continue
        for number, name in _targets(_value(by_name, link.of)):
            arguments = {link.argument: number, **link.more}
            why = link.why.format(name=name or number)
            found.setdefault((link.tool, link.argument, number, str(link.more)), Related(link.tool, arguments, why))
    return list(found.values())


def _value(values: Mapping[str, Any], path: str) -> Any:
    """Return a field's value, or that of a field inside of it (of each in a list)."""
    first, _, rest = path.partition(".")
    value = values[first]
    if not rest:
        return value
    return [getattr(each, rest) for each in value] if isinstance(value, list) else getattr(value, rest)


def _targets(value: Any) -> Iterator[tuple[int, str | None]]:
    """Yield id and name of what a field points to."""
    several = value[:_MOST_LINKS] if isinstance(value, list) else (value,)
    for each in several:
        if isinstance(each, Reference):
            yield each.id, each.name
        elif each:
            yield each, None
