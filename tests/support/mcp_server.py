"""The MCP server as a real process, for tests.

with McpServer.start(tmp_path, {"database": {...}}) as server:
    server.get("/health/ready")
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import signal
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from trinitycore_mcp.client import Answer as ToolAnswer
from trinitycore_mcp.client import Target, ToolCaller

from tests.support.binaries import free_port
from tests.support.database_server import DatabaseServer
from tests.support.reading_account import make_reading_account

LAB_WORLD = Path(__file__).parents[2] / "playbooks/files/lab_world"
KEY = "a-key-that-only-tests-know"
COMMAND = (sys.executable, "-m", "trinitycore_mcp")


@dataclass(frozen=True)
class Answer:
    """An HTTP answer."""

    status: int
    headers: Mapping[str, str]
    body: str

    def json(self) -> Any:
        """Return the body, decoded."""
        return json.loads(self.body)


def database_section(*servers: DatabaseServer, **more: object) -> dict[str, Any]:
    """Return the configuration's database section for these servers, account app_ro."""
    hosts = [{"host": "127.0.0.1", "port": server.port} for server in servers]
    return {"hosts": hosts, "user": "app_ro", "password_file": "db_password", **more}


def load_lab_world(server: DatabaseServer) -> None:
    """Load the lab's three databases and make the account that reads them."""
    for file in sorted(LAB_WORLD.glob("*.sql")):
        server.load(file.stem.partition("_")[0], file)
    make_reading_account(server)


def tool_request(
    tool: str, arguments: Mapping[str, Any], version: str = "2026-07-28", *, key: str = KEY
) -> tuple[bytes, dict[str, str]]:
    """Return body and headers of one tools/call as that protocol revision has it; the key is among the headers."""
    params: dict[str, Any] = {"name": tool, "arguments": dict(arguments)}
    headers = {
        "content-type": "application/json",
        "accept": "application/json, text/event-stream",
        "authorization": f"Bearer {key}",
        "mcp-protocol-version": version,
    }
    if version >= "2026":
        prefix = "io.modelcontextprotocol/"
        params["_meta"] = {f"{prefix}protocolVersion": version, f"{prefix}clientCapabilities": {}}
        params["_meta"][f"{prefix}clientInfo"] = {"name": "tests", "version": "1"}
        headers |= {"mcp-method": "tools/call", "mcp-name": tool}
    message = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
    return json.dumps(message).encode(), headers


@dataclass
class McpServer:
    """A running server; `key` is an API key with scope read."""

    directory: Path
    port: int
    metrics_port: int
    process: subprocess.Popen[bytes]
    tls: ssl.SSLContext | None = None
    key: str = KEY

    @classmethod
    @contextlib.contextmanager
    def start(
        cls,
        directory: Path,
        config: Mapping[str, Any],
        *,
        environment: Mapping[str, str] | None = None,
        tls: ssl.SSLContext | None = None,
        wait: bool = True,
        command: Sequence[str] = (*COMMAND, "serve", "--config"),
    ) -> Iterator[McpServer]:
        """Write the configuration, start the server, and end it when the context ends.

        :param config: sections merged over sensible ones for tests.
        :param tls: how to connect, when the configuration has TLS.
        :param wait: for the listener, not for readiness.
        :param command: what to run; the configuration's path is put behind it.
        :raises RuntimeError: it ended or did not listen in time; the message holds its log.
        """
        directory.mkdir(parents=True, exist_ok=True)
        port, metrics_port = free_port(), free_port()
        digest = hashlib.sha256(KEY.encode()).hexdigest()
        (directory / "api_keys").write_text(yaml.safe_dump([{"name": "tests", "sha256": digest, "scopes": ["read"]}]))
        (directory / "db_password").write_text("app_ro\n")
        sections: dict[str, Any] = {
            "server": {"port": port, "instance_name": "test", "drain_delay": 0.2, "shutdown_timeout": 10},
            "metrics": {"port": metrics_port},
            "auth": {"api_keys_file": "api_keys"},
        }
        for name, section in config.items():
            sections[name] = sections.get(name, {}) | section
        (directory / "config.yml").write_text(yaml.safe_dump(sections))
        with (directory / "log").open("wb") as log:
            process = subprocess.Popen(
                [*command, str(directory / "config.yml")],
                stdin=subprocess.DEVNULL,
                stderr=log,
                env={**os.environ, **(environment or {})},
            )
        server = cls(directory, port, metrics_port, process, tls)
        try:
            if wait:
                server.wait_for("serving")
            yield server
        finally:
            if process.poll() is None:
                process.kill()
            process.wait()

    @property
    def url(self) -> str:
        """The MCP endpoint."""
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}/mcp"

    def get(self, path: str, *, port: int | None = None, **headers: str) -> Answer:
        """GET a path, e.g. /health/ready."""
        return self.request("GET", path, port=port, headers=headers)

    def request(
        self,
        method: str,
        path: str,
        *,
        port: int | None = None,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send one request and return the answer, whatever its status.

        :raises OSError: there was no answer.
        """
        url = f"{'https' if self.tls else 'http'}://127.0.0.1:{port or self.port}{path}"
        request = urllib.request.Request(url, data=body, method=method, headers=dict(headers or {}))
        try:
            with urllib.request.urlopen(request, timeout=10, context=self.tls) as answer:
                return Answer(answer.status, {k.lower(): v for k, v in answer.headers.items()}, answer.read().decode())
        except urllib.error.HTTPError as error:
            with error:
                headers = {k.lower(): v for k, v in error.headers.items()}
                return Answer(error.code, headers, error.read().decode())

    def call(self, tool: str, arguments: Mapping[str, Any], version: str = "2026-07-28") -> Any:
        """Call a tool with one bare request and return the JSON-RPC result."""
        body, headers = tool_request(tool, arguments, version)
        return self.request("POST", "/mcp", body=body, headers=headers).json()["result"]

    def metrics(self) -> dict[str, float]:
        """Return the metrics: series as text to value."""
        lines = self.get("/metrics", port=self.metrics_port).body.splitlines()
        pairs = (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
        return {series: float(value) for series, value in pairs}

    def log(self) -> list[dict[str, Any]]:
        """Return the log's lines, decoded; every line must be JSON."""
        return [json.loads(line) for line in (self.directory / "log").read_text().splitlines()]

    def wait_for(self, message: str, timeout: float = 20.0) -> None:
        """Wait until a log line with this message is there.

        :raises RuntimeError: the process ended, or the line did not come in time.
        """
        deadline = time.monotonic() + timeout
        path = self.directory / "log"
        while f'"message":"{message}"' not in path.read_text():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"no {message!r} in the log:\n{path.read_text()[-4000:]}")
            time.sleep(0.02)

    def wait_until_ready(self, timeout: float = 15.0) -> None:
        """Wait until /health/ready answers 200.

        :raises RuntimeError: with the last reasons.
        """
        deadline = time.monotonic() + timeout
        while (answer := self.get("/health/ready")).status != 200:
            if time.monotonic() > deadline:
                raise RuntimeError(f"not ready: {answer.body}")
            time.sleep(0.05)

    def terminate(self) -> None:
        """Send SIGTERM."""
        self.process.send_signal(signal.SIGTERM)


def target(server: McpServer, **changes: Any) -> Target:
    """Return the SDK client's target for a server."""
    return Target(**{"url": server.url, "key": server.key, **changes})


async def answer_of(server: McpServer, tool: str, **arguments: Any) -> ToolAnswer:
    """Call a tool with the SDK's client and return its answer."""
    [answer] = await ToolCaller(target(server)).call(tool, arguments)
    return answer
