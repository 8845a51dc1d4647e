"""Personal data and secrets in the game's databases, and whether our account could read them.

No tool of ours asks for them, but a statement that somebody wrote may ask for anything that the account can read. So
such statements are run only by an account that can't read what is listed here.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from time import monotonic

from trinitycore_mcp import config
from trinitycore_mcp.database.errors import StatementRefused
from trinitycore_mcp.database.host import Host
from trinitycore_mcp.database.pool import Pool
from trinitycore_mcp.database.session import Row

_log = logging.getLogger(__name__)
# How long a change of the account's grants may stay unnoticed, in seconds.
_TTL = 60.0
_NAMED = 4
# How somebody logs in and from where, as every core so far calls it.
_LOGIN = (
    *("*.email", "*.reg_mail", "*.last_ip", "*.last_attempt_ip", "*.salt", "*.verifier", "*.sha_pass_hash"),
    *("*.sessionkey*", "*.session_key*", "*.totp_secret", "*.token_key"),
)
_PLAYERS = (*_LOGIN, "*.ip", "*.*_ip", "*.ip_*", "*.*email*", "*.*password*", "*.*token*")
PERSONAL: Mapping[str, tuple[str, ...]] = {
    "world": _LOGIN,
    "auth": (
        *(*_PLAYERS, "account.s", "account.v", "account.lock_country", "account.battlenet_account"),
        *("battlenet_accounts.lock_country", "*.log*ticket*", "secret_digest.*"),
    ),
    # Also what players wrote to one another.
    "characters": (
        *(*_PLAYERS, "calendar_events.description", "calendar_invites.text", "character_social.note"),
        *("item_instance.text", "mail.subject", "mail.body"),
    ),
}
"""Patterns `table.column`, with * for any text. The grants that roles/mysql makes (mysql_partly_readable) open none."""


class PersonalDataReadable(StatementRefused):
    """No statement is run, because the account could read personal data.

    :param columns: all of it, as database.table.column.
    """

    def __init__(self, account: str, columns: list[str]) -> None:
        super().__init__(
            f"SQL statements are refused because the database account {account} may read personal data: "
            f"{shortened(columns)}"
        )
        self.columns = columns


class PersonalData:
    """What our account may read of it, asked of each host once in a while."""

    def __init__(self, options: config.Database) -> None:
        self._account = options.user
        self._query = query(options.databases)
        self._known: dict[Host, tuple[float, list[str]]] = {}
        self._told = False

    async def refuse(self, pool: Pool, started: float) -> None:
        """Return if nothing personal can be read on the pool's host.

        :raises PersonalDataReadable: something can.
        :raises DatabaseError: it can't be told.
        """
        expires, columns = self._known.get(pool.host, (0.0, []))
        if monotonic() >= expires:
            columns = names(await pool.fetch("rights", *self._query, started))
            self._known[pool.host] = monotonic() + _TTL, columns
        if not columns:
            return
        error = PersonalDataReadable(self._account, columns)
        if not self._told:
            self._told = True
            _log.warning("%s", error)
        raise error


def query(databases: config.DatabaseNames) -> tuple[str, list[str]]:
    """Return the statement that finds the personal columns which its account may read, and its parameters."""
    selects = list[str]()
    parameters = list[str]()
    for name, patterns in PERSONAL.items():
        # One SELECT for each database: with its name as a constant, the others are not looked through.
        likes = " OR ".join(["LOWER(CONCAT(TABLE_NAME, '.', COLUMN_NAME)) LIKE %s ESCAPE '|'"] * len(patterns))
        selects.append(
            "SELECT TABLE_SCHEMA AS d, TABLE_NAME AS t, COLUMN_NAME AS c FROM information_schema.COLUMNS "
            f"WHERE TABLE_SCHEMA = %s AND LOCATE('select', PRIVILEGES) AND ({likes})"
        )
        parameters.append(getattr(databases, name))
        parameters += [pattern.replace("_", "|_").replace("*", "%") for pattern in patterns]
    return " UNION ".join(selects), parameters


def names(rows: list[Row]) -> list[str]:
    """Return the columns that `query` found, as database.table.column."""
    return sorted({f"{row['d']}.{row['t']}.{row['c']}" for row in rows})


def shortened(columns: list[str]) -> str:
    """Return the first columns of a list, and how many more there are."""
    more = len(columns) - _NAMED
    return ", ".join(columns[:_NAMED]) + (f" and {more} more" if more > 0 else "")
