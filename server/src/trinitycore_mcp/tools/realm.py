"""Realms and who is on them: realm_list, uptime_history, population."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable
from typing import Annotated

from msgspec import Meta, Struct

from trinitycore_mcp.database.session import Row
from trinitycore_mcp.entities import names_of
from trinitycore_mcp.entities import reference as reference_of
from trinitycore_mcp.players.common import faction_of
from trinitycore_mcp.players.times import When, when
from trinitycore_mcp.schema import Schema
from trinitycore_mcp.toolkit import (
    LIVE,
    Call,
    Cursor,
    Flags,
    Limit,
    Named,
    NextCursor,
    Notice,
    Reference,
    Related,
    Tool,
    doc,
    flags,
    named,
    tool,
)
from trinitycore_mcp.toolkit import enums as enumerations

# Realms are a handful; more than this is no realm list any more.
_MOST_REALMS = 200
_MOST_ZONES = 100


class Realm(Struct, frozen=True):
    """A realm."""

    id: int
    name: str
    address: Annotated[str | None, doc("where the login server sends clients")]
    port: int | None
    type: Named
    flags: Annotated[Flags, doc("Offline: the login server shows it as down")]
    region: Annotated[Named, doc("the group of the client's realm list it stands in")]
    required_security_level: Annotated[Named, doc("accounts below it can't enter")]
    load: Annotated[float, doc("0 low, 1 medium, 2 high: what the client shows as its population")]
    game_build: int | None
    accounts: Annotated[int | None, doc("accounts with characters there; null: not kept in this database")]
    characters: Annotated[int | None, doc("characters of all accounts there")]
    last_start: When
    last_uptime_seconds: Annotated[int | None, doc("length of the last run as last written, every few minutes")]
    last_seen: When
    revision: Annotated[str | None, doc("of the world server at its last start")]


class RealmList(Struct, frozen=True):
    """All realms."""

    realms: list[Realm]
    related: list[Related]


class Run(Struct, frozen=True):
    """One run of a world server."""

    realm_id: int
    started: When
    start_time: Annotated[int, doc("the same as Unix time")]
    last_seen: Annotated[str | None, doc("start and uptime: when it ended, give or take a few minutes, unless it runs")]
    uptime_seconds: int
    down_seconds_before: Annotated[int | None, doc("between the run before and this one; null: the first run")]
    max_players: Annotated[int, doc("most players online at once")]
    revision: str | None


class UptimeHistory(Struct, frozen=True):
    """One page of runs, newest first."""

    runs: list[Run]
    next_cursor: NextCursor
    notice: Notice


class PopulationPart(Struct, frozen=True):
    """How many of those online share something."""

    name: str
    online: int


class ZonePopulation(Struct, frozen=True):
    """How many are online in one zone."""

    map: Reference
    zone: Reference | None
    online: int


class Population(Struct, frozen=True):
    """Who is online now, counted."""

    online: int
    by_faction: list[PopulationPart]
    by_race: list[PopulationPart]
    by_class: list[PopulationPart]
    by_level: Annotated[list[PopulationPart], doc("in tens of levels")]
    by_zone: Annotated[list[ZonePopulation], doc(f"the {_MOST_ZONES} fullest, fullest first")]
    related: list[Related]


@tool(title="List realms", scope="players", cache=LIVE)
async def realm_list(call: Call) -> RealmList:
    """All realms of the login server: name, address, type, flags (offline, full), who may enter, how many accounts and
    characters they have, and when their world server last started and was last seen running. Use uptime_history for
    earlier runs, population for who is online."""
    schema = await call.schema()
    columns = schema.columns(
        "realmlist",
        *("id", "name", "address", "port", "icon", "flag", "timezone", "allowedSecurityLevel", "population"),
        "gamebuild",
        database="auth",
    )
    realms, counts, runs = await asyncio.gather(
        call.rows(f"SELECT {columns} FROM {schema.table('realmlist', 'auth')} ORDER BY `id` LIMIT {_MOST_REALMS}"),
        _characters(call, schema),
        _last_runs(call, schema),
    )
    return RealmList(
        realms=[_realm(row, counts.get(row["id"]), runs.get(row["id"]), counted=bool(counts)) for row in realms],
        related=[
            Related(tool="uptime_history", arguments={"realm": row["id"]}, why=f"earlier runs of {row['name']}")
            for row in realms[:10]
        ],
    )


async def _characters(call: Call, schema: Schema) -> dict[int, Row]:
    if not schema.has("realmcharacters", database="auth"):
        return {}
    rows = await call.rows(
        "SELECT `realmid` AS realm, COUNT(*) AS accounts, SUM(`numchars`) AS characters "
        f"FROM {schema.table('realmcharacters', 'auth')} WHERE `numchars` > 0 GROUP BY `realmid`"
    )
    return {row["realm"]: row for row in rows}


async def _last_runs(call: Call, schema: Schema) -> dict[int, Row]:
    if not schema.has("uptime", database="auth"):
        return {}
    table = schema.table("uptime", "auth")
    rows = await call.rows(
        f"SELECT u.`realmid` AS realm, u.`starttime` AS start, u.`uptime` AS length, u.`revision` AS revision "
        f"FROM {table} u JOIN (SELECT `realmid`, MAX(`starttime`) AS newest FROM {table} GROUP BY `realmid`) l "
        "ON l.`realmid` = u.`realmid` AND l.newest = u.`starttime`"
    )
    return {row["realm"]: row for row in rows}


def _realm(row: Row, count: Row | None, run: Row | None, *, counted: bool) -> Realm:
    return Realm(
        id=row["id"],
        name=row["name"],
        address=row["address"],
        port=row["port"],
        type=named("realm_type", row["icon"]),
        flags=flags("realm_flags", row["flag"]),
        region=named("realm_timezone", row["timezone"]),
        required_security_level=named("security_level", row["allowedSecurityLevel"]),
        load=round(float(row["population"] or 0), 2),
        game_build=row["gamebuild"],
        accounts=int(count["accounts"]) if count else 0 if counted else None,
        characters=int(count["characters"]) if count else 0 if counted else None,
        last_start=when(run["start"]) if run else None,
        last_uptime_seconds=run["length"] if run else None,
        last_seen=when(run["start"] + run["length"]) if run else None,
        revision=(run["revision"] or None) if run else None,
    )


@tool(title="History of a realm's uptime", scope="players", cache=LIVE)
async def uptime_history(
    call: Call,
    realm: Annotated[
        Annotated[int, Meta(ge=1, le=0xFFFFFFFF)] | None, doc("only this realm's id; default: all realms")
    ] = None,
    limit: Limit = 20,
    cursor: Cursor = None,
) -> UptimeHistory:
    """Runs of the world servers, newest first: when each started, how long it ran, how long it was down before that,
    most players at once and its revision. Short runs close together are crashes or restarts. realm_list shows the
    last run of each realm."""
    schema = await call.schema()
    conditions: list[str] = []
    values: list[object] = []
    if realm is not None:
        conditions.append("`realmid` = %s")
        values.append(realm)
    place = call.place(cursor, 2)
    if place is not None:
        conditions.append("(`starttime` < %s OR (`starttime` = %s AND `realmid` > %s))")
        values += [place[0], *place]
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    rows = await call.rows(
        "SELECT `realmid` AS realm, `starttime` AS start, `uptime` AS length, `maxplayers` AS players, "
        "`revision` AS revision, "
        "LAG(`starttime` + `uptime`) OVER (PARTITION BY `realmid` ORDER BY `starttime`) AS ended_before "
        f"FROM {schema.table('uptime', 'auth')}{where} ORDER BY `starttime` DESC, `realmid` LIMIT %s",
        (*values, limit + 1),
    )
    page = call.page([_run(row) for row in rows], limit, lambda run: [run.start_time, run.realm_id])
    return UptimeHistory(runs=page.items, next_cursor=page.next_cursor, notice=page.notice)


def _run(row: Row) -> Run:
    start = int(row["start"])
    before = row["ended_before"]
    return Run(
        realm_id=row["realm"],
        started=when(start),
        start_time=start,
        last_seen=when(start + row["length"]),
        uptime_seconds=row["length"],
        down_seconds_before=None if before is None else max(0, start - int(before)),
        max_players=row["players"],
        revision=row["revision"] or None,
    )


@tool(title="Who is online, counted", scope="players", cache=LIVE)
async def population(call: Call) -> Population:
    """How many characters are online now, by faction, race, class, level bracket and zone. characters_online lists
    them one by one."""
    schema = await call.schema()
    table = schema.table("characters", "characters")
    groups, zones = await asyncio.gather(
        call.rows(
            "SELECT `race`, `class`, `level` DIV 10 AS tens, COUNT(*) AS n "
            f"FROM {table} WHERE `online` = 1 GROUP BY `race`, `class`, `level` DIV 10"
        ),
        call.rows(
            f"SELECT `map`, `zone`, COUNT(*) AS n FROM {table} WHERE `online` = 1 "
            f"GROUP BY `map`, `zone` ORDER BY n DESC, `map`, `zone` LIMIT {_MOST_ZONES}"
        ),
    )
    zone_names, map_names = await asyncio.gather(
        names_of(call, "zone", [row["zone"] for row in zones]), names_of(call, "map", [row["map"] for row in zones])
    )
    return Population(
        online=sum(row["n"] for row in groups),
        by_faction=_parts((faction_of(row["race"]) or "unknown", row["n"]) for row in groups),
        by_race=_parts((_name("character_race", row["race"]), row["n"]) for row in groups),
        by_class=_parts((_name("character_class", row["class"]), row["n"]) for row in groups),
        by_level=_levels(groups),
        by_zone=[
            ZonePopulation(
                map=Reference(id=row["map"], name=map_names.get(row["map"])),
                zone=reference_of(row["zone"], zone_names),
                online=row["n"],
            )
            for row in zones
        ],
        related=[Related(tool="characters_online", arguments={}, why="who they are")],
    )


def _name(enum: str, value: int) -> str:
    return enumerations.values(enum).get(value, str(value))


def _parts(pairs: Iterable[tuple[str, int]]) -> list[PopulationPart]:
    """Return sums by name, the largest first."""
    total: Counter[str] = Counter()
    for name, count in pairs:
        total[name] += count
    return [PopulationPart(name=name, online=n) for name, n in sorted(total.items(), key=lambda p: (-p[1], p[0]))]


def _levels(groups: list[Row]) -> list[PopulationPart]:
    total: Counter[int] = Counter()
    for row in groups:
        total[int(row["tens"])] += row["n"]
    return [PopulationPart(name=f"{max(1, t * 10)}-{t * 10 + 9}", online=n) for t, n in sorted(total.items())]


TOOLS: tuple[Tool, ...] = (realm_list, uptime_history, population)
