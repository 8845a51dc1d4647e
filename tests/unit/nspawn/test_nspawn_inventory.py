"""From inventories and Molecule platforms to hosts, and the status table."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from ansible.errors import AnsibleFilterError
from ansible_collections.trinitycore.mcp.plugins.filter import lab as filters

from tools import lab_status

ROOT = Path(__file__).parents[3]


def test_inventory_hosts_become_lab_hosts() -> None:
    variables = {
        "db1": {"ansible_host": "10.1.1.31", "lab_memory": "2G", "lab_release": ""},
        "app1": {"ansible_host": "10.1.1.21", "lab_release": "trixie", "lab_cpus": 0.5},
    }
    assert filters.lab_hosts(["db1", "app1"], variables) == [
        {"name": "db1", "address": "10.1.1.31", "image": "bookworm", "memory": "2G"},
        {"name": "app1", "address": "10.1.1.21", "image": "trixie", "cpus": 0.5},
    ]
    with pytest.raises(AnsibleFilterError, match="'db2' has no ansible_host"):
        filters.lab_hosts(["db2"], {"db2": {}})


def test_platforms_become_hosts_and_connections() -> None:
    platforms = [{"name": "db1", "address": "10.1.1.31", "release": "trixie", "groups": ["database"]}]
    assert filters.lab_platforms(platforms) == [{"name": "db1", "address": "10.1.1.31", "image": "trixie"}]
    assert filters.lab_instances(platforms, "/lab")[0]["identity_file"] == "/lab/ssh_key"


def test_both_profiles_have_distinct_addresses_and_all_groups() -> None:
    for name, count in (("hosts.yml", 14), ("small.yml", 7), ("database.yml", 7)):
        tree = yaml.safe_load((ROOT / "inventories/lab" / name).read_text())
        groups = tree["all"]["children"]
        assert set(groups) == {"loadbalancers", "app", "database", "redis", "monitoring", "backup", "acme_lab"}
        addresses = {v["ansible_host"] for g in groups.values() for v in (g["hosts"] or {}).values()}
        assert len(addresses) == len(set(lab_status.inventory_hosts(tree))) == count


def test_the_table_has_a_line_per_host() -> None:
    lines = lab_status.table(
        [
            lab_status.Row("db1", "10.1.1.31", "bookworm", "running", "up", 75, 120),
            lab_status.Row("db2", "", "", "absent", "", None, None),
        ]
    ).splitlines()
    assert lines[0].split() == ["HOST", "ADDRESS", "RELEASE", "STATE", "NETWORK", "UPTIME", "MEMORY"]
    assert "1 min 15 s  120 MiB" in lines[1]
    assert lines[2].split() == ["db2", "absent"]


def test_status_expects_the_hosts_that_the_lab_was_rolled_out_with(tmp_path: Path) -> None:
    assert len(lab_status.expected_hosts(tmp_path, None)) == 14
    (tmp_path / "endpoints.json").write_text('{"hosts": {"db1": "10.1.1.31"}}')
    assert lab_status.expected_hosts(tmp_path, None) == ["db1"]
    assert len(lab_status.expected_hosts(tmp_path, "small")) == 7
