"""SIGHUP: what takes effect at once, what is refused, what waits for a restart, and that no call notices."""

from __future__ import annotations

import hashlib
import http.client
import itertools
import signal
import socket
import ssl
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from server.tests.lifecycle_support import until
from tests.support.certificates import Authority, Pair
from tests.support.mariadb import MariaDb
from tests.support.mcp_server import KEY, McpServer, database_section, tool_request

OTHER_KEY = "tcmcp_another-key-of-the-tests"
_RELOADED = "configuration reloaded"
_REFUSED = "configuration not reloaded"


def write_keys(file: Path, *keys: str) -> None:
    entries = [
        {"name": f"key-{number}", "sha256": hashlib.sha256(key.encode()).hexdigest(), "scopes": ["read"]}
        for number, key in enumerate(keys)
    ]
    file.write_text(yaml.safe_dump(entries))


class Reloads:
    """A server and its configuration, to be changed."""

    def __init__(self, server: McpServer) -> None:
        self.server = server
        self.file = server.directory / "config.yml"
        self._whole = self.file.read_text()

    def _lines(self) -> list[dict[str, Any]]:
        return [line for line in self.server.log() if line["message"] in (_RELOADED, _REFUSED)]

    def signal(self) -> dict[str, Any]:
        """Send SIGHUP and return the log's line on what came of it."""
        before = len(self._lines())
        self.server.process.send_signal(signal.SIGHUP)
        until(lambda: len(self._lines()) > before)
        return self._lines()[-1]

    def change(self, **sections: Any) -> dict[str, Any]:
        """Change these keys of these sections against the first configuration, and reload."""
        config = yaml.safe_load(self._whole)
        for name, section in sections.items():
            config[name] = config.get(name, {}) | section
        self.file.write_text(yaml.safe_dump(config))
        return self.signal()

    def restore(self) -> None:
        """Go back to the first configuration."""
        self.file.write_text(self._whole)
        write_keys(self.server.directory / "api_keys", KEY)
        assert self.signal()["message"] == _RELOADED

    def status(self, key: str = KEY, tool: str = "item_get") -> int:
        """Call a tool and return the HTTP status."""
        body, headers = tool_request(tool, {"id": 25})
        headers["authorization"] = f"Bearer {key}"
        return self.server.request("POST", "/mcp", body=body, headers=headers).status


@pytest.fixture(scope="module")
def running(mariadb: MariaDb, tmp_path_factory: pytest.TempPathFactory) -> Iterator[McpServer]:
    with McpServer.start(tmp_path_factory.mktemp("reload"), {"database": database_section(mariadb)}) as server:
        server.wait_until_ready()
        yield server


@pytest.fixture
def reloads(running: McpServer) -> Iterator[Reloads]:
    made = Reloads(running)
    yield made
    made.restore()


@contextmanager
def callers(server: McpServer, count: int = 3) -> Iterator[Counter[str]]:
    """Call tools all the time, by both ways; the counter has what came of it when the context is left."""
    outcomes: Counter[str] = Counter()
    over = threading.Event()

    def call(version: str) -> None:
        for number in itertools.count(1):
            if over.is_set():
                return
            try:
                # Bad arguments and an absent id are answers too; the id differs so that the database is asked.
                result = server.call("item_get", {"id": 25 if number % 2 else 10_000 + number}, version)
                outcomes["answer" if "content" in result else str(result)] += 1
            except Exception as error:
                outcomes[repr(error)] += 1

    threads = [
        threading.Thread(target=call, args=(version,))
        for version in itertools.islice(itertools.cycle(["2026-07-28", "2024-11-05"]), count)
    ]
    for thread in threads:
        thread.start()
    try:
        yield outcomes
    finally:
        over.set()
        for thread in threads:
            thread.join()


def test_a_new_log_level_holds_at_once(reloads: Reloads) -> None:
    # What came of a reload is told whatever the level.
    assert reloads.change(logging={"level": "ERROR"})["applied"] == ["logging.level"]
    before = len(reloads.server.log())
    assert reloads.status() == 200
    assert reloads.change(logging={"level": "DEBUG"})["applied"] == ["logging.level"]
    assert [each["message"] for each in reloads.server.log()[before:]] == [_RELOADED]
    assert reloads.status() == 200
    until(lambda: reloads.server.log()[-1]["message"] == "request")


def test_another_key_file_and_new_keys_in_it_hold_at_once(reloads: Reloads) -> None:
    write_keys(reloads.server.directory / "other_keys", OTHER_KEY)
    assert (reloads.status(KEY), reloads.status(OTHER_KEY)) == (200, 401)
    line = reloads.change(auth={"api_keys_file": "other_keys"})
    assert (line["level"], line["applied"], line["needs_restart"]) == ("INFO", ["auth.api_keys_file"], [])
    assert (reloads.status(KEY), reloads.status(OTHER_KEY)) == (401, 200)
    # The same name, another content.
    write_keys(reloads.server.directory / "other_keys", KEY)
    assert reloads.signal()["applied"] == []
    assert (reloads.status(KEY), reloads.status(OTHER_KEY)) == (200, 401)


