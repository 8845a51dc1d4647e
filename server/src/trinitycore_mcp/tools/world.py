"""The tools' way to the world database: rows in, failures as tool errors that a model can read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from mcp.server.mcpserver.exceptions import ToolError

from trinitycore_mcp.database import Database, DatabaseError
from trinitycore_mcp.database.errors import SchemaChanged
from trinitycore_mcp.database.schema import WorldSchema, WorldSchemas
from trinitycore_mcp.database.session import Row

# Tables that tools read by name; table_describe reads any.
TABLES = frozenset(
    {
        "creature",
        "creature_queststarter",
        "creature_questender",
        "creature_template",
        "creature_template_model",
        "creature_template_spell",
        "gameobject_queststarter",
        "gameobject_questender",
        "gameobject_template",
        "item_template",
        "quest_offer_reward",
        "quest_request_items",
        "quest_template",
        "quest_template_addon",
    }
)
# A world without these is looked at again soon: it may be loading.
_ESSENTIAL = frozenset({"creature_template", "item_template", "quest_template"})


class World:
    """Reads the world database for tools."""

    def __init__(self, database: Database, name: str) -> None:
        """:param name: what the world database is called."""
        self._database = database
        self.name = name
        self.schemas = WorldSchemas(database, name, TABLES, _ESSENTIAL)

    def table(self, name: str) -> str:
        """Return the table's full name, quoted for SQL."""
        assert name in TABLES
        return f"`{self.name}`.`{name}`"

    async def schema(self, *needed: str) -> WorldSchema:
        """Return the schema.

        :raises ToolError: a needed table is missing, or the database can't be read.
        """
        try:
            return await self.schemas.current(*needed)
        except DatabaseError as error:
            raise ToolError(str(error)) from error

    async def fetch(self, kind: str, sql: str, parameters: Sequence[object] = ()) -> list[Row]:
        """Return the rows of a SELECT.

        :param kind: the tool's name, for metrics.
        :raises ToolError: the database can't be read.
        """
        try:
            return await self._database.fetch(kind, sql, parameters)
        except SchemaChanged as error:
            self.schemas.forget()
            raise ToolError(f"{error}; it may be loading or updating just now, try again") from error
        except DatabaseError as error:
            raise ToolError(str(error)) from error

    async def row(self, kind: str, table: str, key: str, value: int) -> Row | None:
        """Return the whole row with that key, or None.

        :raises ToolError: the table is missing, or the database can't be read.
        """
        await self.schema(table)
        rows = await self.fetch(kind, f"SELECT * FROM {self.table(table)} WHERE `{key}` = %s", (value,))
        return rows[0] if rows else None

    async def names_of(self, kind: str, table: str, key: str, name: str, ids: Iterable[int]) -> dict[int, str]:
        """Return the names of rows by their ids; ids that are not above 0 are no ids.

        Rows that are not there are left out, and so are all when the table is missing: a name is a convenience.

        :raises ToolError: the database can't be read.
        """
        wanted = sorted({number for number in ids if number > 0})
        if not wanted or not (await self.schema()).has(table, name):
            return {}
        marks = ", ".join(["%s"] * len(wanted))
        rows = await self.fetch(
            kind, f"SELECT `{key}` AS id, `{name}` AS name FROM {self.table(table)} WHERE `{key}` IN ({marks})", wanted
        )
        return {row["id"]: row["name"] or "" for row in rows}
