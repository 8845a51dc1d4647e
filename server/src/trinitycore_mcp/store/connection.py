"""A connection to whichever database host is writable now."""

from __future__ import annotations

import ssl
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pymysql
from pymysql.cursors import Cursor, DictCursor

from trinitycore_mcp.config import DatabaseHost
from trinitycore_mcp.config_error import ConfigError
from trinitycore_mcp.config_load import Loaded

_PAUSE = 0.5
# Seconds that a statement may take, beside what the command waits for others: a host that is gone is noticed by this.
_SILENCE = 300.0
# Access denied, for the server (1045) or for the database (1044); unknown plugin or no TLS where it is required.
_ABSENT = frozenset({1049, 1146})  # unknown database, unknown table
_DENIED = frozenset({1044, 1045, 1698, 1251, 3159})


class StoreError(ConfigError):
    """The database refused, or can't be reached; the message is for the operator.

    :param code: the database's error number, 0 for none.
    """

    def __init__(self, message: str, code: int = 0) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True)
class Account:
    """Who logs in."""

    user: str
    password: str = field(repr=False)


@dataclass
class Connection:
    """One session on a writable host; every statement is committed at once."""

    raw: pymysql.connections.Connection[Cursor]
    host: str
    user: str
    database: str
    """Name of our own database; whether it exists is not looked at."""

    def fetch(self, sql: str, parameters: Sequence[object] = ()) -> list[dict[str, Any]]:
        """Return the rows of a statement with %s for each parameter.

        :raises StoreError: the database refused.
        """
        try:
            with self.raw.cursor(DictCursor) as cursor:
                cursor.execute(sql, tuple(parameters))
                return list(cursor.fetchall())
        except pymysql.MySQLError as error:
            raise self.refused(error) from None

    def execute(self, sql: str, parameters: Sequence[object] = ()) -> int:
        """Run a statement and return how many rows it changed.

        :raises StoreError: the database refused.
        """
        try:
            with self.raw.cursor() as cursor:
                return int(cursor.execute(sql, tuple(parameters)))
        except pymysql.MySQLError as error:
            raise self.refused(error) from None

    def refused(self, error: BaseException) -> StoreError:
        """Return what to tell the operator about an error of the driver."""
        code, text = _parts(error)
        if code in _ABSENT:
            text += "; `trinitycore-mcp migrate-db` makes our tables"
        return StoreError(f"database {self.host}, account {self.user}: {text}", code)

    def close(self) -> None:
        """End the session, and with it any lock that it holds."""
        if self.raw.open:
            self.raw.close()


def connect(loaded: Loaded, account: Account | None = None, *, wait: float = 0.0) -> Connection:
    """Return a connection to the one writable host among database.hosts, as they say now.

    :param account: None: database.writer.
    :param wait: seconds to go on asking while none is writable (a failover takes some).
    :raises StoreError: none is writable, or more than one is, or the account is refused.
    :raises ConfigError: no account is configured, or a file can't be read.
    """
    database = loaded.config.database
    if account is None:
        if database.writer is None:
            raise ConfigError("database.writer: is missing: the account that writes our own database")
        account = Account(
            database.writer.user, loaded.secret("database.writer.password_file", database.writer.password_file)
        )
    tls = _tls(loaded)
    deadline = time.monotonic() + wait
    while True:
        writable: list[Connection] = []
        reasons: list[str] = []
        denied = False
        for host in database.hosts:
            name = f"{host.host}:{host.port}"
            try:
                raw = _open(host, account, tls, database.pool.connect_timeout, _SILENCE + wait)
                if _is_writable(raw):
                    writable.append(Connection(raw, name, account.user, database.databases.mcp))
                else:
                    raw.close()
                    reasons.append(f"{name}: read-only")
            except (pymysql.MySQLError, OSError) as error:
                code, text = _parts(error)
                denied = denied or code in _DENIED
                reasons.append(f"{name}: {text}")
        if len(writable) == 1:
            return writable[0]
        for connection in writable:
            connection.close()
        if writable:
            names = ", ".join(connection.host for connection in writable)
            raise StoreError(f"more than one database host is writable: {names}; nothing was changed")
        if denied or time.monotonic() >= deadline:
            raise StoreError(f"no database host is writable for account {account.user}: {'; '.join(reasons)}")
        time.sleep(_PAUSE)


def _open(
    host: DatabaseHost, account: Account, tls: ssl.SSLContext | None, timeout: float, silence: float
) -> pymysql.connections.Connection[Cursor]:
    return pymysql.connect(
        host=host.host,
        port=host.port,
        user=account.user,
        password=account.password,
        ssl=tls,
        ssl_disabled=tls is None,
        charset="utf8mb4",
        autocommit=True,
        connect_timeout=max(1, round(timeout)),
        read_timeout=silence,
        write_timeout=silence,
        program_name="trinitycore-mcp",
    )


def _is_writable(raw: pymysql.connections.Connection[Cursor]) -> bool:
    with raw.cursor() as cursor:
        cursor.execute("SELECT @@global.read_only")
        row = cursor.fetchone()
    # MariaDB 12 has words for it (OFF, ON, NO_LOCK ...).
    return row is not None and str(row[0]).upper() in ("0", "OFF")


def _tls(loaded: Loaded) -> ssl.SSLContext | None:
    tls = loaded.config.database.tls
    if tls is None:
        return None
    path = loaded.path(tls.ca_file)
    try:
        return ssl.create_default_context(cafile=path)
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(f"database.tls.ca_file: {path}: {error}") from None


def _parts(error: BaseException) -> tuple[int, str]:
    """Return the database's error number and text."""
    match error.args:
        case (int(code), str(text), *_):
            return code, f"{text} ({code})"
    return 0, str(error) or type(error).__name__
