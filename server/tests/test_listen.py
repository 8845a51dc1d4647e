"""Two instances and one Redis: change notices reach a client on either, and a request's state opens on either."""

from __future__ import annotations

import secrets
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from server.tests.lifecycle_support import listen, until
from server.tests.test_lifecycle_reload import write_keys
from server.tests.wire_support import Wire
from tests.support.mariadb import MariaDb
from tests.support.mcp_server import KEY, McpServer
from tests.support.redis import Redis

OTHER = "tcmcp_the-key-of-another-caller"
EVERYTHING = (sys.executable, "-m", "server.tests.conformance.everything")
ASKING = "test_input_required_result_request_state"
WORLD = "listen_world"
"""A world of its own with nothing in it, so that the servers look often whether something came."""


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Redis]:
    with Redis.start(tmp_path_factory.mktemp("redis")) as running:
        yield running


@pytest.fixture(scope="module")
def fleet(mariadb: MariaDb, redis: Redis, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[McpServer]]:
    """Two instances with the conformance suite's fixtures, one secret for the state of requests, and a stranger."""
    mariadb.sql(f"CREATE DATABASE IF NOT EXISTS {WORLD}")
    shared = secrets.token_hex(32)
    with ExitStack() as stack:
        servers = []
        for name, keys in (("one", shared), ("two", f"{secrets.token_hex(32)}\n{shared}"), ("stranger", None)):
            directory = tmp_path_factory.mktemp(name)
            state = {}
            if keys is not None:
                (directory / "state_keys").write_text(keys + "\n")
                state = {"request_state_key_file": "state_keys"}
            write_keys(directory / "keys.yml", KEY, OTHER)
            config: dict[str, Any] = {
                "auth": {"api_keys_file": "keys.yml"},
                "limits": {"enabled": False},
                "cache": {"enabled": False},
                "redis": {"hosts": [{"host": "127.0.0.1", "port": redis.port}]},
                "state": state,
                "server": {"instance_name": name, "drain_delay": 0},
                "leader": {"lease": 1},
            }
            servers.append(stack.enter_context(_start(directory, mariadb, config)))
        yield servers
    mariadb.sql(f"DROP DATABASE {WORLD}")


def _start(directory: Path, mariadb: MariaDb, config: dict[str, Any]) -> Any:
    section = {
        "hosts": [{"host": "127.0.0.1", "port": mariadb.port}],
        "user": "app_ro",
        "password_file": "db_password",
        "databases": {"world": WORLD},
    }
    return McpServer.start(directory, {"database": section, **config}, command=EVERYTHING)


def ask(server: McpServer, key: str = KEY, **params: Any) -> Any:
    """Call the tool that asks something back, and return the result or the error."""
    answer = Wire(server).request("tools/call", {"name": ASKING, "arguments": {}, **params}, name=ASKING, key=key)
    message = answer.json()
    return message.get("result") or message["error"]


YES = {"confirm": {"action": "accept", "content": {"ok": True}}}


def test_a_change_published_on_one_instance_reaches_clients_of_all(fleet: list[McpServer]) -> None:
    one, two, _ = fleet
    here, there = listen(one, toolsListChanged=True), listen(two, toolsListChanged=True)
    other = listen(two, promptsListChanged=True)
    Wire(one).call("test_trigger_tool_change", {}, key=KEY)
    for stream in (here, there):
        message = stream.next()
        assert message["method"] == "notifications/tools/list_changed"
        assert message["params"]["_meta"]["io.modelcontextprotocol/subscriptionId"] == "a-stream"
    Wire(one).call("test_trigger_prompt_change", {}, key=KEY)
    # What was not asked for does not come: the first that comes is the prompts'.
    assert other.next()["method"] == "notifications/prompts/list_changed"
    for stream in (here, there, other):
        stream.close()


def test_a_changed_database_is_told_to_clients_of_every_instance(fleet: list[McpServer], mariadb: MariaDb) -> None:
    streams = [
        listen(server, resourceSubscriptions=["trinity://schema"], resourcesListChanged=True) for server in fleet
    ]
    until(lambda: sum(server.metrics()["mcp_leader"] for server in fleet) == 1)
    for server in fleet:
        Wire(server).call("database_versions", {}, key=KEY)
    mariadb.sql("CREATE TABLE a_new_one (id INT PRIMARY KEY)", WORLD)
    try:
        deadline = time.monotonic() + 15
        heard: list[list[str]] = [[], [], []]
        # A call is what makes an instance look at the database again before its time.
        time.sleep(2.1)
        for server in fleet:
            Wire(server).call("database_versions", {}, key=KEY)
        for messages, stream in zip(heard, streams, strict=True):
            while len(messages) < 2 and time.monotonic() < deadline:
                message = stream.next()
                messages.append(f"{message['method']} {message['params'].get('uri')}")
        assert [sorted(messages) for messages in heard] == [
            ["notifications/resources/list_changed None", "notifications/resources/updated trinity://schema"]
        ] * 3
    finally:
        mariadb.sql("DROP TABLE a_new_one", WORLD)
        for stream in streams:
            stream.close()


def test_a_client_that_leaves_is_forgotten(fleet: list[McpServer]) -> None:
    one = fleet[0]

    def served() -> float:
        return one.metrics()["mcp_server_requests_in_flight"]

    until(lambda: served() == 0)  # those of other tests have left
    streams = [listen(one, toolsListChanged=True) for _ in range(5)]
    assert served() == 5
    for stream in streams:
        stream.close()
    until(lambda: served() == 0)


def test_listening_is_not_offered_to_older_clients(fleet: list[McpServer]) -> None:
    params = {"notifications": {"toolsListChanged": True}}
    answer = Wire(fleet[0]).request("subscriptions/listen", params, version="2025-11-25", key=KEY)
    assert "-32601" in answer.body


@pytest.mark.parametrize(("asked", "answered"), [(0, 1), (1, 0), (0, 0)])
def test_a_state_that_one_instance_sealed_opens_on_the_others(
    fleet: list[McpServer], asked: int, answered: int
) -> None:
    """The first of an instance's keys seals, all of them open; instance two has the other's as its second one."""
    first = ask(fleet[asked])
    assert first["resultType"] == "input_required"
    sealed = first["requestState"]
    assert "confirming" not in sealed
    second = ask(fleet[answered], requestState=sealed, inputResponses=YES)
    if (asked, answered) == (1, 0):  # sealed by a key that the other one does not have yet
        assert second["code"] == -32602
    else:
        assert second["content"][0]["text"] == "state-ok"


def test_a_state_of_a_stranger_or_of_somebody_elses_pen_does_not_open(fleet: list[McpServer]) -> None:
    one, _, stranger = fleet
    sealed = ask(one)["requestState"]
    assert ask(stranger, requestState=sealed, inputResponses=YES)["code"] == -32602
    changed = sealed[:-4] + ("AAAA" if sealed[-4:] != "AAAA" else "BBBB")
    for state in (changed, "confirming", ""):
        assert "content" not in ask(one, requestState=state, inputResponses=YES)


def test_a_state_is_its_callers_own(fleet: list[McpServer]) -> None:
    """Another caller that got hold of a sealed state can't go on with it."""
    one = fleet[0]
    sealed = ask(one)["requestState"]
    assert ask(one, key=OTHER, requestState=sealed, inputResponses=YES)["code"] == -32602
    assert ask(one, requestState=sealed, inputResponses=YES)["content"][0]["text"] == "state-ok"
