"""Dumps of the game's databases: which file belongs to which database, whether it is loaded, and loading it."""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import dataclass
from typing import Any

from . import records, sql_file
from .connection import Connection, quoted
from .errors import DatabaseError
from .flavor import Flavor

_KINDS = {
    "auth": re.compile(r"auth|realmd|logon", re.IGNORECASE),
    "characters": re.compile(r"character", re.IGNORECASE),
    "world": re.compile(r"world", re.IGNORECASE),
}


@dataclass(frozen=True)
class Dump:
    """What a database is to hold: files, loaded in this order, and the fingerprint of all of them."""

    database: str
    sha256: str
    files: list[str]

    def as_dict(self) -> dict[str, Any]:
        """Return plain data, the reverse of `from_dict`."""
        return {"database": self.database, "sha256": self.sha256, "files": self.files}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Dump:
        """Build a dump from what `as_dict` returned."""
        return cls(data["database"], data["sha256"], list(data["files"]))


def kind_of(path: str) -> str:
    """Return C(auth), C(characters) or C(world), by the file's name.

    :raises DatabaseError: the name fits none of them, or several.
    """
    name = os.path.basename(path)
    kinds = [kind for kind, pattern in _KINDS.items() if pattern.search(name)]
    if len(kinds) != 1:
        raise DatabaseError(
            f"{path}: the file's name must hold exactly one of auth, characters and world, to say whose dump it is"
        )
    return kinds[0]


def find_dumps(source: str, databases: dict[str, str]) -> list[Dump]:
    """Look at a file or a folder and return one dump per database, with the files' paths.

    `databases` maps C(auth), C(characters) and C(world) to names of databases.

    :raises DatabaseError: nothing is there, or a file's name doesn't tell its database.
    """
    if os.path.isdir(source):
        paths = sorted(os.path.join(source, name) for name in os.listdir(source) if name.endswith(sql_file.ENDINGS))
    elif os.path.isfile(source):
        paths = [source]
    else:
        raise DatabaseError(f"{source} does not exist")
    if not paths or not all(path.endswith(sql_file.ENDINGS) for path in paths):
        raise DatabaseError(f"{source}: no file ends in {' or '.join(sql_file.ENDINGS)}")
    by_database: dict[str, list[str]] = {}
    for path in paths:
        by_database.setdefault(databases[kind_of(path)], []).append(path)
    return [Dump(database, _fingerprint(files), files) for database, files in by_database.items()]


def _fingerprint(paths: list[str]) -> str:
    digests = []
    for path in paths:
        with open(path, "rb") as stream:
            digest = hashlib.sha256()
            while block := stream.read(1 << 20):
                digest.update(block)
        digests.append(digest.hexdigest())
    return digests[0] if len(digests) == 1 else hashlib.sha256(" ".join(digests).encode()).hexdigest()


@dataclass(frozen=True)
class Plan:
    """What is to be done for one dump, before anything is done."""

    dump: Dump
    drop: bool


def plan(server: Connection, schema: str, dumps: list[Dump], replace: bool) -> list[Plan]:
    """Return what must be loaded: nothing for a database whose dump is there already.

    :raises DatabaseError: a database holds something else, and may not be replaced.
    """
    plans: list[Plan] = []
    refused: list[str] = []
    for dump in dumps:
        tables = int(
            server.value("SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA = %s", [dump.database])
        )
        record = records.read(server, schema, _record(dump.database)) or {}
        same = record.get("sha256") == dump.sha256
        if tables and same and record.get("state") == "loaded":
            continue
        # A run that was killed while it loaded this very dump into an empty database is just repeated.
        unfinished = same and record.get("state") == "loading"
        if tables and not replace and not unfinished:
            holds = "another dump" if record.get("state") == "loaded" else f"{tables} tables that we did not load"
            refused.append(f"database {dump.database} holds {holds}")
        plans.append(Plan(dump, drop=bool(tables)))
    if refused:
        raise DatabaseError(
            f"{'; '.join(refused)}; nothing is dropped or loaded. Load into empty databases, or leave the source away "
            "to use what is there"
        )
    return plans


def must_be_open(server: Connection, flavor: Flavor) -> None:
    """Do nothing on a primary.

    :raises DatabaseError: the server is read-only, and root's writes would make it differ from its primary.
    """
    if flavor.state(server).read_only:
        raise DatabaseError(f"{server.target} is read-only, so it is not the primary")


def carry_out(server: Connection, flavor: Flavor, schema: str, todo: Plan, directory: str, socket: str) -> None:
    """Load one dump from the files in `directory`.

    :raises DatabaseError: a file is damaged (then nothing was changed), or the server refused a statement.
    """
    collations = sql_file.collations(str(row["Collation"]) for row in server.rows("SHOW COLLATION"))
    paths = [os.path.join(directory, os.path.basename(name)) for name in todo.dump.files]
    if _fingerprint(paths) != todo.dump.sha256:
        raise DatabaseError(f"the files for {todo.dump.database} arrived damaged")
    for path in paths:
        sql_file.look_through(path, collations)
    database = todo.dump.database
    records.create_table(server, schema)
    records.write(server, schema, _record(database), {**todo.dump.as_dict(), "state": "loading"})
    if todo.drop:
        server.execute(f"DROP DATABASE {quoted(database)}")
    server.execute(f"CREATE DATABASE IF NOT EXISTS {quoted(database)} CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci")
    for path in paths:
        sql_file.load(path, database, socket, collations, flavor.client)
    records.write(server, schema, _record(database), {**todo.dump.as_dict(), "state": "loaded"})


def _record(database: str) -> str:
    return f"game_data:{database}"
