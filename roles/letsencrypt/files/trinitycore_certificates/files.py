"""Files that others read whole or not at all."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path


def write(path: Path, text: str, mode: int, group_id: int = -1) -> None:
    """Write a file beside its place and move it there, on disk before it is seen."""
    handle, staged = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            os.fchown(file.fileno(), -1, group_id)
            os.fchmod(file.fileno(), mode)
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(staged, path)
    except BaseException:
        Path(staged).unlink(missing_ok=True)
        raise
    sync(path.parent)


def link(path: Path, target: str) -> None:
    """Point a symbolic link somewhere else in one step."""
    staged = path.with_name(f".{path.name}.link")
    staged.unlink(missing_ok=True)
    staged.symlink_to(target)
    os.replace(staged, path)
    sync(path.parent)


def directory(path: Path, mode: int, group_id: int = -1) -> None:
    """Make a folder, or mend its mode and group."""
    path.mkdir(exist_ok=True, parents=True)
    os.chown(path, -1, group_id)
    path.chmod(mode)


def remove(path: Path) -> None:
    """Remove a folder with all in it, if it is there."""
    shutil.rmtree(path, ignore_errors=True)


def sync(path: Path) -> None:
    """Have a folder's entries on disk."""
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
