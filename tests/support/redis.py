"""A throwaway Redis on loopback for tests: a folder of its own, a free port, optionally TLS and an ACL file.

    with Redis.start(tmp_path / "r1") as primary, Redis.start(tmp_path / "r2") as replica:
        replica.cli("REPLICAOF", "127.0.0.1", str(primary.port))

    with Redis.start(folder, tls=authority.issue("redis1"), ca=authority.ca, acl=["user app on >secret ~* +@all"]): ...

Stopped by its process id; nothing of a Redis that may be installed on the machine is touched.
"""

from __future__ import annotations

import contextlib
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.support.binaries import binary, free_port
from tests.support.certificates import Pair


@dataclass
class Redis:
    """A running server. With TLS, `port` speaks TLS only."""

    directory: Path
    port: int
    process: subprocess.Popen[bytes]
    arguments: Sequence[str]
    ca: Path | None
    tls: Pair | None

    @classmethod
    @contextlib.contextmanager
    def start(
        cls,
        directory: Path,
        *,
        port: int | None = None,
        tls: Pair | None = None,
        ca: Path | None = None,
        acl: Sequence[str] = (),
        options: Mapping[str, str] | None = None,
    ) -> Iterator[Redis]:
        """Start a server in an empty folder and stop it when the context ends.

        :param directory: made if absent.
        :param port: default: a free one.
        :param tls: the server's certificate; clients need one of the same CA.
        :param ca: the CA's certificate, needed with `tls`.
        :param acl: lines of an ACL file; the default user is as they say, else it may do everything.
        :param options: more directives of redis.conf.
        :raises FileNotFoundError: Redis is not installed; the message names the package.
        :raises RuntimeError: it did not come up; the message holds the end of its log.
        """
        directory.mkdir(parents=True, exist_ok=True)
        port = port or free_port()
        listen = {"port": str(port)}
        if tls is not None and ca is not None:
            listen = {"port": "0", "tls-port": str(port), "tls-cert-file": str(tls.certificate)}
            listen |= {"tls-key-file": str(tls.key), "tls-ca-cert-file": str(ca), "tls-replication": "yes"}
        if acl:
            (directory / "users.acl").write_text("\n".join(acl) + "\n")
            listen["aclfile"] = str(directory / "users.acl")
        settings = {
            "bind": "127.0.0.1",
            "dir": str(directory),
            "logfile": str(directory / "log"),
            "save": '""',
            "appendonly": "no",
            "repl-diskless-sync-delay": "0",
            **listen,
            **(options or {}),
        }
        configuration = directory / "redis.conf"
        configuration.write_text("".join(f"{name} {value}\n" for name, value in settings.items()))
        arguments = [binary("redis-server"), str(configuration)]
        process = subprocess.Popen(arguments, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        server = cls(directory, port, process, arguments, ca, tls)
        try:
            server.wait()
            yield server
        finally:
            server.kill()

    def wait(self, timeout: float = 10.0) -> None:
        """Wait until the server answers, be it with "no permission".

        :raises RuntimeError: it ended, or gave no answer in time.
        """
        deadline = time.monotonic() + timeout
        while self.process.poll() is None and time.monotonic() < deadline:
            answer = self._run("PING").stdout
            if answer.startswith(("PONG", "NOAUTH", "NOPERM")):
                return
            time.sleep(0.02)
        log = (self.directory / "log").read_text(errors="replace") if (self.directory / "log").exists() else ""
        raise RuntimeError(f"redis-server on port {self.port} did not come up:\n{log[-2000:]}")

    def _run(
        self, *words: str, user: str | None = None, password: str | None = None
    ) -> subprocess.CompletedProcess[str]:
        command = [binary("redis-cli"), "-h", "127.0.0.1", "-p", str(self.port), "--no-auth-warning"]
        if self.tls is not None:
            command += ["--tls", "--cacert", str(self.ca), "--cert", str(self.tls.certificate)]
            command += ["--key", str(self.tls.key)]
        if password is not None:
            command += [*(["--user", user] if user else []), "--pass", password]
        return subprocess.run([*command, *words], capture_output=True, text=True, check=False)

    def cli(self, *words: str, user: str | None = None, password: str | None = None) -> str:
        """Run one command with redis-cli and return what it prints.

        :raises RuntimeError: redis-cli could not run it.
        """
        done = self._run(*words, user=user, password=password)
        if done.returncode or done.stdout.startswith(("ERR", "WRONGPASS", "NOAUTH", "NOPERM")):
            raise RuntimeError((done.stderr or done.stdout).strip())
        return done.stdout.strip()

    def kill(self) -> None:
        """End the server at once; does nothing when it has ended."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.kill()
        self.process.wait()

    def restart(self) -> None:
        """Start it again on the same port after `kill`; without persistence it comes back empty."""
        self.process = subprocess.Popen(self.arguments, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        self.wait()
