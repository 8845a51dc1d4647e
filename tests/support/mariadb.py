"""A throwaway MariaDB on loopback for tests: Debian's own binaries, a data directory of its own, a free port.

    with MariaDb.start(tmp_path / "db") as server:
        server.sql("CREATE DATABASE world")
        server.load("world", Path("world.sql"))
        connect("127.0.0.1", server.port, "app_ro", ...)

Primary and replica:

    with MariaDb.start(a, server_id=1) as primary, MariaDb.start(b, server_id=2) as replica:
        replica.replicate_from(primary)

Nothing of a MariaDB that may be installed on the machine is touched; servers are stopped by their process id.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import os
import shlex
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_PACKAGES = {
    "mariadbd": "mariadb-server",
    "mariadb-install-db": "mariadb-server",
    "mariadb": "mariadb-client",
    "redis-server": "redis-server",
    "redis-cli": "redis-tools",
}


def binary(name: str) -> str:
    """Return the path of a server's binary.

    :raises FileNotFoundError: naming the Debian package that has it.
    """
    found = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if found is None:
        raise FileNotFoundError(f"{name} is not installed: apt-get install {_PACKAGES.get(name, name)}")
    return found


def free_port() -> int:
    """Return a TCP port of 127.0.0.1 that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@functools.cache
def _empty_data_directory() -> Path:
    """Return a fresh data directory to copy: making one takes seconds, a copy does not."""
    folder = Path(tempfile.mkdtemp(prefix="mariadb-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    install = [
        *(binary("mariadb-install-db"), "--no-defaults", f"--datadir={folder}/data", "--skip-test-db"),
        *("--auth-root-authentication-method=normal", "--skip-name-resolve", "--innodb-log-file-size=8M"),
    ]
    if os.geteuid() == 0:
        install.append("--user=root")
    # A server that starts removes temporary tables from its temporary folder, other servers' too: each needs its own.
    own = {**os.environ, "TMPDIR": str(folder)}
    done = subprocess.run(install, capture_output=True, text=True, check=False, env=own)
    if done.returncode:
        raise RuntimeError(f"mariadb-install-db failed: {done.stdout[-2000:]}{done.stderr[-2000:]}")
    return folder / "data"


@dataclass
class MariaDb:
    """A running server. `sql` and `load` go through its socket as root, without password."""

    directory: Path
    port: int
    process: subprocess.Popen[bytes]
    arguments: Sequence[str]

    @classmethod
    @contextlib.contextmanager
    def start(
        cls, directory: Path, *, server_id: int = 1, port: int | None = None, options: Mapping[str, str] | None = None
    ) -> Iterator[MariaDb]:
        """Start a server in an empty directory and stop it when the context ends.

        :param directory: made if absent; keep its path short (a socket's path has at most 107 characters).
        :param server_id: differs between servers that replicate.
        :param port: default: a free one.
        :param options: more options of mariadbd, e.g. ``{"ssl_cert": "/x.crt", "read_only": "ON"}``.
        :raises FileNotFoundError: MariaDB is not installed; the message names the package.
        :raises RuntimeError: it did not come up; the message holds the end of its log.
        """
        daemon = binary("mariadbd")
        directory.mkdir(parents=True, exist_ok=True)
        shutil.copytree(_empty_data_directory(), directory / "data")
        (directory / "tmp").mkdir()
        port = port or free_port()
        arguments = [
            *(daemon, "--no-defaults", f"--datadir={directory}/data", f"--socket={directory}/s", f"--port={port}"),
            *(
                "--bind-address=127.0.0.1",
                f"--tmpdir={directory}/tmp",
                f"--pid-file={directory}/pid",
                f"--log-error={directory}/log",
            ),
            *(
                f"--server-id={server_id}",
                f"--log-bin={directory}/data/bin",
                "--binlog-format=ROW",
                "--gtid-strict-mode",
            ),
            *(
                "--log-slave-updates",
                "--skip-name-resolve",
                "--innodb-buffer-pool-size=32M",
                "--innodb-log-file-size=8M",
            ),
            *("--open-files-limit=2048", "--table-open-cache=400", "--max-connections=150"),
            *("--performance-schema=OFF", "--innodb-flush-log-at-trx-commit=0", "--sync-binlog=0"),
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

    def wait(self, timeout: float = 30.0) -> None:
        """Wait until the server answers.

        :raises RuntimeError: it ended, or gave no answer in time.
        """
        deadline = time.monotonic() + timeout
        while self.process.poll() is None and time.monotonic() < deadline:
            if self._client("SELECT 1").returncode == 0:
                return
            time.sleep(0.05)
        log = (self.directory / "log").read_text(errors="replace") if (self.directory / "log").exists() else ""
        raise RuntimeError(f"mariadbd on port {self.port} did not come up:\n{log[-3000:]}")

    def _client(self, sql: str, database: str = "") -> subprocess.CompletedProcess[str]:
        command = [binary("mariadb"), "--no-defaults", f"--socket={self.directory}/s", "-uroot", "-N", "-B", database]
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
        command = [binary("mariadb"), "--no-defaults", f"--socket={self.directory}/s", "-uroot", database]
        # Dumps of MySQL 8 name a collation that MariaDB before 11.4 does not know.
        known = "s/utf8mb4_0900_ai_ci/utf8mb4_general_ci/g"
        reader = f"{'zcat' if file.suffix == '.gz' else 'cat'} {shlex.quote(str(file))} | sed {known}"
        with subprocess.Popen(["sh", "-c", reader], stdout=subprocess.PIPE) as source:
            done = subprocess.run(command, stdin=source.stdout, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"{file}: {done.stderr.strip()}")

    def account(self, user: str, password: str, grants: str = "SELECT ON *.*", require: str = "NONE") -> None:
        """Make an account that may log in from anywhere.

        :param grants: what stands between GRANT and TO.
        :param require: e.g. "SSL".
        """
        self.sql(
            f"CREATE OR REPLACE USER '{user}'@'%' IDENTIFIED BY '{password}' REQUIRE {require};"
            f"GRANT {grants} TO '{user}'@'%'"
        )

    def replicate_from(self, primary: MariaDb, timeout: float = 20.0) -> None:
        """Make this server a read-only replica by GTID and wait until it has all that the primary has."""
        primary.account("replication", "replication", "REPLICATION SLAVE ON *.*")
        self.arguments = [*self.arguments, "--read-only=ON"]  # also after a restart
        self.sql(
            "SET GLOBAL read_only = ON; "
            f"CHANGE MASTER TO MASTER_HOST='127.0.0.1', MASTER_PORT={primary.port}, MASTER_USER='replication', "
            "MASTER_PASSWORD='replication', MASTER_USE_GTID=slave_pos; START SLAVE"
        )
        self.wait_for_gtid(primary.sql("SELECT @@gtid_binlog_pos")[0][0], timeout)

    def wait_for_gtid(self, position: str, timeout: float = 20.0) -> None:
        """Wait until this replica has applied the position.

        :raises TimeoutError: it has not in time.
        """
        if self.sql(f"SELECT MASTER_GTID_WAIT('{position}', {timeout})") != [["0"]]:
            raise TimeoutError(f"replica on port {self.port} has not reached {position}")

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
