"""Settings of a host."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from .errors import BackupError
from .server_kind import KINDS, ServerKind

CONFIG = Path("/etc/trinitycore-backup/config.json")


@dataclass(frozen=True)
class Config:
    """Settings, as the role writes them. Tables are written `database.table`."""

    kind: ServerKind
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
                kind=KINDS[values.pop("flavor")],
                directory=Path(values.pop("directory")),
                credentials=Path(values.pop("credentials")),
                metrics_file=Path(metrics) if metrics else None,
                **values,
            )
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise BackupError(f"{path}: {error}") from error
