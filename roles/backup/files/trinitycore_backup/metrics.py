"""The last run and the newest backup, as metrics."""

from __future__ import annotations

import datetime
import os
import time

from .config import Config
from .manifest import read_manifest
from .storage import backups, is_readable


def write_metrics(config: Config, success: bool, seconds: float) -> None:
    """Tell node_exporter of the last run and of the newest complete backup, in a file it reads whole or not at all."""
    if config.metrics_file is None or not config.metrics_file.parent.is_dir():
        return
    values: dict[str, tuple[str, float]] = {
        "last_run_success": ("Whether the last run made a backup.", int(success)),
        "last_run_timestamp_seconds": ("When the last run ended.", time.time()),
        "last_run_duration_seconds": ("How long the last run took.", seconds),
    }
    good = [path for path in backups(config) if is_readable(path)]
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
