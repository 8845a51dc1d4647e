"""Instances as the balancer wants them, with their weights."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.trinitycore.mcp.plugins.filter.nginx import edge_members

INSTANCES: list[dict[str, Any]] = [
    {"host": "app1", "address": "10.0.0.1", "instance": 1, "port": 8001, "metrics_port": 9464},
    {"host": "app1", "address": "10.0.0.1", "instance": 2, "port": 8002, "metrics_port": 9465},
    {"host": "app2", "address": "10.0.0.2", "instance": 1, "port": 8001, "metrics_port": 9464},
]


def test_weights_and_canaries_by_host_and_by_instance() -> None:
    members = edge_members(INSTANCES, {"app1": 2, "app1-2": 5}, ["app2"])
    assert [(each["id"], each["weight"], each["canary"]) for each in members] == [
        ("app1-1", 2, False),
        ("app1-2", 5, False),
        ("app2-1", 1, True),
    ]
    assert members[2] == {
        "id": "app2-1",
        "host": "app2",
        "address": "10.0.0.2",
        "port": 8001,
        "weight": 1,
        "canary": True,
    }


@pytest.mark.parametrize(
    ("weights", "canaries", "says"),
    [
        ({"app3": 1}, [], "nginx_weights: 'app3' is neither a host of the group app nor an instance; there are app1, "),
        ({}, ["app1-3"], "nginx_canary.members: 'app1-3' is neither"),
        ({"app1": 0}, [], "nginx_weights: 'app1' has 0, a weight is a whole number from 1 on"),
        ({"app1": "2"}, [], "nginx_weights: 'app1' has '2'"),
        ({"app1": True}, [], "nginx_weights: 'app1' has True"),
    ],
)
def test_mistakes_are_named(weights: dict[str, Any], canaries: list[str], says: str) -> None:
    with pytest.raises(AnsibleFilterError, match=says):
        edge_members(INSTANCES, weights, canaries)
