"""Requests that two readers could read in two ways, foreign names, foreign credentials: refused, and nobody suffers."""

from __future__ import annotations

import http.client
import json
import socket
import time
from collections.abc import Iterable, Iterator
from typing import Any

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.tests.access_support import ISSUER, RESOURCE, rsa_signer, sign
from server.tests.hostile_support import MAX_BODY, attacked, check, check_text, settings
from server.tests.wire_support import ADMIN, LEGACY, MODERN, PLAYERS, READ, Wire, headers_of, message_of, raw
from tests.support.mariadb import MariaDb
from tests.support.mcp_server import McpServer
from trinitycore_mcp.tools import every_tool

pytestmark = pytest.mark.xdist_group("hostile")
BODY = json.dumps(message_of("tools/call", {"name": "creature_get", "arguments": {"id": 448}})).encode()
USUAL = headers_of("tools/call", "creature_get")
CHUNKED = b"%x\r\n%b\r\n0\r\n\r\n" % (len(BODY), BODY)
LENGTH = b"Content-Length: %d" % len(BODY)


@pytest.fixture(scope="module")
def server(mariadb: MariaDb, tmp_path_factory: pytest.TempPathFactory) -> Iterator[McpServer]:
    with attacked(mariadb, tmp_path_factory.mktemp("hostile")) as running:
        yield running


@pytest.fixture
def wire(server: McpServer) -> Iterator[Wire]:
    wire = Wire(server)
    yield wire
    wire.close()


def request(
    *more: bytes,
    line: bytes = b"POST /mcp HTTP/1.1",
    host: bytes | None = b"Host: 127.0.0.1",
    body: bytes = BODY,
    length: bytes | None = LENGTH,
    without: Iterable[str] = (),
) -> bytes:
    """Return a request's bytes: a good one but for what is said."""
    lines = [line, host, *(f"{name}: {value}".encode() for name, value in USUAL.items() if name not in without)]
    return b"\r\n".join([each for each in (*lines, length, *more) if each is not None]) + b"\r\n\r\n" + body


def statuses(server: McpServer, data: bytes, *, leave: bool = False) -> list[int]:
    """Send bytes and return the statuses of all answers."""
    answers = raw(server, data, leave=leave)
    for status, _, body in answers:
        assert status < 500, body
        check_text(body.decode())
    return [status for status, _, _ in answers]


SMUGGLING = {
    "two lengths": request(LENGTH),
    "two lengths that differ": request(b"Content-Length: 5"),
    "a list of lengths": request(length=LENGTH + b", %d" % len(BODY)),
    "a negative length": request(length=b"Content-Length: -1"),
    "a length with a sign": request(length=b"Content-Length: +%d" % len(BODY)),
    "a hexadecimal length": request(length=b"Content-Length: 0x10"),
    "a length beyond 64 bits": request(length=b"Content-Length: 99999999999999999999"),
    "a blank before the colon": request(length=LENGTH.replace(b":", b" :")),
    "length and chunks": request(b"Transfer-Encoding: chunked", body=CHUNKED),
    "chunks and length": request(b"Transfer-Encoding: chunked", LENGTH, length=None, body=CHUNKED),
    "length and unknown coding": request(b"Transfer-Encoding: xchunked"),
    "chunked, but not last": request(b"Transfer-Encoding: chunked, identity", length=None, body=CHUNKED),
    "coding told twice": request(b"Transfer-Encoding: chunked", b"Transfer-Encoding: x", length=None, body=CHUNKED),
    "a folded header": request(b"X-A: b\r\n c"),
    "a folded coding": request(b"Transfer-Encoding:\r\n chunked", length=None, body=CHUNKED),
    "line feeds alone": request().replace(b"\r\n", b"\n", 3),
    "a NUL in a header": request(b"X-A: \x00b"),
    "a header without a name": request(b": b"),
    "a header without a colon": request(b"abc"),
    "a blank in a name": request(b"X A: b"),
    "a chunk that is no number": request(b"Transfer-Encoding: chunked", length=None, body=b"zz\r\nabc\r\n0\r\n\r\n"),
    "a chunk beyond 64 bits": request(b"Transfer-Encoding: chunked", length=None, body=b"f" * 17 + b"\r\nabc\r\n"),
    "a negative chunk": request(b"Transfer-Encoding: chunked", length=None, body=b"-1\r\nabc\r\n"),
    "chunks with line feeds": request(b"Transfer-Encoding: chunked", length=None, body=CHUNKED.replace(b"\r\n", b"\n")),
    "a method in small letters": request(line=b"post /mcp HTTP/1.1"),
    "HTTP/2's preface": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "TLS to a plain port": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(50),
    "another protocol": b"EHLO example.org\r\n",
    "two hosts": request(b"Host: evil.example"),
    "the same host twice": request(b"Host: 127.0.0.1"),
    "two keys": request(b"Authorization: Bearer x"),
    "two keys in one": request(b"Authorization: Bearer " + ADMIN.encode() + b", Bearer x", without=["authorization"]),
    "two kinds of keys": request(b"X-Api-Key: x"),
    "two methods": request(b"Mcp-Method: tools/list"),
    "two names": request(b"Mcp-Name: item_get"),
    "two revisions": request(b"MCP-Protocol-Version: 2025-11-25"),
    "two origins": request(b"Origin: http://localhost", b"Origin: http://localhost"),
    "two types": request(b"Content-Type: text/plain"),
    "another tool's name": request(b"Mcp-Name: item_get", without=["mcp-name"]),
    "another method's name": request(b"Mcp-Method: tools/list", without=["mcp-method"]),
    "no method's name": request(without=["mcp-method"]),
    "another type": request(b"Content-Type: text/plain", without=["content-type"]),
}


