"""Who becomes primary, and what a host does about it, from what the servers say."""

from __future__ import annotations

import pytest
from ansible_collections.trinitycore.mcp.plugins.module_utils.redis.state_file import (
    HEADER,
    stated_primary,
    with_primary,
)
from ansible_collections.trinitycore.mcp.plugins.module_utils.redis.topology import (
    Choice,
    Node,
    TopologyError,
    choose_primary,
)
from ansible_collections.trinitycore.mcp.plugins.modules.redis_replication import Host, wanted_upstream


def node(number: int, state: str = "answered", of: int | None = None, keys: int = 0) -> Node:
    """Return redis<number> at 10.0.0.<number>, replicating from redis<of>."""
    return Node(f"redis{number}", f"10.0.0.{number}", state, upstream=f"10.0.0.{of}" if of else None, keys=keys)


@pytest.mark.parametrize(
    ("nodes", "primary", "live"),
    [
        pytest.param([node(1, "refused"), node(2, "refused")], "redis1", False, id="nothing runs yet"),
        pytest.param([node(1), node(2, of=1)], "redis1", True, id="as set up"),
        pytest.param([node(1, of=2), node(2, keys=3)], "redis2", True, id="switched by hand"),
        pytest.param([node(1), node(2, of=3), node(3)], "redis3", True, id="the first choice came back empty"),
        pytest.param([node(1, of=2), node(2, of=3), node(3)], "redis3", True, id="a chain"),
        pytest.param([node(1, of=3), node(2, of=3), node(3, "silent")], "redis3", True, id="the primary is down"),
        pytest.param([node(1, "silent"), node(2, keys=3)], "redis2", True, id="only one holds data"),
        pytest.param([node(1), node(2)], "redis1", True, id="both are new and run"),
        pytest.param([node(1, "refused"), node(2)], "redis2", True, id="the only one that runs"),
    ],
)
def test_the_primary_follows_from_what_runs(nodes: list[Node], primary: str, live: bool) -> None:
    choice = choose_primary(nodes, "redis1")
    assert choice is not None
    assert (choice.node.name, choice.live) == (primary, live)


@pytest.mark.parametrize("state", ["silent", "denied"])
def test_an_unknown_server_leaves_the_question_open(state: str) -> None:
    assert choose_primary([node(1, "refused"), node(2, state)], "redis1") is None


@pytest.mark.parametrize(
    ("nodes", "message"),
    [
        ([node(1), node(2, of=1), node(3), node(4, of=3)], "redis1, redis3"),
        ([node(1, keys=1), node(2, keys=1)], "redis_discard"),
        ([node(1, of=9), node(2)], "no host of the inventory"),
        ([node(1, of=2), node(2, of=1)], "circle"),
        ([node(2), node(3)], "none of redis2, redis3"),
    ],
)
def test_contradictions_are_refused(nodes: list[Node], message: str) -> None:
    with pytest.raises(TopologyError, match=message):
        choose_primary(nodes, "redis1")


def upstream(own: Node, others: list[Node], state: str | None, bootstrap: str = "redis1") -> str | None:
    """Return what a host should replicate from."""
    nodes = [own, *others]
    return wanted_upstream(Host(own, state), choose_primary(nodes, bootstrap), nodes)


def test_a_new_cluster_follows_the_first_choice() -> None:
    assert upstream(node(1, "refused"), [node(2, "refused")], None) is None
    assert upstream(node(2, "refused"), [node(1, "refused")], None) == "10.0.0.1"


def test_a_cluster_that_is_down_keeps_its_parts() -> None:
    """After a switch all servers were stopped: the inventory's first choice means nothing."""
    assert upstream(node(1, "refused"), [node(2, "refused")], "replicaof 10.0.0.2 6379\n") == "10.0.0.2"
    assert upstream(node(2, "refused"), [node(1, "refused")], "appendonly yes\n") is None


def test_a_stopped_old_primary_becomes_a_replica() -> None:
    assert upstream(node(1, "refused"), [node(2, keys=5), node(3, of=2)], "") == "10.0.0.2"


def test_a_new_host_joins_the_live_primary() -> None:
    assert upstream(node(3, "refused"), [node(1, of=2), node(2, keys=5)], None) == "10.0.0.2"


def test_a_rebuilt_primary_does_not_wipe_its_replicas() -> None:
    with pytest.raises(TopologyError, match="promote one"):
        upstream(node(1, "refused"), [node(2, of=1, keys=5)], None)


def test_a_new_host_waits_until_all_is_known() -> None:
    with pytest.raises(TopologyError, match="redis2 is new"):
        upstream(node(2, "refused"), [node(1, "silent")], None)
    assert upstream(node(2, "refused"), [node(1, "silent")], "replicaof 10.0.0.1 6379\n") == "10.0.0.1"


def test_data_of_ones_own_is_not_dropped() -> None:
    own, others = node(1, keys=7), [node(2, keys=5), node(3, of=2)]
    with pytest.raises(TopologyError, match=r"set redis_discard to \[redis1\]"):
        upstream(own, others, "")
    assert wanted_upstream(Host(node(1), ""), Choice(others[0], live=True), [node(1), *others]) == "10.0.0.2"


def test_state_file_changes_in_its_replication_line_only() -> None:
    text = 'dir "/var/lib/redis"\nreplicaof 10.0.0.1 6379\nuser default off\n'
    moved = with_primary(text, "10.0.0.2", 6379)
    assert stated_primary(moved) == "10.0.0.2"
    assert [line for line in moved.splitlines() if "replicaof" not in line] == [
        'dir "/var/lib/redis"',
        "user default off",
    ]
    assert stated_primary(with_primary(moved, None, 6379)) is None
    assert with_primary(None, None, 6379) == HEADER
    assert stated_primary("slaveof 10.0.0.3 6379") == "10.0.0.3"
