"""Inventories in memory for the checks, and one on disk for whole runs."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.trinitycore.mcp.plugins.module_utils.preflight.inventory import HostVariables, Inventory

from tests.support.playbooks import copy_inventory, run_playbook

MakeInventory = Callable[..., Inventory]

GROUPS = {
    "loadbalancers": ["lb1"],
    "app": ["app1", "app2"],
    "database": ["db1", "db2"],
    "redis": ["redis1"],
    "monitoring": [],
    "backup": [],
}


@pytest.fixture
def inventory() -> MakeInventory:
    """Return a maker of inventories without a mistake, but for what the test changes."""

    def make(
        groups: Mapping[str, list[str]] | None = None,
        host_vars: Mapping[str, Mapping[str, Any]] | None = None,
        **shared: Any,
    ) -> Inventory:
        wanted = {**GROUPS, **(groups or {})}
        names = list(dict.fromkeys(name for members in wanted.values() for name in members))
        hosts = {}
        for number, name in enumerate(names, start=1):
            variables = {
                "ansible_host": f"10.0.0.{number}",
                "cluster_domain": "mcp.example.com",
                "mysql_bootstrap_primary": "db1",
                "redis_bootstrap_primary": "redis1",
                **shared,
                **(host_vars or {}).get(name, {}),
            }
            given = {key: value for key, value in variables.items() if value is not ...}
            hosts[name] = HostVariables(name, frozenset(given), given.__getitem__)
        return Inventory({"all": names, **wanted}, hosts)

    return make


@pytest.fixture(scope="session")
def production(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the production example with secrets; not to be changed by a test."""
    copied = copy_inventory("production", tmp_path_factory.mktemp("inventories"))
    run = run_playbook("playbooks/secrets.yml", copied)
    assert run.code == 0, run.output
    return copied


@pytest.fixture
def site(production: Path, tmp_path: Path) -> Path:
    """Return a copy of the production example with secrets, for the test to spoil."""
    return Path(shutil.copytree(production, tmp_path / "site"))
