"""One run: from a look at the server to a backup that was read back."""
# ruff: noqa: S608 - identifiers and values are quoted by `name` and `text`

from __future__ import annotations

import contextlib
import datetime
import os
import shutil
import socket
import time
from pathlib import Path
from typing import Any

from .config import Config
from .dump import dump
from .errors import BackupError
from .manifest import FORMAT, read_manifest, verify, write_manifest
from .session import Login, Session, listed
from .storage import UTC, backups


def run(config: Config, only: list[str], reason: str) -> Path:
    """Make a backup, read it back, and return its folder."""
    started = time.time()
    for left in config.directory.glob(".partial-*"):
        shutil.rmtree(left)
    wanted = only or config.databases
    login = Login(config.kind, config.socket, config.credentials)
    with Session(login) as server:
        present = [
            row[0]
            for row in server.rows(
                f"SELECT schema_name FROM information_schema.schemata WHERE schema_name IN {listed(wanted)}"
            )
        ]
        databases = [database for database in wanted if database in present]
        if not databases:
            raise BackupError(f"none of the databases {', '.join(wanted)} exists (or the account may not see them)")
        inventory = _inventory(server, config, databases)
        _check_space(config, inventory["bytes"])
        facts = server.rows("SELECT @@version, @@server_id, @@read_only, @@hostname")[0]
    final = _new_folder(config, started)
    identifier = final.name
    partial = config.directory / f".partial-{identifier}"
    partial.mkdir(mode=0o700)
    try:
        content = dump(config, login, databases, inventory, partial)
        manifest: dict[str, Any] = {
            "format": FORMAT,
            "id": identifier,
            "reason": reason,
            "started_at": _iso(started),
            "finished_at": _iso(time.time()),
            "host": socket.gethostname(),
            "server": {"version": facts[0], "server_id": int(facts[1]), "read_only": facts[2] not in ("0", "OFF")},
            "absent": [database for database in wanted if database not in databases],
            "outside_snapshot": inventory["outside_snapshot"],
            **content,
        }
        write_manifest(partial, manifest)
        verify(partial)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    _fsync_directory(partial)
    partial.rename(final)
    _fsync_directory(config.directory)
    return final


def _new_folder(config: Config, started: float) -> Path:
    """Return the folder's name, by the second of the start; a second run within one second waits for the next."""
    while True:
        final = config.directory / time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(started))
        if not final.exists():
            return final
        time.sleep(0.2)
        started = time.time()


def _iso(at: float) -> str:
    return datetime.datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")


def _fsync_directory(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _inventory(server: Session, config: Config, databases: list[str]) -> dict[str, Any]:
    """Look at what is to be dumped: size, engines, character sets.

    Tables of engines without transactions can't be part of the snapshot; they are dumped all the same, and named.
    """
    rows = server.rows(
        "SELECT table_schema, table_name, engine, COALESCE(data_length, 0) FROM information_schema.tables "
        f"WHERE table_type IN ('BASE TABLE', 'SYSTEM VERSIONED') AND table_schema IN {listed(databases)} "
        "ORDER BY table_schema, table_name"
    )
    tables = [row for row in rows if f"{row[0]}.{row[1]}" not in config.ignore_tables]
    schemata = server.rows(
        "SELECT schema_name, default_character_set_name, default_collation_name FROM information_schema.schemata "
        f"WHERE schema_name IN {listed(databases)}"
    )
    return {
        "bytes": sum(int(row[3]) for row in tables),
        "engines": {(row[0], row[1]): row[2] for row in tables},
        "outside_snapshot": sorted(f"{row[0]}.{row[1]}" for row in tables if row[2] not in ("InnoDB", "NULL")),
        "defaults": {row[0]: {"character_set": row[1], "collation": row[2]} for row in schemata},
    }


def _check_space(config: Config, data: int) -> None:
    """Refuse to fill the disk. A dump compresses to a fraction; a third of the data is a cautious guess at first."""
    known = backups(config)
    expected = data // 3
    if known:
        with contextlib.suppress(BackupError):
            entries = read_manifest(known[-1])["databases"].values()
            expected = int(sum(entry["size"] for entry in entries) * 1.5)
    free = shutil.disk_usage(config.directory).free
    needed = expected + config.minimum_free_mb * 1024 * 1024
    if free < needed:
        raise BackupError(
            f"{config.directory} has {free >> 20} MiB free; a backup of about {expected >> 20} MiB is to leave "
            f"{config.minimum_free_mb} MiB"
        )
