"""What the tests over a running server share: keys of every scope, bare HTTP, and the catalogue as clients see it."""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import json
import os
import socket
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from tests.support.database_server import DatabaseServer
from tests.support.mcp_server import Answer, McpServer, database_section

MODERN, LEGACY = "2026-07-28", "2025-11-25"
KEYS = {
    scopes: f"tcmcp_a-key-with-scopes-{scopes}" for scopes in ("read", "players", "read+players", "read+players+admin")
}
READ, PLAYERS, ADMIN = KEYS["read"], KEYS["read+players"], KEYS["read+players+admin"]
_PREFIX = "io.modelcontextprotocol/"


def write_keys(directory: Path) -> Path:
    """Write the file of all keys in KEYS and return it."""
    directory.mkdir(parents=True, exist_ok=True)
    entries = [
        {
            "name": scopes.replace("+", "-"),
            "sha256": hashlib.sha256(key.encode()).hexdigest(),
            "scopes": scopes.split("+"),
        }
        for scopes, key in KEYS.items()
    ]
    file = directory / "keys.yml"
    file.write_text(yaml.safe_dump(entries))
    return file


@contextlib.contextmanager
def serving(
    directory: Path,
    *databases: DatabaseServer,
    database: Mapping[str, Any] | None = None,
    **sections: Mapping[str, Any],
) -> Iterator[McpServer]:
    """Run a server over these databases that knows KEYS and limits nobody, unless `sections` say otherwise."""
    config: dict[str, Any] = {
        "database": database_section(*databases, **(database or {})),
        "auth": {"api_keys_file": str(write_keys(directory))},
        "limits": {"enabled": False},
    }
    for name, section in sections.items():
        config[name] = config.get(name, {}) | dict(section)
    with McpServer.start(directory, config) as server:
        server.wait_until_ready()
        yield server


def headers_of(method: str, name: str | None = None, *, version: str = MODERN, key: str = ADMIN) -> dict[str, str]:
    """Return the headers that a request has in a protocol revision."""
    headers = {
        "content-type": "application/json",
        "accept": "application/json, text/event-stream",
        "authorization": f"Bearer {key}",
        "mcp-protocol-version": version,
    }
    if version >= MODERN:
        headers["mcp-method"] = method
        if name is not None:
            headers["mcp-name"] = name
    return headers


def message_of(method: str, params: Mapping[str, Any], *, version: str = MODERN, ident: Any = 1) -> dict[str, Any]:
    """Return a request's message in a protocol revision."""
    sent = dict(params)
    if version >= MODERN:
        client = {"name": "tests", "version": "1"}
        meta = {"protocolVersion": version, "clientCapabilities": {}, "clientInfo": client}
        sent["_meta"] = {f"{_PREFIX}{name}": value for name, value in meta.items()} | sent.get("_meta", {})
    return {"jsonrpc": "2.0", "id": ident, "method": method, "params": sent}


