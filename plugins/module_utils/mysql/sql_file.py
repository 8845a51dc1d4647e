"""SQL dump files: opened plain or gzipped, looked through before anything is changed, fitted to the server."""

from __future__ import annotations

import gzip
import re
import subprocess
import zlib
from collections.abc import Iterator
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
    with cast(IO[bytes], opener(path, "rb")) as lines:
        try:
            yield from lines
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise DatabaseError(f"{path} is truncated or damaged: {error}") from error


def fitted(path: str, collations: frozenset[str]) -> Iterator[bytes]:
    """Yield the lines of a dump, with MySQL 8's collations replaced where the server has none of the name.

    `utf8mb4_0900_*` become their nearest relatives, `utf8mb4_uca1400_*` (else `utf8mb4_unicode_ci`); text inside
    strings stays as it is.

    :raises DatabaseError: the file is damaged, cut short, or names a database of its own.
    """
    inside = b""  # the quote or comment that an earlier line left open
    first = last = b""
    for number, line in enumerate(read_lines(path), start=1):
        if line.strip():
            first, last = first or line, line
        if not inside and not _KEYWORD.search(line) and _CLOSED.match(line).end() == len(line):  # type: ignore[union-attr]
            yield line
            continue
        pieces: list[bytes] = []
        position = written = 0  # how far the line is looked through, and passed on
        while position < len(line):
            if inside:
                end = _STRING_END[inside].match(line, position)
                if end is None:
                    break
                position, inside = end.end(), b""
            token = _TOKEN.search(line, position)
            if token is None:
                break
            position = token.end()
            kind = token.lastgroup
            if kind == "collation":
                pieces += [line[written : token.start()], _relative(token[0], collations)]
                written = position
            elif kind in ("open", "block"):
                inside = b"*" if kind == "block" else token[0]
            elif kind in ("database", "use"):
                raise DatabaseError(
                    f"{path}, line {number}: {token[0].decode(errors='replace').strip(' ;')} ...: the file names a "
                    "database of its own. Make the dump of one database, without --databases"
                )
        yield line if not written else b"".join([*pieces, line[written:]])
    if inside:
        raise DatabaseError(f"{path} ends inside a {'comment' if inside == b'*' else 'string'}: it is cut short")
    if re.match(rb"(/\*.*\*/\s*;?\s*)?-- (MySQL|MariaDB) dump", first) or first.startswith(b"/*M!"):
        if not last.startswith(b"-- Dump completed"):
            raise DatabaseError(f"{path} lacks the dump's closing line: it is cut short")


def _relative(collation: bytes, collations: frozenset[str]) -> bytes:
    name = collation.decode().lower()
    if name in collations:
        return collation
    relative = name.replace("_0900_", "_uca1400_")
    if name == "utf8mb4_0900_bin":
        return b"utf8mb4_bin"
    return relative.encode() if relative in collations else b"utf8mb4_unicode_ci"


def look_through(path: str, collations: frozenset[str]) -> None:
    """Read a file to its end, so that a bad one is refused before anything is changed; see `fitted`."""
    for _ in fitted(path, collations):
        pass


def load(path: str, database: str, socket: str, collations: frozenset[str], client: str = "mariadb") -> None:
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
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    ) as process:
        assert process.stdin is not None and process.stderr is not None
        try:
            for line in fitted(path, collations):
                process.stdin.write(line)
            process.stdin.close()
        except BrokenPipeError:
            pass  # the client gave up; it says why
        except BaseException:
            process.kill()
            raise
        told = process.stderr.read().decode(errors="replace").strip()
        if process.wait() != 0:
            raise DatabaseError(f"{path} into {database}: {told}")
