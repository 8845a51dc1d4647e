"""Tickets that players wrote to game masters: tickets.

TrinityCore 3.3.5 and AzerothCore keep them in gm_ticket, TrinityCore master in a table for each kind.
"""

from __future__ import annotations

import asyncio
from typing import Annotated, Literal

from msgspec import Struct

from trinitycore_mcp.database.session import Row
from trinitycore_mcp.entities import names_of
from trinitycore_mcp.players.common import PlayerGuid, PlayerName, find_player, player_names
from trinitycore_mcp.players.times import When, when
from trinitycore_mcp.schema import Schema
from trinitycore_mcp.toolkit import (
    LIVE,
    Call,
    Cursor,
    Limit,
    Named,
    NextCursor,
    Notice,
    Position,
    Reference,
    Related,
    Tool,
    doc,
    named,
    real,
    text_or_none,
    tool,
)

Kind = Literal["ticket", "bug", "complaint", "suggestion"]
Status = Literal["open", "closed", "all"]

_TABLES: dict[Kind, str] = {
    "ticket": "gm_ticket",
    "bug": "gm_bug",
    "complaint": "gm_complaint",
    "suggestion": "gm_suggestion",
}
_MOST_TEXT = 600
_COLUMNS = (
    "type", "playerGuid", "name", "createTime", "lastModifiedTime", "mapId", "posX", "posY", "posZ", "closedBy",
    "assignedTo", "completed", "escalated", "viewed", "needMoreHelp",
)  # fmt: skip


class Ticket(Struct, frozen=True):
    """A ticket."""

    kind: Kind
    id: int
    open: bool
    type: Annotated[Named | None, doc("null: this core has no such state")]
    character: Reference | None
    created: When
    create_time: Annotated[int, doc("the same as Unix time")]
    last_modified: When
    position: Position
    map_name: str | None
    message: Annotated[str | None, doc(f"the first {_MOST_TEXT} characters")]
    comment: Annotated[str | None, doc("of game masters, cut likewise")]
    response: Annotated[str | None, doc("to the player, cut likewise")]
    assigned_to: Annotated[Reference | None, doc("a game master's character")]
    closed_by: Annotated[Reference | None, doc("a character: the player's own, or a game master's")]
    closed_by_console: bool
    completed: bool
    escalated: bool
    viewed: bool
    needs_more_help: bool


class TicketPage(Struct, frozen=True):
    """One page of tickets, newest first."""

    tickets: list[Ticket]
    next_cursor: NextCursor
    notice: Notice
    related: list[Related]


@tool(title="Tickets of players", scope="players", cache=LIVE)
async def tickets(
    call: Call,
    status: Annotated[Status, doc("open ones, closed ones or all")] = "open",
    guid: PlayerGuid = None,
    name: PlayerName = None,
    limit: Limit = 20,
    cursor: Cursor = None,
) -> TicketPage:
    """Tickets that players wrote to game masters, newest first: who, when, where, what about (cut), who works on it and
    who closed it. Give a character's guid or name for its own tickets only."""
    author = (await find_player(call, guid, name)).guid if guid is not None or name is not None else None
    schema = await call.schema()
    kinds = [kind for kind, table in _TABLES.items() if schema.has(table, database="characters")]
    if not kinds:
        schema.table("gm_ticket", "characters")  # says what is missing
    parts, values = [], []
    for kind in kinds:
        part, more = _select(schema, kind, status, author)
        parts.append(part)
        values += more
    place = call.place(cursor, 3)
    after = ""
    if place is not None:
        after = (
            " WHERE x.`createTime` < %s OR (x.`createTime` = %s AND (x.`kind` > %s OR (x.`kind` = %s AND x.`id` > %s)))"
        )
        values += [place[0], place[0], place[1], place[1], place[2]]
    rows = await call.rows(
        f"SELECT x.* FROM ({' UNION ALL '.join(parts)}) x{after} "
        "ORDER BY x.`createTime` DESC, x.`kind`, x.`id` LIMIT %s",
        (*values, limit + 1),
    )
    guids = [row[column] for row in rows for column in ("playerGuid", "assignedTo", "closedBy")]
    names, maps = await asyncio.gather(player_names(call, guids), names_of(call, "map", [row["mapId"] for row in rows]))
    page = call.page(
        [_ticket(row, names, maps) for row in rows], limit, lambda each: [each.create_time, each.kind, each.id]
    )
    authors = dict.fromkeys(each.character.id for each in page.items if each.character)
    return TicketPage(
        tickets=page.items,
        next_cursor=page.next_cursor,
        notice=page.notice,
        related=[
            Related(tool="character_get", arguments={"guid": each}, why=names.get(each) or "who wrote it")
            for each in list(authors)[:10]
        ],
    )


def _select(schema: Schema, kind: Kind, status: Status, author: int | None) -> tuple[str, list[object]]:
    """Return the SELECT of one kind's table, and its values."""
    table = _TABLES[kind]
    state = schema.column(table, "type", "k", database="characters")
    is_open = f"{state} = 0" if state else "k.`closedBy` = 0"
    conditions: list[str] = []
    values: list[object] = []
    if status != "all":
        conditions.append(is_open if status == "open" else f"NOT ({is_open})")
    if author is not None:
        conditions.append("k.`playerGuid` = %s")
        values.append(author)
    texts = ", ".join(
        f"LEFT({schema.column(table, name, 'k', database='characters') or 'NULL'}, {_MOST_TEXT}) AS `{name}`"
        for name in ("description", "comment", "response")
    )
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    return (
        f"SELECT '{kind}' AS kind, k.`id` AS id, {is_open} AS is_open, "
        f"{schema.columns(table, *_COLUMNS, alias='k', database='characters')}, {texts} "
        f"FROM {schema.table(table, 'characters')} k{where}",
        values,
    )


def _ticket(row: Row, names: dict[int, str], maps: dict[int, str]) -> Ticket:
    def character(guid: int | None) -> Reference | None:
        return Reference(id=guid, name=names.get(guid)) if guid and guid > 0 else None

    author = character(row["playerGuid"])
    return Ticket(
        kind=row["kind"],
        id=row["id"],
        open=bool(row["is_open"]),
        type=None if row["type"] is None else named("ticket_type", row["type"]),
        # The ticket keeps the name that the character had.
        character=Reference(id=author.id, name=author.name or text_or_none(row["name"])) if author else None,
        created=when(row["createTime"]),
        create_time=int(row["createTime"]),
        last_modified=when(row["lastModifiedTime"]),
        position=Position(map=row["mapId"], x=real(row["posX"]), y=real(row["posY"]), z=real(row["posZ"])),
        map_name=maps.get(row["mapId"]),
        message=text_or_none(row["description"]),
        comment=text_or_none(row["comment"]),
        response=text_or_none(row["response"]),
        assigned_to=character(row["assignedTo"]),
        closed_by=character(row["closedBy"]),
        closed_by_console=bool(row["closedBy"] and row["closedBy"] < 0),
        completed=bool(row["completed"]),
        escalated=bool(row["escalated"]),
        viewed=bool(row["viewed"]),
        needs_more_help=bool(row["needMoreHelp"]),
    )


TOOLS: tuple[Tool, ...] = (tickets,)
