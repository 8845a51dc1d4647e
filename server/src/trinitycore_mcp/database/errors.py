"""What can go wrong with the database, as few kinds as callers need to tell apart."""

from __future__ import annotations

import ssl
import struct

from asyncmy import errors as driver

# Statement stopped by max_statement_time (MariaDB), max_execution_time (MySQL), or interrupted.
_TIMED_OUT = frozenset({1969, 3024, 1317})
# Unknown database, table or column: the schema is not what we read from information_schema.
_SCHEMA = frozenset({1146, 1054})
_NO_DATABASE = 1049
# The host, not the statement, is at fault: refused, denied, full, shutting down, connection lost.
_HOST = frozenset(
    {1040, 1042, 1043, 1045, 1053, 1080, 1129, 1130, 1156, 1157, 1158, 1159, 1160, 1161, 1184, 1203, 1218}
    | {
        1226,
        1698,
        1927,
        2002,
        2003,
        2005,
        2006,
        2013,
        2014,
        2026,
        2055,
        2059,
        2061,
        3118,
        3159,
        3955,
        4031,
    }
)
# A member fell out of its group while a write waited for it: the others may have it, though this one undid it.
_GROUP_LEFT = frozenset({3100, 3101})
# The server takes no writes (super_read_only has a code of its own on MySQL).
_READ_ONLY = 1290
_READ_ONLY_MODE = 1836
# It takes no statement at all while its group hands the primary's role over on purpose.
_HANDS_OVER = 4094
_DEADLOCK = 1213
# The driver found the connection closed before it sent anything.
_GONE = 2006
_BROKEN = (OSError, EOFError, struct.error, IndexError, AssertionError, RuntimeError)


class DatabaseError(Exception):
    """A read failed; the message can be shown to the caller (no statement, no row content in it)."""


class HostLost(DatabaseError):
    """One host can't serve now; another may."""


class HostSilent(HostLost):
    """The host did not answer in time: it may be frozen or cut off, or just slow."""


class HostReadOnly(HostLost):
    """The host refused a write because it is read-only: it was demoted, or was never the primary."""


class NotSent(HostLost):
    """The connection was found closed before the statement went out."""


class Unavailable(DatabaseError):
    """No database host can serve now."""


class Busy(DatabaseError):
    """All connections were taken for longer than the pool's patience."""


class TimedOut(DatabaseError):
    """The statement ran into the query timeout."""


class Deadlock(DatabaseError):
    """The server rolled the transaction back in favour of another one; the same again may succeed."""


class OutcomeUnknown(DatabaseError):
    """The connection was lost while a write was running: it may or may not have been applied."""


class SchemaChanged(DatabaseError):
    """A table or column that stood in information_schema is gone, or the database is."""


class QueryFailed(DatabaseError):
    """The server refused the statement."""


class StatementRefused(DatabaseError):
    """The statement is not one that may be run; it was not sent to the database."""


class TooExpensive(DatabaseError):
    """The database's own estimate of a statement's work is above the limit; it was not run."""


class MissingTable(DatabaseError):
    """The world database lacks a table that a tool needs."""


def translate(error: BaseException) -> DatabaseError | None:
    """Return our kind of error for one that the driver, the network or TLS raised; None: it is a defect of ours."""
    if isinstance(error, DatabaseError):
        return error
    if isinstance(error, driver.MySQLError):
        return _of_driver(error)
    if isinstance(error, TimeoutError):
        return HostSilent("no answer in time")
    if isinstance(error, UnicodeError):
        return QueryFailed("a value is not valid Unicode")
    if isinstance(error, ssl.SSLError):
        return HostLost(f"TLS: {error.reason or error}")
    if isinstance(error, _BROKEN):
        return HostLost(_brief(error))
    return None


def _of_driver(error: driver.MySQLError) -> DatabaseError:
    code = error.args[0] if error.args and isinstance(error.args[0], int) else 0
    if code in _TIMED_OUT:
        return TimedOut("the query took longer than the query timeout and was stopped")
    if code == _NO_DATABASE:
        return SchemaChanged(f"{_brief(error)}: it is missing, or our account has no right to it")
    if code in _SCHEMA:
        return SchemaChanged(f"the database's tables are not as expected (database error {code})")
    if code == _GONE or (code == 0 and isinstance(error, driver.InterfaceError)):
        return NotSent(_brief(error))
    if code == _HANDS_OVER:
        return HostReadOnly("the host hands over the primary's role")
    if code == _READ_ONLY_MODE or (code == _READ_ONLY and "read-only" in _brief(error)):
        return HostReadOnly("the host is read-only")
    if code in _HOST or code in _GROUP_LEFT or isinstance(error, driver.InterfaceError | driver.InternalError):
        return HostLost(_brief(error))
    if code == _DEADLOCK:
        return Deadlock("the database ended the transaction to resolve a deadlock")
    return QueryFailed(f"the database refused the query (database error {code})")


def _brief(error: BaseException) -> str:
    """Return what a connection failure says, short: these messages hold addresses and account names at most."""
    text = str(error.args[1] if len(error.args) > 1 else error) or type(error).__name__
    return text[:200]
