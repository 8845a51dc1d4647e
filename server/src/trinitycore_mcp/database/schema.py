"""Which schema the world database has, read from information_schema and kept for a short while.

All differences between the families that the tools meet are told apart here (`Family`, `WorldSchema`) or in
`families`; the tools never ask which one it is.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from time import monotonic

from trinitycore_mcp.database.cluster import Database
from trinitycore_mcp.database.errors import DatabaseError, MissingTable

# A world may be loaded, restored or updated while we run; nobody should have to restart us.
_TTL_COMPLETE = 30.0
_TTL_INCOMPLETE = 2.0
_MARKERS = ("acore_string", "trinity_string", "creature_template_difficulty", "version", "version_db_world")


class Family(StrEnum):
    """The kinds of world database."""

    TRINITYCORE = "TrinityCore 3.3.5"
    AZEROTHCORE = "AzerothCore"
    UNKNOWN = "unknown"


def detect(columns: Mapping[str, frozenset[str]]) -> Family:
    """Tell the family from the tables and their columns.

    Each core ships a table of its own messages; a world stripped of it is told by where creatures' models are.
    """
    if "acore_string" in columns:
        return Family.AZEROTHCORE
    if "creature_template_difficulty" in columns:  # TrinityCore for later expansions
        return Family.UNKNOWN
    if "trinity_string" in columns or "modelid1" in columns.get("creature_template", ()):
        return Family.TRINITYCORE
    if "creature_template_model" in columns:
        return Family.AZEROTHCORE
    return Family.UNKNOWN


@dataclass(frozen=True)
class WorldSchema:
    """The world database as it stood when it was last looked at."""

    database: str
    family: Family
    version: str | None
    columns: Mapping[str, frozenset[str]]
    """Of the tables that tools read and that exist."""

    def has(self, table: str, column: str | None = None) -> bool:
        """Return whether the table (and column) exists."""
        return table in self.columns and (column is None or column in self.columns[table])

    def missing(self, table: str) -> MissingTable:
        """Return the error that says the table is not there."""
        if not self.columns:
            return MissingTable(
                f"table {table} is missing: database {self.database} has none of the tables of a game world "
                "(is the world loaded, and may our account read it?)"
            )
        return MissingTable(f"table {table} is missing from database {self.database} (family: {self.family})")


class WorldSchemas:
    """Looks up the world's schema, at most once in a while."""

    def __init__(self, database: Database, name: str, tables: frozenset[str], essential: frozenset[str]) -> None:
        """:param name: the world database.
        :param tables: those that tools read.
        :param essential: those that every world has.
        """
        self._database = database
        self._name = name
        self._tables = tuple(sorted(tables | set(_MARKERS)))
        self._essential = essential
        self._known: WorldSchema | None = None
        self._expires = 0.0
        self._looking: asyncio.Task[None] | None = None

    @property
    def last_known(self) -> WorldSchema | None:
        """What was found last, however old."""
        return self._known

    def forget(self) -> None:
        """Look again next time: a statement met a schema other than the known one."""
        self._expires = 0.0

    async def current(self, *needed: str) -> WorldSchema:
        """Return the schema, with the needed tables in it.

        :raises MissingTable: a needed table is not there.
        :raises DatabaseError: it could not be read.
        """
        if self._known is None or monotonic() >= self._expires:
            await asyncio.shield(self._look())
        known = self._known
        assert known is not None
        for table in needed:
            if not known.has(table):
                raise known.missing(table)
        return known

    def _look(self) -> asyncio.Task[None]:
        """Return the one look-up that all calls wait for, so that they fail together too, not one after another."""
        if self._looking is None:
            self._looking = asyncio.create_task(self._refresh())
            # A failure is told to whoever waits; when nobody does any more, it is no news.
            self._looking.add_done_callback(lambda task: task.cancelled() or task.exception())
        return self._looking

    async def _refresh(self) -> None:
        try:
            known = await self._read()
        finally:
            self._looking = None
        complete = known.family is not Family.UNKNOWN and self._essential <= set(known.columns)
        self._known = known
        self._expires = monotonic() + (_TTL_COMPLETE if complete else _TTL_INCOMPLETE)

    async def _read(self) -> WorldSchema:
        marks = ", ".join(["%s"] * len(self._tables))
        rows = await self._database.fetch(
            "schema",
            "SELECT TABLE_NAME AS t, COLUMN_NAME AS c FROM information_schema.COLUMNS "
            f"WHERE TABLE_SCHEMA = %s AND TABLE_NAME IN ({marks})",
            (self._name, *self._tables),
        )
        found: dict[str, set[str]] = {}
        for row in rows:
            found.setdefault(row["t"], set()).add(row["c"])
        columns = {table: frozenset(names) for table, names in found.items()}
        return WorldSchema(self._name, detect(columns), await self._version(columns), columns)

    async def _version(self, columns: Mapping[str, frozenset[str]]) -> str | None:
        """Return what the world says its version is, if it says."""
        if "db_version" not in columns.get("version", ()):
            return None
        try:
            rows = await self._database.fetch("schema", f"SELECT db_version FROM `{self._name}`.`version` LIMIT 1")
        except DatabaseError:
            return None
        return str(rows[0]["db_version"]) if rows and rows[0]["db_version"] else None
