"""The edge on loopback for tests: NGINX with the role's own configuration, before instances that do as they are told.

    authority = Authority(tmp_path / "pki")
    with Instance.start(authority, "app1-1") as one, Edge.start(tmp_path / "edge", authority, [one]) as edge:
        edge.call("creature_get").json()

Stopped by its process id; nothing of an NGINX that may be installed on the machine is touched.
"""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jinja2
import yaml
from trinitycore_mcp.web import wire

from tests.support.binaries import binary, free_port
from tests.support.certificates import Authority
from tests.support.waiting import wait_for

ROLE = Path(__file__).parents[2] / "roles" / "nginx"
DOMAIN = "mcp.test"
READ_ONLY = ("creature_get", "item_get")


@dataclass
class Answer:
    """An HTTP answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """Return the body, decoded."""
        return json.loads(self.body)

    @property
    def instance(self) -> str | None:
        """Who answered."""
        return self.headers.get("x-mcp-instance")


@dataclass
class Instance:
    """A stand-in for a server instance: TLS with a client certificate, readiness, tools, calls as it is told.

    :ivar mode: what it does with a call: ``answer``, ``die`` (the connection ends without an answer), ``hang``.
    :ivar health: what it does with a check: ``ready``, ``draining`` (503), ``hang``.
    :ivar calls: names of the tools, or else methods, of all calls that reached it.
    """

    name: str
    host: str
    port: int = 0
    mode: str = "answer"
    health: str = "ready"
    delay: float = 0.0
    read_only: Sequence[str] | None = READ_ONLY
    calls: list[str] = field(default_factory=list)
    heads: list[dict[str, str]] = field(default_factory=list)
    _loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.new_event_loop)
    _server: asyncio.Server | None = None
    _writers: set[asyncio.StreamWriter] = field(default_factory=set)

    @classmethod
    @contextlib.contextmanager
    def start(cls, authority: Authority, name: str, certificate_name: str | None = None) -> Iterator[Instance]:
        """Serve until the context ends.

        :param name: host and number, such as ``app1-1``.
        :param certificate_name: of its certificate, when it is not the host's.
        """
        host = name.rpartition("-")[0]
        instance = cls(name, host)
        pair = authority.issue(certificate_name or host)
        instance._tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(authority.ca))
        instance._tls.verify_mode = ssl.CERT_REQUIRED
        instance._tls.load_cert_chain(pair.certificate, pair.key)
        thread = threading.Thread(target=instance._loop.run_forever, daemon=True)
        thread.start()
        instance.open()
        try:
            yield instance
        finally:
            instance.close()
            instance._loop.call_soon_threadsafe(instance._loop.stop)
            thread.join(10)

    _tls: ssl.SSLContext = field(default_factory=ssl.create_default_context)

    def open(self) -> None:
        """Accept connections, at the same port as before."""

        async def listen() -> None:
            self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port, ssl=self._tls)
            self.port = self._server.sockets[0].getsockname()[1]

        asyncio.run_coroutine_threadsafe(listen(), self._loop).result(10)

    def close(self) -> None:
        """Refuse connections and cut those that are open, as when the process is killed."""

        async def end() -> None:
            if self._server is not None:
                self._server.close()
            for writer in self._writers:
                writer.transport.abort()

        asyncio.run_coroutine_threadsafe(end(), self._loop).result(10)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            while await self._answer(reader, writer):
                pass
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            self._writers.discard(writer)
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        line, *rest = head.strip().split("\r\n")
        headers = {name.lower(): value for name, _, value in (each.partition(": ") for each in rest)}
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        path = line.split()[1]
        status = 200
        result: dict[str, Any] = {}
        if path == "/health/tools":
            status, result = (404, {}) if self.read_only is None else (200, {"read_only": list(self.read_only)})
        elif path == "/health/ready":
            if self.health == "hang":
                await asyncio.sleep(3600)
            if self.health == "draining":
                status, result = 503, {"status": "not ready", "reasons": ["draining"]}
        elif path == "/mcp":
            message = wire.read(body)
            params = message.params if message is not None else None
            called = (params.name if params is not None else None) or (message.method if message is not None else "")
            self.calls.append(called)
            self.heads.append(headers)
            if self.mode == "die":
                return False
            if self.mode == "hang":
                await asyncio.sleep(3600)
            await asyncio.sleep(self.delay)
            result = {"jsonrpc": "2.0", "id": 1, "result": {"instance": self.name}}
        answer = json.dumps(result).encode()
        writer.write(
            b"HTTP/1.1 %d X\r\ncontent-type: application/json\r\nx-mcp-instance: %b\r\ncontent-length: %d\r\n\r\n%b"
            % (status, self.name.encode(), len(answer), answer)
        )
        await writer.drain()
        return True


def body_of(tool: str, ident: object = 1) -> bytes:
    """Return a tools/call."""
    message = {"jsonrpc": "2.0", "id": ident, "method": "tools/call", "params": {"name": tool, "arguments": {}}}
    return json.dumps(message).encode()


def defaults() -> dict[str, Any]:
    """Return the role's defaults, as far as they are no templates."""
    loaded: dict[str, Any] = yaml.safe_load((ROLE / "defaults" / "main.yml").read_text())
    return {name: value for name, value in loaded.items() if not (isinstance(value, str) and "{{" in value)}


