"""What components learn of each other from the inventory."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.trinitycore.mcp.plugins.filter.cluster import (
    app_instances,
    cluster_hosts,
    host_components,
    role_defaults,
)

HOSTVARS: dict[str, dict[str, Any]] = {
    "app1": {"ansible_host": "192.0.2.21", "ansible_facts": {"processor_nproc": 2}},
    "app2": {"ansible_host": "203.0.113.9", "cluster_address": "192.0.2.22", "mcp_server_instances": 1},
}


def test_hosts_keep_the_inventory_order_and_their_cluster_address() -> None:
    assert cluster_hosts(["app2", "app1"], HOSTVARS) == [
        {"name": "app2", "address": "192.0.2.22"},
        {"name": "app1", "address": "192.0.2.21"},
    ]


def test_a_host_without_an_address_is_named() -> None:
    with pytest.raises(AnsibleFilterError, match="host 'db1' has no address: set ansible_host"):
        cluster_hosts(["db1"], {"db1": {}})


def test_instances_follow_cpus_unless_set() -> None:
    defaults = role_defaults("mcp_server")
    port, metrics = defaults["mcp_server_port"], defaults["mcp_server_metrics_port"]
    found = app_instances(["app1", "app2"], HOSTVARS)
    assert [(entry["host"], entry["instance"], entry["port"], entry["metrics_port"]) for entry in found] == [
        ("app1", 1, port, metrics),
        ("app1", 2, port + 1, metrics + 1),
        ("app2", 1, port, metrics),
    ]


def test_unknown_facts_are_an_error_not_a_guess() -> None:
    with pytest.raises(AnsibleFilterError, match="'app3' is unknown: gather its facts first"):
        app_instances(["app3"], {"app3": {"ansible_host": "192.0.2.23"}})


def test_a_host_gets_the_roles_of_its_groups_once() -> None:
    components = {"all": ["common"], "database": ["mysql", "backup"], "backup": ["backup"], "app": ["mcp_server"]}
    assert host_components(components, ["database", "backup"]) == ["common", "mysql", "backup"]
