"""The directories that a copy of the primary's data comes into, and how it takes the data directory's place.

Beside the data directory, for as long as it takes:

* ``<data>.copy`` is what comes in; once it holds MARKER, it is whole, prepared and ready to be used;
* ``<data>.before-copy`` is what the server had before.

MARKER in the data directory itself says that the copy is in its place, and that it does not replicate yet.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from .errors import DatabaseError

MARKER = "trinitycore_copy.json"
# Preparing writes what happened during the backup into the copy.
_MARGIN = 256 << 20
# What the package notes, and MySQL's settings of SET PERSIST.
_OF_THE_HOST = ("debian-*.flag", "mysqld-auto.cnf")
_EXCHANGE = 2
_AT_FDCWD = -100


@dataclass(frozen=True)
class Places:
    """The data directory and the two beside it."""

    data: Path
    incoming: Path
    before: Path

    @classmethod
    def beside(cls, data_directory: str) -> Places:
        """Return the places for a data directory."""
        data = Path(data_directory.rstrip("/"))
        return cls(data, data.with_name(f"{data.name}.copy"), data.with_name(f"{data.name}.before-copy"))

    @property
    def ready(self) -> bool:
        """Whether a whole copy waits to be used."""
        return (self.incoming / MARKER).exists()

    @property
    def exchanged(self) -> bool:
        """Whether the copy is in its place, and nobody has seen it replicate."""
        return (self.data / MARKER).exists()

    @property
    def unfinished(self) -> bool:
        """Whether a copy was begun and not brought to its end."""
        return self.exchanged or self.incoming.exists() or self.before.exists()


def tidy(places: Places) -> None:
    """Give the directories of an interrupted exchange the names that say what they are."""
    if (places.before / MARKER).exists():  # a copy that the server did not come up with
        remove(places.incoming)
        places.before.rename(places.incoming)
        remove(places.incoming)
    if places.exchanged and places.incoming.exists():
        if places.before.exists():  # what was there first is kept, not an earlier copy
            remove(places.incoming)
        else:
            places.incoming.rename(places.before)


def must_allow_exchange(places: Places) -> None:
    """:raises DatabaseError: the data directory is none that another one can change places with."""
    if places.data.is_symlink() or places.data.stat().st_dev != places.data.parent.stat().st_dev:
        raise DatabaseError(
            f"{places.data} is a link or a mount point, so no other directory can take its place. Make the data "
            "directory a directory within that file system, and run again"
        )
    with tempfile.TemporaryDirectory(prefix=".trinitycore-copy-", dir=places.data.parent) as probe:
        one, other = Path(probe, "one"), Path(probe, "other")
        one.mkdir()
        other.mkdir()
        exchange(one, other)


def exchange(one: Path, other: Path) -> None:
    """Let two directories change names, at once: there is no moment without a data directory.

    :raises DatabaseError: the file system can't.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.renameat2(_AT_FDCWD, os.fsencode(one), _AT_FDCWD, os.fsencode(other), _EXCHANGE) != 0:
        number = ctypes.get_errno()
        raise DatabaseError(f"{one} and {other} can't change places: {os.strerror(number)}")


def must_fit(places: Places, size: int) -> None:
    """Refuse a copy that there is no room for.

    :param size: its bytes.
    :raises DatabaseError: there is none.
    """
    needed = size + size // 10 + _MARGIN
    free = shutil.disk_usage(places.data.parent).free
    if free < needed:
        raise DatabaseError(
            f"a copy of {size / 2**20:.0f} MiB needs {needed / 2**20:.0f} MiB beside {places.data}, where "
            f"{free / 2**20:.0f} MiB are free. Nothing was changed"
        )


def dress(places: Places) -> None:
    """Give the copy the data directory's owner and mode, and what is the host's there, not the data's."""
    for pattern in _OF_THE_HOST:
        for file in places.data.glob(pattern):
            shutil.copy2(file, places.incoming / file.name)
    owner = places.data.stat()
    for folder, _, names in os.walk(places.incoming):
        for path in (folder, *(os.path.join(folder, name) for name in names)):
            os.chown(path, owner.st_uid, owner.st_gid)
    places.incoming.chmod(owner.st_mode & 0o7777)
    subprocess.run(["sync", "--file-system", str(places.incoming)], check=True)


def read_marker(directory: Path) -> dict[str, str | bool]:
    """Return what a copy's marker says."""
    said: dict[str, str | bool] = json.loads((directory / MARKER).read_text())
    return said


def write_marker(directory: Path, says: Mapping[str, str | bool]) -> None:
    """Write a copy's marker; it is either absent or whole, even after a power cut."""
    staged = directory / f"{MARKER}.new"
    with staged.open("w") as file:
        json.dump(says, file)
        file.flush()
        os.fsync(file.fileno())
    staged.rename(directory / MARKER)


def remove(directory: Path) -> None:
    """Remove a directory if it is there; one that is half removed holds no marker any more."""
    (directory / MARKER).unlink(missing_ok=True)
    if directory.exists():
        shutil.rmtree(directory)


@contextlib.contextmanager
def alone(data: Path) -> Iterator[None]:
    """Keep out another run, such as one whose controller was interrupted.

    :raises DatabaseError: there is one.
    """
    folder = os.open(data.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        try:
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise DatabaseError(f"another run copies to {data} already; wait until it has ended") from error
        yield
    finally:
        os.close(folder)
