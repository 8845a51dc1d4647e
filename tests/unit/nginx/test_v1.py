"""Clients of version 1, at the address they know: which side answers, and that no call fails while they move."""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.trinitycore.mcp.plugins.module_utils.edge import v1_traffic
from ansible_collections.trinitycore.mcp.plugins.module_utils.edge.control import Control
from ansible_collections.trinitycore.mcp.plugins.module_utils.edge.states import EdgeError

from tests.support.binaries import free_port
from tests.support.edge import Edge, Instance
from tests.support.v1_client import INITIALIZE, V1Client, calling
from tests.support.v1_server import Version1
from tests.support.waiting import wait_for

Start = Callable[..., Edge]
KEY = "key-of-all-old-clients"


@pytest.fixture
def version1() -> Iterator[Version1]:
    """Version 1, running."""
    server = Version1("127.0.0.1", 0)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def old_edge(tmp_path: Path, version1: Version1, start_edge: Start) -> Edge:
    """An edge that listens for clients of version 1."""
    (tmp_path / "v1.key").write_text(f"{KEY}\n")
    return start_edge(
        variables={
            "nginx_v1_host": "127.0.0.1",
            "nginx_v1_port": version1.server_address[1],
            "nginx_v1_listen_port": free_port(),
            "nginx_v1_sources": ["127.0.0.0/8"],
            "nginx_v1_key_file": str(tmp_path / "v1.key"),
        }
    )


def client_of(edge: Edge) -> V1Client:
    """Return a client of the edge's address for version 1."""
    return V1Client("127.0.0.1", edge.variables["nginx_v1_listen_port"])


def move(edge: Edge, share: float, *, dry: bool = False) -> dict[str, Any]:
    """Run the module."""
    control = Control(str(edge.directory / "control.sock"))
    return v1_traffic.bring(str(edge.directory / "v1.json"), control, share, 5, dry=dry)


def test_all_traffic_moves_and_comes_back(old_edge: Edge, instances: list[Instance]) -> None:
    client = client_of(old_edge)
    client.begin()
    assert client.call() == "version 1"
    done = move(old_edge, 100)
    assert (done["changed"], done["before"], done["traffic"]["share"]) == (True, 0, 100)
    assert client.call() == "ours", "with the session that version 1 gave"
    seen = [head for each in instances for head in each.heads]
    assert {head["authorization"] for head in seen} == {f"Bearer {KEY}"}
    client.begin()
    assert (client.session or "").startswith("v2-")
    assert client.call() == "ours"
    assert not move(old_edge, 100)["changed"]
    move(old_edge, 0)
    assert client.call() == "version 1", "after it began anew, as version 1 asked"


def test_a_share_of_new_clients_moves_and_each_stays_where_it_began(old_edge: Edge) -> None:
    before = client_of(old_edge)
    before.begin()
    move(old_edge, 50)
    sides: list[str] = []
    for _ in range(40):
        client = client_of(old_edge)
        client.begin()
        answered = {client.call() for _ in range(3)}
        assert len(answered) == 1
        sides.append(*answered)
    assert 5 < sides.count("ours") < 35
    assert before.call() == "version 1"


def test_no_call_fails_while_clients_move_there_and_back(old_edge: Edge) -> None:
    with calling("127.0.0.1", old_edge.variables["nginx_v1_listen_port"], 6) as calls:
        for share in (10, 100, 0, 100):
            calls.wait_for(100)
            move(old_edge, share)
    assert calls.failed == []
    assert set(calls.answered) == {"ours", "version 1"}


def test_other_paths_stay_with_version_1(old_edge: Edge) -> None:
    move(old_edge, 100)
    connection = http.client.HTTPConnection("127.0.0.1", old_edge.variables["nginx_v1_listen_port"], timeout=20)
    connection.request("GET", "/health")
    assert json.loads(connection.getresponse().read())["version"] == "1.4.0"


def test_only_old_clients_get_the_key(old_edge: Edge, instances: list[Instance]) -> None:
    assert old_edge.call("creature_get").status == 200
    assert not any("authorization" in head for each in instances for head in each.heads)
    assert KEY not in json.dumps(old_edge.status())


def test_nobody_but_its_sources_may_call(start_edge: Start) -> None:
    closed = start_edge(
        variables={
            "nginx_v1_host": "127.0.0.1",
            "nginx_v1_listen_port": free_port(),
            "nginx_v1_sources": ["192.0.2.0/24"],
        }
    )
    move(closed, 100)
    assert client_of(closed).post(INITIALIZE) == (403, {"error": "forbidden"})


def test_an_edge_that_does_not_listen_for_them_is_refused(edge: Edge) -> None:
    with pytest.raises(EdgeError, match="does not listen for clients of version 1: set nginx_v1_host"):
        move(edge, 10)


def test_what_can_t_be_done_is_refused(old_edge: Edge, instances: list[Instance]) -> None:
    foretold = move(old_edge, 10, dry=True)
    assert foretold["diff"] == {"before": '{"share": 0}\n', "after": '{"share": 10}\n'}
    assert old_edge.status()["v1"]["share"] == 0
    for each in instances:
        each.health = "draining"
    wait_for(lambda: old_edge.status()["ready"] == 0)
    with pytest.raises(EdgeError, match="no instance is ready, so share 10 is refused; it stays at 0"):
        move(old_edge, 10)
    move(old_edge, 0)
