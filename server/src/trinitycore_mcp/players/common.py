"""Characters and accounts by id or name, and how they are shown in lists."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

from msgspec import Meta, Struct

from trinitycore_mcp.database.session import Row
from trinitycore_mcp.entities import naming
from trinitycore_mcp.entities.entity import Entity
from trinitycore_mcp.schema import Schema
from trinitycore_mcp.toolkit import Call, Named, ToolError, doc, enums, named

PlayerGuid = Annotated[Annotated[int, Meta(ge=1, le=2**63 - 1)] | None, doc("guid of the character")]
PlayerName = Annotated[Annotated[str, Meta(min_length=1, max_length=50)] | None, doc("the character's whole name")]
AccountId = Annotated[Annotated[int, Meta(ge=1, le=0xFFFFFFFF)] | None, doc("id of the account")]
AccountName = Annotated[Annotated[str, Meta(min_length=1, max_length=64)] | None, doc("the account's user name")]

_PLAYER_NAMES = Entity(
    name="player", plural="players", table="characters", key="guid", label="name", database="characters"
)
_PLAYER = ("guid", "name", "race", "class", "level", "online", "account", "deleteInfos_Name", "deleteDate")


class Player(Struct, frozen=True):
    """A character in a list."""

    guid: int
    name: Annotated[str | None, doc("of a deleted character: the name it had")]
    level: int
    race: Named
    player_class: Named
    faction: Annotated[str | None, doc("Alliance, Horde or Neutral, by race; null: a race that is not known")]
    online: bool
    deleted: bool


def player_columns(schema: Schema, alias: str = "") -> str:
    """Return the select list that `player` reads from."""
    return schema.columns("characters", *_PLAYER, alias=alias, database="characters")


def player(row: Row) -> Player:
    """Return a row of `player_columns` as it is shown in lists."""
    deleted = bool(row["deleteDate"])
    return Player(
        guid=row["guid"],
        name=(row["deleteInfos_Name"] if deleted else row["name"]) or None,
        level=row["level"] or 0,
        race=named("character_race", row["race"]),
        player_class=named("character_class", row["class"]),
        faction=faction_of(row["race"]),
        online=bool(row["online"]),
        deleted=deleted,
    )


def faction_of(race: int | None) -> str | None:
    """Return the side that a race belongs to."""
    return enums.values("character_race_faction").get(int(race or 0))


def one_of_two(first: tuple[str, object], second: tuple[str, object]) -> None:
    """Check that exactly one of two arguments is given.

    :raises ToolError: both or none are.
    """
    if (first[1] is None) == (second[1] is None):
        raise ToolError(f"give either {first[0]} or {second[0]}", kind="invalid_arguments")


def starts(text: str) -> str:
    """Return the LIKE pattern of names that begin with a text."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"


async def find_player(call: Call, guid: int | None, name: str | None) -> Player:
    """Return a character by guid or name; a living one is found before a deleted one of the same name.

    :raises ToolError: there is none, or neither or both are given.
    """
    one_of_two(("guid", guid), ("name", name))
    schema = await call.schema()
    table = schema.table("characters", "characters")
    columns = player_columns(schema)
    if guid is not None:
        row = await call.row(f"SELECT {columns} FROM {table} WHERE `guid` = %s", (guid,))
        if row is None:
            raise ToolError(f"there is no character with guid {guid}; give name if that is known")
        return player(row)
    given = str(name)
    # Names are kept with one capital in a column that tells a from A.
    spelt = given[:1].upper() + given[1:].lower()
    row = await call.row(f"SELECT {columns} FROM {table} WHERE `name` IN (%s, %s) LIMIT 1", (given, spelt))
    if row is None and schema.has("characters", "deleteInfos_Name", database="characters"):
        row = await call.row(
            f"SELECT {columns} FROM {table} WHERE `deleteInfos_Name` IN (%s, %s) ORDER BY `deleteDate` DESC LIMIT 1",
            (given, spelt),
        )
    if row is None:
        near = await call.rows(
            f"SELECT `name` FROM {table} WHERE `name` LIKE %s ORDER BY `name` LIMIT 3", (starts(spelt[:3]),)
        )
        hint = f"; did you mean {' or '.join(each['name'] for each in near)}?" if near else ""
        raise ToolError(f"there is no character named {given!r}{hint}")
    return player(row)


async def find_account(call: Call, id: int | None, name: str | None) -> tuple[int, str | None]:
    """Return id and user name of an account.

    :raises ToolError: there is none, or neither or both are given.
    """
    one_of_two(("id", id), ("name", name))
    schema = await call.schema()
    table = schema.table("account", "auth")
    condition, value = ("`id` = %s", id) if id is not None else ("`username` = %s", name)
    row = await call.row(f"SELECT `id`, `username` FROM {table} WHERE {condition} LIMIT 1", (value,))
    if row is not None:
        return int(row["id"]), row["username"]
    if id is not None:
        raise ToolError(f"there is no account with id {id}; give name if that is known")
    near = await call.rows(
        f"SELECT `username` FROM {table} WHERE `username` LIKE %s ORDER BY `username` LIMIT 3", (starts(str(name)[:3]),)
    )
    hint = f"; did you mean {' or '.join(each['username'] for each in near)}?" if near else ""
    raise ToolError(f"there is no account named {name!r}{hint}")


async def player_names(call: Call, guids: Iterable[int | None]) -> dict[int, str]:
    """Return the names of characters by guid; deleted ones have none."""
    return await naming.names_of(call, _PLAYER_NAMES, guids)
