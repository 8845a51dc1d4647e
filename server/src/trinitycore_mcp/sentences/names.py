"""Names of whatever a row's numbers refer to, looked up together."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping

from trinitycore_mcp.entities import ENTITIES, names_of
from trinitycore_mcp.sentences.sql import in_list
from trinitycore_mcp.toolkit import Call

Reference = tuple[str, int]
"""A kind of thing and its id."""
Names = Mapping[Reference, str]

# Kinds that are an entity under another name.
_SAME = {"area": "zone"}
# Kinds that are no entity: the client's table, its key, and the column of the name.
_CLIENT = {
    "title": ("chartitles_dbc", "ID", "Name_Lang_enUS"),
    "skill": ("skillline_dbc", "ID", "DisplayName_Lang_enUS"),
    "emote": ("emotes_dbc", "ID", "EmoteSlashCommand"),
}
# A spawn is called after what it spawns.
_SPAWNS = {"creature_spawn": ("creature", "creature"), "gameobject_spawn": ("gameobject", "gameobject")}
_MOST = 1024


async def resolve(call: Call, wanted: Iterable[Reference], locale: str | None = None) -> dict[Reference, str]:
    """Return the names of things; those without a name, and kinds that have none, are left out.

    :raises ToolError: the database can't be read.
    """
    by_kind: dict[str, set[int]] = {}
    for kind, number in wanted:
        entity = ENTITIES.get(_SAME.get(kind, kind))
        if number > 0 or (number == 0 and entity is not None and entity.starts_at_zero):
            by_kind.setdefault(kind, set()).add(number)
    found = await asyncio.gather(*(_of_kind(call, kind, ids, locale) for kind, ids in by_kind.items()))
    return {(kind, number): name for kind, names in zip(by_kind, found, strict=True) for number, name in names.items()}


async def _of_kind(call: Call, kind: str, ids: set[int], locale: str | None) -> dict[int, str]:
    entity = _SAME.get(kind, kind)
    if entity in ENTITIES:
        return await names_of(call, entity, ids, locale)
    if kind in _CLIENT:
        return await _client_names(call, kind, ids)
    if kind in _SPAWNS:
        return await spawn_names(call, kind, ids, locale)
    return {}


async def _client_names(call: Call, kind: str, ids: set[int]) -> dict[int, str]:
    schema = await call.schema()
    table, key, name = _CLIENT[kind]
    if not schema.has(table, key, name):
        return {}
    marks, parameters = in_list(sorted(ids)[:_MOST])
    rows = await call.rows(
        f"SELECT {schema.columns(table, key, name, alias='t')} FROM {schema.table(table)} t "
        f"WHERE {schema.column(table, key, 't')} IN {marks}",
        parameters,
    )
    return {row[key]: row[name] for row in rows if row[name]}


async def spawn_names(call: Call, kind: str, guids: Iterable[int], locale: str | None = None) -> dict[int, str]:
    """Return for spawns the names of what they spawn.

    :param kind: creature_spawn or gameobject_spawn.
    """
    schema = await call.schema()
    table, entity = _SPAWNS[kind]
    if not schema.has(table, "guid", "id"):
        return {}
    marks, parameters = in_list(sorted(guids)[:_MOST])
    rows = await call.rows(
        f"SELECT {schema.columns(table, 'guid', 'id', alias='t')} FROM {schema.table(table)} t "
        f"WHERE t.`guid` IN {marks}",
        parameters,
    )
    names = await names_of(call, entity, [row["id"] for row in rows], locale)
    return {row["guid"]: names[row["id"]] for row in rows if row["id"] in names}
