"""The directory that holds the backups, and the lock on it."""

from __future__ import annotations

import contextlib
import datetime
import fcntl
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from .config import Config
from .errors import BackupError
from .manifest import read_manifest

UTC = datetime.timezone.utc  # noqa: UP017 - datetime.UTC is of Python 3.11
ID = re.compile(r"^\d{8}T\d{6}Z$")
EXIT_BUSY = 75


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
            print("another run is under way; this one does nothing", file=sys.stderr)  # noqa: T201 - for whoever started it
            raise SystemExit(EXIT_BUSY) from None
        yield


def backups(config: Config) -> list[Path]:
    """Return the finished backups, oldest first."""
    if not config.directory.is_dir():
        return []
    return sorted(path for path in config.directory.iterdir() if ID.match(path.name) and path.is_dir())


def is_readable(path: Path) -> bool:
    """Tell whether a backup has a good manifest, and files of the sizes that stand in it."""
    try:
        manifest = read_manifest(path)
        return all((path / entry["file"]).stat().st_size == entry["size"] for entry in manifest["databases"].values())
    except (BackupError, OSError):
        return False


def find(config: Config, what: str) -> Path:
    """Return the folder of a backup given by path, by id or as `latest`.

    :raises BackupError: there is none.
    """
    if what == "latest":
        good = [path for path in backups(config) if is_readable(path)]
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
