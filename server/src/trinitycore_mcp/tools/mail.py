"""Mail: mail_summary."""

from __future__ import annotations

import asyncio
from typing import Annotated

from msgspec import Struct

from trinitycore_mcp.players.common import PlayerGuid, PlayerName, find_player
from trinitycore_mcp.players.times import When, now, when
from trinitycore_mcp.toolkit import LIVE, Call, Money, Named, Reference, Related, Tool, doc, money, named, tool

_SOON = 3 * 86400


class MailKind(Struct, frozen=True):
    """How many mails come from one kind of sender."""

    type: Named
    count: int


class MailSummary(Struct, frozen=True):
    """A character's mail, counted; neither subjects nor texts are read."""

    character: Reference
    total: int
    unread: int
    with_items: int
    items: Annotated[int | None, doc("items attached to all of them; null: their table is not there")]
    money: Annotated[Money, doc("attached to all of them")]
    cash_on_delivery: Annotated[int, doc("mails to be paid for before the items can be taken")]
    cash_on_delivery_money: Money
    returned: Annotated[int, doc("mails that came back to the sender")]
    not_yet_delivered: int
    expired: Annotated[int, doc("past their time: the server removes or returns them soon")]
    expiring_soon: Annotated[int, doc("within three days")]
    next_expiry: When
    oldest_delivery: When
    by_sender_type: list[MailKind]
    related: list[Related]


@tool(title="A character's mail, counted", scope="players", cache=LIVE)
async def mail_summary(call: Call, guid: PlayerGuid = None, name: PlayerName = None) -> MailSummary:
    """A character's mailbox in numbers: total, unread, with items, money and cash on delivery, not yet delivered,
    expiring. It helps with "my mail never came"; what mails say is not shown."""
    found = await find_player(call, guid, name)
    schema = await call.schema()
    table = schema.table("mail", "characters")
    present = now()
    # checked: bit 0 read, bit 1 returned to its sender.
    counts, kinds, items = await asyncio.gather(
        call.row(
            "SELECT COUNT(*) AS total, SUM((`checked` & 1) = 0) AS unread, SUM(`has_items` <> 0) AS with_items, "
            "SUM(`money`) AS money, SUM(`cod` > 0) AS cod, SUM(`cod`) AS cod_money, SUM((`checked` & 2) <> 0) AS back, "
            "SUM(`deliver_time` > %s) AS waiting, SUM(`expire_time` <= %s) AS expired, "
            "SUM(`expire_time` > %s AND `expire_time` <= %s) AS soon, "
            "MIN(CASE WHEN `expire_time` > %s THEN `expire_time` END) AS next_expiry, MIN(`deliver_time`) AS oldest "
            f"FROM {table} WHERE `receiver` = %s",
            (present, present, present, present + _SOON, present, found.guid),
        ),
        call.rows(
            f"SELECT `messageType` AS type, COUNT(*) AS n FROM {table} WHERE `receiver` = %s "
            "GROUP BY `messageType` ORDER BY `messageType`",
            (found.guid,),
        ),
        call.row(
            f"SELECT COUNT(*) AS n FROM {schema.table('mail_items', 'characters')} WHERE `receiver` = %s", (found.guid,)
        )
        if schema.has("mail_items", database="characters")
        else _none(),
    )
    total = {key: int(value or 0) for key, value in (counts or {}).items()}
    return MailSummary(
        character=Reference(id=found.guid, name=found.name),
        total=total["total"],
        unread=total["unread"],
        with_items=total["with_items"],
        items=int(items["n"]) if items else None,
        money=money(total["money"]),
        cash_on_delivery=total["cod"],
        cash_on_delivery_money=money(total["cod_money"]),
        returned=total["back"],
        not_yet_delivered=total["waiting"],
        expired=total["expired"],
        expiring_soon=total["soon"],
        next_expiry=when(total["next_expiry"]),
        oldest_delivery=when(total["oldest"]),
        by_sender_type=[MailKind(type=named("mail_type", row["type"]), count=row["n"]) for row in kinds],
        related=[Related(tool="character_get", arguments={"guid": found.guid}, why="the character")],
    )


async def _none() -> None:
    return None


TOOLS: tuple[Tool, ...] = (mail_summary,)
