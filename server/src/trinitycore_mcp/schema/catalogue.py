"""Which tables and columns the game's databases have, read from information_schema and kept for a while."""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from time import monotonic
from typing import Protocol

from trinitycore_mcp.database.errors import DatabaseError
from trinitycore_mcp.database.session import Row
from trinitycore_mcp.errors import ToolError, nearest
from trinitycore_mcp.schema.families import RENAMED_COLUMNS, RENAMED_TABLES, Family, detect

# A world may be loaded, restored or updated while we run; nobody should have to restart us.
_TTL_COMPLETE = 30.0
_TTL_INCOMPLETE = 2.0
# A world without these is looked at again soon: it may be loading.
_ESSENTIAL = frozenset({"creature_template", "quest_template"})
_OTHER_TABLE = re.compile(r"\{(\w+)\}")

Tables = Mapping[str, frozenset[str]]


class Reader(Protocol):
    """Whoever runs a read for us."""

    async def fetch(self, kind: str, sql: str, parameters: tuple[object, ...] = ()) -> list[Row]:
        """Return the rows."""
        ...


class MissingTable(ToolError):
    """The database lacks a table that a tool needs."""

    def __init__(self, message: str) -> None:
        super().__init__(message, kind="missing_table")


@dataclass(frozen=True, eq=False)
class Schema:
    """The databases as they stood when they were last looked at.

    Every method takes the names of TrinityCore 3.3.5 and answers with SQL for the family at hand.
    """

    databases: Mapping[str, str]
    """world, characters, auth, hotfixes, and what each is called on this server, as the server spells it."""
    tables: Mapping[str, Tables]
    """For each of these databases: its tables and their columns."""
    version: str | None = None
    """What the world says its version is."""
    updated: str | None = None
    """When the world's newest update was applied."""
    family: Family = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "family", detect(self.tables.get("world", {})))

    def fingerprint(self) -> str:
        """Return a short hash that changes whenever tables, version or applied updates do: for caches."""
        names = sorted(
            (each, sorted((t, sorted(c)) for t, c in tables.items())) for each, tables in self.tables.items()
        )
        return hashlib.sha256(repr((names, self.version, self.updated)).encode()).hexdigest()[:16]

    def _place(self, table: str, database: str) -> tuple[str, str]:
        """Return database (logical) and name of a table in this family."""
        known = self.tables.get(database, {})
        renamed = RENAMED_TABLES.get(self.family, {}).get(table)
        if renamed is not None and table not in known:
            other, _, name = renamed.rpartition(".")
            return other or database, name
        return database, table

    def has(self, table: str, *columns: str, database: str = "world") -> bool:
        """Return whether the table, and all these columns, exist in this family under whatever name."""
        place, name = self._place(table, database)
        if name not in self.tables.get(place, {}):
            return False
        return all(self.column(table, column, database=database) is not None for column in columns)

    def table(self, table: str, database: str = "world") -> str:
        """Return the table's full name, quoted.

        :raises MissingTable: it is not there.
        """
        place, name = self._place(table, database)
        if name not in self.tables.get(place, {}):
            raise self._missing(table, name, place)
        return f"`{self.databases[place]}`.`{name}`"

    def column(self, table: str, column: str, alias: str = "", *, database: str = "world") -> str | None:
        """Return the SQL for a column (quoted name, or an expression), or None when this family lacks it.

        :param alias: the table's alias in the statement; default: its full name.
        """
        place, name = self._place(table, database)
        columns = self.tables.get(place, {}).get(name, frozenset())
        prefix = alias or f"`{self.databases.get(place, place)}`.`{name}`"
        # An entry of RENAMED wins over a column of the same name, which may mean something else in that family.
        renamed = RENAMED_COLUMNS.get(self.family, {}).get(f"{table}.{column}")
        if renamed is not None and renamed.startswith("("):
            others = [other for other in _OTHER_TABLE.findall(renamed) if other != "t"]
            if not all(self.has(other) for other in others):
                return None
            return renamed.format(t=prefix, **{other: self.table(other) for other in others})
        for candidate in (renamed, column):
            if candidate is not None and candidate in columns:
                return f"{prefix}.`{candidate}`"
        return None

    def columns(self, table: str, *columns: str, alias: str = "", database: str = "world") -> str:
        """Return a select list: every column under its TrinityCore 3.3.5 name, NULL for one that is not there."""
        return ", ".join(
            f"{self.column(table, column, alias, database=database) or 'NULL'} AS `{column}`" for column in columns
        )

    def _missing(self, table: str, name: str, database: str) -> MissingTable:
        actual = self.databases.get(database, database)
        there = self.tables.get(database, {})
        if not there:
            return MissingTable(
                f"table {table} is missing: database {actual} is empty or not there "
                "(is it loaded, and may our account read it?)"
            )
        called = table if table == name else f"{table} (here: {name})"
        near = nearest(name, there)
        hint = f"; near to it: {', '.join(near)}" if near else ""
        return MissingTable(f"table {called} is missing from database {actual} (family: {self.family}){hint}")


