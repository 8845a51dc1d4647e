"""What spawns come back with: pools, spawn groups, game events, formations."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from trinitycore_mcp.database.session import Row
from trinitycore_mcp.schema import Schema
from trinitycore_mcp.sentences import in_list
from trinitycore_mcp.spawns.rows import KINDS, Kind
from trinitycore_mcp.toolkit import Call

POOL = 2
"""The number of pools beside creatures (0) and gameobjects (1) in pool_members."""
# AzerothCore has a table for each kind of member: table, what is in the pool, the pool.
_APART = (
    ("pool_creature", "guid", "pool_entry"),
    ("pool_gameobject", "guid", "pool_entry"),
    ("pool_pool", "pool_id", "mother_pool"),
)


@dataclass(frozen=True)
class PoolMember:
    """Something in a pool."""

    kind: int
    """0 creature, 1 gameobject, 2 pool."""
    id: int
    pool: int
    chance: float
    description: str | None


@dataclass(frozen=True)
class Memberships:
    """By guid: what spawns of one kind belong to."""

    pools: Mapping[int, PoolMember] = field(default_factory=dict)
    groups: Mapping[int, list[int]] = field(default_factory=dict)
    events: Mapping[int, list[int]] = field(default_factory=dict)
    """Game events; a negative one: the spawn is there except during the event."""
    leaders: Mapping[int, int] = field(default_factory=dict)
    paths: Mapping[int, int] = field(default_factory=dict)


async def pool_members(
    call: Call, *, members: Mapping[int, Iterable[int]] | None = None, pools: Iterable[int] = (), limit: int = 1000
) -> list[PoolMember]:
    """Return members of pools, in the order of pool, kind and id; nothing when the database has no pools.

    :param members: ids by kind whose membership is asked for.
    :param pools: pools whose members are asked for; instead of `members`.
    """
    schema = await call.schema()
    parts: list[str] = []
    parameters: list[object] = []
    for kind in (0, 1, POOL):
        source = _source(schema, kind)
        if source is None:
            continue
        sql, own, pool = source
        column, wanted = (own, list((members or {}).get(kind, ()))) if members is not None else (pool, list(pools))
        if not wanted:
            continue
        marks, values = in_list(wanted)
        parts.append(f"{sql} {'AND' if 'WHERE' in sql else 'WHERE'} {column} IN {marks}")
        parameters += values
    if not parts:
        return []
    rows = await call.rows(f"{' UNION ALL '.join(parts)} ORDER BY pool, kind, id LIMIT %s", (*parameters, limit))
    return [
        PoolMember(row["kind"], row["id"], row["pool"], float(row["chance"] or 0), row["description"] or None)
        for row in rows
    ]


def _source(schema: Schema, kind: int) -> tuple[str, str, str] | None:
    """Return the SELECT of one kind of member, its column of the member and that of the pool."""
    if schema.has("pool_members"):
        sql = (
            f"SELECT {kind} AS kind, t.`spawnId` AS id, t.`poolSpawnId` AS pool, t.`chance` AS chance, "
            f"t.`description` AS description FROM {schema.table('pool_members')} t WHERE t.`type` = {kind}"
        )
        return sql, "t.`spawnId`", "t.`poolSpawnId`"
    table, own, pool = _APART[kind]
    if not schema.has(table, own, pool):
        return None
    description = schema.column(table, "description", "t") or "NULL"
    sql = (
        f"SELECT {kind} AS kind, t.`{own}` AS id, t.`{pool}` AS pool, t.`chance` AS chance, "
        f"{description} AS description FROM {schema.table(table)} t"
    )
    return sql, f"t.`{own}`", f"t.`{pool}`"


async def memberships_of(call: Call, kind: Kind, guids: Iterable[int]) -> Memberships:
    """Return what spawns belong to."""
    wanted = list(guids)
    if not wanted:
        return Memberships()
    schema = await call.schema()
    number = KINDS.index(kind)
    is_creature = kind == "creature"
    pools, groups, events, leaders, paths = await asyncio.gather(
        pool_members(call, members={number: wanted}),
        _pairs(call, schema, "spawn_group", "spawnId", "groupId", wanted, f" AND t.`spawnType` = {number}"),
        _pairs(call, schema, f"game_event_{kind}", "guid", "eventEntry", wanted),
        _pairs(call, schema, "creature_formations", "memberGUID", "leaderGUID", wanted if is_creature else []),
        _pairs(call, schema, "creature_addon", "guid", "path_id", wanted if is_creature else []),
    )
    return Memberships(
        pools={member.id: member for member in pools},
        groups=_collected(groups),
        events=_collected(events),
        leaders={row["a"]: row["b"] for row in leaders},
        paths={row["a"]: row["b"] for row in paths if row["b"]},
    )


async def _pairs(
    call: Call, schema: Schema, table: str, key: str, value: str, wanted: list[int], also: str = ""
) -> list[Row]:
    if not wanted or not schema.has(table, key, value):
        return []
    marks, parameters = in_list(wanted)
    return await call.rows(
        f"SELECT {schema.column(table, key, 't')} AS a, {schema.column(table, value, 't')} AS b "
        f"FROM {schema.table(table)} t WHERE {schema.column(table, key, 't')} IN {marks}{also}",
        parameters,
    )


def _collected(rows: Iterable[Row]) -> dict[int, list[int]]:
    found: dict[int, list[int]] = {}
    for row in rows:
        found.setdefault(row["a"], []).append(row["b"])
    return found