@pytest.mark.parametrize("data", SMUGGLING.values(), ids=SMUGGLING)
def test_what_can_be_read_in_two_ways_is_refused(server: McpServer, data: bytes) -> None:
    # What follows must not be taken for a request of its own.
    followed = data + request(line=b"GET /health/live HTTP/1.1", length=None, body=b"")
    assert statuses(server, data) == [400]
    assert statuses(server, followed)[:1] == [400]
    assert len(statuses(server, followed)) <= 2


FINE = {
    "as it should be": request(),
    "chunks": request(b"Transfer-Encoding: chunked", length=None, body=CHUNKED),
    "the whole address": request(line=b"POST http://127.0.0.1/mcp HTTP/1.1"),
    "a query": request(line=b"POST /mcp?a=b HTTP/1.1"),
    "large letters": request(host=b"HOST: LOCALHOST:99"),
    "IPv6": request(host=b"Host: [::1]:8001"),
    "a page of ours": request(b"Origin: http://localhost:3000"),
    "a header in Latin-1": request(b"X-A: \xe9"),
    "an expectation": request(b"Expect: 100-continue"),
}


@pytest.mark.parametrize("data", FINE.values(), ids=FINE)
def test_what_is_odd_but_clear_is_answered(server: McpServer, data: bytes) -> None:
    received = b""
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as connection:
        connection.sendall(data)
        while b"Hogger" not in received and (chunk := connection.recv(65536)):
            received += chunk
    assert b"Hogger" in received  # the connection stays open meanwhile: who hangs up gets no answer


@pytest.mark.parametrize(
    "host",
    [
        *("", "evil.example", "127.0.0.1.evil.example", "a@127.0.0.1", "127.0.0.1:evil", "127.0.0.1, evil.example"),
        *("localhost.", "localhost/", "[::1", "::1", "127.0.0.1:80:80", "\u00e9", "2130706433", "0.0.0.0"),
    ],
)
def test_foreign_hosts(server: McpServer, host: str) -> None:
    assert statuses(server, request(host=b"Host: " + host.encode())) == [421]
    assert statuses(server, request(b"X-Forwarded-Host: 127.0.0.1", host=b"Host: " + host.encode())) == [421]


def test_no_host_at_all(server: McpServer) -> None:
    assert statuses(server, request(host=None)) in ([400], [421])
    assert statuses(server, request(host=None, line=b"POST /mcp HTTP/1.0")) == [421]


@pytest.mark.parametrize(
    "origin",
    [
        *("null", "", "http://evil.example", "http://localhost.evil.example", "http://localhost@evil.example"),
        *("http://[::1", "file://localhost", "http://localhost/evil", "localhost", "http://evil.example#localhost"),
        *("http://localhost]", "http://127.0.0.1:80:90", "javascript://localhost", "http://LOCALHOST.", "http:///"),
        "\u00e9",
    ],
)
def test_foreign_origins(server: McpServer, origin: str) -> None:
    assert statuses(server, request(b"Origin: " + origin.encode())) == [403]


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "PROPFIND"])
@pytest.mark.parametrize("path", ["/mcp", "/health/detailed", "/nowhere", "/.well-known/oauth-protected-resource"])
def test_other_methods(wire: Wire, method: str, path: str) -> None:
    answer = wire.send(method, path, None, {"authorization": "Bearer wrong"})
    assert answer.status in ((405,) if path == "/mcp" else (200, 401, 404))
    assert "access-control-allow-origin" not in answer.headers
    check_text(answer.body)