class Schemas:
    """Looks up the schema, at most once in a while, in the background when it knows one already."""

    def __init__(self, database: Reader, databases: Mapping[str, str]) -> None:
        """:param databases: world, characters, auth, hotfixes, and what each is called on this server."""
        self._database = database
        self._names = dict(databases)
        self._known: Schema | None = None
        self._fingerprint = ""
        self._expires = 0.0
        self._complete = False
        self._looking: asyncio.Task[None] | None = None
        self._changed = asyncio.Event()

    @property
    def last_known(self) -> Schema | None:
        """What was found last, however old."""
        return self._known

    def fingerprint(self) -> str:
        """Return the fingerprint of what was found last, empty before that."""
        return self._fingerprint

    async def changed(self) -> None:
        """Return when the databases have changed: their tables, version or applied updates. Looks itself meanwhile."""
        while not self._changed.is_set():
            with suppress(DatabaseError):
                await self.current()
            with suppress(TimeoutError):
                async with asyncio.timeout(_TTL_COMPLETE):
                    await self._changed.wait()
        self._changed.clear()

    def forget(self) -> None:
        """Look again next time, and wait for it: a statement met a schema other than the known one."""
        self._expires = 0.0
        self._known = None

    async def current(self) -> Schema:
        """Return the schema.

        :raises DatabaseError: it could not be read, and none is known.
        """
        known = self._known
        if known is not None and monotonic() >= self._expires:
            looking = self._look()
            if not self._complete:  # the world may have been loaded since: an old answer would be wrong, not just old
                await asyncio.shield(looking)
                known = self._known
        while known is None:  # what was looked up for us may be forgotten before it is our turn
            await asyncio.shield(self._look())
            known = self._known
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
        complete = known.family is not Family.UNKNOWN and set(known.tables.get("world", {})) >= _ESSENTIAL
        self._known, self._complete = known, complete
        before, self._fingerprint = self._fingerprint, known.fingerprint()
        if before and before != self._fingerprint:
            self._changed.set()
        self._expires = monotonic() + (_TTL_COMPLETE if complete else _TTL_INCOMPLETE)

    async def _read(self) -> Schema:
        logical = {actual: name for name, actual in self._names.items()}
        folded = {actual.casefold(): name for actual, name in logical.items()}
        wanted = sorted({*logical, *folded})
        marks = ", ".join(["%s"] * len(wanted))
        rows = await self._database.fetch(
            "schema",
            "SELECT TABLE_SCHEMA AS d, TABLE_NAME AS t, COLUMN_NAME AS c, @@lower_case_table_names AS folds "
            f"FROM information_schema.COLUMNS WHERE TABLE_SCHEMA IN ({marks})",
            tuple(wanted),
        )
        databases = dict(self._names)
        found: dict[str, dict[str, set[str]]] = {name: {} for name in self._names}
        for row in rows:
            # The comparison above overlooks case. Whether another case is another database is up to the server.
            name = logical.get(row["d"]) or (folded.get(row["d"].casefold()) if row["folds"] else None)
            if name is not None:
                databases[name] = row["d"]
                found[name].setdefault(row["t"], set()).add(row["c"])
        tables = {name: {t: frozenset(c) for t, c in each.items()} for name, each in found.items()}
        world = tables.get("world", {})
        version = await self._value(world, "version", "db_version", "SELECT db_version AS value FROM {} LIMIT 1")
        updated = await self._value(world, "updates", "timestamp", "SELECT MAX(`timestamp`) AS value FROM {}")
        return Schema(databases, tables, version, updated)

    async def _value(self, world: Tables, table: str, column: str, sql: str) -> str | None:
        """Return one value of the world, if it has it."""
        if column not in world.get(table, ()):
            return None
        try:
            rows = await self._database.fetch("schema", sql.format(f"`{self._names['world']}`.`{table}`"))
        except DatabaseError:
            return None
        return str(rows[0]["value"]) if rows and rows[0]["value"] else None
