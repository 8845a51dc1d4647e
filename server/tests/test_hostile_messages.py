"""Bodies that are no messages, or odd ones: each gets a proper error, and nothing breaks."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from server.tests.hostile_support import MAX_BODY, attacked, check, settings
from server.tests.wire_support import LEGACY, MODERN, Wire, headers_of, message_of
from tests.support.mariadb import MariaDb

pytestmark = pytest.mark.xdist_group("hostile")
PARSE_ERROR, INVALID_REQUEST = -32700, -32600
CALL = {"name": "creature_get", "arguments": {"id": 448}}


@pytest.fixture(scope="module")
def wire(mariadb: MariaDb, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wire]:
    with attacked(mariadb, tmp_path_factory.mktemp("hostile")) as server:
        wire = Wire(server)
        yield wire
        assert wire.call("creature_get", {"id": 448})["structuredContent"]["name"] == "Hogger"
        wire.close()


def good(version: str) -> str:
    return json.dumps(message_of("tools/call", CALL, version=version))


def headers(version: str) -> dict[str, str]:
    return headers_of("tools/call", "creature_get", version=version)


NO_JSON: dict[str, Any] = {
    "nothing": lambda text: b"",
    "blanks": lambda text: b"  \n ",
    "cut in a string": lambda text: text[:40].encode(),
    "cut at the end": lambda text: text[:-1].encode(),
    "more behind it": lambda text: f"{text}{{}}".encode(),
    "two of them": lambda text: f"{text}\n{text}".encode(),
    "NaN": lambda text: text.replace("448", "NaN").encode(),
    "infinity": lambda text: text.replace("448", "-Infinity").encode(),
    "single quotes": lambda text: text.replace('"', "'").encode(),
    "a comment": lambda text: f"/* */{text}".encode(),
    "a byte order mark": lambda text: b"\xef\xbb\xbf" + text.encode(),
    "UTF-16": lambda text: text.encode("utf-16"),
    "Latin-1 in an argument": lambda text: text.replace("448", '"\xfc"').encode("latin-1"),
    "Latin-1 in a key": lambda text: text.replace("arguments", "arg\xfcments").encode("latin-1"),
    "an encoded surrogate": lambda text: text.replace("448", '"XX"').encode().replace(b"XX", b"\xed\xa0\x80"),
    "a lone surrogate as id": lambda text: text.replace('"id": 1', '"id": "\\ud800"').encode(),
    "a lone surrogate as argument": lambda text: text.replace("448", '"\\udc00"').encode(),
    "a control character": lambda text: text.replace("448", '"\x00"').encode(),
    "binary": lambda text: bytes(range(256)) * 20,
}


@pytest.mark.parametrize("version", [MODERN, LEGACY])
@pytest.mark.parametrize("change", NO_JSON.values(), ids=NO_JSON)
def test_what_is_no_json_is_a_parse_error(wire: Wire, version: str, change: Any) -> None:
    answer = wire.post(change(good(version)), headers(version))
    message = check(answer)
    assert (answer.status, message["id"], message["error"]["code"]) == (400, None, PARSE_ERROR)


def with_changes(version: str, **changes: Any) -> bytes:
    message = message_of("tools/call", CALL, version=version) | changes
    return json.dumps({key: value for key, value in message.items() if value is not ...}).encode()


NO_REQUEST: dict[str, Any] = {
    "a batch": lambda version: f"[{good(version)},{good(version)}]".encode(),
    "an empty batch": lambda version: b"[]",
    "a string": lambda version: b'"tools/call"',
    "a number": lambda version: b"1",
    "null": lambda version: b"null",
    "an empty object": lambda version: b"{}",
    "no jsonrpc": lambda version: with_changes(version, jsonrpc=...),
    "jsonrpc 1.0": lambda version: with_changes(version, jsonrpc="1.0"),
    "jsonrpc 2.0, a number": lambda version: with_changes(version, jsonrpc=2.0),
    "no method": lambda version: with_changes(version, method=...),
    "method null": lambda version: with_changes(version, method=None),
    "method a list": lambda version: with_changes(version, method=["tools/call"]),
    "params a list": lambda version: with_changes(version, params=["creature_get"]),
    "params a string": lambda version: with_changes(version, params="creature_get"),
    "params null": lambda version: with_changes(version, params=None),
    "a response without result": lambda version: b'{"jsonrpc":"2.0","id":1}',
    "a response with two": lambda version: b'{"jsonrpc":"2.0","id":1,"result":{},"error":{"code":1,"message":"x"}}',
    "a result that is null": lambda version: b'{"jsonrpc":"2.0","id":1,"result":null}',
    "an error without code": lambda version: b'{"jsonrpc":"2.0","id":1,"error":{}}',
    "id null": lambda version: with_changes(version, id=None),
    "id true": lambda version: with_changes(version, id=True),
    "id 1.5": lambda version: with_changes(version, id=1.5),
    "id a list": lambda version: with_changes(version, id=[1]),
    "id an object": lambda version: with_changes(version, id={"a": 1}),
}


@pytest.mark.parametrize("version", [MODERN, LEGACY])
@pytest.mark.parametrize("make", NO_REQUEST.values(), ids=NO_REQUEST)
def test_what_is_no_request_is_an_invalid_request(wire: Wire, version: str, make: Any) -> None:
    answer = wire.post(make(version), headers(version))
    message = check(answer)
    assert (answer.status, message["error"]["code"]) == (400, INVALID_REQUEST)
    assert message["id"] in (None, 1)


WRONG: list[Any] = [None, True, 1, -1.5, "", "x", [], [1], {}, {"a": []}, "9" * 1000]


@pytest.mark.parametrize("version", [MODERN, LEGACY])
@pytest.mark.parametrize("member", ["name", "arguments", "_meta", "requestState", "inputResponses", "cursor"])
def test_members_of_a_call_may_have_any_type(wire: Wire, version: str, member: str) -> None:
    for value in WRONG:
        message = message_of("tools/call", CALL, version=version)
        message["params"][member] = value
        check(wire.post(json.dumps(message).encode(), headers(version)))


@pytest.mark.parametrize("member", ["protocolVersion", "clientCapabilities", "clientInfo"])
def test_members_of_the_envelope_may_have_any_type(wire: Wire, member: str) -> None:
    for value in WRONG:
        message = message_of("tools/call", CALL)
        message["params"]["_meta"][f"io.modelcontextprotocol/{member}"] = value
        answer = wire.post(json.dumps(message).encode(), headers(MODERN))
        assert check(answer) != {}


@pytest.mark.parametrize("token", [None, True, 1.5, [], {}, "x" * 10_000, 10**30])
def test_progress_tokens_of_any_type(wire: Wire, token: Any) -> None:
    for version in (MODERN, LEGACY):
        params = CALL | {"_meta": {"progressToken": token, "traceparent": token}}
        body = json.dumps(message_of("tools/call", params, version=version)).encode()
        check(wire.post(body, headers(version)))


@pytest.mark.parametrize("method", ["", "x" * 10_000, "tools/call\n", "__init__", "rpc.discover", "tools", "\u202e"])
def test_unknown_methods(wire: Wire, method: str) -> None:
    modern = wire.request(method, key=wire_key(), version=LEGACY)
    assert check(modern)["error"]["code"] == -32601
    body = json.dumps(message_of(method, {})).encode()
    check(wire.post(body, headers(MODERN) | {"mcp-method": "x"}))


def wire_key() -> str:
    return headers(MODERN)["authorization"].removeprefix("Bearer ")


@pytest.mark.parametrize("ident", [0, -1, 2**53, 2**63, 2**64, 10**300, "", "1", "x" * 5000, "\u0000", "</script>"])
def test_ids_come_back_as_they_were_sent(wire: Wire, ident: Any) -> None:
    for version in (MODERN, LEGACY):
        message = check(wire.request("tools/call", CALL, name="creature_get", version=version, ident=ident))
        assert message["id"] == ident
        assert "result" in message


def test_of_two_members_with_one_name_all_readers_take_the_same(wire: Wire) -> None:
    """Else a check of one could be passed with the other."""
    for version in (MODERN, LEGACY):
        text = good(version).replace('"arguments": {"id": 448}', '"arguments": {"id": 448}, "arguments": {"id": 240}')
        by_fast_path = check(wire.post(text.encode(), headers(version)))
        by_sdk = check(wire.post(text.encode(), headers(version) | {"accept": "*/*"}))
        ids = [each["result"]["structuredContent"]["id"] for each in (by_fast_path, by_sdk)]
        assert ids == [240, 240]


@pytest.mark.parametrize("version", [MODERN, LEGACY])
def test_deep_bodies(wire: Wire, version: str) -> None:
    for body in (
        b"[" * (MAX_BODY - 1),
        b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
        good(version).replace("448", "[" * 20_000 + "]" * 20_000).encode(),
        good(version).replace("448", '{"a":[' * 5000 + "]}" * 5000).encode(),
    ):
        answer = wire.post(body, headers(version))
        message = check(answer)
        assert (answer.status, message["error"]["code"]) in ((400, INVALID_REQUEST), (200, -32602)), message
        assert "levels" in message["error"]["message"]
    # Brackets in strings are no levels.
    harmless = message_of("tools/call", CALL | {"arguments": {"id": "[" * 1000}}, version=version)
    assert check(wire.post(json.dumps(harmless).encode(), headers(version)))["result"]["isError"] is True


def test_many_members_and_long_strings(wire: Wire) -> None:
    for arguments in (
        {f"a{number}": number for number in range(3000)},
        {"id": "9" * 60_000},
        {"id": 448, "x" * 50_000: 1},
        {"id": 448, "\u0000": 1},
    ):
        assert len(json.dumps(arguments)) < MAX_BODY
        for version in (MODERN, LEGACY):
            result = wire.call("creature_get", arguments, version=version)
            assert result["isError"] is True
            assert len(result["content"][0]["text"]) < 500


METHODS = [
    *("initialize", "ping", "server/discover", "tools/list", "tools/call", "resources/list", "resources/read"),
    *("resources/templates/list", "resources/subscribe", "prompts/list", "prompts/get", "completion/complete"),
    *("logging/setLevel", "notifications/cancelled", "notifications/initialized", "notifications/progress"),
]
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=50),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)
members = st.sampled_from(["jsonrpc", "id", "method", "params", "result", "error", "name", "arguments", "_meta"])


@settings
@given(body=st.binary(max_size=400), version=st.sampled_from([MODERN, LEGACY]))
@example(body=b'{"jsonrpc":"2.0","id":1,"result":{}}', version=MODERN)
def test_any_bytes(wire: Wire, body: bytes, version: str) -> None:
    check(wire.post(body, headers(version)))


@settings
@given(data=st.data(), version=st.sampled_from([MODERN, LEGACY, "2024-11-05"]))
def test_a_good_body_with_a_piece_replaced(wire: Wire, data: st.DataObject, version: str) -> None:
    body = good(version).encode()
    start = data.draw(st.integers(0, len(body)))
    end = data.draw(st.integers(start, min(len(body), start + 20)))
    piece = data.draw(st.binary(max_size=8) | st.sampled_from([b'"', b"{", b"}", b"[", b"\\", b"null", b"1e999", b","]))
    check(wire.post(body[:start] + piece + body[end:], headers(version)))


@settings
@given(message=st.dictionaries(members, json_values, max_size=6), version=st.sampled_from([MODERN, LEGACY]))
def test_any_object(wire: Wire, message: dict[str, Any], version: str) -> None:
    check(wire.post(json.dumps({"jsonrpc": "2.0"} | message).encode(), headers(version)))


@settings
@given(
    method=st.sampled_from(METHODS),
    params=st.dictionaries(
        st.sampled_from(["name", "arguments", "uri", "ref", "argument", "cursor", "level", "_meta", "protocolVersion"])
        | st.text(max_size=8),
        json_values,
        max_size=5,
    ),
    version=st.sampled_from([MODERN, LEGACY]),
)
def test_every_method_with_any_parameters(wire: Wire, method: str, params: dict[str, Any], version: str) -> None:
    name = params.get("name", params.get("uri"))
    sent = headers_of(method, name if isinstance(name, str) and name.isascii() and name.isprintable() else None)
    meta = params.get("_meta") if isinstance(params.get("_meta"), dict) else {}
    body = json.dumps(message_of(method, params | {"_meta": meta}, version=version)).encode()
    check(wire.post(body, sent | {"mcp-protocol-version": version}))