@dataclass
class Edge:
    """A running NGINX."""

    directory: Path
    authority: Authority
    variables: dict[str, Any]
    process: subprocess.Popen[bytes]

    @classmethod
    @contextlib.contextmanager
    def start(
        cls,
        directory: Path,
        authority: Authority,
        instances: Sequence[Instance],
        *,
        variables: Mapping[str, Any] | None = None,
        members: Mapping[str, Any] | None = None,
    ) -> Iterator[Edge]:
        """Start NGINX in an empty folder; all instances are known to be up when the context begins.

        :param variables: of the role.
        :param members: settings of the balancer, such as ``policy``.
        :raises FileNotFoundError: NGINX is not installed.
        """
        directory.mkdir(parents=True)
        public = authority.issue(DOMAIN)
        given = {
            **defaults(),
            "nginx_server_name": DOMAIN,
            "nginx_certificate": str(public.certificate),
            "nginx_certificate_key": str(public.key),
            "nginx_http_port": free_port(without="443"),  # gixy takes any port with these digits for TLS
            "nginx_https_port": free_port(),
            "nginx_status_port": free_port(),
            "nginx_listen_ipv6": False,
            "nginx_http2_directive": False,
            "nginx_listen_options": " http2",
            "nginx_library": str(ROLE / "files"),
            "nginx_runtime_directory": str(directory),
            "nginx_members_file": str(directory / "members.json"),
            "nginx_states_file": str(directory / "states.json"),
            "nginx_v1_file": str(directory / "v1.json"),
            "nginx_v1_key_file": str(directory / "v1.key"),
            "nginx_trace_sample_ratio": 1.0,
            "nginx_worker_processes": 2,
            "nginx_limit_nofile": 4096,
            "nginx_worker_connections": 1024,
            "nginx_limit_exempt": ["127.0.0.0/8"],
            "cluster_tls_directory": str(directory),
            "cluster_public_certificate": False,
            "nginx_acme_peers": [],
            **(variables or {}),
        }
        own = authority.issue("lb1")
        shutil.copy(own.certificate, directory / "host.crt")
        shutil.copy(own.key, directory / "host.key")
        shutil.copy(authority.ca, directory / "ca.crt")
        program = binary("nginx")
        edge = cls(directory, authority, given, None)  # type: ignore[arg-type]
        edge.write_configuration()
        edge.write_members(instances, members)
        edge.process = subprocess.Popen(
            [program, "-c", str(directory / "nginx.conf"), "-g", "daemon off;"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=(directory / "stderr").open("wb"),
        )
        try:
            wait_for(lambda: edge.process.poll() is not None or edge.all_up(instances))
            assert edge.process.poll() is None, (directory / "stderr").read_text()
            yield edge
        finally:
            edge.process.send_signal(signal.SIGTERM)
            edge.process.wait(20)

    def write_configuration(self) -> None:
        """Render nginx.conf, with everything in our own folder and as our own user."""
        environment = jinja2.Environment(trim_blocks=True, undefined=jinja2.StrictUndefined)
        environment.filters["dirname"] = os.path.dirname  # Ansible's
        text = environment.from_string((ROLE / "templates" / "nginx.conf.j2").read_text()).render(self.variables)
        for there, here in (
            ("user www-data;", f"user {'root' if os.geteuid() == 0 else 'nobody'};"),
            ("/run/nginx.pid", f"{self.directory}/nginx.pid"),
            ("/var/log/nginx/", f"{self.directory}/"),
        ):
            assert there in text
            text = text.replace(there, here)
        (self.directory / "nginx.conf").write_text(text)

    def write_members(
        self,
        instances: Sequence[Instance],
        settings: Mapping[str, Any] | None = None,
        weights: Mapping[str, int] | None = None,
        canaries: Sequence[str] = (),
    ) -> None:
        """Write the file of members."""
        listed = [
            {
                "id": each.name,
                "host": each.host,
                "address": "127.0.0.1",
                "port": each.port,
                "weight": (weights or {}).get(each.name, 1),
                "canary": each.name in canaries,
            }
            for each in instances
        ]
        self._replace(
            "members.json",
            {
                "policy": "round_robin",
                "affinity": "none",
                "canary_share": 5,
                "check_interval": 0.5,
                "check_timeout": 0.6,
                "fail_timeout": 1.0,
                "maintenance_message": "under maintenance",
                "members": listed,
                **(settings or {}),
            },
        )

    def write_states(self, states: Mapping[str, str]) -> None:
        """Write what the operator wants, and wait until it holds."""
        self._replace("states.json", dict(states))
        wait_for(lambda: self.status()["states"] == dict(states), 5)

    def _replace(self, name: str, data: object) -> None:
        staged = self.directory / f"{name}.new"
        staged.write_text(json.dumps(data))
        staged.rename(self.directory / name)

    def status(self) -> Any:
        """Return what the control socket says."""
        connection = http.client.HTTPConnection("localhost", timeout=5)
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.connect(str(self.directory / "control.sock"))
        try:
            connection.request("GET", "/status")
            return json.loads(connection.getresponse().read())
        finally:
            connection.close()

    def member(self, name: str) -> Any:
        """Return one member's state."""
        return next(each for each in self.status()["members"] if each["id"] == name)

    def all_up(self, instances: Sequence[Instance]) -> bool:
        """Return whether the edge knows all instances as up, with their tools."""
        try:
            status = self.status()
        except OSError:
            return False
        up = {each["id"] for each in status.get("members", []) if each["health"] == "up"}
        expects_tools = any(each.read_only for each in instances)
        return up >= {each.name for each in instances} and bool(status.get("read_only_tools")) == expects_tools

    def reload(self) -> None:
        """Reload at once, as without any grace."""
        self.process.send_signal(signal.SIGHUP)

    def workers(self) -> set[int]:
        """Return the workers that take calls."""
        command = ["pgrep", "-P", str(self.process.pid), "-f", "worker process$"]
        listed = subprocess.run(command, capture_output=True, text=True, check=False)
        return {int(line) for line in listed.stdout.split()}

    def connect(self) -> http.client.HTTPSConnection:
        """Return a connection of its own to the edge, by HTTP/1.1."""
        context = ssl.create_default_context(cafile=str(self.authority.ca))
        connection = http.client.HTTPSConnection(
            "localhost", self.variables["nginx_https_port"], timeout=20, context=context
        )
        raw = socket.create_connection(("127.0.0.1", self.variables["nginx_https_port"]), 20)
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.sock = context.wrap_socket(raw, server_hostname=DOMAIN)
        return connection

    def ask(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        connection: http.client.HTTPSConnection | None = None,
    ) -> Answer:
        """Return the answer to one request, over a connection of its own unless one is given."""
        used = connection or self.connect()
        try:
            used.request(method, path, body, {"Host": DOMAIN, **(headers or {})})
            answer = used.getresponse()
            return Answer(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())
        finally:
            if connection is None:
                used.close()

    def post(self, body: bytes, headers: Mapping[str, str] | None = None) -> Answer:
        """Return the answer to a POST of /mcp."""
        return self.ask("POST", "/mcp", body, {"Content-Type": "application/json", **(headers or {})})

    def call(self, tool: str, ident: object = 1) -> Answer:
        """Return the answer to a tools/call."""
        return self.post(body_of(tool, ident))

    def log(self) -> list[Any]:
        """Return the access log's lines, once NGINX has written them."""
        time.sleep(1.3)
        return [json.loads(line) for line in (self.directory / "access.log").read_text().splitlines()]
