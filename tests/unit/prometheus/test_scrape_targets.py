"""Scrape targets that Prometheus gets from the inventory."""

from __future__ import annotations

from typing import Any

from ansible_collections.trinitycore.mcp.plugins.filter.prometheus import app_targets, node_targets

HOSTVARS: dict[str, dict[str, Any]] = {
    "app1": {"ansible_host": "10.0.0.1", "ansible_facts": {"processor_nproc": 2}},
    "db1": {"ansible_host": "192.0.2.1", "cluster_address": "2001:db8::1"},
}
GROUPS = {"all": ["app1", "db1"], "database": ["db1"], "app": ["app1", "db1"], "redis": []}


def test_one_node_target_per_host() -> None:
    assert node_targets(["app1", "db1"], HOSTVARS, 9100, GROUPS) == [
        {"targets": ["10.0.0.1:9100"], "labels": {"instance": "app1", "groups": "app"}},
        {"targets": ["[2001:db8::1]:9100"], "labels": {"instance": "db1", "groups": "app,database"}},
    ]


def test_one_app_target_per_instance() -> None:
    assert app_targets(["app1"], HOSTVARS) == [
        {"targets": ["10.0.0.1:9464"], "labels": {"instance": "app1-1", "host": "app1"}},
        {"targets": ["10.0.0.1:9465"], "labels": {"instance": "app1-2", "host": "app1"}},
    ]
    assert app_targets([], HOSTVARS) == []
