"""SQL dump files: opened plain or gzipped, looked through before anything is changed, fitted to the server."""

from __future__ import annotations

import contextlib
import gzip
import re
import subprocess
import zlib
from collections.abc import Iterable, Iterator
from typing import IO, cast

from .errors import DatabaseError

ENDINGS = (".sql", ".sql.gz")

# What may hide a keyword (strings, quoted names, comments), and the keywords we look for outside of them.
# `/*!` and `/*M!` are no comments: the server executes them.
_TOKEN = re.compile(
    rb"""(?P<string>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|`[^`]*`)"""
    rb"""|(?P<open>['"`])"""
    rb"""|(?P<comment>--(?=\s|$).*|\#.*|/\*(?!M?!).*?\*/)"""
    rb"""|(?P<block>/\*(?!M?!))"""
    rb"""|(?P<collation>\butf8mb4_0900_\w+)"""
    rb"""|(?P<database>\b(?:CREATE|DROP|ALTER)\s+(?:/\*!\d+\s[^*]*\*/\s*)?(?:DATABASE|SCHEMA)\b)"""
    rb"""|(?P<use>(?:^|;)\s*USE\s)""",
    re.IGNORECASE | re.DOTALL,
)
# Nearly every line of a dump: strings that close, and none of our keywords. One match each, for speed; it takes as
# much of a line as it can and so never backtracks.
_CLOSED = re.compile(
    rb"""(?:[^'"`#/\-]+|'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|`[^`]*`|-(?!-)|/(?!\*)|/\*(?=M?!))*""", re.DOTALL
)
_KEYWORD = re.compile(rb"_0900_|\b(?:DATABASE|SCHEMA|USE)\b", re.IGNORECASE)
_MADE_BY_DUMP = re.compile(rb"-- (MySQL|MariaDB) dump|/\*M!999999")
_STRING_END = {
    b"'": re.compile(rb"(?:[^'\\]|\\.)*'", re.DOTALL),
    b'"': re.compile(rb'(?:[^"\\]|\\.)*"', re.DOTALL),
    b"`": re.compile(rb"[^`]*`", re.DOTALL),
    b"*": re.compile(rb".*?\*/", re.DOTALL),
}


def read_lines(path: str) -> Iterator[bytes]:
    """Yield the lines of a `.sql` or `.sql.gz` file.

    :raises DatabaseError: a gzip file is truncated or damaged.
    """
    opener = gzip.open if path.endswith(".gz") else open
    with cast("IO[bytes]", opener(path, "rb")) as lines:
        try:
            yield from lines
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise DatabaseError(f"{path} is truncated or damaged: {error}") from error


def collations(listed: Iterable[str]) -> frozenset[str]:
    """Return the names of collations by what ``SHOW COLLATION`` lists, the `uca1400` ones under their full names."""
    return frozenset(f"utf8mb4_{name}" if name.startswith("uca1400") else name for name in listed)


class _Reader:
    """Goes through the lines of a dump and knows what a string or comment left open hides."""

    def __init__(self, path: str, known: frozenset[str]) -> None:
        self._path = path
        self._known = known
        self._inside = b""  # the quote, or `*` of a comment, that an earlier line left open
        self._first = self._last = b""
        self._number = 0

    def line(self, line: bytes) -> bytes:
        """Return the line as the server is to get it.

        :raises DatabaseError: it names a database.
        """
        self._number += 1
        if line.strip():
            self._first, self._last = self._first or line, line
        if not self._inside and not _KEYWORD.search(line):
            closed = _CLOSED.match(line)
            if closed is not None and closed.end() == len(line):
                return line
        pieces: list[bytes] = []
        position = written = 0  # how far the line is looked through, and passed on
        while (token := self._next(line, position)) is not None:
            position = token.end()
            kind = token.lastgroup
            if kind == "collation":
                pieces += [line[written : token.start()], _relative(token[0], self._known)]
                written = position
            elif kind in ("open", "block"):
                self._inside = b"*" if kind == "block" else token[0]
            elif kind in ("database", "use"):
                words = token[0].decode(errors="replace").strip(" ;")
                raise DatabaseError(
                    f"{self._path}, line {self._number}: {words} ...: the file names a database of its own. Make the "
                    "dump of one database, without --databases"
                )
        return b"".join([*pieces, line[written:]])

    def _next(self, line: bytes, position: int) -> re.Match[bytes] | None:
        if not self._inside:
            return _TOKEN.search(line, position)
        end = _STRING_END[self._inside].match(line, position)
        if end is not None:
            self._inside = b""
        return end

    def end(self) -> None:
        """Take note that there are no more lines.

        :raises DatabaseError: there should be.
        """
        if self._inside:
            where = "comment" if self._inside == b"*" else "string"
            raise DatabaseError(f"{self._path} ends inside a {where}: it is cut short")
        if _MADE_BY_DUMP.match(self._first) and not self._last.startswith(b"-- Dump completed"):
            raise DatabaseError(f"{self._path} lacks the dump's closing line: it is cut short")


def fitted(path: str, known: frozenset[str]) -> Iterator[bytes]:
    """Yield the lines of a dump, with MySQL 8's collations replaced where the server has none of the name.

    `utf8mb4_0900_*` become their nearest relatives among the `known`, `utf8mb4_uca1400_*` (else
    `utf8mb4_unicode_ci`); text inside strings stays as it is.

    :raises DatabaseError: the file is damaged, cut short, or names a database of its own.
    """
    reader = _Reader(path, known)
    for line in read_lines(path):
        yield reader.line(line)
    reader.end()


def _relative(collation: bytes, known: frozenset[str]) -> bytes:
    name = collation.decode().lower()
    if name in known:
        return collation
    relative = name.replace("_0900_", "_uca1400_")
    if name == "utf8mb4_0900_bin":
        return b"utf8mb4_bin"
    return relative.encode() if relative in known else b"utf8mb4_unicode_ci"


def look_through(path: str, known: frozenset[str]) -> None:
    """Read a file to its end, so that a bad one is refused before anything is changed; see `fitted`."""
    for _ in fitted(path, known):
        pass


def load(path: str, database: str, socket: str, known: frozenset[str], client: str) -> None:
    """Feed a file to the server's own client, which knows delimiters and versioned comments.

    :raises DatabaseError: the server refused a statement; what came before it stays.
    """
    command = [
        client,
        "--no-defaults",
        f"--socket={socket}",
        "--user=root",
        "--default-character-set=utf8mb4",
        # No client commands in the file: `\!` and `source` would reach the shell and other files.
        "--binary-mode",
        "--batch",
        f"--database={database}",
    ]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
        into, told = cast("IO[bytes]", process.stdin), cast("IO[bytes]", process.stderr)
        try:
            # When the client gives up, it says why.
            with contextlib.suppress(BrokenPipeError):
                for line in fitted(path, known):
                    into.write(line)
                into.close()
        except BaseException:
            process.kill()
            raise
        message = told.read().decode(errors="replace").strip()
        if process.wait() != 0:
            raise DatabaseError(f"{path} into {database}: {message}")
