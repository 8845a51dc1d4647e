"""Parts of a database that an account may read: rules about tables and columns, turned into grants on what exists.

A rule is a list of patterns `table.column` as shell patterns (`account.id`, `uptime.*`, `*.*_ip`), either of what is
open (`only`: all else is closed, also what is added to the database later) or of what is closed (`but`: all else is
open). Views get no grant: they show what their definer may see.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from .connection import Connection
from .errors import DatabaseError
from .grants import column_privilege, grant_level


@dataclass(frozen=True)
class Rule:
    """What of one database is readable; exactly one of the two is given."""

    database: str
    only: tuple[str, ...] = ()
    but: tuple[str, ...] = ()

    @classmethod
    def from_dict(cls, database: str, data: Mapping[str, Any]) -> Rule:
        """Build a rule from the module's option.

        :raises DatabaseError: it has neither list, both, or a pattern without table and column.
        """
        given = {name: tuple(patterns or ()) for name, patterns in data.items()}
        if len(given) != 1 or not given.keys() <= {"only", "but"}:
            raise DatabaseError(f"readable.{database}: has {', '.join(given) or 'nothing'}, allowed is only or but")
        for pattern in next(iter(given.values())):
            if pattern.count(".") != 1:
                raise DatabaseError(f"readable.{database}: {pattern!r} is no table.column, such as account.id or log.*")
        return cls(database, **given)

    def allows(self, table: str, column: str) -> bool:
        """Whether a column may be read."""
        name = f"{table}.{column}".lower()
        matches = any(fnmatchcase(name, pattern.lower()) for pattern in self.only or self.but)
        return matches if self.only else not matches


def grants(server: Connection, rules: Iterable[Rule]) -> dict[str, frozenset[str]]:
    """Return the privileges by level that the rules come to, for the tables that exist now.

    A table all of whose columns are open gets a grant as a whole, others one on their open columns.
    """
    found: dict[str, frozenset[str]] = {}
    for rule in rules:
        columns: dict[str, list[str]] = {}
        for row in server.rows(
            "SELECT c.TABLE_NAME AS name, c.COLUMN_NAME AS col FROM information_schema.COLUMNS c"
            " JOIN information_schema.TABLES t ON t.TABLE_SCHEMA = c.TABLE_SCHEMA AND t.TABLE_NAME = c.TABLE_NAME"
            " WHERE c.TABLE_SCHEMA = %s AND t.TABLE_TYPE = 'BASE TABLE'",
            [rule.database],
        ):
            columns.setdefault(_text(row["name"]), []).append(_text(row["col"]))
        for table, names in columns.items():
            open_ones = [name for name in names if rule.allows(table, name)]
            if open_ones:
                whole = len(open_ones) == len(names)
                wanted = ["SELECT"] if whole else [column_privilege("SELECT", name) for name in open_ones]
                found[grant_level(f"{rule.database}.{table}")] = frozenset(wanted)
    return found


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
