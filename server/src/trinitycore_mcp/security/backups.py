"""How old the newest backup is, from the metrics that the backup program writes for node_exporter."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

from msgspec import Struct
from prometheus_client.parser import text_string_to_metric_families

from trinitycore_mcp.toolkit.fields import doc

_FILES = "trinitycore_backup*.prom"
_PREFIX = "trinitycore_backup_"


class BackupAge(Struct, frozen=True):
    """The newest backup."""

    age_seconds: Annotated[float | None, doc("since the newest complete backup was finished; null: there is none")]
    size_bytes: int | None
    kept: Annotated[int | None, doc("complete backups that are kept")]
    last_run_succeeded: bool | None
    last_run_seconds_ago: float | None
    error: Annotated[str | None, doc("why nothing is known")]


def newest(folder: str | None) -> BackupAge:
    """Return what is known of the newest backup.

    :param folder: config backup.textfile_directory.
    """
    if folder is None:
        return _unknown("backup.textfile_directory is not configured: this instance does not know the backup's metrics")
    try:
        files = sorted(Path(folder).glob(_FILES))
        values = {
            sample.name.removeprefix(_PREFIX): sample.value
            for file in files
            for family in text_string_to_metric_families(file.read_text(encoding="utf-8"))
            for sample in family.samples
            if sample.name.startswith(_PREFIX)
        }
    except OSError as error:
        return _unknown(f"{folder}: {error.strerror}")
    except ValueError as error:
        return _unknown(f"{folder}: not in the format of metrics: {error}")
    if not values:
        return _unknown(f"{folder} has no metrics of a backup ({_FILES}): none ran on this host")
    now = time.time()
    finished, ran = values.get("last_success_timestamp_seconds"), values.get("last_run_timestamp_seconds")
    size, kept, good = (values.get(name) for name in ("last_success_size_bytes", "backups", "last_run_success"))
    return BackupAge(
        age_seconds=round(now - finished, 1) if finished is not None else None,
        size_bytes=int(size) if size is not None else None,
        kept=int(kept) if kept is not None else None,
        last_run_succeeded=bool(good) if good is not None else None,
        last_run_seconds_ago=round(now - ran, 1) if ran is not None else None,
        error=None,
    )


def _unknown(error: str) -> BackupAge:
    return BackupAge(None, None, None, None, None, error)
