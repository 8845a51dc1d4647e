#!/usr/bin/env python3
# Managed by Ansible (trinitycore.mcp): changes made here are lost.
"""Back up databases of the local server, verify backups, and restore them.

A backup is a folder named after its start (UTC): one compressed dump per database and `manifest.json`. It appears
under its name only when it is complete and was read back. Needs Python 3.10, the MariaDB client programs and zstd.
"""
# ruff: noqa: S608, T201 - identifiers and values are quoted by `name` and `text`; this is a command-line program

from __future__ import annotations

import argparse
import contextlib
import datetime
import fcntl
import hashlib
import json
import os
import random
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, NoReturn

FORMAT = 1
UTC = datetime.timezone.utc  # noqa: UP017 - datetime.UTC is of Python 3.11
CONFIG = Path("/etc/trinitycore-backup/config.json")
ID = re.compile(r"^\d{8}T\d{6}Z$")
END = "-- end of backup of "
EXIT_BUSY = 75


class BackupError(Exception):
    """Something can't be done or isn't safe to do; the message is for the operator."""


@dataclass(frozen=True)
class Config:
    """Settings, as the role writes them. Tables are written `database.table`."""

    directory: Path
    databases: list[str]
    ignore_tables: list[str]
    credentials: Path
    socket: str
    keep_count: int
    keep_days: int
    minimum_free_mb: int
    compression_level: int
    checksums: bool
    metrics_file: Path | None

    @classmethod
    def read(cls, path: Path) -> Config:
        """Read the configuration file."""
        try:
            values = json.loads(path.read_text())
            metrics = values.pop("metrics_file")
            return cls(
                directory=Path(values.pop("directory")),
                credentials=Path(values.pop("credentials")),
                metrics_file=Path(metrics) if metrics else None,
                **values,
            )
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise BackupError(f"{path}: {error}") from error


def fail(message: str) -> NoReturn:
    """Raise a BackupError."""
    raise BackupError(message)


def pipe(end: IO[Any] | None) -> IO[Any]:
    """Return the pipe to or from a process that was started with one."""
    return end if end is not None else fail("a process has no pipe")


# --- the server, by its own client programs -------------------------------------------------------------------


@dataclass(frozen=True)
class Login:
    """How the client programs log in: by an option file with a password, or as root by the socket."""

    socket: str
    credentials: Path | None = None

    def arguments(self) -> list[str]:
        """Return the programs' first arguments; a password is never among them."""
        if self.credentials is not None:
            return [f"--defaults-file={self.credentials}"]
        return ["--no-defaults", f"--socket={self.socket}", "--user=root"]


