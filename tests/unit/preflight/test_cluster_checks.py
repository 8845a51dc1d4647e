"""Checks across hosts and groups, without Ansible."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.trinitycore.mcp.plugins.module_utils.preflight.cluster import ClusterChecks
from ansible_collections.trinitycore.mcp.plugins.module_utils.preflight.inventory import HostVariables, Inventory
from ansible_collections.trinitycore.mcp.plugins.module_utils.preflight.problems import Problems

from .conftest import MakeInventory

ROLES = ("cluster", "mysql", "nginx")


def found(inventory: Inventory, secrets: tuple[str, ...] = ()) -> list[str]:
    problems = Problems()
    ClusterChecks(inventory, problems, ROLES, secrets).run()
    return problems.lines(inventory)


def test_nothing_wrong(inventory: MakeInventory) -> None:
    assert found(inventory()) == []


def test_missing_group(inventory: MakeInventory) -> None:
    complete = inventory()
    groups = {name: members for name, members in complete.groups.items() if name not in ("backup", "app")}
    assert found(Inventory(groups, complete.hosts)) == [
        "group app - is missing from the inventory - needs one host or more",
        "group backup - is missing from the inventory - may be empty, but must be there",
    ]


def test_empty_group(inventory: MakeInventory) -> None:
    assert found(inventory(groups={"loadbalancers": [], "monitoring": []})) == [
        "group loadbalancers - has no hosts - needs one host or more"
    ]


def test_two_hosts_with_one_address(inventory: MakeInventory) -> None:
    changed = inventory(host_vars={"app2": {"ansible_host": "10.0.0.9"}, "db1": {"cluster_address": "10.0.0.9"}})
    assert found(changed) == [
        "ansible_host, cluster_address (app2, db1) - 10.0.0.9 is the address of more than one host"
        " - must be another on each host"
    ]


def test_same_address_written_in_two_ways(inventory: MakeInventory) -> None:
    changed = inventory(host_vars={"app1": {"ansible_host": "fd00::1"}, "app2": {"ansible_host": "fd00:0::0:1"}})
    assert found(changed)[0].startswith("ansible_host (group app) - fd00::1 is the address of more than one host")


@pytest.mark.parametrize(
    ("address", "says"),
    [
        ("db.example.com", "'db.example.com' is not an IP address"),
        ("10.0.0.300", "'10.0.0.300' is not an IP address"),
        ("0.0.0.0", "'0.0.0.0' is no host's address"),
        ("127.0.0.1", "other hosts can't reach '127.0.0.1'"),
        (..., "is not set"),
    ],
)
def test_invalid_address(inventory: MakeInventory, address: Any, says: str) -> None:
    (line,) = found(inventory(host_vars={"db2": {"ansible_host": address}}))
    assert line.startswith(f"ansible_host (db2) - {says}")


def test_name_for_ssh_and_address_for_the_cluster(inventory: MakeInventory) -> None:
    assert found(inventory(host_vars={"db2": {"ansible_host": "db2.example.com", "cluster_address": "10.1.0.1"}})) == []


def test_loopback_is_fine_for_a_cluster_of_one() -> None:
    variables = {"ansible_host": "127.0.0.1", "mysql_bootstrap_primary": "one", "redis_bootstrap_primary": "one"}
    groups = {name: ["one"] for name in ("all", "loadbalancers", "app", "database", "redis", "monitoring", "backup")}
    host = HostVariables("one", frozenset(variables), variables.__getitem__)
    assert found(Inventory(groups, {"one": host})) == []


@pytest.mark.parametrize("variable", ["mysql_bootstrap_primary", "redis_bootstrap_primary"])
def test_no_primary(inventory: MakeInventory, variable: str) -> None:
    (line,) = found(inventory(**{variable: ...}))
    assert line.startswith(f"{variable} ")
    assert "has no primary to start with" in line
    assert "allowed values are " in line


def test_primary_outside_its_group(inventory: MakeInventory) -> None:
    assert found(inventory(mysql_bootstrap_primary="app1")) == [
        "mysql_bootstrap_primary (group database) - 'app1' is not in group database - allowed values are db1, db2"
    ]


def test_backup_host_outside_the_database_group(inventory: MakeInventory) -> None:
    assert found(inventory(backup_host="db2")) == []
    assert found(inventory(backup_host="app1")) == [
        "backup_host (group database) - 'app1' is not in group database - allowed values are db1, db2"
    ]


def test_primary_differs_between_hosts(inventory: MakeInventory) -> None:
    (line,) = found(inventory(host_vars={"db2": {"mysql_bootstrap_primary": "db2"}}))
    assert (
        line == "mysql_bootstrap_primary (group database) - differs within group database, db1, db2 - must be one value"
    )


@pytest.mark.parametrize(
    "domain",
    ["localhost", "https://mcp.example.com", "mcp.example.com/", "mcp.example.com:443", "-a.example.com", "a..b",
     "10.0.0.1", "mcp_1.example.com", "x" * 64 + ".com", "é.example.com", "", "example.com."],
)  # fmt: skip
def test_bad_domain(inventory: MakeInventory, domain: str) -> None:
    (line,) = found(inventory(cluster_domain=domain))
    assert line.startswith("cluster_domain (all hosts) - ")
    assert "must be a domain name such as mcp.example.com" in line


@pytest.mark.parametrize("domain", ["a.b", "mcp.lab.test", "xn--mcp-1ua.example.com", "MCP.Example.COM", "3com.com"])
def test_good_domain(inventory: MakeInventory, domain: str) -> None:
    assert found(inventory(cluster_domain=domain)) == []


@pytest.mark.parametrize(
    ("network", "says"),
    [
        ("10.0.0.1/24", "has bits set beyond its prefix, did you mean 10.0.0.0/24?"),
        ("10.0.0.0/33", "is not a network"),
        ("office", "is not a network"),
    ],
)
def test_bad_network(inventory: MakeInventory, network: str, says: str) -> None:
    (line,) = found(inventory(cluster_admin_sources=["192.0.2.0/24", network]))
    assert line.startswith(f"cluster_admin_sources (all hosts) - {network!r} {says}")


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("cluster_timezone", "Europe/Atlantis"),
        ("cluster_name", "my cluster"),
        ("cluster_schema", "mcp; drop"),
        ("cluster_databases", {"world": "w", "characters": "w", "auth": "a"}),
        ("cluster_databases", {"world": "w`", "characters": "c", "auth": "a"}),
        ("cluster_edge_address", "mcp.example.com"),
        ("cluster_components", {"app": ["mcp-server"]}),
    ],
)
def test_bad_value(inventory: MakeInventory, variable: str, value: Any) -> None:
    (line,) = found(inventory(**{variable: value}))
    assert line.startswith(f"{variable} (all hosts) - ")


def test_host_name_unfit_for_a_certificate(inventory: MakeInventory) -> None:
    (line,) = found(inventory(groups={"app": ["app_1"]}))
    assert line.startswith("host app_1 - can't be a name in a certificate")


def test_secrets_that_no_host_has_are_generated_later(inventory: MakeInventory) -> None:
    assert found(inventory(a_password="0123456789ab"), ("a_password", "b_password")) == []


def test_secrets_that_some_hosts_lack_are_one_problem(inventory: MakeInventory) -> None:
    partly = {"b_password": "0123456789ab", "c_password": "0123456789ab"}
    (line,) = found(inventory(host_vars={"db1": partly}), ("b_password", "c_password"))
    assert line.startswith("b_password, c_password (")
    assert "not set, though other hosts have it - must be set for all hosts or for none" in line


def test_a_replication_password_must_fit_mysql(inventory: MakeInventory) -> None:
    name, value = "mysql_replication_password", "x" * 33
    assert found(inventory(**{name: value}), (name,)) == []
    assert found(inventory(**{name: value}, mysql_flavor="mariadb"), (name,)) == []
    (line,) = found(inventory(**{name: value}, mysql_flavor="mysql"), (name,))
    assert line == f"{name} (all hosts) - the value (hidden) has 33 characters - MySQL takes 32 at most"


@pytest.mark.parametrize(
    "value", ["hunter2", "", 123456789012345, "with space in it", 'quote"quote"quote', "back\\slash\\es"]
)
def test_bad_secret_is_not_shown(inventory: MakeInventory, value: Any) -> None:
    (line,) = found(inventory(a_password=value), ("a_password",))
    assert line.startswith("a_password (all hosts) - the value (hidden) ")
    assert not value or str(value) not in line


def test_flavours_of_redis_do_not_mix(inventory: MakeInventory) -> None:
    groups = {"redis": ["redis1", "app1"]}

    def flavours(first: str, second: str) -> Inventory:
        return inventory(groups=groups, host_vars={"redis1": {"redis_flavor": first}, "app1": {"redis_flavor": second}})

    (line,) = found(flavours("redis", "valkey"))
    assert line.startswith("redis_flavor (")
    assert line.endswith("redis, valkey - must be one value")
    assert found(flavours("valkey", "valkey")) == []


def test_floating_addresses_are_nobodys(inventory: MakeInventory) -> None:
    lines = found(inventory(cluster_floating_addresses=["10.0.0.250", "10.0.0.0/24", "10.0.0.4"]))
    assert len(lines) == 2
    assert "'10.0.0.0/24' is not an IP address - must be free IP addresses" in lines[0]
    assert "10.0.0.4' is the address of host db1" in lines[1]


def test_servers_that_choose_their_primary_are_three_and_of_the_kind_that_can(inventory: MakeInventory) -> None:
    three = {"database": ["db1", "db2", "db3"]}
    assert found(inventory(groups=three, mysql_ha="auto", mysql_flavor="mysql")) == []
    assert found(inventory(mysql_ha="auto", mysql_flavor="mysql")) == [
        "mysql_ha (group database) - 'auto' with 2 database hosts, of which more than half must be there for a write"
        " - needs 3 to 9"
    ]
    [problem] = found(inventory(groups=three, mysql_ha="auto", mysql_flavor="mariadb"))
    assert "'auto' is not to be had with mysql_flavor mariadb, see docs/decisions/database-ha.md" in problem
    [problem] = found(inventory(groups=three, mysql_flavor="mysql", host_vars={"db2": {"mysql_ha": "auto"}}))[:1]
    assert "mysql_ha" in problem
