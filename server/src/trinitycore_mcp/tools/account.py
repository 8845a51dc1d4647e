"""Accounts, without anything personal: account_get, account_bans."""

from __future__ import annotations

import asyncio
from typing import Annotated

from msgspec import Struct

from trinitycore_mcp.database.session import Row
from trinitycore_mcp.players.common import AccountId, AccountName, Player, find_account, player, player_columns
from trinitycore_mcp.players.times import When, moment, now, when
from trinitycore_mcp.schema import Schema
from trinitycore_mcp.toolkit import (
    LIVE,
    Call,
    Cursor,
    Limit,
    Named,
    NextCursor,
    Notice,
    Related,
    Tool,
    ToolError,
    doc,
    named,
    tool,
)

ACCOUNT_COLUMNS = (
    "id", "username", "joindate", "last_login", "online", "expansion", "failed_logins", "locked", "mutetime",
    "mutereason", "muteby", "locale", "os", "recruiter",
)  # fmt: skip
"""All columns of auth.account that any tool reads: a grant of SELECT on these is enough."""

# A realm lets an account have ten or so; deleted ones may be kept beside them.
_MOST_CHARACTERS = 50


class AccessLevel(Struct, frozen=True):
    """What an account may do on a realm."""

    realm_id: Annotated[int | None, doc("null: on all realms")]
    level: Named


class Mute(Struct, frozen=True):
    """An account that may not chat."""

    until: Annotated[str | None, doc("UTC, ISO 8601; null: it begins at the next login")]
    seconds_from_login: Annotated[int | None, doc("how long it lasts when it begins at the next login")]
    reason: str | None
    by: str | None


class Ban(Struct, frozen=True):
    """A ban of an account."""

    account_id: int
    username: str | None
    banned: When
    ban_time: Annotated[int, doc("the same as Unix time")]
    until: Annotated[str | None, doc("UTC, ISO 8601; null: for good")]
    in_force: Annotated[bool, doc("false: it has run out or was lifted")]
    by: str | None
    reason: str | None


class Account(Struct, frozen=True):
    """An account."""

    id: int
    username: str
    joined: When
    last_login: When
    online: bool
    expansion: Named
    failed_logins: Annotated[int | None, doc("wrong passwords since the last login")]
    locked: Annotated[bool, doc("it can be used only from where it was last used")]
    locale: Named
    client_os: Annotated[str | None, doc("as the client said at the last login")]
    recruiter_account_id: int | None
    mute: Annotated[Mute | None, doc("null: it may chat")]
    access: Annotated[list[AccessLevel], doc("empty: an ordinary player")]
    active_ban: Ban | None
    character_count: Annotated[int | None, doc("null: the characters database is not there")]
    characters: Annotated[list[Player], doc(f"{_MOST_CHARACTERS} at most, highest level first")]
    related: list[Related]


class BanPage(Struct, frozen=True):
    """One page of bans, newest first."""

    bans: list[Ban]
    next_cursor: NextCursor
    notice: Notice


@tool(title="Get an account", scope="players", cache=LIVE)
async def account_get(call: Call, id: AccountId = None, name: AccountName = None) -> Account:
    """One account by id or user name: when it joined and was last used, expansion, lock, mute, game master level,
    active ban and its characters. It holds no e-mail, address or secret. account_bans shows past bans too."""
    number, _ = await find_account(call, id, name)
    schema = await call.schema()
    present = [
        column for column in ACCOUNT_COLUMNS if schema.has("account", column, database="auth")
    ]  # an account with fewer grants, or another core
    plain = [column for column in present if column not in ("joindate", "last_login")]
    times = ", ".join(
        f"{moment(schema.column('account', each, database='auth'))} AS `{each}`" for each in ("joindate", "last_login")
    )
    row, access, ban, (count, characters) = await asyncio.gather(
        call.row(
            f"SELECT {schema.columns('account', *plain, database='auth')}, {times} "
            f"FROM {schema.table('account', 'auth')} WHERE `id` = %s",
            (number,),
        ),
        _access(call, schema, number),
        _active_ban(call, schema, number),
        _characters(call, schema, number),
    )
    if row is None:
        raise ToolError(f"account {number} was removed just now")
    return Account(
        id=row["id"],
        username=row["username"],
        joined=when(row["joindate"]),
        last_login=when(row["last_login"]),
        online=bool(row.get("online")),
        expansion=named("expansion", row.get("expansion")),
        failed_logins=row.get("failed_logins"),
        locked=bool(row.get("locked")),
        locale=named("account_locale", row.get("locale")),
        client_os=(row.get("os") or "").strip("\0 ") or None,
        recruiter_account_id=row.get("recruiter") or None,
        mute=_mute(row),
        access=access,
        active_ban=ban,
        character_count=count,
        characters=characters,
        related=[
            Related(tool="account_bans", arguments={"id": number, "active": False}, why="its bans, past ones too"),
            *(Related(tool="character_get", arguments={"guid": each.guid}, why=f"{each.name}") for each in characters),
        ],
    )