class Wire:
    """Bare HTTP to a server, over one connection as long as the server keeps it."""

    def __init__(self, server: McpServer, timeout: float = 15.0) -> None:
        self.server = server
        self._connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=timeout)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def send(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Send one request and return the answer, whatever its status.

        :raises OSError: there was no answer.
        :raises http.client.HTTPException: the same.
        """
        try:
            self._connection.request(method, path, body, dict(headers or {}))
            answer = self._connection.getresponse()
        except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError):
            # The server had closed the kept connection, which it may at any time.
            self._connection.close()
            self._connection.request(method, path, body, dict(headers or {}))
            answer = self._connection.getresponse()
        text = answer.read().decode()
        return Answer(answer.status, {name.lower(): value for name, value in answer.getheaders()}, text)

    def post(self, body: bytes, headers: Mapping[str, str]) -> Answer:
        """POST a body to /mcp."""
        return self.send("POST", "/mcp", body, headers)

    def request(
        self,
        method: str,
        params: Mapping[str, Any] | None = None,
        *,
        name: str | None = None,
        version: str = MODERN,
        key: str = ADMIN,
        ident: Any = 1,
    ) -> Answer:
        """Send one well-formed request."""
        body = json.dumps(message_of(method, params or {}, version=version, ident=ident)).encode()
        return self.post(body, headers_of(method, name, version=version, key=key))

    def call(self, tool: str, arguments: Mapping[str, Any], *, version: str = MODERN, key: str = ADMIN) -> Any:
        """Call a tool; return the protocol's tool result.

        :raises AssertionError: HTTP or JSON-RPC refused the request.
        """
        answer = self.request("tools/call", {"name": tool, "arguments": arguments}, name=tool, version=version, key=key)
        assert answer.status == 200, (tool, arguments, answer.status, answer.body[:500])
        message = answer.json()
        assert "result" in message, (tool, arguments, answer.body[:500])
        return message["result"]

    def streamed(self, tool: str, arguments: Mapping[str, Any], *, version: str = MODERN) -> Any:
        """Call a tool as a client that wants to be told of its progress: the SDK answers, maybe by events."""
        params = {"name": tool, "arguments": arguments, "_meta": {"progressToken": "how-far"}}
        answer = self.request("tools/call", params, name=tool, version=version)
        assert answer.status == 200, (tool, arguments, answer.status, answer.body[:500])
        if answer.headers["content-type"].startswith("application/json"):  # nothing came before the result
            return answer.json()["result"]
        messages = [json.loads(line[5:]) for line in answer.body.splitlines() if line.startswith("data:")]
        results = [message for message in messages if "id" in message]
        assert [("result" in message) for message in results] == [True], results
        return results[0]["result"]

    def tools(self, key: str = ADMIN) -> dict[str, Any]:
        """Return the tools that a key's owner sees, by name."""
        listed = self.request("tools/list", key=key).json()["result"]["tools"]
        return {tool["name"]: tool for tool in listed}


def raw(
    server: McpServer, data: bytes, *, leave: bool = False, timeout: float = 5.0
) -> list[tuple[int, dict[str, str], bytes]]:
    """Send bytes as they are and return all answers.

    :param leave: say at once that nothing more will come, not only after the first answer.
    :return: status, headers and body of each answer; none: the server hung up without a word.
    :raises TimeoutError: it stayed silent.
    """
    with socket.create_connection(("127.0.0.1", server.port), timeout=timeout) as connection:
        connection.settimeout(timeout)
        received = b""
        with contextlib.suppress(ConnectionError):
            connection.sendall(data)
            if leave:
                _say_goodbye(connection)
            while chunk := connection.recv(65536):
                received += chunk
                if not leave and _whole(received):
                    leave = True
                    _say_goodbye(connection)
    return _answers(received)


def _say_goodbye(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):  # the server may have been faster
        connection.shutdown(socket.SHUT_WR)


def _whole(received: bytes) -> bool:
    """Return whether the first answer is there, but for one that only says that more may come."""
    answers = _answers(received)
    return bool(answers) and answers[-1][0] >= 200 and "content-length" in answers[-1][1]


def _answers(received: bytes) -> list[tuple[int, dict[str, str], bytes]]:
    found = []
    while received:
        head, separator, rest = received.partition(b"\r\n\r\n")
        if not separator:
            break
        first, *lines = head.split(b"\r\n")
        headers = {}
        for line in lines:
            name, _, value = line.partition(b":")
            headers[name.decode("latin-1").lower()] = value.strip().decode("latin-1")
        length = 0 if first.split()[1] == b"100" else int(headers.get("content-length", len(rest)))
        if len(rest) < length:
            break
        found.append((int(first.split()[1]), headers, rest[:length]))
        received = rest[length:]
    return found


def memory(server: McpServer) -> int:
    """Return the bytes of memory that a server's process holds (RSS)."""
    pages = int(Path(f"/proc/{server.process.pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def open_files(server: McpServer) -> int:
    """Return how many file descriptors a server's process has."""
    return len(os.listdir(f"/proc/{server.process.pid}/fd"))


def complaints(server: McpServer) -> list[dict[str, Any]]:
    """Return the log's lines that tell of a defect."""
    return [line for line in server.log() if line["level"] in ("ERROR", "FATAL", "CRITICAL")]


def checksums(mariadb: DatabaseServer, *databases: str) -> list[list[str]]:
    """Return a checksum of every table of these databases."""
    names = ", ".join(f"'{name}'" for name in databases)
    tables = mariadb.sql(
        "SELECT CONCAT('`', table_schema, '`.`', table_name, '`') FROM information_schema.tables "
        f"WHERE table_type = 'BASE TABLE' AND table_schema IN ({names}) ORDER BY 1"
    )
    return mariadb.sql(f"CHECKSUM TABLE {', '.join(row[0] for row in tables)}")
