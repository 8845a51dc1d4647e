"""Characters: characters_online, character_get."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

from msgspec import Meta, Struct

from trinitycore_mcp.database.session import Row
from trinitycore_mcp.entities import names_of, reference
from trinitycore_mcp.players.common import (
    Player,
    PlayerGuid,
    PlayerName,
    faction_of,
    find_player,
    player,
    player_columns,
)
from trinitycore_mcp.players.times import When, now, when
from trinitycore_mcp.schema import Schema
from trinitycore_mcp.toolkit import (
    LIVE,
    Call,
    Cursor,
    Flags,
    Limit,
    Money,
    Named,
    NextCursor,
    Notice,
    Position,
    Reference,
    Related,
    Tool,
    ToolError,
    doc,
    enums,
    flags,
    money,
    named,
    one_of,
    real,
    tool,
)

Level = Annotated[int, Meta(ge=1, le=255)]


class OnlineCharacter(Struct, frozen=True):
    """A character that is online."""

    guid: int
    name: str
    level: int
    race: Named
    player_class: Named
    faction: str | None
    map: Reference
    zone: Reference | None
    guild: Reference | None
    game_master: Annotated[bool, doc("has game master mode on")]


class OnlinePage(Struct, frozen=True):
    """One page of those online, by guid."""

    characters: list[OnlineCharacter]
    next_cursor: NextCursor
    notice: Notice
    related: list[Related]


class CharacterGuild(Struct, frozen=True):
    """A character's place in a guild."""

    id: int
    name: str | None
    rank: Annotated[int, doc("0: the leader's")]
    rank_name: str | None


class CharacterBan(Struct, frozen=True):
    """A ban of one character that is in force."""

    banned: When
    until: Annotated[str | None, doc("UTC, ISO 8601; null: for good")]
    by: str | None
    reason: str | None


class Character(Struct, frozen=True):
    """A character."""

    guid: int
    name: str | None
    account_id: Annotated[int | None, doc("of a deleted character: whose it was")]
    race: Named
    player_class: Named
    faction: str | None
    gender: Named
    level: int
    experience: Annotated[int, doc("points towards the next level")]
    money: Money
    online: bool
    map: Reference
    zone: Reference | None
    instance_id: int | None
    position: Position
    played_seconds: int
    played_at_level_seconds: int
    last_logout: When
    guild: CharacterGuild | None
    flags: Flags
    at_next_login: Annotated[Flags, doc("what happens at the next login, such as Rename")]
    honor_points: int | None
    arena_points: int | None
    kills: int | None
    active_ban: CharacterBan | None
    deleted: bool
    deleted_at: When
    unread_mail: Annotated[int | None, doc("null: the mail table is not there")]
    related: list[Related]


