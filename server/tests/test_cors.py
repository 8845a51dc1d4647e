"""Browsers' pages of other origins: those that the configuration names may call and read every answer, no others."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from server.tests.access_support import ISSUER, RESOURCE, rsa_signer
from server.tests.wire_support import READ, Wire, headers_of, message_of, serving
from tests.support.mariadb import MariaDb
from tests.support.mcp_server import Answer

PAGE = "https://chat.example.org"
LOCAL_PAGE = "http://localhost:6274"  # the MCP Inspector's
FOREIGN = ["https://evil.example", "https://chat.example.org:8443", "http://chat.example.org", "http://localhost:x"]
METADATA = "/.well-known/oauth-protected-resource"
# What the Fetch standard lets a script read of any answer (CORS-safelisted response-header names).
ALWAYS_READABLE = {"cache-control", "content-language", "content-length", "content-type", "expires", "last-modified"}


@pytest.fixture(scope="module")
def wire(mariadb: MariaDb, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wire]:
    yield from _wire(tmp_path_factory.mktemp("cors"), mariadb, [PAGE, "http://localhost:*"])


@pytest.fixture(scope="module")
def closed(mariadb: MariaDb, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wire]:
    """A server that no origins are named to."""
    yield from _wire(tmp_path_factory.mktemp("no_cors"), mariadb, [])


def _wire(folder: Path, mariadb: MariaDb, origins: list[str]) -> Iterator[Wire]:
    (folder / "jwks.json").write_text(json.dumps({"keys": [rsa_signer().public()]}))
    auth = {"jwt": {"jwks_file": str(folder / "jwks.json"), "issuer": ISSUER}, "authorization_servers": [ISSUER]}
    limits = {"enabled": True, "tools": {"item_get": {"requests": 1, "period": 3600, "burst": 1}}}
    server = {"allowed_origins": origins, "public_url": RESOURCE, "max_body_size": 4096}
    with serving(folder, mariadb, server=server, auth=auth, limits=limits) as running:
        wire = Wire(running)
        yield wire
        wire.close()


def preflight(wire: Wire, origin: str, *names: str, method: str = "POST", path: str = "/mcp") -> Answer:
    """Ask what a browser asks before a script's request with these headers."""
    asked = {"access-control-request-headers": ",".join(sorted(names))} if names else {}
    return wire.send("OPTIONS", path, None, {"origin": origin, "access-control-request-method": method, **asked})


def words(answer: Answer, name: str) -> set[str]:
    """Return what a header lists, in small letters."""
    return {word.strip().lower() for word in answer.headers.get(name, "").split(",")} - {""}


def fetch(wire: Wire, origin: str, body: bytes, headers: Mapping[str, str]) -> Answer:
    """Send a script's request as a browser does, and return what it shows to the script.

    :raises PermissionError: the browser keeps the request or the answer from the script.
    """
    asked = preflight(wire, origin, *headers)
    if asked.status != 204 or asked.headers.get("access-control-allow-origin") != origin:
        raise PermissionError("preflight")
    if not set(headers) <= words(asked, "access-control-allow-headers"):
        raise PermissionError("headers")
    answer = wire.post(body, {**headers, "origin": origin})
    if answer.headers.get("access-control-allow-origin") != origin:
        raise PermissionError("answer")
    shown = ALWAYS_READABLE | words(answer, "access-control-expose-headers")
    return Answer(answer.status, {k: v for k, v in answer.headers.items() if k in shown}, answer.body)


def call(tool: str, **more: Any) -> bytes:
    return json.dumps(message_of("tools/call", {"name": tool, "arguments": {"id": 448}, **more})).encode()


