"""Spawns that come and go together: pools and spawn groups."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Literal

from msgspec import Meta, Struct

from trinitycore_mcp.database.session import Row
from trinitycore_mcp.sentences import in_list, resolve
from trinitycore_mcp.spawns import KINDS, PoolMember, pool_members
from trinitycore_mcp.spawns.memberships import POOL
from trinitycore_mcp.toolkit import (
    Call,
    Flags,
    Id,
    Named,
    Notice,
    Related,
    Tool,
    ToolError,
    doc,
    flags,
    named,
    real,
    text_or_none,
    tool,
)

# Members shown at most, of each pool or group, and pools above one another.
_MOST = 300
_HIGHEST = 6


class PooledSpawn(Struct, frozen=True):
    """A member of a pool."""

    kind: Named
    id: Annotated[int, doc("guid of the spawn, or id of the pool")]
    name: Annotated[str | None, doc("what spawns, or what the pool is called")]
    chance: Annotated[float, doc("percent; 0: an equal share of what the members with a chance leave")]
    description: str | None


class Pool(Struct, frozen=True):
    """A pool: some of its members are there at a time."""

    id: int
    description: str | None
    at_once: Annotated[int | None, doc("how many members are there at most; 0: no limit; null: no such pool")]
    mother: Annotated[int | None, doc("the pool that this one is a member of")]
    members: list[PooledSpawn]


class GroupedSpawn(Struct, frozen=True):
    """A member of a spawn group."""

    kind: Named
    guid: int
    name: str | None


class InstanceRule(Struct, frozen=True):
    """When a boss's state spawns or blocks a group in an instance."""

    map: int
    boss: Annotated[int, doc("number of the boss in the instance's script")]
    states: Annotated[list[str], doc("in these states of the encounter")]
    flags: Flags


class SpawnGroup(Struct, frozen=True):
    """A spawn group: its members spawn and despawn together."""

    id: int
    name: str | None
    flags: Flags
    members: list[GroupedSpawn]
    in_instances: list[InstanceRule]


class SpawnGroupsPools(Struct, frozen=True):
    """Pools, from the asked one up to those it is in, and spawn groups."""

    pools: list[Pool]
    groups: list[SpawnGroup]
    notice: Notice
    related: list[Related]


@tool(title="Spawn groups and pools")
async def spawn_groups_pools(
    call: Call,
    kind: Annotated[Literal["creature", "gameobject"], doc("what guid is the guid of")] = "creature",
    guid: Annotated[Id | None, doc("a spawn: the pools and groups it is in")] = None,
    pool: Annotated[Id | None, doc("a pool's id")] = None,
    group: Annotated[Annotated[int, Meta(ge=0, le=0xFFFFFFFF)] | None, doc("a spawn group's id")] = None,
) -> SpawnGroupsPools:
    """What decides together whether spawns are there: pools (so many of their members at a time) and spawn groups.

    Give one of guid, pool, group. spawns finds guids and shows the pool and groups of each spawn.
    """
    if [guid, pool, group].count(None) != 2:
        raise ToolError("give one of guid, pool, group", kind="invalid_arguments")
    schema = await call.schema()
    if not schema.has("pool_template") and not schema.has("spawn_group_template"):
        schema.table("pool_template")
    if group is not None:
        schema.table("spawn_group_template")
    number = KINDS.index(kind)
    first = [pool] if pool is not None else []
    groups = [group] if group is not None else []
    if guid is not None:
        first = [member.pool for member in await pool_members(call, members={number: [guid]})]
        groups = await _groups_of(call, number, guid)
        if not first and not groups:
            raise ToolError(
                f"{kind} spawn {guid} is in no pool and in no spawn group"
                + ("" if schema.has("spawn_group") else " (this family of databases has no spawn groups)")
            )
    pools, found = await asyncio.gather(_pools(call, first), _groups(call, groups))
    if pool is not None and not any(each.members or each.at_once is not None for each in pools):
        raise ToolError(f"there is no pool {pool}")
    if group is not None and not found:
        raise ToolError(f"there is no spawn group {group}")
    full = any(len(each.members) >= _MOST for each in pools) or any(len(each.members) >= _MOST for each in found)
    return SpawnGroupsPools(
        pools=pools,
        groups=found,
        notice=f"only the first {_MOST} members are shown" if full else None,
        related=_related(pools, first),
    )


async def _groups_of(call: Call, number: int, guid: int) -> list[int]:
    schema = await call.schema()
    if not schema.has("spawn_group"):
        return []
    rows = await call.rows(
        f"SELECT g.`groupId` AS id FROM {schema.table('spawn_group')} g WHERE g.`spawnType` = %s AND g.`spawnId` = %s "
        "ORDER BY g.`groupId`",
        (number, guid),
    )
    return [row["id"] for row in rows]


