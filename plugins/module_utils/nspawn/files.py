# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Files written whole or not at all, and locks that die with their holder."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .commands import LabError


def write_atomically(path: Path, text: str, mode: int = 0o644) -> bool:
    """Give ``path`` this content and mode; return whether anything had to change."""
    try:
        if path.read_text() == text and path.stat().st_mode & 0o7777 == mode:
            return False
    except (FileNotFoundError, UnicodeDecodeError):
        pass
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w") as stream:
            stream.write(text)
        os.chmod(temporary, mode)
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
        raise
    return True


def read_json(path: Path) -> dict[str, Any]:
    """The object in a JSON file; empty when the file is missing or torn."""
    try:
        value = json.loads(path.read_text())
    except (FileNotFoundError, json.JSONDecodeError):
        return {}
    return value if isinstance(value, dict) else {}


def write_json(path: Path, value: dict[str, Any]) -> bool:
    """Like :func:`write_atomically`, for an object."""
    return write_atomically(path, json.dumps(value, indent=2, sort_keys=True) + "\n")


@contextlib.contextmanager
def locked(path: Path, *, timeout: float = 300.0) -> Iterator[int]:
    """Hold an exclusive lock on a file while the block runs; yields its descriptor.

    The kernel drops the lock with its holder, so a killed run never blocks the next one.
    The file may be removed by its holder: a waiter then notices and takes the new file.

    :raises LabError: somebody else held it for ``timeout`` seconds
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    deadline = time.monotonic() + timeout
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.fstat(descriptor).st_ino == os.stat(path).st_ino:
                break
        except (BlockingIOError, FileNotFoundError):
            pass
        os.close(descriptor)
        if time.monotonic() > deadline:
            raise LabError(f"{path} is held by another run for more than {timeout:.0f} s")
        time.sleep(0.1)
    try:
        yield descriptor
    finally:
        os.close(descriptor)
