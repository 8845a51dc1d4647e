"""Restoring from a backup, and the proof that it holds what was saved."""
# ruff: noqa: S608 - identifiers and values are quoted by `name` and `text`

from __future__ import annotations

import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .config import Config
from .errors import BackupError
from .manifest import verify
from .process import pipe
from .session import Login, Session, name, text


@dataclass(frozen=True)
class RestoreOptions:
    """What to restore: `databases` (empty for all of the backup), and which of them may be replaced."""

    databases: list[str]
    replace: list[str]
    allow_read_only: bool
    plan_only: bool


def restore(config: Config, folder: Path, options: RestoreOptions) -> dict[str, Any]:
    """Restore databases from a backup into the local server, and compare them with the manifest.

    Nothing is dropped until the backup was verified and, for a database that is to be replaced, loaded once under
    another name and found equal to the manifest.

    :raises BackupError: refused, or what was restored differs.
    """
    began = time.monotonic()
    manifest = verify(folder)
    chosen = options.databases or list(manifest["databases"])
    missing = [database for database in chosen if database not in manifest["databases"]]
    if missing:
        raise BackupError(f"the backup holds no {', '.join(missing)}; it holds {', '.join(manifest['databases'])}")
    login = Login(config.kind, config.socket)
    with Session(login) as server:
        _must_be_writable_here(server, options)
        occupied = {database: _tables(server, config, database) for database in chosen}
        refused = [database for database in chosen if occupied[database] and database not in options.replace]
        if refused:
            raise BackupError(
                f"{', '.join(refused)} hold(s) tables; nothing was changed. Name the databases that may be replaced"
            )
        summary: dict[str, Any] = {
            "backup": manifest["id"],
            "gtid_position": manifest["gtid_position"],
            "databases": {},
            "replaced": [database for database in chosen if occupied[database]],
            "changed": not options.plan_only,
        }
        if options.plan_only:
            summary["would_restore"] = chosen
            return summary
        for database in summary["replaced"]:
            _rehearse(server, config, login, folder, manifest, database)
        for database in chosen:
            entry = manifest["databases"][database]
            _empty(server, config, database, entry)
            _load(login, folder / entry["file"], database)
            summary["databases"][database] = _compare(server, database, entry)
        summary["position_after"] = server.value(f"SELECT {server.kind.position}")
    summary["seconds"] = round(time.monotonic() - began, 2)
    return summary


def _must_be_writable_here(server: Session, options: RestoreOptions) -> None:
    followed = server.rows(server.kind.replication)
    if followed:
        raise BackupError("this server is a replica: restore on the primary, and it replicates")
    if server.value("SELECT @@read_only") not in ("0", "OFF") and not options.allow_read_only:
        raise BackupError("this server is read-only, so it is not the primary")


def _tables(server: Session, config: Config, database: str) -> list[str]:
    rows = server.rows(f"SELECT table_name FROM information_schema.tables WHERE table_schema = {text(database)}")
    return [row[0] for row in rows if f"{database}.{row[0]}" not in config.ignore_tables]


def _create(server: Session, database: str, entry: dict[str, Any]) -> None:
    server.rows(
        f"CREATE DATABASE IF NOT EXISTS {name(database)} "
        f"CHARACTER SET {entry['character_set']} COLLATE {entry['collation']}"
    )


def _rehearse(
    server: Session, config: Config, login: Login, folder: Path, manifest: dict[str, Any], database: str
) -> None:
    """Load the dump under another name, without telling replicas, and compare it with the manifest."""
    side = f"{database}_restore_rehearsal"[:64]
    entry = manifest["databases"][database]
    if _tables(server, config, side):
        raise BackupError(f"database {side} is in the way: a restore was cut short. Look at it and drop it")
    server.rows("SET SESSION sql_log_bin = 0")
    try:
        _create(server, side, entry)
        _load(login, folder / entry["file"], side, "SET SESSION sql_log_bin = 0")
        _compare(server, side, entry)
    finally:
        server.rows(f"DROP DATABASE IF EXISTS {name(side)}")
        server.rows("SET SESSION sql_log_bin = 1")


def _empty(server: Session, config: Config, database: str, entry: dict[str, Any]) -> None:
    """Make the database empty but for tables that no backup holds."""
    kept = [table for table in config.ignore_tables if table.startswith(f"{database}.")]
    if not kept:
        server.rows(f"DROP DATABASE IF EXISTS {name(database)}")
        _create(server, database, entry)
        return
    _create(server, database, entry)
    server.rows("SET SESSION foreign_key_checks = 0")
    for query in (
        f"SELECT 'VIEW', table_name FROM information_schema.views WHERE table_schema = {text(database)}",
        "SELECT 'TABLE', table_name FROM information_schema.tables "
        f"WHERE table_schema = {text(database)} AND table_type = 'BASE TABLE'",
        f"SELECT routine_type, routine_name FROM information_schema.routines WHERE routine_schema = {text(database)}",
        f"SELECT 'EVENT', event_name FROM information_schema.events WHERE event_schema = {text(database)}",
    ):
        for kind, what in server.rows(query):
            if f"{database}.{what}" not in kept:
                server.rows(f"DROP {kind} {name(database)}.{name(what)}")
    server.rows("SET SESSION foreign_key_checks = 1")


def _load(login: Login, path: Path, database: str, first: str = "") -> None:
    command = [login.kind.client, *login.arguments(), "--default-character-set=utf8mb4", "--binary-mode", "--batch"]
    if first:
        command.append(f"--init-command={first}")
    with (
        subprocess.Popen(["zstd", "-q", "-d", "-c", str(path)], stdout=subprocess.PIPE) as zstd,
        subprocess.Popen(
            [*command, f"--database={database}"], stdin=zstd.stdout, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        ) as client,
    ):
        pipe(zstd.stdout).close()
        told = pipe(client.stderr).read().decode(errors="replace").strip()
        if client.wait() != 0:
            raise BackupError(f"{path} into {database}: {told}")
        if zstd.wait() != 0:
            raise BackupError(f"{path} can't be read to its end")


def _compare(server: Session, database: str, entry: dict[str, Any]) -> dict[str, int]:
    """Compare tables, rows and checksums with the manifest.

    :raises BackupError: they differ.
    """
    rows, compared = 0, 0
    for table, wanted in entry["tables"].items():
        where = f"{name(database)}.{name(table)}"
        count = int(server.value(f"SELECT COUNT(*) FROM {where}"))
        if count != wanted["rows"]:
            raise BackupError(f"{database}.{table} has {count} rows after the restore, not {wanted['rows']}")
        rows += count
        if wanted["checksum"] is not None:
            checksum = int(server.rows(f"CHECKSUM TABLE {where}")[0][1])
            if checksum != wanted["checksum"]:
                raise BackupError(f"{database}.{table} has checksum {checksum}, not {wanted['checksum']}")
            compared += 1
    return {"tables": len(entry["tables"]), "rows": rows, "checksums_equal": compared}
