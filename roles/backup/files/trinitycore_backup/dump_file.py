"""The compressed dump of one database: writing, reading, counting its rows."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from .errors import BackupError
from .process import pipe

END = "-- end of backup of "
_TABLE = re.compile(rb"^CREATE TABLE (?:IF NOT EXISTS )?`((?:[^`]|``)+)` \($")
_INSERT = re.compile(rb"^INSERT INTO `((?:[^`]|``)+)` ")


@dataclass
class RowCounter:
    """Counts the rows of each table in the lines of one database's dump."""

    tables: dict[str, int] = field(default_factory=dict)
    _inserting: str = ""
    _in_body: bool = False

    def feed(self, line: bytes) -> None:
        """Take the next line. Each row stands on a line of its own; line ends inside values are escaped."""
        if line.startswith(b"DELIMITER ") and not self._inserting:
            self._in_body = line.rstrip() != b"DELIMITER ;"
            return
        if self._in_body:
            return
        if self._inserting:
            self.tables[self._inserting] += line.startswith(b"(")
            if line.endswith(b");\n"):
                self._inserting = ""
        elif line.startswith(b"CREATE TABLE") and (found := _TABLE.match(line.rstrip())):
            self.tables.setdefault(_identifier(found[1]), 0)
        elif line.startswith(b"INSERT INTO") and (found := _INSERT.match(line)):
            self._inserting = _identifier(found[1])


def _identifier(quoted: bytes) -> str:
    return quoted.decode().replace("``", "`")


class DumpFile:
    """A compressed dump of one database while it is written."""

    def __init__(self, path: Path, level: int) -> None:
        self.path = path
        self.counter = RowCounter()
        self.plain_size = 0
        self._file = path.open("wb")
        self._zstd = subprocess.Popen(["zstd", "-q", f"-{level}", "-c"], stdin=subprocess.PIPE, stdout=self._file)

    def write(self, line: bytes) -> None:
        """Append a line."""
        pipe(self._zstd.stdin).write(line)
        self.plain_size += len(line)
        self.counter.feed(line)

    def close(self) -> None:
        """Finish compression and bring everything to disk."""
        pipe(self._zstd.stdin).close()
        code = self._zstd.wait()
        os.fsync(self._file.fileno())
        self._file.close()
        if code != 0:
            raise BackupError(f"zstd failed with code {code} on {self.path}")

    def abandon(self) -> None:
        """Stop without finishing; never raises."""
        self._zstd.kill()
        self._zstd.wait()
        self._file.close()


@contextlib.contextmanager
def decompressed(path: Path) -> Iterator[IO[bytes]]:
    """Give the lines of a compressed dump.

    :raises BackupError: it is damaged or cut short.
    """
    with subprocess.Popen(
        ["zstd", "-q", "-d", "-c", str(path)], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as zstd:
        try:
            yield pipe(zstd.stdout)
        except BaseException:
            zstd.kill()
            raise
        told = pipe(zstd.stderr).read().decode(errors="replace").strip()
        if zstd.wait() != 0:
            raise BackupError(f"{path} is damaged: {told}")


def file_sha256(path: Path) -> str:
    """Return the checksum of a file."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