def test_new_limits_hold_at_once(reloads: Reloads) -> None:
    assert [reloads.status() for _ in range(4)] == [200] * 4
    line = reloads.change(limits={"tools": {"item_get": {"requests": 2, "period": 3600}}})
    assert line["applied"] == ["limits.tools"] or line["applied"] == ["limits.tools.item_get"]
    results = [reloads.server.call("item_get", {"id": 25}) for _ in range(4)]
    assert [result["isError"] for result in results] == [False, False, True, True]
    assert "try again in" in results[-1]["content"][0]["text"]
    reloads.change(limits={"enabled": False})
    assert not reloads.server.call("item_get", {"id": 25})["isError"]


def test_reloads_drop_no_call(reloads: Reloads) -> None:
    with callers(reloads.server) as outcomes:
        until(lambda: outcomes["answer"] > 10)
        for number in range(6):
            reloads.change(cache={"enabled": number % 2 == 0}, logging={"level": "INFO"})
        with (reloads.server.directory / "config.yml").open("a") as file:
            file.write("nonsense: [")
        assert reloads.signal()["message"] == _REFUSED
        until(lambda seen=outcomes["answer"]: outcomes["answer"] > seen + 10)  # type: ignore[misc]
    assert set(outcomes) == {"answer"}


@pytest.mark.parametrize(
    ("sections", "error"),
    [
        ({"limits": {"enable": False}}, "limits.enable: unknown key, did you mean enabled?"),
        ({"auth": {"api_keys_file": "no_such_file"}}, "no_such_file: No such file or directory"),
    ],
)
def test_a_broken_configuration_changes_nothing(reloads: Reloads, sections: dict[str, Any], error: str) -> None:
    line = reloads.change(logging={"level": "ERROR"}, **sections)
    assert (line["level"], line["message"]) == ("ERROR", _REFUSED)
    assert error in line["errors"][0], line["errors"]
    assert reloads.status() == 200
    until(lambda: reloads.server.log()[-1]["message"] == "request")  # still at level INFO


def test_what_wants_a_restart_is_named_until_there_is_one_and_stays_as_it_was(reloads: Reloads) -> None:
    server = {"port": reloads.server.port + 1, "max_body_size": 1024, "public_url": "https://mcp.example.org/mcp"}
    server = yaml.safe_load(reloads.file.read_text())["server"] | server
    line = reloads.change(server=server, retention={"audit_days": 7})
    assert (line["level"], line["applied"]) == ("WARNING", ["retention.audit_days"])
    assert line["needs_restart"] == ["server.max_body_size", "server.port", "server.public_url"]
    again = reloads.signal()
    assert (again["applied"], again["needs_restart"]) == ([], line["needs_restart"])
    body, headers = tool_request("item_get", {"id": 25, "more": "x" * 2000})
    assert reloads.server.request("POST", "/mcp", body=body, headers=headers).status == 200
    challenge = reloads.server.request("POST", "/mcp", body=b"{}").headers["www-authenticate"]
    assert "example.org" not in challenge


class Secured:
    """A server whose listeners have TLS and want clients' certificates, and what its files are."""

    def __init__(self, server: McpServer, own: Pair, authority: Authority, ca: Path) -> None:
        self.server = server
        self.reloads = Reloads(server)
        self.own = own
        self.authority = authority
        self.ca = ca
        self._first = [(file, file.read_bytes()) for file in (own.certificate, own.key, ca)]

    def connect(self, client: Pair | None, port: int | None = None) -> http.client.HTTPSConnection:
        """Return a connection, over which a request was answered.

        :raises OSError: the server refused the client.
        """
        context = ssl.create_default_context(cafile=self.authority.ca)
        if client is not None:
            context.load_cert_chain(client.certificate, client.key)
        connection = http.client.HTTPSConnection("127.0.0.1", port or self.server.port, timeout=10, context=context)
        assert ask(connection) in (200, 404)  # the listener of the metrics has no such page
        return connection

    def serial(self, client: Pair, port: int | None = None) -> int:
        """Return the serial number of the certificate that the server shows to a new connection."""
        with closing(self.connect(client, port)) as connection:
            shown = connection.sock.getpeercert(binary_form=True)
        assert isinstance(shown, bytes)
        return x509.load_der_x509_certificate(shown).serial_number

    def restore(self) -> None:
        """Go back to the files of the beginning."""
        for file, content in self._first:
            file.write_bytes(content)
        self.reloads.restore()


def ask(connection: http.client.HTTPSConnection) -> int:
    """Send a request over a connection and return the answer's status."""
    connection.request("GET", "/health/live")
    answer = connection.getresponse()
    answer.read()
    return answer.status


