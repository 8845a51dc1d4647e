"""Dumps of databases, all of one consistent snapshot."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

from .config import Config
from .dump_file import END, DumpFile, file_sha256
from .errors import BackupError
from .process import pipe
from .rows import write_rows
from .session import Login, Session, name

_COMPLETED = b"-- Dump completed"


def dump(config: Config, login: Login, databases: list[str], inventory: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Dump the databases into a folder and return what the manifest says of them."""
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

    The rows are read by our own statements, not by the dump program: that prints FLOAT with six digits, and what is
    restored from it differs in the last bits. All rows and checksums come from the one snapshot.
    """
    ignored = [f"--ignore-table={table}" for table in config.ignore_tables]
    shared = [*login.arguments(), "--no-data", "--skip-lock-tables", "--no-tablespaces"]
    shared += ["--default-character-set=utf8mb4", *ignored]
    _copy_dump(login, [*shared, "--skip-triggers", database], file)
    file.write(
        b"SET SESSION time_zone = '+00:00', sql_mode = 'NO_AUTO_VALUE_ON_ZERO', foreign_key_checks = 0, "
        b"unique_checks = 0;\nSET NAMES utf8mb4;\n"
    )
    checksums = {}
    for table in [table for owner, table in inventory["engines"] if owner == database]:
        write_rows(snapshot, database, table, file)
        if config.checksums and inventory["engines"][database, table] == "InnoDB":
            checksums[table] = int(snapshot.rows(f"CHECKSUM TABLE {name(database)}.{name(table)}")[0][1])
        snapshot.leave_table()
    file.write(b"SET SESSION foreign_key_checks = 1, unique_checks = 1;\n")
    _copy_dump(login, [*shared, "--no-create-info", "--triggers", "--routines", "--events", database], file)
    file.write(f"{END}{database}\n".encode())
    return checksums


def _copy_dump(login: Login, arguments: list[str], file: DumpFile) -> None:
    completed = False
    program, *options = login.kind.dump
    # Which file is read must come first.
    command = [program, *arguments[:1], *options, *arguments[1:]]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as dump:
        for line in pipe(dump.stdout):
            completed = completed or line.startswith(_COMPLETED)
            file.write(line)
        told = pipe(dump.stderr).read().decode(errors="replace").strip()
    if dump.returncode != 0 or not completed:
        raise BackupError(f"{program}: {told or 'it ended without its closing line'}")
