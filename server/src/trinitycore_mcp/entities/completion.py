"""Completing names and ids of entities, for the variables of resource templates and the arguments of prompts."""

from __future__ import annotations

from trinitycore_mcp.entities.entity import Entity
from trinitycore_mcp.entities.registry import ENTITIES
from trinitycore_mcp.entities.search import literal, texts
from trinitycore_mcp.entities.sources import Sources
from trinitycore_mcp.toolkit import Call
from trinitycore_mcp.toolkit.resource import Complete

# Ids have at most this many digits.
_DIGITS = 10


async def complete(call: Call, entity: Entity, prefix: str, limit: int = 100, locale: str | None = None) -> list[str]:
    """Return what a caller may mean who has typed a beginning: ids that begin with these digits, else names.

    :param prefix: empty: the first names, or the first ids where there are no names.
    :param limit: how many at most.
    :raises ToolError: the table is missing, or the database can't be read.
    """
    text = prefix.strip()
    sources = Sources(await call.schema(), entity, locale)
    if text.isascii() and text.isdigit():
        return await _ids(call, sources, text, limit)
    names = texts(sources, (entity.label,)) if entity.label is not None else []
    if not names:
        return [] if text else await _ids(call, sources, "", limit)
    found: dict[str, None] = {}
    # The language asked for comes before English.
    for name in reversed(names):
        select = sources.select(f"DISTINCT {name} AS name")
        rows = await call.rows(
            f"{select} WHERE {name} LIKE %s ESCAPE '!' AND {name} <> '' ORDER BY 1 LIMIT %s",
            (f"{literal(text)}%", limit),
        )
        found |= dict.fromkeys(row["name"] for row in rows)
    return list(found)[:limit]


async def _ids(call: Call, sources: Sources, digits: str, limit: int) -> list[str]:
    """Return ids in order, those that begin with these digits: ranges that the key's index can tell."""
    key = sources.key
    bounds = [
        (int(digits.ljust(length, "0")), int(digits.ljust(length, "9")))
        for length in range(len(digits), _DIGITS + 1)
        if digits and (length == len(digits) or digits[0] != "0")
    ]
    where = f" WHERE {' OR '.join([f'{key} BETWEEN %s AND %s'] * len(bounds))}" if digits else ""
    rows = await call.rows(
        f"{sources.select(f'DISTINCT {key} AS id')}{where} ORDER BY 1 LIMIT %s",
        (*(bound for each in bounds for bound in each), limit),
    )
    return [str(row["id"]) for row in rows]


def completer(entity: str) -> Complete:
    """Return the function that completes ids and names of an entity, for `Resource.complete` and prompts.

    :param entity: a key of ENTITIES.
    """
    found = ENTITIES[entity]

    async def of_entity(call: Call, prefix: str) -> list[str]:
        return await complete(call, found, prefix)

    return of_entity