@tool(title="Characters online", scope="players", cache=LIVE)
async def characters_online(
    call: Call,
    map: Annotated[Annotated[int, Meta(ge=0, le=65535)] | None, doc("only on this map id")] = None,
    zone: Annotated[Annotated[int, Meta(ge=0, le=0xFFFFFFFF)] | None, doc("only in this zone id")] = None,
    min_level: Annotated[Level | None, doc("at least this level")] = None,
    max_level: Annotated[Level | None, doc("at most this level")] = None,
    race: Annotated[Annotated[str, one_of("character_race", "one race")] | None, doc("only this race")] = None,
    player_class: Annotated[
        Annotated[str, one_of("character_class", "one class")] | None, doc("only this class")
    ] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> OnlinePage:
    """The characters that are online now, with level, race, class, where they are and their guild. population counts
    them; character_get shows one whole."""
    schema = await call.schema()
    conditions = ["c.`online` = 1"]
    values: list[object] = []
    for condition, value in (
        ("c.`map` = %s", map),
        ("c.`zone` = %s", zone),
        ("c.`level` >= %s", min_level),
        ("c.`level` <= %s", max_level),
        ("c.`race` = %s", None if race is None else enums.number("character_race", race, "race")),
        (
            "c.`class` = %s",
            None if player_class is None else enums.number("character_class", player_class, "player_class"),
        ),
    ):
        if value is not None:
            conditions.append(condition)
            values.append(value)
    place = call.place(cursor)
    if place is not None:
        conditions.append("c.`guid` > %s")
        values.append(place[0])
    guild, join = "NULL AS guild, NULL AS guild_name", ""
    if schema.has("guild", database="characters") and schema.has("guild_member", database="characters"):
        guild = "g.`guildid` AS guild, g.`name` AS guild_name"
        join = (
            f" LEFT JOIN {schema.table('guild_member', 'characters')} m ON m.`guid` = c.`guid`"
            f" LEFT JOIN {schema.table('guild', 'characters')} g ON g.`guildid` = m.`guildid`"
        )
    columns = schema.columns(
        "characters", *("guid", "name", "level", "race", "class", "map", "zone", "playerFlags"),
        alias="c", database="characters",
    )  # fmt: skip
    rows = await call.rows(
        f"SELECT {columns}, {guild} FROM {schema.table('characters', 'characters')} c{join} "
        f"WHERE {' AND '.join(conditions)} ORDER BY c.`guid` LIMIT %s",
        (*values, limit + 1),
    )
    maps, zones = await asyncio.gather(
        names_of(call, "map", [row["map"] for row in rows]), names_of(call, "zone", [row["zone"] for row in rows])
    )
    page = call.page([_online(row, maps, zones) for row in rows], limit, lambda each: [each.guid])
    return OnlinePage(
        characters=page.items,
        next_cursor=page.next_cursor,
        notice=page.notice,
        related=[
            Related(tool="character_get", arguments={"guid": each.guid}, why=each.name) for each in page.items[:10]
        ],
    )


def _online(row: Row, maps: dict[int, str], zones: dict[int, str]) -> OnlineCharacter:
    return OnlineCharacter(
        guid=row["guid"],
        name=row["name"] or "",
        level=row["level"],
        race=named("character_race", row["race"]),
        player_class=named("character_class", row["class"]),
        faction=faction_of(row["race"]),
        map=Reference(id=row["map"], name=maps.get(row["map"])),
        zone=reference(row["zone"], zones),
        guild=Reference(id=row["guild"], name=row["guild_name"]) if row["guild"] else None,
        game_master=bool((row["playerFlags"] or 0) & 0x8),
    )


_COLUMNS = (
    "gender", "xp", "money", "map", "zone", "instance_id", "position_x", "position_y", "position_z", "totaltime",
    "leveltime", "logout_time", "playerFlags", "at_login", "totalHonorPoints", "arenaPoints", "totalKills",
    "deleteInfos_Account",
)  # fmt: skip


@tool(title="Get a character", scope="players", cache=LIVE)
async def character_get(call: Call, guid: PlayerGuid = None, name: PlayerName = None) -> Character:
    """One character by guid or name: race, class, level, money, where it is, played time, guild, ban, and whether it
    is online or deleted. Then character_inventory, character_quests and mail_summary show what it has and does."""
    found = await find_player(call, guid, name)
    schema = await call.schema()
    table = schema.table("characters", "characters")
    row, guild, ban, unread = await asyncio.gather(
        call.row(
            f"SELECT {player_columns(schema)}, {schema.columns('characters', *_COLUMNS, database='characters')} "
            f"FROM {table} WHERE `guid` = %s",
            (found.guid,),
        ),
        _guild(call, schema, found.guid),
        _ban(call, schema, found.guid),
        _unread(call, schema, found.guid),
    )
    if row is None:
        raise ToolError(f"character {found.guid} was removed just now")
    maps, zones = await asyncio.gather(names_of(call, "map", [row["map"]]), names_of(call, "zone", [row["zone"]]))
    return _character(row, player(row), guild, ban, unread, maps, zones)


def _character(
    row: Row,
    brief: Player,
    guild: CharacterGuild | None,
    ban: CharacterBan | None,
    unread: int | None,
    maps: dict[int, str],
    zones: dict[int, str],
) -> Character:
    account = row["deleteInfos_Account"] if brief.deleted else row["account"]
    return Character(
        guid=brief.guid,
        name=brief.name,
        account_id=account or None,
        race=brief.race,
        player_class=brief.player_class,
        faction=brief.faction,
        gender=named("gender", row["gender"]),
        level=brief.level,
        experience=row["xp"] or 0,
        money=money(row["money"]),
        online=brief.online,
        map=Reference(id=row["map"], name=maps.get(row["map"])),
        zone=reference(row["zone"], zones),
        instance_id=row["instance_id"] or None,
        position=Position(
            map=row["map"], x=real(row["position_x"]), y=real(row["position_y"]), z=real(row["position_z"])
        ),
        played_seconds=row["totaltime"] or 0,
        played_at_level_seconds=row["leveltime"] or 0,
        last_logout=when(row["logout_time"]),
        guild=guild,
        flags=flags("player_flags", row["playerFlags"]),
        at_next_login=flags("character_at_login", row["at_login"]),
        honor_points=row["totalHonorPoints"],
        arena_points=row["arenaPoints"],
        kills=row["totalKills"],
        active_ban=ban,
        deleted=brief.deleted,
        deleted_at=when(row["deleteDate"]),
        unread_mail=unread,
        related=_related(brief.guid, account, guild),
    )


def _related(guid: int, account: int | None, guild: CharacterGuild | None) -> list[Related]:
    calls: list[tuple[str, dict[str, Any], str]] = [
        ("character_inventory", {"guid": guid}, "what it carries, wears and keeps in the bank"),
        ("character_quests", {"guid": guid}, "its quests"),
        ("mail_summary", {"guid": guid}, "its mail, counted"),
    ]
    if guild is not None:
        calls.append(("guild_get", {"id": guild.id}, "its guild"))
    if account:
        calls.append(("account_get", {"id": account}, "its account"))
    return [Related(tool=tool, arguments=arguments, why=why) for tool, arguments, why in calls]


async def _guild(call: Call, schema: Schema, guid: int) -> CharacterGuild | None:
    if not (schema.has("guild", database="characters") and schema.has("guild_member", database="characters")):
        return None
    rank, join = "NULL", ""
    if schema.has("guild_rank", "rid", "rname", database="characters"):
        rank = "r.`rname`"
        ranks = schema.table("guild_rank", "characters")
        join = f" LEFT JOIN {ranks} r ON r.`guildid` = m.`guildid` AND r.`rid` = m.`rank`"
    row = await call.row(
        f"SELECT m.`guildid` AS id, g.`name` AS name, m.`rank` AS place, {rank} AS called "
        f"FROM {schema.table('guild_member', 'characters')} m "
        f"LEFT JOIN {schema.table('guild', 'characters')} g ON g.`guildid` = m.`guildid`{join} WHERE m.`guid` = %s",
        (guid,),
    )
    return CharacterGuild(id=row["id"], name=row["name"], rank=row["place"], rank_name=row["called"]) if row else None


async def _ban(call: Call, schema: Schema, guid: int) -> CharacterBan | None:
    if not schema.has("character_banned", database="characters"):
        return None
    row = await call.row(
        "SELECT `bandate` AS start, `unbandate` AS end, `bannedby` AS who, `banreason` AS why "
        f"FROM {schema.table('character_banned', 'characters')} WHERE `guid` = %s AND `active` = 1 "
        "AND (`unbandate` = `bandate` OR `unbandate` > %s) ORDER BY `bandate` DESC LIMIT 1",
        (guid, now()),
    )
    if row is None:
        return None
    return CharacterBan(
        banned=when(row["start"]),
        until=when(row["end"]) if row["end"] != row["start"] else None,
        by=row["who"] or None,
        reason=row["why"] or None,
    )


async def _unread(call: Call, schema: Schema, guid: int) -> int | None:
    if not schema.has("mail", database="characters"):
        return None
    row = await call.row(
        f"SELECT COUNT(*) AS n FROM {schema.table('mail', 'characters')} "
        "WHERE `receiver` = %s AND (`checked` & 1) = 0 AND `deliver_time` <= %s",
        (guid, now()),
    )
    return int(row["n"]) if row else 0


TOOLS: tuple[Tool, ...] = (characters_online, character_get)
