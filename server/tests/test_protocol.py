"""The wire: both protocol eras with the SDK's own client, and what HTTP refuses."""

from __future__ import annotations

import json
from typing import Any

import httpx2
import pytest
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

from tests.support.mcp_server import KEY, Answer, McpServer, target
from trinitycore_mcp import cli
from trinitycore_mcp.client import ToolCaller

pytestmark = pytest.mark.anyio
TOOLS = ["creature_get", "creature_search", "item_get", "item_search", "quest_get", "table_describe"]
OLD = ["2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"]


@pytest.mark.parametrize(
    ("mode", "spoken"), [("auto", "2026-07-28"), ("2026-07-28", "2026-07-28"), ("legacy", "2025-11-25")]
)
async def test_the_sdk_client_calls_in_every_mode(server: McpServer, mode: str, spoken: str) -> None:
    [answer] = await ToolCaller(target(server, mode=mode)).call("creature_get", {"id": 448})
    assert (answer.is_error, answer.result["name"], answer.protocol) == (False, "Hogger", spoken)
    assert answer.instance == "test"


def post(server: McpServer, message: dict[str, Any], **headers: str) -> Answer:
    return server.request(
        "POST",
        "/mcp",
        body=json.dumps({"jsonrpc": "2.0", **message}).encode(),
        headers={
            "content-type": "application/json",
            "accept": "application/json, text/event-stream",
            "authorization": f"Bearer {KEY}",
            **headers,
        },
    )


@pytest.mark.parametrize("version", OLD)
def test_every_older_revision_is_negotiated_and_needs_no_session(server: McpServer, version: str) -> None:
    info = {"name": "t", "version": "1"}
    params = {"protocolVersion": version, "capabilities": {}, "clientInfo": info}
    hello = post(server, {"id": 1, "method": "initialize", "params": params})
    assert hello.json()["result"]["protocolVersion"] == version
    assert "mcp-session-id" not in hello.headers
    call = {"id": 2, "method": "tools/call", "params": {"name": "item_get", "arguments": {"id": 6948}}}
    answer = post(server, call, **{"mcp-protocol-version": version})
    assert answer.headers["content-type"].startswith("application/json")
    assert json.loads(answer.json()["result"]["content"][0]["text"])["name"] == "Hearthstone"


async def test_tools_say_what_they_take_and_give(server: McpServer) -> None:
    headers = {"authorization": f"Bearer {KEY}"}
    async with (
        httpx2.AsyncClient(headers=headers) as http,
        Client(streamable_http_client(server.url, http_client=http)) as client,
    ):
        tools = (await client.list_tools()).tools
        again = (await client.list_tools()).tools
    assert [tool.name for tool in tools] == TOOLS
    assert [tool.name for tool in again] == TOOLS
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


@pytest.mark.parametrize("method", ["GET", "DELETE", "PUT"])
def test_other_methods_are_not_allowed(server: McpServer, method: str) -> None:
    answer = server.request(method, "/mcp", headers={"authorization": f"Bearer {KEY}"})
    assert (answer.status, answer.headers["allow"]) == (405, "POST")


def test_without_a_key_nobody_gets_in(server: McpServer) -> None:
    answer = server.request("POST", "/mcp", body=b"{}")
    assert (answer.status, answer.headers["www-authenticate"]) == (401, 'Bearer realm="trinitycore-mcp"')
    wrong = server.request("POST", "/mcp", body=b"{}", headers={"authorization": "Bearer wrong"})
    assert wrong.status == 401
    assert 'error="invalid_token"' in wrong.headers["www-authenticate"]


def test_both_headers_carry_the_key(server: McpServer) -> None:
    ping = {"id": 1, "method": "ping"}
    old = {"mcp-protocol-version": "2025-11-25"}
    assert post(server, ping, **old).status == 200
    assert post(server, ping, authorization="", **old, **{"x-api-key": KEY}).status == 200
    assert post(server, ping, authorization="", **old, **{"x-api-key": "wrong"}).status == 401


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
    server: McpServer, capfd: pytest.CaptureFixture[str], tmp_path: Any
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
