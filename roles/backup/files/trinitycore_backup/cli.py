"""The command line."""
# ruff: noqa: T201 - this is a command-line program

from __future__ import annotations

import argparse
import json
import os
import random
import sys
import time
from pathlib import Path
from typing import Any

from .config import CONFIG, Config
from .errors import BackupError
from .manifest import read_manifest, verify
from .metrics import write_metrics
from .restore import RestoreOptions, restore
from .retention import prune
from .run import run
from .storage import backups, find, locked


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