async def _access(call: Call, schema: Schema, number: int) -> list[AccessLevel]:
    if not schema.has("account_access", "AccountID", "SecurityLevel", database="auth"):
        return []
    key = schema.column("account_access", "AccountID", database="auth")
    columns = schema.columns("account_access", "SecurityLevel", "RealmID", database="auth")
    rows = await call.rows(
        f"SELECT {columns} FROM {schema.table('account_access', 'auth')} WHERE {key} = %s ORDER BY `RealmID` LIMIT 50",
        (number,),
    )
    return [
        AccessLevel(
            realm_id=row["RealmID"] if row["RealmID"] is not None and row["RealmID"] >= 0 else None,
            level=named("security_level", row["SecurityLevel"]),
        )
        for row in rows
    ]


async def _characters(call: Call, schema: Schema, number: int) -> tuple[int | None, list[Player]]:
    if not schema.has("characters", database="characters"):
        return None, []
    table = schema.table("characters", "characters")
    count, rows = await asyncio.gather(
        call.row(f"SELECT COUNT(*) AS n FROM {table} WHERE `account` = %s", (number,)),
        call.rows(
            f"SELECT {player_columns(schema)} FROM {table} WHERE `account` = %s "
            f"ORDER BY `level` DESC, `guid` LIMIT {_MOST_CHARACTERS}",
            (number,),
        ),
    )
    return int(count["n"]) if count else 0, [player(row) for row in rows]


def _mute(row: Row) -> Mute | None:
    """Return the mute that holds: mutetime is when it ends, or, below 0, how long it lasts from the next login."""
    ends = int(row.get("mutetime") or 0)
    if ends == 0 or 0 < ends <= now():
        return None
    return Mute(
        until=when(ends),
        seconds_from_login=-ends if ends < 0 else None,
        reason=row.get("mutereason") or None,
        by=row.get("muteby") or None,
    )


_BAN = "b.`id` AS account, b.`bandate` AS start, b.`unbandate` AS end, b.`bannedby` AS who, b.`banreason` AS why"
# A ban whose end is its beginning never ends.
_IN_FORCE = "(b.`active` = 1 AND (b.`unbandate` = b.`bandate` OR b.`unbandate` > %s))"


def _ban(row: Row) -> Ban:
    return Ban(
        account_id=row["account"],
        username=row["username"],
        banned=when(row["start"]),
        ban_time=row["start"],
        until=when(row["end"]) if row["end"] != row["start"] else None,
        in_force=bool(row["in_force"]),
        by=row["who"] or None,
        reason=row["why"] or None,
    )


def _bans_from(schema: Schema) -> str:
    return (
        f"SELECT {_BAN}, a.`username` AS username, {_IN_FORCE} AS in_force FROM "
        f"{schema.table('account_banned', 'auth')} b LEFT JOIN {schema.table('account', 'auth')} a ON a.`id` = b.`id`"
    )


async def _active_ban(call: Call, schema: Schema, number: int) -> Ban | None:
    if not schema.has("account_banned", database="auth"):
        return None
    present = now()
    row = await call.row(
        f"{_bans_from(schema)} WHERE b.`id` = %s AND {_IN_FORCE} "
        "ORDER BY b.`unbandate` = b.`bandate` DESC, b.`unbandate` DESC LIMIT 1",
        (present, number, present),
    )
    return _ban(row) if row else None


@tool(title="Bans of accounts", scope="players", cache=LIVE)
async def account_bans(
    call: Call,
    id: AccountId = None,
    name: AccountName = None,
    active: Annotated[bool, doc("true: only bans in force; false: past ones too")] = True,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> BanPage:
    """Bans of one account (by id or name) or of all: from when to when, by whom, why, and whether they are in force.
    Newest first. Bans of addresses are not shown."""
    number = (await find_account(call, id, name))[0] if id is not None or name is not None else None
    schema = await call.schema()
    present = now()
    conditions: list[str] = []
    values: list[object] = [present]
    if number is not None:
        conditions.append("b.`id` = %s")
        values.append(number)
    if active:
        conditions.append(_IN_FORCE)
        values.append(present)
    place = call.place(cursor, 2)
    if place is not None:
        conditions.append("(b.`bandate` < %s OR (b.`bandate` = %s AND b.`id` > %s))")
        values += [place[0], *place]
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    rows = await call.rows(
        f"{_bans_from(schema)}{where} ORDER BY b.`bandate` DESC, b.`id` LIMIT %s", (*values, limit + 1)
    )
    page = call.page([_ban(row) for row in rows], limit, lambda ban: [ban.ban_time, ban.account_id])
    return BanPage(bans=page.items, next_cursor=page.next_cursor, notice=page.notice)


TOOLS: tuple[Tool, ...] = (account_get, account_bans)
