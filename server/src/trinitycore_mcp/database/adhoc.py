"""Run a statement that somebody wrote, so that it can neither change anything nor take too much.

What holds, whatever the text is:

- The account has SELECT only. One that could write files (FILE) is refused: a transaction doesn't stop that. One that
  could read personal data is refused before it comes to this (see `personal`).
- The session takes one statement at a time (the protocol's multi-statement option is off), has READ ONLY as its
  transactions' default, and the statement runs in a READ ONLY transaction.
- A statement runs only after the server made a plan for the same text. EXPLAIN parses SELECT and changes of rows, but
  no SET, CALL, KILL, GRANT, DDL or the like.
- The plan's estimate is under a limit, or the statement is not run.
- The server's time limit, and ours behind it that ends the statement with KILL QUERY.
- Rows are read one by one up to the caps on rows and bytes; what is left is not fetched but ended.
- The session is its own and is closed afterwards: variables, user locks and settings end with it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from time import monotonic
from typing import Any, TypeVar

from asyncmy import errors as driver
from asyncmy.constants import FIELD_TYPE

from trinitycore_mcp.database.errors import (
    HostLost,
    QueryFailed,
    SchemaChanged,
    StatementRefused,
    TimedOut,
    TooExpensive,
    translate,
)
from trinitycore_mcp.database.plan import Plan, estimate
from trinitycore_mcp.database.pool import GRACE, Pool
from trinitycore_mcp.database.session import Session
from trinitycore_mcp.database.statement import Statement, check

__all__ = ["Column", "Limits", "SelectResult", "check", "explain", "select"]
T = TypeVar("T")
# So that a text means the same on every server.
SQL_MODE = "NO_ENGINE_SUBSTITUTION"
# A row may be larger than its values as text, by escapes and by what was received of the next one.
_BUFFER_MARGIN = 1024 * 1024
_MAY_WRITE_FILES = """
SELECT COUNT(*) AS found FROM information_schema.USER_PRIVILEGES
WHERE PRIVILEGE_TYPE = 'FILE' AND GRANTEE = CONCAT('''', SUBSTRING_INDEX(CURRENT_USER(), '@', 1), '''@''',
    SUBSTRING_INDEX(CURRENT_USER(), '@', -1), '''')
"""
_BINARY = 63  # character set "binary"
_TYPES = {
    getattr(FIELD_TYPE, code): name
    for code, name in {
        "DECIMAL": "decimal",
        "TINY": "tinyint",
        "SHORT": "smallint",
        "LONG": "int",
        "FLOAT": "float",
        "DOUBLE": "double",
        "NULL": "null",
        "TIMESTAMP": "timestamp",
        "LONGLONG": "bigint",
        "INT24": "mediumint",
        "DATE": "date",
        "TIME": "time",
        "DATETIME": "datetime",
        "YEAR": "year",
        "NEWDATE": "date",
        "BIT": "bit",
        "JSON": "json",
        "NEWDECIMAL": "decimal",
        "ENUM": "enum",
        "SET": "set",
        "GEOMETRY": "geometry",
    }.items()
}
_TEXT = {FIELD_TYPE.VARCHAR: "varchar", FIELD_TYPE.VAR_STRING: "varchar", FIELD_TYPE.STRING: "char"}
_BYTES = {FIELD_TYPE.VARCHAR: "varbinary", FIELD_TYPE.VAR_STRING: "varbinary", FIELD_TYPE.STRING: "binary"}


@dataclass(frozen=True)
class Limits:
    """How much one statement may take."""

    rows: int
    size: int
    """Bytes of the rows' values as text."""
    seconds: float
    scan: int
    """Rows it may look at, as estimated."""


@dataclass(frozen=True)
class Column:
    """A column of a result."""

    name: str
    type: str
    """In SQL's words, e.g. int, varchar, text."""


@dataclass(frozen=True)
class SelectResult:
    """What a statement gave."""

    columns: list[Column]
    rows: list[list[object]]
    """Values as Python has them: int, float, Decimal, str, bytes, datetime, date, timedelta, None."""
    truncated: str | None
    """Why rows are missing; None: all are there."""
    seconds: float
    """From the statement's start to its last row."""
    host: str


async def select(pool: Pool, kind: str, statement: Statement, limits: Limits, started: float) -> SelectResult:
    """Run one statement.

    :raises HostLost: before the statement was running: another host may be tried.
    :raises TooExpensive: it would look at more rows than allowed.
    :raises TimedOut: it took longer than allowed.
    :raises QueryFailed: the server refused it, with the server's words; or the host was lost while it ran, and it
        may be the reason, so no other host is given it.
    """

    async def work(session: Session) -> tuple[SelectResult, bool]:
        if statement.is_select:
            plan = await _plan(session, statement)
            if plan.estimated_rows > limits.scan:
                raise TooExpensive(
                    f"the statement would look at about {plan.estimated_rows} rows, allowed are {limits.scan}: narrow "
                    "it by a column that has an index (table_describe shows them), and join tables on such columns"
                )
        try:
            return await _read(session, statement.text, limits, pool.host.name)
        except Exception as error:
            failure = session.verdict or translate(error)
            if session.verdict is None and isinstance(failure, HostLost):
                raise QueryFailed(f"{pool.host.name} was lost while the statement ran: {failure}") from error
            raise

    return await _with_session(pool, kind, statement.schema, limits.seconds, started, work)


async def explain(pool: Pool, kind: str, statement: Statement, started: float) -> Plan:
    """Return the plan of one SELECT without running it.

    :raises StatementRefused: it is no SELECT.
    """
    if not statement.is_select:
        raise StatementRefused("only a SELECT or WITH ... SELECT has a plan")

    async def work(session: Session) -> tuple[Plan, bool]:
        return await _plan(session, statement), True

    return await _with_session(pool, kind, statement.schema, pool.limit - GRACE, started, work)


async def _with_session(
    pool: Pool,
    kind: str,
    schema: str | None,
    seconds: float,
    started: float,
    work: Callable[[Session], Awaitable[tuple[T, bool]]],
) -> T:
    """Do something in a READ ONLY transaction of a session of its own.

    :param work: returns its result, and whether the session's stream was read to the end.
    """
    session = pool.take() or await pool.acquire(started)
    session.deadline = min(monotonic() + seconds + GRACE, started + pool.patience + pool.limit)
    try:
        await session.execute(session.dialect.limit(seconds))
        await _refuse_file_privilege(session)
        if schema is not None:
            await session.execute(f"USE `{schema}`")
        await session.execute("START TRANSACTION READ ONLY")
        result, complete = await work(session)
    except BaseException as error:
        pool.observe(kind, started)
        verdict = session.verdict
        if verdict is not None and isinstance(verdict, HostLost):
            session.verdict = TimedOut(f"the statement took longer than {seconds:g} s and was stopped")
        raise pool.settle(session, _in_the_servers_words(error)) from error
    pool.observe(kind, started)
    if complete:
        pool.give_back(session)
    else:
        pool.abandon(session)
    return result


async def _refuse_file_privilege(session: Session) -> None:
    [row] = await session.fetch(_MAY_WRITE_FILES)
    if row["found"]:
        raise StatementRefused(
            "statements are refused because the database account may write files on the server: "
            "its FILE privilege must be revoked"
        )


async def _plan(session: Session, statement: Statement) -> Plan:
    rows = await session.fetch(session.dialect.explain + statement.text)
    return Plan(rows, estimate(rows))


async def _read(session: Session, sql: str, limits: Limits, host: str) -> tuple[SelectResult, bool]:
    started = monotonic()
    session.max_buffer = limits.size + _BUFFER_MARGIN
    fields, pieces = await session.stream(sql)
    rows: list[list[object]] = []
    size = 0
    truncated = None
    async for piece in pieces:
        for row in piece:
            size += sum(map(_size, row))
            if len(rows) == limits.rows:
                truncated = f"only the first {limits.rows} rows are shown"
            elif size > limits.size:
                truncated = f"only the first {len(rows)} rows are shown: more than {limits.size} bytes in all"
            if truncated:
                break
            rows.append(list(row))
        if truncated:
            break
    columns = [Column(str(field.name), _type(field)) for field in fields]
    return SelectResult(columns, rows, truncated, monotonic() - started, host), truncated is None


def _size(value: object) -> int:
    """Return how long a value is as text."""
    if isinstance(value, str):
        return len(value) if value.isascii() else len(value.encode(errors="replace"))
    if isinstance(value, bytes):
        return 2 * len(value)
    return len(str(value))


def _type(field: Any) -> str:
    code, binary = field.type_code, field.charsetnr == _BINARY
    if code in _TYPES:
        return _TYPES[code]
    return (_BYTES if binary else _TEXT).get(code, "blob" if binary else "text")


def _in_the_servers_words(error: BaseException) -> BaseException:
    """Return a refusal with the server's message: whoever wrote the statement needs it, and may read all it tells."""
    if isinstance(translate(error), QueryFailed | SchemaChanged) and isinstance(error, driver.MySQLError):
        return QueryFailed(f"the database refused the statement ({error.args[0]}): {str(error.args[-1])[:500]}")
    return error
