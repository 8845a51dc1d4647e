"""Guilds: guild_get."""

from __future__ import annotations

import asyncio
from typing import Annotated

from msgspec import Meta, Struct

from trinitycore_mcp.database.session import Row
from trinitycore_mcp.players.common import Player, one_of_two, player, player_columns, player_names, starts
from trinitycore_mcp.players.times import When, when
from trinitycore_mcp.schema import Schema
from trinitycore_mcp.toolkit import (
    LIVE,
    Call,
    Cursor,
    Flags,
    Limit,
    Money,
    NextCursor,
    Notice,
    Reference,
    Related,
    Tool,
    ToolError,
    doc,
    flags,
    money,
    tool,
)


class GuildRank(Struct, frozen=True):
    """A rank of a guild."""

    rank: Annotated[int, doc("0: the leader's")]
    name: str | None
    rights: Flags | None
    members: int
    bank_money_per_day: Annotated[Money | None, doc("what each member may take out of the bank; null: no limit")]


class GuildMember(Struct, frozen=True):
    """A member of a guild."""

    rank: int
    character: Player


class Guild(Struct, frozen=True):
    """A guild, with one page of its members."""

    id: int
    name: str
    leader: Annotated[Reference, doc("a character, by guid")]
    message_of_the_day: str | None
    info: str | None
    created: When
    bank_money: Money
    bank_tabs: Annotated[int | None, doc("null: their table is not there")]
    member_count: int
    online_count: int
    ranks: list[GuildRank]
    members: Annotated[list[GuildMember], doc("by rank, then by guid")]
    next_cursor: NextCursor
    notice: Notice
    related: list[Related]


@tool(title="Get a guild", scope="players", cache=LIVE)
async def guild_get(
    call: Call,
    id: Annotated[Annotated[int, Meta(ge=1, le=2**63 - 1)] | None, doc("guild id")] = None,
    name: Annotated[Annotated[str, Meta(min_length=1, max_length=50)] | None, doc("the guild's whole name")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Guild:
    """One guild by id or name: leader, ranks with their rights, bank money, message of the day, and its members by
    rank, page by page."""
    one_of_two(("id", id), ("name", name))
    schema = await call.schema()
    row = await _find(call, schema, id, name)
    number = int(row["guildid"])
    place = call.place(cursor, 2)
    member, character = schema.table("guild_member", "characters"), schema.table("characters", "characters")
    after, values = "", (number,)
    if place is not None:
        after = " AND (m.`rank` > %s OR (m.`rank` = %s AND m.`guid` > %s))"
        values = (number, place[0], *place)
    members, counts, ranks, tabs, leader = await asyncio.gather(
        call.rows(
            f"SELECT m.`rank` AS place, m.`guid` AS member, {player_columns(schema, 'c')} FROM {member} m "
            f"JOIN {character} c ON c.`guid` = m.`guid` WHERE m.`guildid` = %s{after} "
            "ORDER BY m.`rank`, m.`guid` LIMIT %s",
            (*values, limit + 1),
        ),
        call.rows(
            f"SELECT m.`rank` AS place, COUNT(*) AS n, COALESCE(SUM(c.`online`), 0) AS online FROM {member} m "
            f"LEFT JOIN {character} c ON c.`guid` = m.`guid` WHERE m.`guildid` = %s GROUP BY m.`rank`",
            (number,),
        ),
        _ranks(call, schema, number),
        _tabs(call, schema, number),
        player_names(call, [row["leaderguid"]]),
    )
    page = call.page(
        [GuildMember(rank=each["place"], character=player(each)) for each in members],
        limit,
        lambda each: [each.rank, each.character.guid],
    )
    return Guild(
        id=number,
        name=row["name"],
        leader=Reference(id=row["leaderguid"], name=leader.get(row["leaderguid"])),
        message_of_the_day=row["motd"] or None,
        info=row["info"] or None,
        created=when(row["createdate"]),
        bank_money=money(row["BankMoney"]),
        bank_tabs=tabs,
        member_count=sum(int(each["n"]) for each in counts),
        online_count=sum(int(each["online"]) for each in counts),
        ranks=_with_counts(ranks, {each["place"]: int(each["n"]) for each in counts}),
        members=page.items,
        next_cursor=page.next_cursor,
        notice=page.notice,
        related=[Related(tool="character_get", arguments={"guid": row["leaderguid"]}, why="its leader")],
    )


async def _find(call: Call, schema: Schema, id: int | None, name: str | None) -> Row:
    columns = schema.columns(
        "guild", "guildid", "name", "leaderguid", "motd", "info", "createdate", "BankMoney", database="characters"
    )
    table = schema.table("guild", "characters")
    condition, value = ("`guildid` = %s", id) if id is not None else ("`name` = %s", name)
    row = await call.row(f"SELECT {columns} FROM {table} WHERE {condition} LIMIT 1", (value,))
    if row is not None:
        return row
    if id is not None:
        raise ToolError(f"there is no guild with id {id}; give name if that is known")
    near = await call.rows(
        f"SELECT `name` FROM {table} WHERE `name` LIKE %s ORDER BY `name` LIMIT 3", ("%" + starts(str(name)),)
    ) or await call.rows(
        f"SELECT `name` FROM {table} WHERE `name` LIKE %s ORDER BY `name` LIMIT 3", (starts(str(name)[:3]),)
    )
    hint = f"; did you mean {' or '.join(each['name'] for each in near)}?" if near else ""
    raise ToolError(f"there is no guild named {name!r}{hint}")


async def _ranks(call: Call, schema: Schema, number: int) -> list[Row]:
    if not schema.has("guild_rank", database="characters"):
        return []
    columns = schema.columns("guild_rank", "rid", "rname", "rights", "BankMoneyPerDay", database="characters")
    table = schema.table("guild_rank", "characters")
    return await call.rows(f"SELECT {columns} FROM {table} WHERE `guildid` = %s ORDER BY `rid` LIMIT 50", (number,))


async def _tabs(call: Call, schema: Schema, number: int) -> int | None:
    if not schema.has("guild_bank_tab", database="characters"):
        return None
    row = await call.row(
        f"SELECT COUNT(*) AS n FROM {schema.table('guild_bank_tab', 'characters')} WHERE `guildid` = %s", (number,)
    )
    return int(row["n"]) if row else 0


def _with_counts(ranks: list[Row], counts: dict[int, int]) -> list[GuildRank]:
    """Return the ranks; those that members have but the guild lacks come without a name."""
    known = {row["rid"]: row for row in ranks}
    return [_rank(number, known.get(number), counts.get(number, 0)) for number in sorted({*known, *counts})]


def _rank(number: int, row: Row | None, members: int) -> GuildRank:
    if row is None:
        return GuildRank(number, None, None, members, None)
    per_day = int(row["BankMoneyPerDay"] or 0)
    return GuildRank(
        rank=number,
        name=row["rname"] or None,
        rights=flags("guild_rank_rights", row["rights"]),
        members=members,
        # The leader may always take all; the column then holds the largest number there is.
        bank_money_per_day=None if number == 0 or per_day >= 0xFFFFFFFF else money(per_day),
    )


TOOLS: tuple[Tool, ...] = (guild_get,)
