"""The database server, by its own client programs."""

from __future__ import annotations

import contextlib
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from .errors import BackupError
from .process import pipe
from .server_kind import ServerKind

_ATTEMPTS = 1000


@dataclass(frozen=True)
class Login:
    """How the client programs log in: by an option file with a password, or as root by the socket."""

    kind: ServerKind
    socket: str
    credentials: Path | None = None

    def arguments(self) -> list[str]:
        """Return the programs' first arguments; a password is never among them."""
        if self.credentials is not None:
            return [f"--defaults-file={self.credentials}"]
        return ["--no-defaults", f"--socket={self.socket}", "--user=root"]


class Session:
    """A session of the command-line client: statements in, rows of text out."""

    _MARK = b"end-of-answer\n"

    def __init__(self, login: Login) -> None:
        self.kind = login.kind
        command = [login.kind.client, *login.arguments()]
        command += ["--batch", "--skip-column-names", "--unbuffered", "--raw", "--force"]
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the session
        self._process = subprocess.Popen(
            [*command, "--quick", "--max-allowed-packet=1G", "--default-character-set=utf8mb4"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
        )

    def stream(self, statement: str) -> Iterator[bytes]:
        """Send one statement and yield its rows as lines, without their ends; take them all.

        :raises BackupError: the server refused it, or is gone.
        """
        asked, answers = pipe(self._process.stdin), pipe(self._process.stdout)
        with contextlib.suppress(BrokenPipeError):
            asked.write(f"{statement};\nSELECT '{self._MARK.decode().strip()}';\n".encode())
            asked.flush()
        ended = False
        for line in answers:
            ended = line == self._MARK
            if ended:
                break
            yield line[:-1]
        self._errors.seek(0)
        told = self._errors.read().decode(errors="replace").strip()
        self._errors.truncate(0)
        self._errors.seek(0)
        if told or not ended:
            raise BackupError(f"the database server: {told or 'connection lost'}, at: {statement[:200]}")

    def rows(self, statement: str) -> list[list[str]]:
        """Send one statement and return its rows.

        :raises BackupError: the server refused it, or is gone.
        """
        return [line.decode(errors="replace").split("\t") for line in self.stream(statement)]

    def value(self, statement: str) -> str:
        """Return the first column of the first row, or an empty text."""
        rows = self.rows(statement)
        return rows[0][0] if rows else ""

    def snapshot(self) -> dict[str, str]:
        """Open a transaction on a consistent snapshot, without a lock; return where it stands: `binlog`, `gtid`."""
        self.rows("SET SESSION time_zone = '+00:00', sql_mode = '', net_write_timeout = 3600, lock_wait_timeout = 60")
        self.rows("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        position = self._snapshot_between_commits() if self.kind.in_flight else self._snapshot_with_position()
        self.rows("SAVEPOINT table_done")
        return position

    def _snapshot_with_position(self) -> dict[str, str]:
        """Begin, and have the snapshot itself say where it stands."""
        self.rows("START TRANSACTION WITH CONSISTENT SNAPSHOT")
        status = {row[0].lower(): row[1] for row in self.rows("SHOW STATUS LIKE 'binlog\\_snapshot\\_%'")}
        file, position = status.get("binlog_snapshot_file", ""), status.get("binlog_snapshot_position", "")
        gtid = self.value(f"SELECT BINLOG_GTID_POS({text(file)}, {int(position)})") if file else ""
        return {"binlog": f"{file} {position}".strip(), "gtid": gtid}

    def _snapshot_between_commits(self) -> dict[str, str]:
        """Begin at a moment when nothing was being committed, so that the server's position is the snapshot's.

        :raises BackupError: there is no such moment.
        """
        now = f"SELECT {self.kind.position}, {self.kind.in_flight}"
        for _ in range(_ATTEMPTS):
            before = self.rows(now)
            self.rows("START TRANSACTION WITH CONSISTENT SNAPSHOT")
            if self.rows(now) == before and not before[0][1]:
                return {"binlog": "", "gtid": before[0][0]}
            self.rows("ROLLBACK")
        raise BackupError(f"transactions are committed without a pause; no snapshot in {_ATTEMPTS} attempts")

    def leave_table(self) -> None:
        """Let go of the table that was read, so that nobody's ALTER TABLE waits; the snapshot stays."""
        self.rows("ROLLBACK TO SAVEPOINT table_done")

    def close(self) -> None:
        """End the session."""
        with contextlib.suppress(BrokenPipeError):
            pipe(self._process.stdin).close()
        self._process.wait()
        pipe(self._process.stdout).close()
        self._errors.close()

    def __enter__(self) -> Session:  # noqa: PYI034 - Self is of Python 3.11, hosts may have 3.10
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def text(value: str) -> str:
    """Return a value as an SQL string."""
    return "'" + value.replace("\\", "\\\\").replace("'", "''") + "'"


def name(value: str) -> str:
    """Return an identifier in backquotes."""
    return "`" + value.replace("`", "``") + "`"


def listed(values: list[str]) -> str:
    """Return values as an SQL list; never empty."""
    return "(" + ", ".join(text(value) for value in [*values, ""]) + ")"