async def _pools(call: Call, first: Sequence[int]) -> list[Pool]:
    """Return pools and all that they are in."""
    above: dict[int, int] = {}
    order = list(dict.fromkeys(first))
    newest = order
    for _ in range(_HIGHEST):
        mothers = {member.id: member.pool for member in await pool_members(call, members={POOL: newest})}
        above |= mothers
        newest = [mother for mother in dict.fromkeys(mothers.values()) if mother not in order]
        if not newest:
            break
        order += newest
    if not order:
        return []
    members, rows = await asyncio.gather(
        pool_members(call, pools=order, limit=_MOST * len(order)), _templates(call, order)
    )
    inner = [member.id for member in members if member.kind == POOL]
    names, inner_rows = await asyncio.gather(
        resolve(call, {(f"{KINDS[member.kind]}_spawn", member.id) for member in members if member.kind != POOL}),
        _templates(call, inner),
    )
    return [
        Pool(
            id=each,
            description=text_or_none(rows[each]["description"]) if each in rows else None,
            at_once=rows[each]["max_limit"] if each in rows else None,
            mother=above.get(each),
            members=[_member(member, names, inner_rows) for member in members if member.pool == each][:_MOST],
        )
        for each in order
    ]


def _member(member: PoolMember, names: Mapping[tuple[str, int], str], pools: Mapping[int, Row]) -> PooledSpawn:
    if member.kind == POOL:
        name = pools[member.id]["description"] if member.id in pools else None
    else:
        name = names.get((f"{KINDS[member.kind]}_spawn", member.id))
    return PooledSpawn(
        kind=named("pool_member_type", member.kind),
        id=member.id,
        name=name,
        chance=real(member.chance),
        description=member.description,
    )


async def _templates(call: Call, pools: Iterable[int]) -> dict[int, Row]:
    schema = await call.schema()
    wanted = list(pools)
    if not wanted or not schema.has("pool_template"):
        return {}
    marks, parameters = in_list(wanted)
    rows = await call.rows(
        f"SELECT {schema.columns('pool_template', 'entry', 'max_limit', 'description', alias='p')} "
        f"FROM {schema.table('pool_template')} p WHERE p.`entry` IN {marks}",
        parameters,
    )
    return {row["entry"]: row for row in rows}


async def _groups(call: Call, ids: Sequence[int]) -> list[SpawnGroup]:
    schema = await call.schema()
    if not ids or not schema.has("spawn_group_template"):
        return []
    marks, parameters = in_list(ids)
    templates, members, rules = await asyncio.gather(
        call.rows(
            f"SELECT {schema.columns('spawn_group_template', 'groupId', 'groupName', 'groupFlags', alias='g')} "
            f"FROM {schema.table('spawn_group_template')} g WHERE g.`groupId` IN {marks} ORDER BY g.`groupId`",
            parameters,
        ),
        call.rows(
            f"SELECT {schema.columns('spawn_group', 'groupId', 'spawnType', 'spawnId', alias='g')} "
            f"FROM {schema.table('spawn_group')} g WHERE g.`groupId` IN {marks} "
            "ORDER BY g.`groupId`, g.`spawnType`, g.`spawnId` LIMIT %s",
            (*parameters, _MOST * len(ids)),
        )
        if schema.has("spawn_group")
        else _nothing(),
        call.rows(
            "SELECT "
            + schema.columns(
                *("instance_spawn_groups", "instanceMapId", "bossStateId", "bossStates", "spawnGroupId", "flags"),
                alias="i",
            )
            + f" FROM {schema.table('instance_spawn_groups')} i WHERE i.`spawnGroupId` IN {marks}",
            parameters,
        )
        if schema.has("instance_spawn_groups")
        else _nothing(),
    )
    spawned = [row for row in members if row["spawnType"] < len(KINDS)]
    names = await resolve(call, {(f"{KINDS[row['spawnType']]}_spawn", row["spawnId"]) for row in spawned})
    return [
        SpawnGroup(
            id=row["groupId"],
            name=text_or_none(row["groupName"]),
            flags=flags("spawn_group_flags", row["groupFlags"]),
            members=[
                GroupedSpawn(
                    named("spawn_type", each["spawnType"]),
                    each["spawnId"],
                    names.get((f"{KINDS[each['spawnType']]}_spawn", each["spawnId"])),
                )
                for each in spawned
                if each["groupId"] == row["groupId"]
            ][:_MOST],
            in_instances=[
                InstanceRule(
                    map=rule["instanceMapId"],
                    boss=rule["bossStateId"],
                    states=_states(rule["bossStates"]),
                    flags=flags("instance_spawn_group_flags", rule["flags"]),
                )
                for rule in rules
                if rule["spawnGroupId"] == row["groupId"]
            ],
        )
        for row in templates
    ]


async def _nothing() -> list[Row]:
    return []


def _states(mask: int) -> list[str]:
    """Return the states of an encounter whose bits are set."""
    return [named("instance_boss_state", bit).name or str(bit) for bit in range(8) if mask >> bit & 1]


def _related(pools: Sequence[Pool], first: Sequence[int]) -> list[Related]:
    inner = [member for pool in pools if pool.id in first for member in pool.members if member.kind.value == POOL]
    return [Related("spawn_groups_pools", {"pool": member.id}, "a pool in the pool") for member in inner[:3]]


TOOLS: tuple[Tool, ...] = (spawn_groups_pools,)