class Session:
    """A session of the command-line client: statements in, rows of text out."""

    _MARK = b"end-of-answer\n"

    def __init__(self, login: Login) -> None:
        command = ["mariadb", *login.arguments(), "--batch", "--skip-column-names", "--unbuffered", "--raw", "--force"]
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the session
        self._process = subprocess.Popen(
            [*command, "--quick", "--max-allowed-packet=1G", "--default-character-set=utf8mb4"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
        )

    def stream(self, statement: str) -> Iterator[bytes]:
        """Send one statement and yield its rows as lines, without their ends; take them all.

        :raises BackupError: the server refused it, or is gone.
        """
        asked, answers = pipe(self._process.stdin), pipe(self._process.stdout)
        with contextlib.suppress(BrokenPipeError):
            asked.write(f"{statement};\nSELECT '{self._MARK.decode().strip()}';\n".encode())
            asked.flush()
        ended = False
        for line in answers:
            ended = line == self._MARK
            if ended:
                break
            yield line[:-1]
        self._errors.seek(0)
        told = self._errors.read().decode(errors="replace").strip()
        self._errors.truncate(0)
        self._errors.seek(0)
        if told or not ended:
            raise BackupError(f"the database server: {told or 'connection lost'}, at: {statement[:200]}")

    def rows(self, statement: str) -> list[list[str]]:
        """Send one statement and return its rows.

        :raises BackupError: the server refused it, or is gone.
        """
        return [line.decode(errors="replace").split("\t") for line in self.stream(statement)]

    def value(self, statement: str) -> str:
        """Return the first column of the first row, or an empty text."""
        rows = self.rows(statement)
        return rows[0][0] if rows else ""

    def snapshot(self) -> dict[str, str]:
        """Open a transaction on a consistent snapshot, without a lock; return where it stands: `binlog`, `gtid`."""
        self.rows("SET SESSION time_zone = '+00:00', sql_mode = '', net_write_timeout = 3600, lock_wait_timeout = 60")
        self.rows("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        self.rows("START TRANSACTION WITH CONSISTENT SNAPSHOT")
        status = {row[0].lower(): row[1] for row in self.rows("SHOW STATUS LIKE 'binlog\\_snapshot\\_%'")}
        file, position = status.get("binlog_snapshot_file", ""), status.get("binlog_snapshot_position", "")
        gtid = self.value(f"SELECT BINLOG_GTID_POS({text(file)}, {int(position)})") if file else ""
        self.rows("SAVEPOINT table_done")
        return {"binlog": f"{file} {position}".strip(), "gtid": gtid}

    def leave_table(self) -> None:
        """Let go of the table that was read, so that nobody's ALTER TABLE waits; the snapshot stays."""
        self.rows("ROLLBACK TO SAVEPOINT table_done")

    def close(self) -> None:
        """End the session."""
        with contextlib.suppress(BrokenPipeError):
            pipe(self._process.stdin).close()
        self._process.wait()
        pipe(self._process.stdout).close()
        self._errors.close()

    def __enter__(self) -> Session:  # noqa: PYI034 - Self is of Python 3.11, hosts may have 3.10
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def text(value: str) -> str:
    """Return a value as an SQL string."""
    return "'" + value.replace("\\", "\\\\").replace("'", "''") + "'"


def name(value: str) -> str:
    """Return an identifier in backquotes."""
    return "`" + value.replace("`", "``") + "`"


def listed(values: list[str]) -> str:
    """Return values as an SQL list; never empty."""
    return "(" + ", ".join(text(value) for value in [*values, ""]) + ")"


# --- reading a dump -------------------------------------------------------------------------------------------

_TABLE = re.compile(rb"^CREATE TABLE (?:IF NOT EXISTS )?`((?:[^`]|``)+)` \($")
_INSERT = re.compile(rb"^INSERT INTO `((?:[^`]|``)+)` ")
_COMPLETED = b"-- Dump completed"


@dataclass
class RowCounter:
    """Counts the rows of each table in the lines of one database's dump."""

    tables: dict[str, int] = field(default_factory=dict)
    _inserting: str = ""
    _in_body: bool = False

    def feed(self, line: bytes) -> None:
        """Take the next line. Each row stands on a line of its own; line ends inside values are escaped."""
        if line.startswith(b"DELIMITER ") and not self._inserting:
            self._in_body = line.rstrip() != b"DELIMITER ;"
            return
        if self._in_body:
            return
        if self._inserting:
            self.tables[self._inserting] += line.startswith(b"(")
            if line.endswith(b");\n"):
                self._inserting = ""
        elif line.startswith(b"CREATE TABLE") and (found := _TABLE.match(line.rstrip())):
            self.tables.setdefault(_identifier(found[1]), 0)
        elif line.startswith(b"INSERT INTO") and (found := _INSERT.match(line)):
            self._inserting = _identifier(found[1])


def _identifier(quoted: bytes) -> str:
    return quoted.decode().replace("``", "`")


class DumpFile:
    """A compressed dump of one database while it is written."""

    def __init__(self, path: Path, level: int) -> None:
        self.path = path
        self.counter = RowCounter()
        self.plain_size = 0
        self._file = path.open("wb")
        self._zstd = subprocess.Popen(["zstd", "-q", f"-{level}", "-c"], stdin=subprocess.PIPE, stdout=self._file)

    def write(self, line: bytes) -> None:
        """Append a line."""
        pipe(self._zstd.stdin).write(line)
        self.plain_size += len(line)
        self.counter.feed(line)

    def close(self) -> None:
        """Finish compression and bring everything to disk."""
        pipe(self._zstd.stdin).close()
        code = self._zstd.wait()
        os.fsync(self._file.fileno())
        self._file.close()
        if code != 0:
            raise BackupError(f"zstd failed with code {code} on {self.path}")

    def abandon(self) -> None:
        """Stop without finishing; never raises."""
        self._zstd.kill()
        self._zstd.wait()
        self._file.close()


@contextlib.contextmanager
def decompressed(path: Path) -> Iterator[IO[bytes]]:
    """Give the lines of a compressed dump.

    :raises BackupError: it is damaged or cut short.
    """
    with subprocess.Popen(
        ["zstd", "-q", "-d", "-c", str(path)], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as zstd:
        try:
            yield pipe(zstd.stdout)
        except BaseException:
            zstd.kill()
            raise
        told = pipe(zstd.stderr).read().decode(errors="replace").strip()
        if zstd.wait() != 0:
            raise BackupError(f"{path} is damaged: {told}")


def file_sha256(path: Path) -> str:
    """Return the checksum of a file."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


# --- manifest -------------------------------------------------------------------------------------------------


def _seal(manifest: dict[str, Any]) -> str:
    body = {key: value for key, value in manifest.items() if key != "seal"}
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()


def write_manifest(folder: Path, manifest: dict[str, Any]) -> None:
    """Write the manifest with a checksum of itself."""
    sealed = {**manifest, "seal": _seal(manifest)}
    with (folder / "manifest.json").open("w") as stream:
        json.dump(sealed, stream, indent=1, sort_keys=True)
        stream.flush()
        os.fsync(stream.fileno())


def read_manifest(folder: Path) -> dict[str, Any]:
    """Read and check a manifest.

    :raises BackupError: it is missing, damaged or of a newer format.
    """
    try:
        manifest: dict[str, Any] = json.loads((folder / "manifest.json").read_text())
    except (OSError, ValueError) as error:
        raise BackupError(f"{folder} is no complete backup: {error}") from error
    if manifest.get("format") != FORMAT:
        raise BackupError(f"{folder}: manifest of format {manifest.get('format')!r}, this program reads {FORMAT}")
    if manifest.get("seal") != _seal(manifest):
        raise BackupError(f"{folder}: the manifest was altered or damaged")
    return manifest


def verify(folder: Path) -> dict[str, Any]:
    """Check a backup against its manifest, to the last row, and return the manifest.

    :raises BackupError: something is missing, damaged or cut short.
    """
    manifest = read_manifest(folder)
    problems = []
    for database, entry in manifest["databases"].items():
        path = folder / entry["file"]
        try:
            _verify_file(path, database, entry)
        except (BackupError, OSError) as error:
            problems.append(str(error))
    if problems:
        raise BackupError("; ".join(problems))
    return manifest


def _verify_file(path: Path, database: str, entry: dict[str, Any]) -> None:
    if path.stat().st_size != entry["size"]:
        raise BackupError(f"{path} has {path.stat().st_size} bytes, not {entry['size']}: it is cut short or damaged")
    if file_sha256(path) != entry["sha256"]:
        raise BackupError(f"{path} is damaged: its checksum differs from the manifest's")
    counter, last = RowCounter(), b""
    with decompressed(path) as lines:
        for line in lines:
            counter.feed(line)
            last = line
    if last.rstrip() != f"{END}{database}".encode():
        raise BackupError(f"{path} lacks its closing line: it is cut short")
    wanted = {table: values["rows"] for table, values in entry["tables"].items()}
    if counter.tables != wanted:
        differing = sorted(set(counter.tables.items()) ^ set(wanted.items()))
        raise BackupError(f"{path} holds other rows than its manifest says: {differing[:5]}")


# --- run ------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def locked(config: Config) -> Iterator[None]:
    """Keep other runs out.

    :raises SystemExit: one is under way.
    """
    config.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (config.directory / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("another run is under way; this one does nothing", file=sys.stderr)
            raise SystemExit(EXIT_BUSY) from None
        yield


def backups(config: Config) -> list[Path]:
    """Return the finished backups, oldest first."""
    if not config.directory.is_dir():
        return []
    return sorted(path for path in config.directory.iterdir() if ID.match(path.name) and path.is_dir())


def run(config: Config, only: list[str], reason: str) -> Path:
    """Make a backup, read it back, and return its folder."""
    started = time.time()
    for left in config.directory.glob(".partial-*"):
        shutil.rmtree(left)
    wanted = only or config.databases
    login = Login(config.socket, config.credentials)
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
        content = _dump(config, login, databases, inventory, partial)
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


def _dump(
    config: Config, login: Login, databases: list[str], inventory: dict[str, Any], folder: Path
) -> dict[str, Any]:
    entries = {}
    with Session(login) as snapshot:
        position = snapshot.snapshot()
        for database in databases:
            file = DumpFile(folder / f"{database}.sql.zst", config.compression_level)
            try:
                checksums = _write_database(config, login, snapshot, database, inventory, file)
                file.close()
            except BaseException:
                file.abandon()
                raise
            entries[database] = {
                "file": file.path.name,
                "size": file.path.stat().st_size,
                "plain_size": file.plain_size,
                "sha256": file_sha256(file.path),
                **inventory["defaults"][database],
                "tables": {
                    table: {
                        "rows": rows,
                        "engine": inventory["engines"].get((database, table), ""),
                        "checksum": checksums.get(table),
                    }
                    for table, rows in sorted(file.counter.tables.items())
                },
            }
    how = "CHECKSUM TABLE in the dump's own snapshot" if config.checksums else "switched off"
    return {"databases": entries, "gtid_position": position["gtid"], "binlog": position["binlog"], "checksums": how}


def _write_database(
    config: Config, login: Login, snapshot: Session, database: str, inventory: dict[str, Any], file: DumpFile
) -> dict[str, int]:
    """Write tables and views, then rows, then what would act on rows; return the tables' checksums.

    The rows are read by our own statements, not by mariadb-dump: that prints FLOAT with six digits, and what is
    restored from it differs in the last bits. All rows and checksums come from the one snapshot.
    """
    ignored = [f"--ignore-table={table}" for table in config.ignore_tables]
    shared = [*login.arguments(), "--no-data", "--skip-lock-tables", "--no-tablespaces"]
    shared += ["--default-character-set=utf8mb4", *ignored]
    _copy_dump([*shared, "--skip-triggers", database], file)
    file.write(
        b"SET SESSION time_zone = '+00:00', sql_mode = 'NO_AUTO_VALUE_ON_ZERO', foreign_key_checks = 0, "
        b"unique_checks = 0;\nSET NAMES utf8mb4;\n"
    )
    checksums = {}
    for table in [table for owner, table in inventory["engines"] if owner == database]:
        _write_rows(snapshot, database, table, file)
        if config.checksums and inventory["engines"][database, table] == "InnoDB":
            checksums[table] = int(snapshot.rows(f"CHECKSUM TABLE {name(database)}.{name(table)}")[0][1])
        snapshot.leave_table()
    file.write(b"SET SESSION foreign_key_checks = 1, unique_checks = 1;\n")
    _copy_dump([*shared, "--no-create-info", "--triggers", "--routines", "--events", database], file)
    file.write(f"{END}{database}\n".encode())
    return checksums


def _copy_dump(arguments: list[str], file: DumpFile) -> None:
    completed = False
    with subprocess.Popen(["mariadb-dump", *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as dump:
        for line in pipe(dump.stdout):
            completed = completed or line.startswith(_COMPLETED)
            file.write(line)
        told = pipe(dump.stderr).read().decode(errors="replace").strip()
    if dump.returncode != 0 or not completed:
        raise BackupError(f"mariadb-dump: {told or 'it ended without its closing line'}")


# How a column's value is written so that the server reads back exactly the same; `{}` is the column.
_AS_TEXT = (
    "REPLACE(REPLACE(QUOTE(CONVERT({} USING utf8mb4)), CHAR(10), '\\\\n'), CHAR(13), '\\\\r') COLLATE utf8mb4_bin"
)
_AS_BYTES = "IF({0} IS NULL, 'NULL', IF(LENGTH({0}) = 0, '\\'\\'', CONCAT('0x', HEX({0}))))"
_AS_NUMBER = "IFNULL({}, 'NULL')"
_AS_DOUBLE = "QUOTE(CAST({} AS DOUBLE))"  # shortest digits that give the same number; in quotes, -0 keeps its sign
_EXPRESSIONS = {
    **dict.fromkeys(("tinyint", "smallint", "mediumint", "int", "bigint", "decimal", "year"), _AS_NUMBER),
    **dict.fromkeys(("float", "double"), _AS_DOUBLE),
    **dict.fromkeys(("binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob", "bit", "vector"), _AS_BYTES),
    **dict.fromkeys(
        ("geometry", "point", "linestring", "polygon", "multipoint", "multilinestring", "multipolygon",
         "geometrycollection"),
        _AS_BYTES,
    ),
}  # fmt: skip
_INSERT_BYTES = 1 << 20


def _write_rows(snapshot: Session, database: str, table: str, file: DumpFile) -> None:
    columns = snapshot.rows(
        "SELECT column_name, data_type FROM information_schema.columns WHERE is_generated = 'NEVER' "
        f"AND table_schema = {text(database)} AND table_name = {text(table)} ORDER BY ordinal_position"
    )
    values = ", ',', ".join(_EXPRESSIONS.get(kind, _AS_TEXT).format(name(column)) for column, kind in columns)
    insert = f"INSERT INTO {name(table)} ({', '.join(name(column) for column, _ in columns)}) VALUES\n".encode()
    waiting: list[bytes] = []
    size = 0

    def flush() -> None:
        file.write(insert)
        for row in waiting[:-1]:
            file.write(row + b",\n")
        file.write(waiting[-1] + b";\n")
        waiting.clear()

    for row in snapshot.stream(f"SELECT CONCAT('(', {values}, ')') FROM {name(database)}.{name(table)}"):
        waiting.append(row)
        size += len(row)
        if size >= _INSERT_BYTES:
            flush()
            size = 0
    if waiting:
        flush()


def prune(config: Config) -> list[str]:
    """Delete backups beyond both count and age; the newest one that can be read always stays. Returns what went."""
    known = backups(config)
    horizon = time.time() - config.keep_days * 86400
    good = [path for path in known if _is_readable(path)]
    keep = set(known[-config.keep_count :]) | set(good[-1:])
    gone = []
    for path in known:
        made = datetime.datetime.strptime(path.name, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        if path not in keep and made.timestamp() < horizon:
            shutil.rmtree(path)
            gone.append(path.name)
    return gone


def _is_readable(path: Path) -> bool:
    try:
        manifest = read_manifest(path)
        return all((path / entry["file"]).stat().st_size == entry["size"] for entry in manifest["databases"].values())
    except (BackupError, OSError):
        return False


def write_metrics(config: Config, success: bool, seconds: float) -> None:
    """Tell node_exporter of the last run and of the newest complete backup, in a file it reads whole or not at all."""
    if config.metrics_file is None or not config.metrics_file.parent.is_dir():
        return
    values: dict[str, tuple[str, float]] = {
        "last_run_success": ("Whether the last run made a backup.", int(success)),
        "last_run_timestamp_seconds": ("When the last run ended.", time.time()),
        "last_run_duration_seconds": ("How long the last run took.", seconds),
    }
    good = [path for path in backups(config) if _is_readable(path)]
    values["backups"] = ("Complete backups that are kept.", len(good))
    if good:
        manifest = read_manifest(good[-1])
        finished = datetime.datetime.fromisoformat(manifest["finished_at"]).timestamp()
        values["last_success_timestamp_seconds"] = ("When the newest complete backup was finished.", finished)
        size = sum(entry["size"] for entry in manifest["databases"].values())
        values["last_success_size_bytes"] = ("Size of the newest complete backup.", size)
        values["tables_outside_snapshot"] = (
            "Tables in the newest backup whose engine knows no snapshot.",
            len(manifest["outside_snapshot"]),
        )
    lines = []
    for key, (meaning, value) in values.items():
        metric = f"trinitycore_backup_{key}"
        lines.append(f"# HELP {metric} {meaning}\n# TYPE {metric} gauge\n{metric} {value}\n")
    staged = config.metrics_file.with_name(f"{config.metrics_file.name}.{os.getpid()}")
    staged.write_text("".join(lines))
    staged.chmod(0o644)
    staged.replace(config.metrics_file)


# --- restore --------------------------------------------------------------------------------------------------


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
    login = Login(config.socket)
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
        summary["position_after"] = server.value("SELECT @@gtid_current_pos")
    summary["seconds"] = round(time.monotonic() - began, 2)
    return summary


def _must_be_writable_here(server: Session, options: RestoreOptions) -> None:
    followed = server.rows("SHOW ALL SLAVES STATUS")
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
    command = ["mariadb", *login.arguments(), "--default-character-set=utf8mb4", "--binary-mode", "--batch"]
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


# --- commands -------------------------------------------------------------------------------------------------


def find(config: Config, what: str) -> Path:
    """Return the folder of a backup given by path, by id or as `latest`.

    :raises BackupError: there is none.
    """
    if what == "latest":
        good = [path for path in backups(config) if _is_readable(path)]
        if not good:
            raise BackupError(f"{config.directory} holds no complete backup")
        return good[-1]
    path = Path(what)
    if path.name == "manifest.json":
        path = path.parent
    if not path.is_absolute() and not path.is_dir():
        path = config.directory / what
    if not path.is_dir():
        raise BackupError(f"there is no backup {path}")
    return path


def command_run(config: Config, arguments: argparse.Namespace) -> None:
    """Make a backup, prune old ones, write metrics."""
    if arguments.jitter:
        time.sleep(random.uniform(0, arguments.jitter))  # noqa: S311 - spreads load, guards nothing
    with locked(config):
        began = time.monotonic()
        try:
            folder = run(config, arguments.databases, arguments.reason)
        except BaseException:
            if not arguments.no_metrics:
                write_metrics(config, False, time.monotonic() - began)
            raise
        gone = prune(config)
        seconds = time.monotonic() - began
        if not arguments.no_metrics:
            write_metrics(config, True, seconds)
    manifest = read_manifest(folder)
    for table in manifest["outside_snapshot"]:
        print(
            f"warning: {table} is of an engine without snapshots; its rows may be newer than the rest", file=sys.stderr
        )
    if manifest["absent"]:
        print(f"warning: absent, so not in the backup: {', '.join(manifest['absent'])}", file=sys.stderr)
    _print({**_summary(folder, manifest), "seconds": round(seconds, 2), "pruned": gone})


def _summary(folder: Path, manifest: dict[str, Any]) -> dict[str, Any]:
    entries = manifest["databases"]
    return {
        "backup": str(folder),
        "files": ["manifest.json", *sorted(entry["file"] for entry in entries.values())],
        "finished_at": manifest["finished_at"],
        "databases": sorted(entries),
        "tables": sum(len(entry["tables"]) for entry in entries.values()),
        "rows": sum(table["rows"] for entry in entries.values() for table in entry["tables"].values()),
        "size": sum(entry["size"] for entry in entries.values()),
        "gtid_position": manifest["gtid_position"],
        "checksums": manifest["checksums"],
    }


def _print(value: Any) -> None:
    print(json.dumps(value))


def command_verify(config: Config, arguments: argparse.Namespace) -> None:
    """Check a backup."""
    folder = find(config, arguments.backup)
    _print({**_summary(folder, verify(folder)), "ok": True})


def command_list(config: Config, arguments: argparse.Namespace) -> None:
    """List the backups, one JSON object a line, oldest first."""
    del arguments
    for folder in backups(config):
        try:
            _print(_summary(folder, read_manifest(folder)))
        except BackupError as error:
            _print({"backup": str(folder), "error": str(error)})


def command_prune(config: Config, arguments: argparse.Namespace) -> None:
    """Delete what is too old."""
    del arguments
    with locked(config):
        _print({"pruned": prune(config)})


def command_restore(config: Config, arguments: argparse.Namespace) -> None:
    """Restore a backup."""
    options = RestoreOptions(arguments.databases, arguments.replace, arguments.allow_read_only, arguments.plan)
    with locked(config):
        _print(restore(config, find(config, arguments.backup), options))


def parser() -> argparse.ArgumentParser:
    """Build the command line."""
    names = {"type": lambda value: [part for part in value.split(",") if part], "default": [], "metavar": "A,B"}
    top = argparse.ArgumentParser(prog="trinitycore-backup", description="Backups of the local database server.")
    top.add_argument("--config", type=Path, default=CONFIG)
    commands = top.add_subparsers(required=True, metavar="COMMAND")

    one = commands.add_parser("run", help="make a backup now, then prune")
    one.add_argument("--jitter", type=float, default=0.0, help="wait up to so many seconds first")
    one.add_argument("--databases", **names, help="only these")  # type: ignore[arg-type]
    one.add_argument("--reason", default="scheduled", help="kept in the manifest")
    one.add_argument(
        "--no-metrics", action="store_true", help="leave the metric file alone: no run of the schedule's kind"
    )
    one.set_defaults(command=command_run)

    one = commands.add_parser("verify", help="check a backup to the last row")
    one.add_argument("backup", help="folder, id or 'latest'")
    one.set_defaults(command=command_verify)

    commands.add_parser("list", help="list backups").set_defaults(command=command_list)
    commands.add_parser("prune", help="delete what is too old").set_defaults(command=command_prune)

    one = commands.add_parser("restore", help="restore a backup into this server")
    one.add_argument("backup", help="folder, id or 'latest'")
    one.add_argument("--databases", **names, help="only these")  # type: ignore[arg-type]
    one.add_argument("--replace", **names, help="databases that may be replaced though they hold tables")  # type: ignore[arg-type]
    one.add_argument("--allow-read-only", action="store_true", help="also on a server that is no primary")
    one.add_argument("--plan", action="store_true", help="check everything, change nothing")
    one.set_defaults(command=command_restore)
    return top


def main() -> int:
    """Run a command; 0 done, 1 refused or failed, 75 another run is under way."""
    os.umask(0o077)
    arguments = parser().parse_args()
    try:
        arguments.command(Config.read(arguments.config), arguments)
    except (BackupError, OSError) as error:
        print(f"trinitycore-backup: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
