"""Which ports of a host the inventory opens to whom."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.trinitycore.mcp.plugins.filter.firewall import firewall_rules

GROUPS = {
    "all": ["lb1", "app1", "db1", "mon1"],
    "loadbalancers": ["lb1"],
    "app": ["app1"],
    "monitoring": ["mon1"],
    "redis": [],
}
HOSTVARS: dict[str, dict[str, Any]] = {
    "lb1": {"ansible_host": "10.0.0.1"},
    "app1": {"ansible_host": "10.0.0.2"},
    "db1": {"ansible_host": "db.example.com"},
    "mon1": {"ansible_host": "203.0.113.9", "cluster_address": "2001:db8::9"},
}


def rules(host: str, admins: list[str] | None = None, **service: Any) -> list[dict[str, Any]]:
    wanted = {"offered_by": ["all"], "ports": [1], "from": ["any"]}
    wanted |= {"from" if key == "source" else key: value for key, value in service.items()}
    return firewall_rules({"svc": wanted}, host, GROUPS, HOSTVARS, admins or [])


def test_a_service_is_open_on_its_groups_to_its_sources() -> None:
    service: dict[str, Any] = {
        "offered_by": ["app"],
        "ports": [8001, "8002-8004"],
        "source": ["loadbalancers", "monitoring", "192.0.2.7/24"],
    }
    assert rules("lb1", **service) == []
    assert rules("app1", **service) == [
        {
            "name": "svc",
            "protocol": "tcp",
            "ports": ["8001", "8002-8004"],
            "any": False,
            "ipv4": ["10.0.0.1", "192.0.2.0/24"],
            "ipv6": ["2001:db8::9"],
        }
    ]


def test_everybody_makes_other_sources_superfluous() -> None:
    (rule,) = rules("lb1", source=["app", "any"])
    assert rule["any"] and rule["ipv4"] == []


def test_admins_are_networks_or_nobody_or_by_choice_everybody() -> None:
    (rule,) = rules("lb1", ["10.1.0.0/16", "fd00::/8"], source=["admin"])
    assert (rule["any"], rule["ipv4"], rule["ipv6"]) == (False, ["10.1.0.0/16"], ["fd00::/8"])
    assert rules("lb1", source=["admin"]) == []
    (rule,) = rules("lb1", source=["admin"], open_without_admins=True)
    assert rule["any"]
    (rule,) = rules("lb1", ["10.1.0.0/16"], source=["admin"], open_without_admins=True)
    assert not rule["any"]


def test_an_empty_group_or_no_port_opens_nothing() -> None:
    assert rules("lb1", source=["redis"]) == []
    assert rules("lb1", ports=[]) == []


def test_overlapping_networks_are_joined() -> None:
    (rule,) = rules("lb1", source=["10.0.0.0/25", "10.0.0.128/25", "app"])
    assert rule["ipv4"] == ["10.0.0.0/24"]


@pytest.mark.parametrize(
    ("service", "message"),
    [
        ({"source": ["databse"]}, "'databse' is no address or network"),
        ({"source": ["all"]}, "addresses of group all: 'db.example.com' is no address"),
        ({"to": ["any"]}, "needs offered_by, ports and from, may have .*; not to"),
    ],
)
def test_mistakes_are_named(service: dict[str, Any], message: str) -> None:
    with pytest.raises(AnsibleFilterError, match=message):
        rules("lb1", **service)


def test_a_protocol_without_ports_goes_by_its_number() -> None:
    (rule,) = rules("lb1", source=["app"], ports=[], protocol=112)
    assert (rule["protocol"], rule["ports"], rule["any"]) == (112, [], False)
    assert rule["ipv4"]
