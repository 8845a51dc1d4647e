"""Who says or shows a text."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Literal

from msgspec import Struct

from trinitycore_mcp.database.session import Row
from trinitycore_mcp.entities import names_of
from trinitycore_mcp.schema import Schema
from trinitycore_mcp.sentences import in_list
from trinitycore_mcp.toolkit import Call, doc

# Shown of each kind at most, so that a menu of a hundred guards does not fill the answer.
_MOST = 5
_MOST_MENUS = 10
# Ids looked up at most: what a statement's list holds.
_MOST_IDS = 1024
# Gameobjects: their type and the column of what they open.
_MENU_OF_GAMEOBJECT = {2: "Data3", 10: "Data19"}
_PAGE_OF_GAMEOBJECT = {9: "Data0", 10: "Data7"}


class TextOwner(Struct, frozen=True):
    """Who says or shows a text, or what it describes."""

    kind: Literal["quest", "creature", "gameobject", "item"]
    id: int
    name: Annotated[str | None, doc("null: no such row in this database")]


@dataclass
class Owners:
    """The owners of one text."""

    shown: list[TextOwner] = field(default_factory=list)
    total: int = 0


async def owners_of(call: Call, table: str, ids: Iterable[int], locale: str | None) -> dict[int, Owners]:
    """Return who owns the texts of a table by their ids: trainer, broadcast_text or page_text."""
    schema = await call.schema()
    wanted = sorted(set(ids))
    if table == "trainer":
        parts = _part(schema, "creature", "creature_default_trainer", "TrainerId", "CreatureId")
    elif table == "broadcast_text":
        parts = _part(schema, "creature", "creature_text", "BroadcastTextId", "CreatureID")
    else:
        parts = _part(schema, "item", "item_template", "PageText", "entry")
        parts += _of_gameobjects(schema, _PAGE_OF_GAMEOBJECT)
    return await _owners(call, parts, wanted, locale)


async def menu_owners(call: Call, menus: Iterable[int], locale: str | None) -> dict[int, Owners]:
    """Return who opens gossip menus, by menu."""
    schema = await call.schema()
    if schema.has("creature_template_gossip", "CreatureID", "MenuID"):  # TrinityCore master: several each
        parts = _part(schema, "creature", "creature_template_gossip", "MenuID", "CreatureID")
    else:
        parts = _part(schema, "creature", "creature_template", "gossip_menu_id", "entry")
    return await _owners(call, parts + _of_gameobjects(schema, _MENU_OF_GAMEOBJECT), sorted(set(menus) - {0}), locale)


async def menus_of_texts(call: Call, texts: Iterable[int]) -> dict[int, list[int]]:
    """Return the menus that show an npc_text, by text, a few of each."""
    schema = await call.schema()
    marks, parameters = in_list(texts)
    if not parameters or not schema.has("gossip_menu", "MenuID", "TextID"):
        return {}
    rows = await call.rows(
        "SELECT u.owned AS text, u.id AS menu FROM (SELECT m.`TextID` AS owned, m.`MenuID` AS id, "
        "ROW_NUMBER() OVER (PARTITION BY m.`TextID` ORDER BY m.`MenuID`) AS place "
        f"FROM {schema.table('gossip_menu')} m WHERE m.`TextID` IN {marks}) u "
        f"WHERE u.place <= {_MOST_MENUS} ORDER BY u.owned, u.id",
        parameters,
    )
    found: dict[int, list[int]] = {}
    for row in rows:
        found.setdefault(row["text"], []).append(row["menu"])
    return found


_Part = tuple[Literal["creature", "gameobject", "item"], str, str, str, str]
"""Kind of owner; table; SQL of what is owned, of the owner's id, and of a further condition; the table's alias is o."""


def _part(
    schema: Schema, kind: Literal["creature", "gameobject", "item"], table: str, owned: str, owner: str
) -> list[_Part]:
    """Return how to find owners, nothing when the table is not there."""
    if not schema.has(table, owned, owner):
        return []
    return [
        (kind, table, str(schema.column(table, owned, "o")), str(schema.column(table, owner, "o")), "1 = 1"),
    ]


def _of_gameobjects(schema: Schema, columns: dict[int, str]) -> list[_Part]:
    return [
        (kind, table, owned, owner, f"o.`type` = {number}")
        for number, column in columns.items()
        for kind, table, owned, owner, _ in _part(schema, "gameobject", "gameobject_template", column, "entry")
    ]


async def _owners(call: Call, parts: Sequence[_Part], ids: Sequence[int], locale: str | None) -> dict[int, Owners]:
    """Return the owners by what they own, the first few of each kind with their names."""
    if not ids or not parts:
        return {}
    schema = await call.schema()
    marks, parameters = in_list(ids[:_MOST_IDS])

    async def read(part: _Part) -> list[Row]:
        _, table, owned, owner, condition = part
        inner = (
            f"SELECT d.*, ROW_NUMBER() OVER (PARTITION BY d.owned ORDER BY d.id) AS place, "
            "COUNT(*) OVER (PARTITION BY d.owned) AS total FROM "
            f"(SELECT DISTINCT {owned} AS owned, {owner} AS id FROM {schema.table(table)} o "
            f"WHERE {owned} IN {marks} AND {condition}) d"
        )
        sql = f"SELECT u.owned, u.id, u.total FROM ({inner}) u WHERE u.place <= {_MOST} ORDER BY u.owned, u.id"
        return await call.rows(sql, parameters)

    found = list(zip((part[0] for part in parts), await asyncio.gather(*(read(part) for part in parts)), strict=True))
    by_kind: dict[str, set[int]] = {}
    for kind, rows in found:
        by_kind.setdefault(kind, set()).update(row["id"] for row in rows)
    names = dict(
        zip(by_kind, await asyncio.gather(*(names_of(call, k, v, locale) for k, v in by_kind.items())), strict=True)
    )
    owners: dict[int, Owners] = {}
    for kind, rows in found:
        for number, total in {row["owned"]: row["total"] for row in rows}.items():
            owners.setdefault(number, Owners()).total += total
        for row in rows:
            owners[row["owned"]].shown.append(TextOwner(kind, row["id"], names[kind].get(row["id"])))
    return owners
