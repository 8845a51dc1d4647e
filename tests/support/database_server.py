"""A throwaway database server on loopback for tests: a data directory of its own, a free port.

`mariadb` and `mysql` have the two kinds. Nothing that may be installed on the machine is touched; servers are stopped
by their process id.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import os
import shlex
import shutil
import signal
import subprocess
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from tests.support.binaries import free_port


@dataclass
class DatabaseServer(ABC):
    """A running server. `sql` and `load` go through its socket as root, without password."""

    directory: Path
    port: int
    process: subprocess.Popen[bytes]
    arguments: Sequence[str]

    @classmethod
    @functools.cache
    def empty_data_directory(cls) -> Path:
        """Return a fresh data directory to copy: making one takes seconds, a copy does not.

        :raises RuntimeError: it can't be made; the message holds the end of what was said.
        """
        folder = Path(tempfile.mkdtemp(prefix="database-"))
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        install = [*cls.installer(), f"--datadir={folder}/data"]
        if os.geteuid() == 0:
            install.append("--user=root")
        # A server that starts removes temporary tables from its temporary folder, others' too: each needs its own.
        own = {**os.environ, "TMPDIR": str(folder)}
        done = subprocess.run(install, capture_output=True, text=True, check=False, env=own)
        if done.returncode:
            raise RuntimeError(f"{shlex.join(install)} failed: {done.stdout[-2000:]}{done.stderr[-2000:]}")
        (folder / "data/auto.cnf").unlink(missing_ok=True)  # each server has a uuid of its own
        return folder / "data"

    @staticmethod
    @abstractmethod
    def installer() -> list[str]:
        """Return the command that makes a data directory."""

    @staticmethod
    @abstractmethod
    def daemon() -> list[str]:
        """Return the command that starts a server, as far as the kinds of server differ."""

    @staticmethod
    @abstractmethod
    def client() -> list[str]:
        """Return the command of its client."""

    @abstractmethod
    def position(self) -> str:
        """Return the last transactions that it has."""

    @abstractmethod
    def account(self, user: str, password: str, grants: str = "SELECT ON *.*", require: str = "NONE") -> None:
        """Make an account that may log in from anywhere.

        :param grants: what stands between GRANT and TO.
        :param require: e.g. "SSL".
        """

    @abstractmethod
    def replicate_from(self, primary: Self, timeout: float = 20.0) -> None:
        """Make this server a read-only replica by GTID and wait until it has all that the primary has."""

    @abstractmethod
    def delay(self, seconds: int) -> None:
        """Have this replica apply what it receives so much later."""

    @abstractmethod
    def wait_for_gtid(self, position: str, timeout: float = 20.0) -> None:
        """Wait until this replica has applied the position.

        :raises TimeoutError: it has not in time.
        """

    @classmethod
    @contextlib.contextmanager
    def start(
        cls, directory: Path, *, server_id: int = 1, port: int | None = None, options: Mapping[str, str] | None = None
    ) -> Iterator[Self]:
        """Start a server in an empty directory and stop it when the context ends.

        :param directory: made if absent; keep its path short (a socket's path has at most 107 characters).
        :param server_id: differs between servers that replicate.
        :param port: default: a free one.
        :param options: more options of the server, e.g. ``{"ssl_cert": "/x.crt", "read_only": "ON"}``.
        :raises FileNotFoundError: it is not installed; the message names the package.
        :raises RuntimeError: it did not come up; the message holds the end of its log.
        """
        directory.mkdir(parents=True, exist_ok=True)
        shutil.copytree(cls.empty_data_directory(), directory / "data")
        (directory / "tmp").mkdir()
        port = port or free_port()
        arguments = [
            *cls.daemon(),
            *(f"--datadir={directory}/data", f"--socket={directory}/s", f"--port={port}", f"--tmpdir={directory}/tmp"),
            *("--bind-address=127.0.0.1", f"--pid-file={directory}/pid", f"--log-error={directory}/error.log"),
            *(f"--server-id={server_id}", f"--log-bin={directory}/data/bin", "--skip-name-resolve"),
            *("--innodb-buffer-pool-size=32M", "--innodb-flush-log-at-trx-commit=0", "--sync-binlog=0"),
            *("--open-files-limit=2048", "--table-open-cache=400", "--max-connections=150"),
            *(f"--{name}={value}" for name, value in (options or {}).items()),
        ]
        if os.geteuid() == 0:
            arguments.append("--user=root")
        server = cls(directory, port, subprocess.Popen(arguments, stdin=subprocess.DEVNULL), arguments)
        try:
            server.wait()
            yield server
        finally:
            server.kill()

    @property
    def socket(self) -> str:
        """Return its Unix socket."""
        return f"{self.directory}/s"

    @property
    def log(self) -> Path:
        """Return the server's error log."""
        return self.directory / "error.log"

    def wait(self, timeout: float = 30.0) -> None:
        """Wait until the server answers.

        :raises RuntimeError: it ended, or gave no answer in time.
        """
        deadline = time.monotonic() + timeout
        while self.process.poll() is None and time.monotonic() < deadline:
            if self._client("SELECT 1").returncode == 0:
                return
            time.sleep(0.05)
        log = self.log.read_text(errors="replace") if self.log.exists() else ""
        raise RuntimeError(f"the server on port {self.port} did not come up:\n{log[-3000:]}")

    def command(self, *arguments: str) -> list[str]:
        """Return the command of its client, logged in as root."""
        return [*self.client(), "--no-defaults", f"--socket={self.socket}", "-uroot", *arguments]

    def _client(self, sql: str, database: str = "") -> subprocess.CompletedProcess[str]:
        command = self.command("-N", "-B", database)
        return subprocess.run(command, input=sql, capture_output=True, text=True, check=False)

    def sql(self, sql: str, database: str = "") -> list[list[str]]:
        """Run statements as root and return the rows, every value as text (NULL as "NULL").

        :raises RuntimeError: with the server's message.
        """
        done = self._client(sql, database)
        if done.returncode:
            raise RuntimeError(done.stderr.strip())
        return [line.split("\t") for line in done.stdout.splitlines()]

    def load(self, database: str, file: Path) -> None:
        """Make the database if it is absent and run the .sql or .sql.gz file in it."""
        self.sql(f"CREATE DATABASE IF NOT EXISTS `{database}`")
        # Dumps of MySQL 8 name a collation that MariaDB before 11.4 does not know.
        known = "s/utf8mb4_0900_ai_ci/utf8mb4_general_ci/g"
        reader = f"{'zcat' if file.suffix == '.gz' else 'cat'} {shlex.quote(str(file))} | sed {known}"
        with subprocess.Popen(["sh", "-c", reader], stdout=subprocess.PIPE) as source:
            done = subprocess.run(
                self.command(database), stdin=source.stdout, capture_output=True, text=True, check=False
            )
        if done.returncode:
            raise RuntimeError(f"{file}: {done.stderr.strip()}")

    def kill(self) -> None:
        """End the server at once, as a power cut would; does nothing when it has ended."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.kill()
        self.process.wait()

    def stop(self, timeout: float = 30.0) -> None:
        """Shut the server down in order."""
        self.process.terminate()
        self.process.wait(timeout)

    def restart(self) -> None:
        """Start it again on the same data and port after `kill` or `stop`."""
        self.process = subprocess.Popen(self.arguments, stdin=subprocess.DEVNULL)
        self.wait()

    def freeze(self) -> None:
        """Stop the process from running: connections stay open and nothing answers."""
        self.process.send_signal(signal.SIGSTOP)
        while any(stat.read_text().rpartition(")")[2].split()[0] != "T" for stat in self._threads()):
            time.sleep(0.001)  # each thread stops when it gets to run next, and might answer before

    def _threads(self) -> Iterator[Path]:
        return Path(f"/proc/{self.process.pid}/task").glob("*/stat")

    def thaw(self) -> None:
        """Let a frozen process go on."""
        self.process.send_signal(signal.SIGCONT)
