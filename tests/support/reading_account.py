"""The account that reads, with the grants that roles/mysql makes for it: by columns where there is personal data."""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import yaml

from tests.support.database_server import DatabaseServer

_VARIABLES = Path(__file__).parents[2] / "roles/mysql/vars/main.yml"


def make_reading_account(server: DatabaseServer, user: str = "app_ro", *more: str, require: str = "NONE") -> None:
    """Make the account, whose password is its name, once the game's databases are loaded.

    It may also read databases that have an underscore in their name, which tests make for themselves.

    :param more: further grants, each as what stands between GRANT and TO.
    """
    whole = ["SELECT, SHOW VIEW ON world.*", "SELECT, SHOW VIEW ON hotfixes.*", r"SELECT, SHOW VIEW ON `%\_%`.*"]
    grants = [*whole, *_by_columns(server), *more]
    server.account(user, user, "USAGE ON *.*", require)
    server.sql("".join(f"GRANT {grant} TO '{user}'@'%';" for grant in grants))


def _by_columns(server: DatabaseServer) -> Iterator[str]:
    """Return grants on what the role opens of databases that hold personal data."""
    rules: dict[str, dict[str, list[str]]] = yaml.safe_load(_VARIABLES.read_text())["mysql_partly_readable"]
    columns: dict[tuple[str, str], list[str]] = {}
    for database, table, column in server.sql(
        "SELECT TABLE_SCHEMA, TABLE_NAME, COLUMN_NAME FROM information_schema.COLUMNS "
        "JOIN information_schema.TABLES USING (TABLE_SCHEMA, TABLE_NAME) WHERE TABLE_TYPE = 'BASE TABLE'"
    ):
        if database in rules:
            columns.setdefault((database, table), []).append(column)
    for (database, table), all_of_it in columns.items():
        opened = [column for column in all_of_it if _allows(rules[database], f"{table}.{column}")]
        if opened:
            which = "" if opened == all_of_it else f"({', '.join(f'`{column}`' for column in opened)})"
            yield f"SELECT {which} ON `{database}`.`{table}`"


def _allows(rule: dict[str, Any], column: str) -> bool:
    listed = any(fnmatchcase(column.lower(), pattern.lower()) for pattern in next(iter(rule.values())))
    return listed if "only" in rule else not listed
