"""Thousands of hostile requests, each with something new in it: the process keeps its size."""

from __future__ import annotations

import contextlib
import json
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from server.tests.hostile_support import MAX_BODY, attacked, check
from server.tests.wire_support import LEGACY, MODERN, Wire, headers_of, memory, message_of, open_files
from tests.support.mariadb import MariaDb
from tests.support.mcp_server import McpServer

pytestmark = pytest.mark.xdist_group("hostile")
EACH = 60
"""Requests of each kind in a round."""
ALLOWED_GROWTH = 3 * 1024 * 1024
"""Bytes in the rounds that are measured: 5000 requests of a kilobyte and more."""


@pytest.fixture
def server(mariadb: MariaDb, tmp_path_factory: pytest.TempPathFactory) -> Iterator[McpServer]:
    with attacked(mariadb, tmp_path_factory.mktemp("hostile")) as running:
        yield running


def attack(wire: Wire, number: int) -> None:
    """Send one request of each kind; the number makes it one that was never sent before."""
    mark = f"{number:08d}" + "x" * 1000
    for version in (MODERN, LEGACY):
        headers = headers_of("tools/call", "creature_search", version=version)

        def call(name: str, arguments: object, version: str = version, **meta: object) -> bytes:
            params = {"name": name, "arguments": arguments, "_meta": meta}
            return json.dumps(message_of("tools/call", params, version=version, ident=mark)).encode()

        client: dict[str, Any] = {"io.modelcontextprotocol/clientInfo": {"name": mark, "version": "1"}}
        bodies = [
            call("creature_search", {"text": mark[:90]}),
            call("creature_search", {"text": "hog", "cursor": mark[:300]}),
            call("creature_search", {mark: 1}),
            call(mark, {}),
            call("creature_search", {"text": mark[:90]}, progressToken=mark, traceparent=mark),
            call("creature_search", {}, **client),
            call("sql_select", {"query": f"SELECT 1 AS `{mark[:40]}`"}),
            json.dumps(message_of(mark, {}, version=version)).encode(),
            b"[" * (number % 30_000 + 1),
            mark.encode(),
        ]
        for body in bodies:
            check(wire.post(body, headers))
        for other in ({"authorization": f"Bearer {mark}"}, {"x-api-key": mark}, {"host": mark}, {"origin": mark}):
            check(wire.post(bodies[0], headers | other))
        for name in ("mcp-name", "mcp-method", "mcp-protocol-version", "traceparent", "accept", mark[:100]):
            check(wire.post(bodies[0], headers | {name: mark}))
    check(wire.send("GET", f"/{mark}"))
    check(wire.post(b" " * (MAX_BODY + 1), headers_of("ping", version=LEGACY)))


def leave(server: McpServer, number: int) -> None:
    """Connect and go away: at once, in the middle of a head, in the middle of a body, before the answer."""
    body = json.dumps(message_of("tools/call", {"name": "creature_search", "arguments": {"text": f"x{number}"}}))
    lines = [f"{name}: {value}" for name, value in headers_of("tools/call", "creature_search").items()]
    head = "\r\n".join(["POST /mcp HTTP/1.1", "Host: 127.0.0.1", *lines, f"Content-Length: {len(body)}", "", ""])
    for data in ("", head[:50], head, head + body[:20], head + body):
        with contextlib.suppress(ConnectionError), socket.create_connection(("127.0.0.1", server.port)) as connection:
            connection.sendall(data.encode())


def test_memory_and_descriptors_stay(server: McpServer) -> None:
    wire = Wire(server)

    def rounds(first: int, last: int) -> None:
        for number in range(first, last):
            attack(wire, number)
            leave(server, number)
        assert wire.call("creature_get", {"id": 448})["structuredContent"]["name"] == "Hogger"

    rounds(0, 6 * EACH)  # caches fill up to their limits: wire.Envelopes, two a round, is the last
    size, files = memory(server), open_files(server)
    rounds(6 * EACH, 8 * EACH)
    grown = memory(server) - size
    assert grown < ALLOWED_GROWTH, f"{grown / 1024:.0f} KiB more"
    assert open_files(server) <= files + 5
    labels = [series for series in server.metrics() if "00000" in series]
    assert labels == [], "what clients send became a label"
    wire.close()
