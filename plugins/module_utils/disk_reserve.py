# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A file that holds nothing but space: deleted when a disk is full, it lets what runs there go on."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

MIB = 1 << 20


class NoRoomError(Exception):
    """There is no space for the reserve."""


def size_of(path: Path) -> int:
    """Return the bytes that the reserve takes up on the disk; 0: there is none."""
    try:
        return path.stat().st_blocks * 512
    except FileNotFoundError:
        return 0


def wrong_by(path: Path, size: int) -> bool:
    """Whether the reserve is not of that size (bytes), give or take a block."""
    return abs(size_of(path) - size) > MIB


def put(path: Path, size: int) -> None:
    """Make the reserve, of that size in bytes; 0 removes it. It appears under its name only when it is whole.

    :raises NoRoomError: less than as much again would be left free; nothing was changed.
    """
    if not size:
        path.unlink(missing_ok=True)
        return
    free = shutil.disk_usage(path.parent).free + size_of(path)
    if free < 2 * size:
        raise NoRoomError(
            f"{path} is to reserve {size // MIB} MiB, and as much is to be left free, but {path.parent} has "
            f"{free // MIB} MiB. Free some, or reserve less"
        )
    path.unlink(missing_ok=True)
    staged = path.with_name(f"{path.name}.new")
    descriptor = os.open(staged, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
    try:
        os.posix_fallocate(descriptor, 0, size)
        os.fsync(descriptor)
    except OSError as error:
        staged.unlink()
        raise NoRoomError(f"{path}: {error}") from error
    finally:
        os.close(descriptor)
    staged.rename(path)
