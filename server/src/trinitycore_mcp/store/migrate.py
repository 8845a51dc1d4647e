"""Migrations of our own tables, by Alembic.

One run at a time: GET_LOCK on the writable host, held by the session that migrates, so it ends with it. A change of
tables can't be rolled back in these databases: each migration is one statement that may run again, so that a run
which was killed in the middle is finished by the next one.
"""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass
from pathlib import Path

import pymysql
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection as SqlConnection
from sqlalchemy import create_engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import StaticPool

from trinitycore_mcp.config_error import ConfigError
from trinitycore_mcp.store.connection import Connection, StoreError

MIGRATIONS = Path(__file__).parent / "migrations"
VERSION_TABLE = "alembic_version"
_NOTHING = "base"
_CREATE_DATABASE = "CREATE DATABASE IF NOT EXISTS `{}` CHARACTER SET utf8mb4"
_ACCESS_DENIED = frozenset({1044, 1142})


@dataclass(frozen=True)
class Done:
    """What a run did: revisions before and after, and what the operator should know."""

    before: str
    after: str
    notices: tuple[str, ...] = ()

    @property
    def changed(self) -> bool:
        """Whether it did anything."""
        return self.before != self.after


def run(connection: Connection, target: str = "head", *, wait: float = 30.0) -> Done:
    """Bring our tables to a revision, forward or back.

    :param target: a revision, head or base.
    :param wait: seconds to wait for another run.
    :raises StoreError: the database refused, or another run took too long.
    :raises ConfigError: there is no such revision.
    """
    scripts = ScriptDirectory.from_config(_config())
    wanted = _resolve(scripts, target)
    with _Lock(connection, wait):
        before = current(connection)
        if _is_newer(scripts, before) and target == "head":
            return Done(before, before, (_newer(connection, scripts, before),))
        _check_known(connection, scripts, before)
        if before != wanted:
            _migrate(connection, scripts, before, wanted)
        return Done(before, current(connection))


def pending(connection: Connection, target: str = "head") -> list[str]:
    """Return the revisions that a run would apply or take back, in its order.

    :raises StoreError: the database refused.
    :raises ConfigError: there is no such revision.
    """
    scripts = ScriptDirectory.from_config(_config())
    wanted = _resolve(scripts, target)
    now = current(connection)
    if _is_newer(scripts, now):
        if target == "head":
            return []
        _check_known(connection, scripts, now)
    order = _order(scripts)
    here, there = order.index(now), order.index(wanted)
    return order[here + 1 : there + 1] if there >= here else order[here:there:-1]


def sql(database: str, target: str = "head") -> str:
    """Return the statements that bring an empty database to a revision.

    :raises ConfigError: there is no such revision.
    """
    text = io.StringIO()
    config = _config(output=text)
    if _resolve(ScriptDirectory.from_config(config), target) != _NOTHING:
        text.write(f"{_CREATE_DATABASE.format(database)};\n\nUSE `{database}`;\n\n")
        command.upgrade(config, target, sql=True)
    return text.getvalue()


def current(connection: Connection) -> str:
    """Return the revision that our tables are at; ``base`` when there is none.

    :raises StoreError: the database refused.
    """
    if not _exists(connection, "SCHEMATA", "SCHEMA_NAME = %s", connection.database):
        return _NOTHING
    if not _exists(connection, "TABLES", "TABLE_SCHEMA = %s AND TABLE_NAME = %s", connection.database, VERSION_TABLE):
        return _NOTHING
    rows = connection.fetch(f"SELECT version_num FROM `{connection.database}`.`{VERSION_TABLE}`")
    return str(rows[0]["version_num"]) if rows else _NOTHING


def lock_name(database: str) -> str:
    """Return the lock that a run holds: its name is good for the whole server and has 64 characters at most."""
    return f"trinitycore-mcp:migrate:{hashlib.sha256(database.encode()).hexdigest()[:16]}"


class _Lock:
    """One run at a time on a host, whoever runs it from where."""

    def __init__(self, connection: Connection, wait: float) -> None:
        self._connection = connection
        self._wait = wait
        self._name = lock_name(connection.database)

    def __enter__(self) -> None:
        [row] = self._connection.fetch("SELECT GET_LOCK(%s, %s) AS taken", (self._name, round(self._wait, 3)))
        if row["taken"] != 1:
            raise StoreError(f"another migration on {self._connection.host} has not ended within {self._wait:g} s")

    def __exit__(self, *_exception: object) -> None:
        try:
            self._connection.fetch("SELECT RELEASE_LOCK(%s) AS released", (self._name,))
        except StoreError:
            self._connection.close()  # the lock ends with the session


def _config(connection: SqlConnection | None = None, output: io.StringIO | None = None) -> Config:
    config = Config(output_buffer=output) if output is not None else Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes.update(connection=connection, version_table=VERSION_TABLE)
    return config


def _order(scripts: ScriptDirectory) -> list[str]:
    """Return all revisions, oldest first, after ``base``."""
    return [_NOTHING, *reversed([script.revision for script in scripts.walk_revisions()])]


def _resolve(scripts: ScriptDirectory, target: str) -> str:
    order = _order(scripts)
    if target == "head":
        return order[-1]
    if target not in order:
        raise ConfigError(f"--to: {target!r} is not allowed: allowed are head, {', '.join(order)}")
    return target


def _is_newer(scripts: ScriptDirectory, revision: str) -> bool:
    return revision not in _order(scripts)


def _newer(connection: Connection, scripts: ScriptDirectory, revision: str) -> str:
    return (
        f"database {connection.database} is at revision {revision}, which this release does not know: a newer one made "
        f"it (this one's last is {_order(scripts)[-1]}); left as it is"
    )


def _check_known(connection: Connection, scripts: ScriptDirectory, revision: str) -> None:
    if _is_newer(scripts, revision):
        raise ConfigError(_newer(connection, scripts, revision))


def _migrate(connection: Connection, scripts: ScriptDirectory, before: str, wanted: str) -> None:
    order = _order(scripts)
    forward = order.index(wanted) > order.index(before)
    if forward:
        _make_database(connection)
    connection.raw.select_db(connection.database)
    engine = create_engine(
        "mysql+pymysql://", creator=lambda: connection.raw, poolclass=StaticPool, isolation_level="AUTOCOMMIT"
    )
    try:
        with engine.connect() as session:
            config = _config(session)
            (command.upgrade if forward else command.downgrade)(config, wanted)
    except DBAPIError as error:
        raise connection.refused(error.orig or error) from None
    except pymysql.MySQLError as error:
        raise connection.refused(error) from None
    except CommandError as error:
        raise ConfigError(str(error)) from None


def _make_database(connection: Connection) -> None:
    """Make our database when it is absent and the account may."""
    if _exists(connection, "SCHEMATA", "SCHEMA_NAME = %s", connection.database):
        return
    try:
        connection.execute(_CREATE_DATABASE.format(connection.database))
    except StoreError as error:
        if error.code not in _ACCESS_DENIED:
            raise
        raise StoreError(
            f"database {connection.database} is absent on {connection.host}, or account {connection.user} has no right "
            "on it, and that account may not make it",
            error.code,
        ) from None


def _exists(connection: Connection, view: str, condition: str, *parameters: str) -> bool:
    return bool(connection.fetch(f"SELECT 1 FROM information_schema.{view} WHERE {condition}", parameters))
