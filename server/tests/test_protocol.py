"""The wire: every revision of the protocol, with the SDK's own client and bare HTTP, and what HTTP refuses."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx2
import pytest
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

from server.tests.lifecycle_support import Events
from server.tests.wire_support import MODERN, headers_of, message_of
from tests.support.mcp_server import KEY, Answer, McpServer, target, tool_request
from trinitycore_mcp import __version__, cli
from trinitycore_mcp.client import ToolCaller

pytestmark = pytest.mark.anyio
OLD = ["2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"]
ALL = [MODERN, *OLD]
INVALID_PARAMS, UNKNOWN_METHOD = -32602, -32601


def post(server: McpServer, message: Any, **headers: str) -> Answer:
    """Send a message of the older revisions; a header given as empty text is left out."""
    whole = {
        "content-type": "application/json",
        "accept": "application/json, text/event-stream",
        "authorization": f"Bearer {KEY}",
        **headers,
    }
    body = json.dumps({"jsonrpc": "2.0", **message} if isinstance(message, dict) else message).encode()
    return server.request(
        "POST", "/mcp", body=body, headers={name: value for name, value in whole.items() if value != ""}
    )


def request(server: McpServer, version: str, method: str, name: str | None = None, /, **params: Any) -> Any:
    """Send a well-formed request and return the JSON-RPC answer."""
    body = json.dumps(message_of(method, params, version=version, ident="id-1")).encode()
    answer = server.request("POST", "/mcp", body=body, headers=headers_of(method, name, version=version, key=KEY))
    decoded = answer.json()
    assert decoded["id"] == "id-1"
    return decoded


@pytest.mark.parametrize(
    ("mode", "spoken"), [("auto", "2026-07-28"), ("2026-07-28", "2026-07-28"), ("legacy", "2025-11-25")]
)
async def test_the_sdk_client_calls_in_every_mode(server: McpServer, mode: str, spoken: str) -> None:
    [answer] = await ToolCaller(target(server, mode=mode)).call("creature_get", {"id": 448})
    assert (answer.is_error, answer.result["name"], answer.protocol) == (False, "Hogger", spoken)
    assert answer.instance == "test"


@pytest.mark.parametrize("version", OLD)
def test_every_older_revision_is_negotiated_and_needs_no_session(server: McpServer, version: str) -> None:
    info = {"name": "t", "version": "1"}
    params = {"protocolVersion": version, "capabilities": {}, "clientInfo": info}
    hello = post(server, {"id": 1, "method": "initialize", "params": params})
    result = hello.json()["result"]
    assert (result["protocolVersion"], result["serverInfo"]["version"]) == (version, __version__)
    assert {"tools", "resources", "prompts", "completions"} <= set(result["capabilities"])
    assert "mcp-session-id" not in hello.headers
    ready = post(server, {"method": "notifications/initialized"}, **{"mcp-protocol-version": version})
    assert (ready.status, ready.body) == (202, "")
    call = {"id": 2, "method": "tools/call", "params": {"name": "item_get", "arguments": {"id": 6948}}}
    answer = post(server, call, **{"mcp-protocol-version": version})
    assert answer.headers["content-type"].startswith("application/json")
    assert json.loads(answer.json()["result"]["content"][0]["text"])["name"] == "Hearthstone"


def test_an_older_client_that_asks_for_an_unknown_revision_is_offered_the_newest_it_may_know(
    server: McpServer,
) -> None:
    params = {"protocolVersion": "2023-01-01", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}}
    hello = post(server, {"id": 1, "method": "initialize", "params": params})
    assert hello.json()["result"]["protocolVersion"] == "2025-11-25"


def test_discover_says_what_initialize_said(server: McpServer) -> None:
    result = request(server, MODERN, "server/discover")["result"]
    assert set(result["supportedVersions"]) >= {MODERN}
    assert {"tools", "resources", "prompts", "completions"} <= set(result["capabilities"])
    info = result["_meta"]["io.modelcontextprotocol/serverInfo"]
    assert (info["name"], info["version"]) == ("trinitycore-mcp", __version__)
    assert (result["resultType"], result["cacheScope"]) == ("complete", "private")
    assert result["ttlMs"] > 0
    assert "Search when you know a name" in result["instructions"]


@pytest.mark.parametrize(
    "arguments", [{"id": 448}, {"id": 999999}, {"id": "Hogger"}, {}, {"id": 448, "locale": "deDE"}]
)
def test_a_call_has_the_same_result_to_the_byte_in_every_revision_and_way(
    server: McpServer, arguments: dict[str, Any]
) -> None:
    """The short way serves the newer revisions, the SDK the older ones and whoever wants to be told of progress."""
    seen: dict[str, bytes] = {}
    for version in ALL:
        for token in (False, True):
            body, headers = tool_request("creature_get", arguments, version)
            message = json.loads(body)
            if token:
                message["params"].setdefault("_meta", {})["progressToken"] = "t"
            answer = server.request("POST", "/mcp", body=json.dumps(message).encode(), headers=headers)
            text = answer.body
            if answer.headers["content-type"].startswith("text/event-stream"):
                assert token
                [text] = [line[5:] for line in text.splitlines() if line.startswith("data:") and '"id"' in line]
            result = json.loads(text)["result"]
            assert result["isError"] is ("deDE" not in arguments.values() and arguments != {"id": 448})
            [block] = result["content"]
            seen[f"{version} {token} text"] = block["text"].encode()
            assert ("structuredContent" in result) is not result["isError"]
            if not result["isError"]:  # byte by byte, as it came over the wire
                assert text.partition('"structuredContent":')[2].startswith(block["text"])
    assert len(set(seen.values())) == 1, seen


def test_progress_comes_as_events_where_it_is_asked_for(server: McpServer) -> None:
    for limit, version in enumerate([MODERN, "2025-11-25", "2024-11-05"], 40):
        arguments = {"limit": limit}  # so that none of them finds another one's result in the cache
        params = {"name": "check_quests", "arguments": arguments, "_meta": {"progressToken": "how-far"}}
        stream = Events(server, "tools/call", params, name="check_quests", version=version)
        messages = []
        while (message := stream.next()) is not None:
            messages.append(message)
        *told, last = messages
        assert told
        assert {each["method"] for each in told} == {"notifications/progress"}
        assert {each["params"]["progressToken"] for each in told} == {"how-far"}
        done = [each["params"]["progress"] for each in told]
        assert done == sorted(set(done))
        assert done[-1] <= told[-1]["params"]["total"]
        assert (last["id"], last["result"]["isError"]) == ("a-stream", False)
        plain = request(server, version, "tools/call", "check_quests", name="check_quests", arguments=arguments)
        assert plain["result"]["content"] == last["result"]["content"]


async def test_tools_say_what_they_take_and_give(server: McpServer) -> None:
    headers = {"authorization": f"Bearer {KEY}"}
    async with (
        httpx2.AsyncClient(headers=headers) as http,
        Client(streamable_http_client(server.url, http_client=http)) as client,
    ):
        tools = (await client.list_tools()).tools
        again = (await client.list_tools()).tools
    names = [tool.name for tool in tools]
    assert {"creature_get", "item_search", "quest_get", "table_describe"} <= set(names)
    assert names == sorted(names)
    assert [tool.name for tool in again] == names
    for tool in tools:
        assert tool.title
        assert tool.annotations is not None
        assert tool.annotations.read_only_hint is True
        assert len(tool.description or "") > 40
        assert tool.input_schema["additionalProperties"] is False
        for name, schema in tool.input_schema["properties"].items():
            assert schema.get("description"), f"{tool.name}.{name} is not described"
        assert tool.output_schema is not None
        assert tool.output_schema["type"] == "object"


@pytest.mark.parametrize("version", ALL)
def test_what_is_not_there_is_a_proper_error(server: McpServer, version: str) -> None:
    def error(method: str, name: str | None = None, /, **params: Any) -> tuple[int, str]:
        answer = request(server, version, method, name, **params)["error"]
        return answer["code"], answer["message"]

    code, message = error("tools/call", "creature_gte", name="creature_gte", arguments={})
    assert (code, "did you mean creature_get" in message) == (INVALID_PARAMS, True)
    code, message = error("resources/read", "trinity://nothing", uri="trinity://nothing")
    assert (code, message) == (INVALID_PARAMS, "Unknown resource: trinity://nothing")
    code, message = error("prompts/get", "diagnose_quests", name="diagnose_quests")
    assert (code, "did you mean diagnose_quest" in message) == (INVALID_PARAMS, True)
    code, message = error("prompts/get", "diagnose_quest", name="diagnose_quest", arguments={"quets": "1"})
    assert (code, "unknown argument quets" in message) == (INVALID_PARAMS, True)
    assert error("no/such/method")[0] == UNKNOWN_METHOD
    reference = {"type": "ref/resource", "uri": "trinity://nothing/{id}"}
    assert error("completion/complete", ref=reference, argument={"name": "id", "value": ""})[0] == INVALID_PARAMS


@pytest.mark.parametrize("version", ALL)
def test_resources_prompts_and_completion_answer_in_every_revision(server: McpServer, version: str) -> None:
    def result(method: str, name: str | None = None, /, **params: Any) -> Any:
        return request(server, version, method, name, **params)["result"]

    assert "trinity://schema" in {each["uri"] for each in result("resources/list")["resources"]}
    templates = {each["uriTemplate"] for each in result("resources/templates/list")["resourceTemplates"]}
    assert {"trinity://creature/{id}", "trinity://item/{id}", "trinity://schema/{database}/{table}"} <= templates
    uri = "trinity://creature/448"
    [content] = result("resources/read", uri, uri=uri)["contents"]
    assert (content["uri"], content["mimeType"]) == (uri, "application/json")
    called = result("tools/call", "creature_get", name="creature_get", arguments={"id": 448})
    assert content["text"] == called["content"][0]["text"]
    prompts = {each["name"]: each for each in result("prompts/list")["prompts"]}
    [argument] = prompts["diagnose_quest"]["arguments"]
    assert (argument["name"], argument["required"]) == ("quest", True)
    got = result("prompts/get", "diagnose_quest", name="diagnose_quest", arguments={"quest": "783"})
    assert "A Threat Within" in got["messages"][0]["content"]["text"]
    reference = {"type": "ref/prompt", "name": "diagnose_quest"}
    argument = {"name": "quest", "value": "a thr"}
    assert result("completion/complete", ref=reference, argument=argument)["completion"]["values"] == [
        "A Threat Within"
    ]


@pytest.mark.parametrize(
    "message",
    [
        {"method": "notifications/initialized"},
        {"method": "notifications/cancelled", "params": {"requestId": 5}},
        {"method": "notifications/of-our-own"},
    ],
)
def test_a_notification_is_taken_without_an_answer(server: McpServer, message: dict[str, Any]) -> None:
    answer = post(server, message, **{"mcp-protocol-version": "2025-11-25"})
    assert (answer.status, answer.body) == (202, "")


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"mcp-method": "tools/list"}, -32020),
        ({"mcp-name": "item_get"}, -32020),
        ({"mcp-method": ""}, -32020),
        ({"mcp-protocol-version": "2026-07-29"}, -32022),
    ],
)
def test_headers_of_the_newest_revision_must_say_what_the_body_says(
    server: McpServer, change: dict[str, str], code: int
) -> None:
    body, headers = tool_request("creature_get", {"id": 448})
    if "mcp-protocol-version" in change:
        body = body.replace(b"2026-07-28", b"2026-07-29")
    answer = server.request(
        "POST", "/mcp", body=body, headers={name: value for name, value in (headers | change).items() if value}
    )
    assert (answer.status, answer.json()["error"]["code"]) == (400, code)


@pytest.mark.parametrize("method", ["GET", "DELETE", "PUT", "HEAD", "OPTIONS"])
def test_other_methods_are_not_allowed(server: McpServer, method: str) -> None:
    answer = server.request(method, "/mcp", headers={"authorization": f"Bearer {KEY}"})
    assert (answer.status, answer.headers["allow"]) == (405, "POST")


def test_without_a_key_nobody_gets_in(server: McpServer) -> None:
    answer = server.request("POST", "/mcp", body=b"{}")
    assert answer.status == 401
    assert answer.headers["www-authenticate"] == 'Bearer realm="trinitycore-mcp", scope="read"'
    wrong = server.request("POST", "/mcp", body=b"{}", headers={"authorization": "Bearer wrong"})
    assert wrong.status == 401
    assert 'error="invalid_token"' in wrong.headers["www-authenticate"]


def test_either_header_carries_the_key_but_not_both(server: McpServer) -> None:
    ping = {"id": 1, "method": "ping"}
    old = {"mcp-protocol-version": "2025-11-25"}
    assert post(server, ping, **old).status == 200
    assert post(server, ping, authorization="", **old, **{"x-api-key": KEY}).status == 200
    assert post(server, ping, authorization="", **old, **{"x-api-key": "wrong"}).status == 401
    assert post(server, ping, **old, **{"x-api-key": KEY}).status == 400


@pytest.mark.parametrize(("host", "status"), [("localhost", 200), ("localhost:443", 200), ("evil.example", 421)])
def test_only_known_hosts_are_answered(server: McpServer, host: str, status: int) -> None:
    ping = {"id": 1, "method": "ping"}
    assert post(server, ping, host=host, **{"mcp-protocol-version": "2025-11-25"}).status == status


def test_a_foreign_origin_is_refused(server: McpServer) -> None:
    ping = {"id": 1, "method": "ping"}
    old = {"mcp-protocol-version": "2025-11-25"}
    assert post(server, ping, origin="https://localhost", **old).status == 200
    assert post(server, ping, origin="https://evil.example", **old).status == 403


def test_a_body_that_is_too_large_is_refused(server: McpServer) -> None:
    message = {"id": 1, "method": "ping", "params": {"x": "y" * 64 * 1024}}
    assert post(server, message, **{"mcp-protocol-version": "2025-11-25"}).status == 413


def test_other_paths_are_not_found(server: McpServer) -> None:
    assert server.get("/metrics").status == 404
    assert server.get("/").status == 404
    assert server.get("/mcp", port=server.metrics_port).status == 404


def test_the_call_command_prints_json_and_tells_errors_by_its_exit_code(
    server: McpServer, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "key").write_text(KEY + "\n")
    common = ["call", "--key-file", str(tmp_path / "key"), "--resolve", "127.0.0.1"]
    url = ["--url", server.url.replace("127.0.0.1", "localhost")]

    def run(*words: str) -> tuple[int, str, str]:
        code = cli.main(words)
        return code, *capfd.readouterr()

    code, out, _ = run(*common, *url, "creature_get", '{"id": 1}')
    assert (code, json.loads(out)["id"]) == (0, 1)
    code, out, _ = run(*common, *url, "-v", "--repeat", "2", "creature_get", '{"id": 1}')
    lines = [json.loads(line) for line in out.splitlines()]
    assert (code, [line["instance"] for line in lines]) == (0, ["test", "test"])
    code, out, _ = run(*common, *url, "creature_get", '{"id": 999999}')
    assert (code, "no creature with id 999999" in out) == (1, True)
    code, _, err = run(*common, "--url", "http://localhost:9/mcp", "creature_get", '{"id": 1}')
    assert (code, "localhost:9" in err) == (2, True)
    (tmp_path / "key").write_text("wrong")
    code, _, err = run(*common, *url, "creature_get", '{"id": 1}')
    assert (code, "401" in err) == (2, True)