@pytest.mark.parametrize("path", ["/MCP", "/mcp/", "//mcp", "/x/../mcp", "/mcp/..", "/mcp;x", "/mcp%00", "/%2e/mcp"])
def test_other_paths(server: McpServer, path: str) -> None:
    assert statuses(server, request(line=f"POST {path} HTTP/1.1".encode())) == [404]


def test_bodies_that_are_too_large(server: McpServer, wire: Wire) -> None:
    filled = b" " * MAX_BODY + BODY
    answer = wire.post(filled, USUAL)
    assert (answer.status, answer.headers["connection"]) == (413, "close")
    assert check(answer) == {}
    assert statuses(server, request(length=b"Content-Length: 9999999999")) == [413]
    pieces = b"".join(b"1000\r\n" + b" " * 0x1000 + b"\r\n" for _ in range(40))
    assert statuses(server, request(b"Transfer-Encoding: chunked", length=None, body=pieces)) == [413]


def test_a_body_cut_short_is_not_taken_for_a_whole_one(server: McpServer) -> None:
    """Its first part is a good message; the client had more to say and left."""

    def calls() -> float:
        series = "mcp_server_operation_duration_seconds_count"
        return sum(value for name, value in server.metrics().items() if name.startswith(series))

    cut = b"%x\r\n%b\r\n" % (len(BODY), BODY)
    for data in (
        request(length=b"Content-Length: %d" % (len(BODY) + 10)),
        request(b"Transfer-Encoding: chunked", length=None, body=cut),
    ):
        before = calls()
        assert statuses(server, data, leave=True) == []
        assert b"Hogger" in raw(server, request())[0][2]
        assert calls() == before + 1


def test_heads_that_are_too_large(server: McpServer) -> None:
    for data in (
        request(*[b"X-%d: %b" % (number, b"x" * 1000) for number in range(1000)]),
        request(b"X-A: " + b"x" * 1_000_000),
        b"POST /mcp HTTP/1.1\r\nHost: 127.0.0.1\r\nX-A: " + b"x" * 1_000_000,
    ):
        assert statuses(server, data) in ([431], [400], [])  # closed early, the answer may be lost on the way
    assert statuses(server, request(line=b"POST /mcp?" + b"x" * 100_000 + b" HTTP/1.1")) == [400]


def tokens() -> dict[str, str]:
    signer = rsa_signer()
    public = signer.key.public_key()
    now = int(time.time())
    good = signer.token()
    head, claims, signature = good.split(".")
    other = type(signer)("rsa-1")
    return {
        "expired": signer.token(exp=now - 120),
        "not yet valid": signer.token(nbf=now + 600),
        "without an end": signer.token(exp=None),
        "for another audience": signer.token(aud="https://other.example.org/mcp"),
        "for no audience": signer.token(aud=None),
        "of another issuer": signer.token(iss="https://evil.example/"),
        "signed by nobody": jwt.encode({"iss": ISSUER, "aud": RESOURCE, "sub": "x", "exp": now + 60}, "", "none"),
        "without its signature": f"{head}.{claims}.",
        "with another's signature": other.token(),
        "with other claims": f"{head}.{jwt.utils.base64url_encode(b'{}').decode()}.{signature}",
        "by a shared secret": sign(public_pem(public), "HS256", {"kid": signer.kid}),
        "with a key it brings along": signer.token({"jku": "https://evil.example/keys", "kid": "evil"}),
        "no token": "a.b.c",
        "dots": "..",
    }


def public_pem(key: Any) -> str:
    """Return a public key in another order of lines: the library knows a PEM when it sees one, an attacker does not."""
    numbers = key.public_numbers()
    return f"{numbers.n:x}{numbers.e:x}"


@pytest.mark.parametrize("kind", tokens())
def test_foreign_tokens(wire: Wire, kind: str) -> None:
    answer = wire.request("tools/list", key=tokens()[kind])
    assert answer.status == 401
    assert 'error="invalid_token"' in answer.headers["www-authenticate"]
    assert "error" in answer.json()
    check_text(answer.body)