@pytest.mark.parametrize("origin", [PAGE, LOCAL_PAGE, "http://localhost"])
def test_a_page_that_is_named_calls_tools(wire: Wire, origin: str) -> None:
    headers = headers_of("tools/call", "creature_get", key=READ) | {"mcp-param-id": "448", "traceparent": "x"}
    answer = fetch(wire, origin, call("creature_get"), headers)
    assert (answer.status, answer.headers["x-mcp-instance"]) == (200, "test")
    assert answer.json()["result"]["structuredContent"]["name"] == "Hogger"
    assert "ratelimit" in answer.headers
    legacy = headers_of("tools/list", version="2025-11-25") | {"x-api-key": READ}
    del legacy["authorization"]
    listed = fetch(wire, origin, json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/list"}).encode(), legacy)
    assert len(listed.json()["result"]["tools"]) > 50


def test_streams_of_events_can_be_read(wire: Wire) -> None:
    message = message_of("subscriptions/listen", {"notifications": {"toolsListChanged": True}})
    headers = headers_of("subscriptions/listen", key=READ) | {"origin": PAGE}
    connection = http.client.HTTPConnection("127.0.0.1", wire.server.port, timeout=15)
    connection.request("POST", "/mcp", json.dumps(message).encode(), headers)
    answer = connection.getresponse()
    assert (answer.getheader("content-type") or "").startswith("text/event-stream")
    assert answer.getheader("access-control-allow-origin") == PAGE
    connection.close()


def test_refusals_can_be_read(wire: Wire) -> None:
    usual = headers_of("tools/call", "creature_get", key=READ)
    wrong = fetch(wire, PAGE, call("creature_get"), usual | {"authorization": "Bearer wrong"})
    assert wrong.status == 401
    assert METADATA in wrong.headers["www-authenticate"]
    forbidden = fetch(wire, PAGE, call("cache_flush"), headers_of("tools/call", "cache_flush", key=READ))
    assert forbidden.status == 403
    assert 'scope="admin"' in forbidden.headers["www-authenticate"]
    assert fetch(wire, PAGE, b" " * 5000, usual).status == 413
    assert fetch(wire, PAGE, b"[", usual).status == 400
    limited = headers_of("tools/call", "item_get", key=READ)
    answers = [fetch(wire, PAGE, call("item_get"), limited) for _ in range(2)]
    assert answers[-1].json()["result"]["isError"]
    assert int(answers[-1].headers["retry-after"]) > 0
    other_host = wire.post(call("creature_get"), usual | {"origin": PAGE, "host": "evil.example"})
    assert (other_host.status, other_host.headers["access-control-allow-origin"]) == (421, PAGE)
    got = wire.send("GET", "/mcp", None, {"origin": PAGE})  # clients of the older revisions ask so for a stream
    assert (got.status, got.headers["access-control-allow-origin"]) == (405, PAGE)


def test_a_preflight_tells_what_may_be_sent(wire: Wire) -> None:
    answer = preflight(wire, PAGE, "authorization", "mcp-param-x", "cookie", "x-real-ip", "mcp-\u00e9", "tracestate")
    assert (answer.status, answer.body) == (204, "")
    assert "content-length" not in answer.headers
    assert answer.headers["vary"] == "Origin"
    assert answer.headers["access-control-allow-methods"] == "POST"
    assert words(answer, "access-control-allow-headers") == {"authorization", "mcp-param-x", "tracestate"}
    assert int(answer.headers["access-control-max-age"]) > 0
    assert "access-control-allow-credentials" not in answer.headers
    assert "access-control-allow-headers" not in preflight(wire, PAGE).headers
    # None of these is a preflight for us.
    assert wire.send("OPTIONS", "/mcp", None, {"origin": PAGE}).status == 405
    other_host = {"origin": PAGE, "access-control-request-method": "POST", "host": "evil.example"}
    assert wire.send("OPTIONS", "/mcp", None, other_host).status == 405
    assert preflight(wire, PAGE, path="/health/live").status == 404


@pytest.mark.parametrize("origin", [*FOREIGN, "null", ""])
def test_other_pages_are_refused_without_a_word_to_the_browser(wire: Wire, origin: str) -> None:
    usual = headers_of("tools/call", "creature_get", key=READ)
    asked = preflight(wire, origin, *usual)
    called = wire.post(call("creature_get"), usual | {"origin": origin})
    assert (asked.status, called.status) == (405, 403)
    for answer in (asked, called):
        assert not [name for name in answer.headers if name.startswith("access-control-")]


def test_without_named_origins_nothing_is_said_to_browsers(closed: Wire) -> None:
    usual = headers_of("tools/call", "creature_get", key=READ)
    ours, foreign = (closed.post(call("creature_get"), usual | {"origin": each}) for each in (LOCAL_PAGE, PAGE))
    asked, document = preflight(closed, LOCAL_PAGE, *usual), closed.send("GET", METADATA, None, {"origin": PAGE})
    asked_for_it = preflight(closed, LOCAL_PAGE, method="GET", path=METADATA)
    assert [each.status for each in (ours, foreign, asked, document, asked_for_it)] == [200, 403, 405, 200, 404]
    for answer in (ours, foreign, asked, document, asked_for_it):
        assert not [name for name in answer.headers if name.startswith("access-control-")]


@pytest.mark.parametrize("path", [METADATA, f"{METADATA}/mcp"])
def test_any_page_reads_where_tokens_come_from(wire: Wire, path: str) -> None:
    asked = preflight(wire, "https://anywhere.example", "mcp-protocol-version", method="GET", path=path)
    assert (asked.status, asked.headers["access-control-allow-origin"]) == (204, "*")
    assert asked.headers["access-control-allow-methods"] == "GET"
    assert words(asked, "access-control-allow-headers") == {"mcp-protocol-version"}
    document = wire.send("GET", path, None, {"origin": "https://anywhere.example"})
    assert (document.status, document.headers["access-control-allow-origin"]) == (200, "*")
    assert document.json()["resource"] == RESOURCE
