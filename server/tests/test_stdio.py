"""stdio: the SDK's client starts the server as a desktop program does, and the process leaves with it."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp.shared.subscriptions import ResourceUpdated

from server.tests.lifecycle_support import until
from server.tests.otlp_receiver import attributes, receiver
from tests.support.mariadb import MariaDb
from tests.support.mcp_server import database_section
from tests.support.redis import Redis

pytestmark = pytest.mark.anyio


def configure(directory: Path, mariadb: MariaDb, **sections: Any) -> list[str]:
    """Write a configuration, which needs no section auth, and return the command's arguments."""
    (directory / "db_password").write_text("app_ro\n")
    sections = {"database": database_section(mariadb), **sections}
    (directory / "config.yml").write_text(yaml.safe_dump(sections))
    return ["-m", "trinitycore_mcp", "serve", "--stdio", "--config", str(directory / "config.yml")]


@pytest.mark.parametrize(("mode", "spoken"), [("auto", "2026-07-28"), ("legacy", "2025-11-25")])
async def test_a_client_starts_it_lists_calls_and_leaves(
    mariadb: MariaDb, tmp_path: Path, mode: str, spoken: str
) -> None:
    with receiver() as collector, (tmp_path / "log").open("w") as log:
        arguments = configure(tmp_path, mariadb, tracing={"otlp_endpoint": collector.url})
        parameters = StdioServerParameters(command=sys.executable, args=arguments)
        async with Client(stdio_client(parameters, log), mode=mode) as client:
            assert client.protocol_version == spoken
            names = {tool.name for tool in (await client.list_tools()).tools}
            assert {"creature_get", "account_get", "check_quests"} <= names
            # What acts on a fleet wants a key that names its user.
            assert "cache_flush" not in names
            done: list[float] = []

            async def note(progress: float, total: float | None, message: str | None) -> None:
                done.append(progress)

            hogger = await client.call_tool("creature_get", {"id": 448})
            assert hogger.structured_content is not None
            assert hogger.structured_content["name"] == "Hogger"
            refused = await client.call_tool("creature_get", {"id": 999999})
            assert refused.is_error
            checked = await client.call_tool("check_quests", {}, progress_callback=note)
            assert not checked.is_error
            assert done
            content = await client.read_resource("trinity://creature/448")
            assert json.loads(content.contents[0].text)["name"] == "Hogger"  # type: ignore[union-attr]
            prompt = await client.get_prompt("diagnose_quest", {"quest": "783"})
            assert "A Threat Within" in prompt.messages[0].content.text  # type: ignore[union-attr]
        lines = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]
        calls = [line for line in lines if line["message"] == "request" and line["tool"] == "creature_get"]
        assert [(line["outcome"], line["principal"]) for line in calls] == [("ok", "stdio"), ("tool_error", "stdio")]
        assert [line for line in lines if line["level"] == "ERROR"] == []
        # Its spans left before it did, and say that no network lies between.
        spans = [span for span in collector.spans() if span.name == "tools/call creature_get"]
        assert [attributes(span)["network.transport"] for span in spans] == ["pipe", "pipe"]


def test_it_says_nothing_but_the_protocol_and_ends_with_its_input(mariadb: MariaDb, tmp_path: Path) -> None:
    command = [sys.executable, *configure(tmp_path, mariadb, logging={"level": "DEBUG"})]
    hello = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}}
    messages: list[dict[str, Any]] = [
        {"id": 1, "method": "initialize", "params": hello},
        {"method": "notifications/initialized"},
        {"id": 2, "method": "tools/call", "params": {"name": "item_get", "arguments": {"id": 25}}},
        {"id": 3, "method": "no/such/method"},
    ]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for message in messages:
            process.stdin.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
        process.stdin.write("this is no message\n")
        process.stdin.flush()
        answers = [json.loads(process.stdout.readline()) for _ in range(3)]
        out, err = process.communicate(timeout=15)  # closes its input
        assert process.returncode == 0, err
    answers += [json.loads(line) for line in out.splitlines()]
    by_id = {answer.get("id"): answer for answer in answers}
    assert by_id[1]["result"]["protocolVersion"] == "2025-11-25"
    assert by_id[2]["result"]["structuredContent"]["name"] == "Worn Shortsword"
    assert by_id[3]["error"]["code"] == -32601
    assert all(answer["jsonrpc"] == "2.0" for answer in answers)
    assert all(isinstance(json.loads(line), dict) for line in err.splitlines())


@pytest.mark.parametrize("shared", [True, False])
async def test_it_leads_no_fleet_but_tells_its_client_of_updates(
    mariadb: MariaDb, tmp_path: Path, shared: bool
) -> None:
    mariadb.sql("CREATE DATABASE stdio_world")  # nothing in it, so that it is looked at often
    try:
        with Redis.start(tmp_path / "redis") as redis, (tmp_path / "log").open("w") as log:
            arguments = configure(
                tmp_path,
                mariadb,
                database={**database_section(mariadb), "databases": {"world": "stdio_world"}},
                leader={"lease": 1},
                **({"redis": {"hosts": [{"host": "127.0.0.1", "port": redis.port}]}} if shared else {}),
            )
            parameters = StdioServerParameters(command=sys.executable, args=arguments)
            async with (
                Client(stdio_client(parameters, log)) as client,
                client.listen(resource_subscriptions=["trinity://schema"]) as heard,
            ):
                await client.call_tool("database_versions", {})
                mariadb.sql("CREATE TABLE a_new_one (id INT PRIMARY KEY)", "stdio_world")
                await asyncio.sleep(2.1)  # two leases, and what was found incomplete holds for two seconds
                await client.call_tool("schema_databases", {})  # no kept result, so that it looks
                async with asyncio.timeout(10):
                    assert await anext(aiter(heard)) == ResourceUpdated("trinity://schema")
                assert redis.cli("KEYS", "mcp:leader:*").split() == []
                assert bool(redis.cli("KEYS", "mcp:cache:*").split()) is shared
        messages = [json.loads(line)["message"] for line in (tmp_path / "log").read_text().splitlines()]
        assert "leads" not in messages
        assert "request" in messages
    finally:
        mariadb.sql("DROP DATABASE stdio_world")


def test_it_ends_by_a_signal_too(mariadb: MariaDb, tmp_path: Path) -> None:
    command = [sys.executable, *configure(tmp_path, mariadb)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(b'{"jsonrpc":"2.0","id":1,"method":"ping"}\n')
        process.stdin.flush()
        assert process.stdout.readline()
        process.terminate()
        until(lambda: process.poll() is not None)


def test_a_wrong_configuration_is_told_on_standard_error(tmp_path: Path) -> None:
    (tmp_path / "config.yml").write_text("loging: {}\n")
    command = [sys.executable, "-m", "trinitycore_mcp", "serve", "--stdio", "--config", str(tmp_path / "config.yml")]
    done = subprocess.run(command, input="", capture_output=True, text=True, timeout=15, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert "loging: unknown key, did you mean logging?" in done.stderr