def resumed(first: ssl.SSLSocket) -> bool:
    """Return whether a new connection is answered that goes on with the session of another one."""
    plain = socket.create_connection(first.getpeername(), timeout=10)
    try:
        with first.context.wrap_socket(plain, server_hostname="127.0.0.1", session=first.session) as again:
            again.sendall(b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n")
            return again.recv(1000).startswith(b"HTTP/1.1 200") and again.session_reused is True
    except OSError:
        return False


@pytest.fixture(scope="module")
def secured_once(mariadb: MariaDb, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    folder = tmp_path_factory.mktemp("secured")
    authority = Authority(folder / "ca")
    own, client = authority.issue("app1"), authority.issue("first")
    clients_ca = folder / "clients_ca.crt"
    clients_ca.write_bytes(authority.ca.read_bytes())
    section = {
        "tls": {"certificate_file": str(own.certificate), "key_file": str(own.key), "client_ca_file": str(clients_ca)}
    }
    tls = ssl.create_default_context(cafile=authority.ca)
    tls.load_cert_chain(client.certificate, client.key)
    config = {"database": database_section(mariadb), "server": section, "metrics": section}
    with McpServer.start(folder / "mcp", config, tls=tls) as server:
        server.wait_until_ready()
        yield Secured(server, own, authority, clients_ca)


@pytest.fixture
def secured(secured_once: Secured) -> Iterator[Secured]:
    yield secured_once
    secured_once.restore()


def test_a_renewed_certificate_is_shown_to_new_connections_and_old_ones_go_on(secured: Secured) -> None:
    client = secured.authority.issue("lb1")
    before = secured.own.serial
    with closing(secured.connect(client)) as old:
        socket_before = old.sock
        secured.own.replace_by(secured.authority.issue("app1-renewed"))
        assert secured.serial(client) == before  # no signal yet
        assert secured.reloads.signal()["message"] == _RELOADED
        for port in (secured.server.port, secured.server.metrics_port):
            assert secured.serial(client, port) == secured.own.serial != before
        assert ask(old) == 200
        assert old.sock is socket_before


def test_a_certificate_under_another_name_holds_at_once(secured: Secured) -> None:
    client, other = secured.authority.issue("lb1"), secured.authority.issue("app1-elsewhere")
    server = yaml.safe_load(secured.reloads.file.read_text())["server"]
    names = {"certificate_file": str(other.certificate), "key_file": str(other.key)}
    line = secured.reloads.change(server=server | {"tls": server["tls"] | names})
    assert (line["applied"], line["needs_restart"]) == (["server.tls.certificate_file", "server.tls.key_file"], [])
    assert secured.serial(client) == other.serial
    assert secured.serial(client, secured.server.metrics_port) == secured.own.serial


def _cut_short(secured: Secured) -> tuple[Path, str]:
    file = secured.own.certificate
    file.write_bytes(file.read_bytes()[:200])
    return file, "no certificate"


def _another_key(secured: Secured) -> tuple[Path, str]:
    secured.own.key.write_bytes(secured.authority.issue("another").key.read_bytes())
    return secured.own.key, "KEY_VALUES_MISMATCH"


def _locked_key(secured: Secured) -> tuple[Path, str]:
    key = serialization.load_pem_private_key(secured.own.key.read_bytes(), None)
    locked = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.BestAvailableEncryption(b"secret")
    )
    secured.own.key.write_bytes(locked)
    return secured.own.key, "without passphrase"


def _no_key(secured: Secured) -> tuple[Path, str]:
    secured.own.key.unlink()
    return secured.own.key, "No such file"


def _empty_ca(secured: Secured) -> tuple[Path, str]:
    secured.ca.write_bytes(b"")
    return secured.ca, "client_ca_file"


@pytest.mark.parametrize("damage", [_cut_short, _another_key, _locked_key, _no_key, _empty_ca])
def test_a_broken_file_is_named_and_what_was_read_before_goes_on(
    secured: Secured, damage: Callable[[Secured], tuple[Path, str]]
) -> None:
    client, before = secured.authority.issue("lb1"), secured.own.serial
    write_keys(secured.server.directory / "api_keys", OTHER_KEY)
    file, complaint = damage(secured)
    line = secured.reloads.signal()
    assert (line["level"], line["message"]) == ("ERROR", _REFUSED)
    assert str(file) in line["errors"][0]
    assert complaint in line["errors"][0]
    for port in (secured.server.port, secured.server.metrics_port):
        assert secured.serial(client, port) == before
    assert secured.reloads.status(KEY) == 200  # nor was anything else taken over


def test_the_authority_of_clients_can_be_replaced(secured: Secured, tmp_path: Path) -> None:
    other = Authority(tmp_path, "other")
    client, newcomer = secured.authority.issue("lb1"), other.issue("lb2")
    refused = r"(?i)certificate required|unknown ca|reset|eof|closed"
    with pytest.raises(OSError, match=refused):
        secured.connect(newcomer)
    with closing(secured.connect(client)) as old:
        assert resumed(old.sock)
        secured.ca.write_bytes(other.ca.read_bytes())
        assert secured.reloads.signal()["message"] == _RELOADED
        secured.connect(newcomer).close()
        assert ask(old) == 200
        assert not resumed(old.sock)
    for nobody in (client, None):
        with pytest.raises(OSError, match=refused):
            secured.connect(nobody)
