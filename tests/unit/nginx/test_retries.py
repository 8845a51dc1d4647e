"""A call goes to a second instance when the first one is lost, unless that could carry it out twice."""

from __future__ import annotations

import json
import time
from collections.abc import Callable

import pytest
from trinitycore_mcp.web import wire

from tests.support.certificates import Authority
from tests.support.edge import READ_ONLY, Edge, Instance, body_of
from tests.support.waiting import wait_for


def received(instances: list[Instance]) -> list[str]:
    """Return and forget the calls that reached any instance."""
    found = [call for each in instances for call in each.calls]
    for each in instances:
        each.calls.clear()
    return found


def test_a_call_that_only_reads_is_repeated(edge: Edge, instances: list[Instance]) -> None:
    instances[0].mode = instances[1].mode = "die"
    answers = [edge.call("creature_get") for _ in range(12)]
    assert {answer.instance for answer in answers} == {"app2-1"}
    assert len(received(instances)) > 12


def test_a_call_that_acts_is_sent_once(edge: Edge, instances: list[Instance]) -> None:
    for each in instances:
        each.mode = "die"
    for tool in ("trigger_backup", "cache_flush", "no_such_tool", "creature_get "):
        answer = edge.call(tool, "b1")
        assert received(instances) == [tool]
        assert answer.status == 502
        error = answer.json()
        assert error["id"] == "b1"
        assert "may have been carried out" in error["error"]["message"]


def test_what_was_never_sent_is_repeated_whatever_it_is(edge: Edge, instances: list[Instance]) -> None:
    instances[0].close()
    instances[1].close()
    for _ in range(6):
        assert edge.call("trigger_backup").instance == "app2-1"
    assert received(instances) == ["trigger_backup"] * 6


def test_a_call_that_kills_everybody_meets_three_at_most(
    edge: Edge, instances: list[Instance], authority: Authority
) -> None:
    with Instance.start(authority, "app3-1") as third, Instance.start(authority, "app4-1") as fourth:
        everybody = [*instances, third, fourth]
        edge.write_members(everybody)
        wait_for(lambda: edge.status()["ready"] == len(everybody))
        for each in everybody:
            each.mode = "die"
        answer = edge.call("creature_get", 7)
        hosts = [each.host for each in everybody for _ in each.calls]
        assert len(hosts) == 3
        assert len(set(hosts)) == 3, "the next attempt is at another host as long as there is one"
        assert answer.status >= 500
        assert answer.json()["id"] == 7


@pytest.mark.parametrize(
    ("method", "times"),
    [("initialize", 3), ("tools/list", 3), ("server/discover", 3), ("resources/read", 3), ("mcp/invented", 1)],
)
def test_other_requests(edge: Edge, instances: list[Instance], method: str, times: int) -> None:
    for each in instances:
        each.mode = "die"
    edge.post(json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": {}}).encode())
    assert received(instances) == [method] * times


READS, ACTS = b'"name":"creature_get"', b'"name":"trigger_backup"'
HEAD = b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{'
TRICKS = [
    HEAD + READS + b"," + ACTS + b"}}",
    HEAD + ACTS + b"," + READS + b"}}",
    HEAD + READS + b'},"params":{' + ACTS + b"}}",
    HEAD + ACTS + b'},"params":{' + READS + b"}}",
    HEAD + READS + rb',"n\u0061me":"trigger_backup"}}',
    HEAD + rb'"name":"trigger\u005fbackup"}}',
    HEAD + rb'"name":"creature_get\u0000"}}',
    HEAD + READS + b',"arguments":{"name":"trigger_backup"}}}',
    HEAD + ACTS + b',"arguments":{"name":"creature_get"}}}',
    HEAD.replace(b"tools/call", b"tools/list") + ACTS + b'},"method":"tools/call"}',
    HEAD.replace(b"2.0", b"1.0") + ACTS + b"}}",
    b"[" + HEAD + ACTS + b"}}]",
    HEAD + READS + b"}}" + HEAD + ACTS + b"}}",
    b"\xef\xbb\xbf" + HEAD + ACTS + b"}}",
    b"\xef\xbb\xbf" + HEAD + READS + b"}}",
    HEAD + READS + b"}}\x00",
    HEAD + b'"name":["creature_get"]}}',
    HEAD + b'"name":null,' + ACTS + b"}}",
    HEAD.decode().encode("utf-16") + ACTS,
    b"",
    b"name=creature_get",
]


@pytest.mark.parametrize("body", TRICKS, ids=range(len(TRICKS)))
def test_no_body_makes_a_call_that_acts_look_like_one_that_reads(
    edge: Edge, instances: list[Instance], body: bytes
) -> None:
    """Whatever the edge repeats, the server's own reader sees a call that only reads, or refuses the message."""
    for each in instances:
        each.mode = "die"
    claims = {"Mcp-Method": "tools/list", "Mcp-Name": "creature_get", "MCP-Protocol-Version": "2026-07-28"}
    edge.post(body, claims)
    times = len(received(instances))
    message = wire.read(body)
    acts = message is not None and (
        message.method == "tools/call" and (message.params is None or message.params.name not in READ_ONLY)
    )
    assert times == 1 if acts else times in (1, 3)


def test_a_tool_that_one_release_does_not_know_as_reading_is_sent_once(edge: Edge, instances: list[Instance]) -> None:
    instances[0].read_only = ["item_get"]
    instances[0].health = "draining"
    wait_for(lambda: edge.member("app1-1")["health"] == "down")
    instances[0].health = "ready"
    wait_for(lambda: edge.status()["read_only_tools"] == ["item_get"])
    for each in instances:
        each.mode = "die"
    edge.call("creature_get")
    assert received(instances) == ["creature_get"]


def test_a_large_call_is_repeated_too(edge: Edge, instances: list[Instance]) -> None:
    instances[0].mode = instances[1].mode = "die"
    message = json.loads(body_of("creature_get"))
    message["params"]["arguments"] = {"text": "x" * 900_000}
    for _ in range(3):
        assert edge.post(json.dumps(message).encode()).instance == "app2-1"


def test_an_instance_that_failed_is_left_alone_for_a_moment(edge: Edge, instances: list[Instance]) -> None:
    instances[0].mode = "die"
    began = time.monotonic()
    while not instances[0].calls:
        edge.call("creature_get")
    for _ in range(10):
        edge.call("creature_get")
    if time.monotonic() - began < 0.8:
        assert len(instances[0].calls) == 1
    wait_for(lambda: bool(edge.call("creature_get")) and len(instances[0].calls) > 1, 5)


def test_no_answer_in_time(start_edge: Callable[..., Edge], instances: list[Instance]) -> None:
    edge = start_edge(variables={"nginx_read_timeout": "1s"})
    for each in instances:
        each.mode = "hang"
    answer = edge.call("trigger_backup")
    assert (answer.status, len(received(instances))) == (504, 1)
    assert "no answer in time" in answer.json()["error"]["message"]
