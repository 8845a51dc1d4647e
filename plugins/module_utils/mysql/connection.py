"""Connections to database servers: root by Unix socket on the host itself, accounts by TLS over the network."""

from __future__ import annotations

import contextlib
import os
import ssl
from collections.abc import Mapping, Sequence
from typing import Any

from .errors import DatabaseError, LoginRefusedError, ServerUnavailableError

try:
    import pymysql
    import pymysql.cursors

    PYMYSQL_MISSING = ""
except ImportError as _error:  # a host that nothing was installed on yet
    PYMYSQL_MISSING = f"the Python module pymysql is missing here ({_error})"

SOCKET: dict[str, dict[str, Any]] = {"socket": {"type": "path", "default": "/run/mysqld/mysqld.sock"}}
"""Arguments of a module that reaches the server of its own host; documented by the fragment ``mysql_socket``."""

Arguments = Sequence[Any] | Mapping[str, Any] | None


# What servers say of a wrong account or password, or one that may not come from here.
_REFUSED = (1044, 1045, 1130, 1698)


class Connection:
    """One session on one server; statements are sent in autocommit mode."""

    def __init__(self, raw: Any, target: str) -> None:
        self._raw = raw
        self.target = target

    def rows(self, statement: str, arguments: Arguments = None) -> list[dict[str, Any]]:
        """Send a statement and return its rows, keyed by column name.

        :raises DatabaseError: the server refused it. Arguments are left out of the message: they may be secrets.
        """
        try:
            with self._raw.cursor(pymysql.cursors.DictCursor) as cursor:
                cursor.execute(statement, arguments)
                return list(cursor.fetchall())
        except (pymysql.err.OperationalError, pymysql.err.InterfaceError) as error:
            if error.args and error.args[0] in (2006, 2013, 2055, 0):
                raise ServerUnavailableError(f"{self.target}: the connection was lost ({_reason(error)})") from error
            raise DatabaseError(f"{self.target}: {_reason(error)}, at: {statement}") from error
        except pymysql.err.MySQLError as error:
            raise DatabaseError(f"{self.target}: {_reason(error)}, at: {statement}") from error

    def row(self, statement: str, arguments: Arguments = None) -> dict[str, Any] | None:
        """Return the first row, or None when there is none."""
        rows = self.rows(statement, arguments)
        return rows[0] if rows else None

    def value(self, statement: str, arguments: Arguments = None) -> Any:
        """Return the first column of the first row, or None when there is no row."""
        row = self.row(statement, arguments)
        return next(iter(row.values())) if row else None

    def execute(self, statement: str, arguments: Arguments = None) -> None:
        """Send a statement whose rows are of no interest."""
        self.rows(statement, arguments)

    def kill(self, session: int) -> None:
        """End another session; one that has ended meanwhile is fine."""
        with contextlib.suppress(DatabaseError):
            self.execute(f"KILL CONNECTION {session:d}")

    def give(self, seconds: float) -> None:
        """Let each statement take so long from now on."""
        self._raw._read_timeout = seconds  # noqa: SLF001 - it can be told only with the login, which must not take long

    def close(self) -> None:
        """End the session; never raises."""
        try:
            self._raw.close()
        except Exception:  # noqa: BLE001 - already gone is as good as closed
            return

    def __enter__(self) -> Connection:  # noqa: PYI034 - Self is of Python 3.11, targets may have 3.10
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def open_local(socket: str, timeout: float = 10.0) -> Connection:
    """Log in as root over the server's Unix socket, where the operating system's user is the credential.

    :raises ServerUnavailableError: PyMySQL or the socket is missing, or nobody answers there.
    """
    if PYMYSQL_MISSING:
        raise ServerUnavailableError(PYMYSQL_MISSING)
    if not os.path.exists(socket):
        raise ServerUnavailableError(f"no server is running here: {socket} does not exist")
    return _open(f"server at {socket}", timeout, unix_socket=socket, user="root")


def open_remote(
    address: str, port: int, user: str, password: str, ca_file: str, timeout: float = 10.0, answer: float = 60.0
) -> Connection:
    """Log in over the network by TLS; the server's certificate must be the CA's and be made out to `address`.

    :param timeout: seconds to connect, and for each answer until logged in.
    :param answer: seconds that any statement may take; a frozen server gives no answer.
    :raises ServerUnavailableError: nobody answers, or the certificate is not trusted.
    :raises LoginRefusedError: the login is refused.
    """
    if PYMYSQL_MISSING:
        raise ServerUnavailableError(PYMYSQL_MISSING)
    context = ssl.create_default_context(cafile=ca_file)
    target = f"{user}@{address}:{port}"
    login = {"host": address, "port": port, "user": user, "password": password, "ssl": context}
    connection = _open(target, timeout, read_timeout=timeout, **login)
    connection.give(answer)
    return connection


def _open(target: str, timeout: float, **options: Any) -> Connection:
    try:
        raw = pymysql.connect(charset="utf8mb4", autocommit=True, connect_timeout=timeout, **options)
    except (pymysql.err.MySQLError, OSError) as error:
        refused = bool(error.args) and error.args[0] in _REFUSED
        raise (LoginRefusedError if refused else ServerUnavailableError)(f"{target}: {_reason(error)}") from error
    return Connection(raw, target)


def _reason(error: Exception) -> str:
    return str(error.args[1]) if len(error.args) > 1 else str(error)


def quoted(name: str) -> str:
    """Return an identifier in backquotes."""
    return "`" + name.replace("`", "``") + "`"