def test_a_good_token_is_let_in(wire: Wire) -> None:
    """Else the test above shows nothing."""
    assert "creature_get" in wire.tools(rsa_signer().token(scope="read"))


def test_a_token_with_none_of_our_scopes_is_told_which_there_are(wire: Wire) -> None:
    """Whatever it asks for, by whichever way, now and again."""
    token = rsa_signer().token(scope="openid profile")
    call = {"name": "creature_get", "arguments": {"id": 448}}
    for version in (MODERN, LEGACY, MODERN):
        answers = [
            wire.request("tools/call", call, name="creature_get", version=version, key=token),
            wire.request("tools/call", call | {"_meta": {"progressToken": 1}}, name="creature_get", key=token),
            wire.request("tools/list", version=version, key=token),
            wire.send("GET", "/health/detailed", None, {"authorization": f"Bearer {token}"}),
        ]
        for answer in answers:
            assert answer.status == 403
            assert 'error="insufficient_scope"' in answer.headers["www-authenticate"]
            assert "none of the scopes that there are: read, players, admin" in answer.headers["www-authenticate"]
            assert "read, players, admin" in answer.body


def test_a_key_in_the_address_is_no_key(wire: Wire) -> None:
    headers = {name: value for name, value in USUAL.items() if name != "authorization"}
    for name in ("key", "api_key", "access_token", "token", "authorization", "x-api-key"):
        assert wire.send("POST", f"/mcp?{name}={ADMIN}", BODY, headers).status == 401
        assert wire.send("GET", f"/health/detailed?{name}={ADMIN}", None, {}).status == 401


@pytest.mark.parametrize(("key", "scopes"), [(READ, {"read"}), (PLAYERS, {"read", "players"})])
def test_tools_of_other_scopes(wire: Wire, key: str, scopes: set[str]) -> None:
    hidden = [tool for tool in every_tool() if tool.scope not in scopes]
    assert hidden
    listed = wire.tools(key)
    for tool in hidden:
        assert tool.name not in listed
        for version in (MODERN, LEGACY, "2024-11-05"):
            for params in ({"name": tool.name}, {"name": tool.name, "_meta": {"progressToken": 1}}):
                answer = wire.request("tools/call", params, name=tool.name, version=version, key=key)
                assert answer.status == 403
                assert f'scope="{tool.scope}"' in answer.headers["www-authenticate"]
                assert answer.json()["error"] == "insufficient_scope"
        near = wire.request("tools/call", {"name": f"{tool.name}x"}, name=f"{tool.name}x", key=key)
        assert tool.name not in near.json()["error"]["message"].partition(";")[2]


header_values = st.text(st.characters(min_codepoint=32, max_codepoint=255, exclude_characters="\x7f"), max_size=60)


@settings
@given(
    name=st.sampled_from([*USUAL, "host", "origin", "traceparent", "x-api-key", "accept-encoding", "x-real-ip", "te"]),
    value=header_values,
)
def test_any_value_of_any_header(server: McpServer, name: str, value: str) -> None:
    line = f"{name}: {value}".encode("latin-1")
    data = request(line, host=None if name == "host" else b"Host: 127.0.0.1", without=[name])
    assert len(statuses(server, data)) == 1


@settings
@given(st.binary(max_size=200))
def test_any_bytes_on_the_connection(server: McpServer, data: bytes) -> None:
    statuses(server, data, leave=True)
    statuses(server, b"POST /mcp HTTP/1.1\r\n" + data, leave=True)


def test_the_connection_of_a_refused_client_is_closed_or_in_step(server: McpServer) -> None:
    """After each refusal the next request on the same connection is answered as itself, or the connection is closed."""
    for headers, body in (
        ({"authorization": "Bearer wrong"}, BODY),
        ({"host": "evil.example"}, BODY),
        ({"authorization": f"Bearer {ADMIN}"}, b" " * (MAX_BODY + 1)),
        ({"authorization": f"Bearer {ADMIN}"}, b"[" * 1000),
    ):
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=5)
        connection.request("POST", "/mcp", body, {**USUAL, **headers})
        refused = connection.getresponse()
        refused.read()
        assert 400 <= refused.status < 500
        closes = refused.getheader("connection") == "close"
        if not closes:
            connection.request("POST", "/mcp", BODY, USUAL)
            assert b"Hogger" in connection.getresponse().read()
        connection.close()
