"""The modules as Ansible runs them: answers, check mode, and what hosts without a server get to hear."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from ansible.module_utils.testing import patch_module_args
from ansible_collections.trinitycore.mcp.plugins.filter import mysql as filters
from ansible_collections.trinitycore.mcp.plugins.modules import (
    game_database,
    mysql_primary,
    mysql_replica,
    mysql_server_state,
)

from tests.support.certificates import Authority
from tests.unit.mysql.conftest import Node, logins

Run = Callable[..., dict[str, Any]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Give a function that runs a module and returns its answer; a failed one has `failed`."""

    def run_module(module: ModuleType, check: bool = False, **options: Any) -> dict[str, Any]:
        with (
            patch_module_args({**options, "_ansible_check_mode": check, "_ansible_diff": True}),
            pytest.raises(SystemExit),
        ):
            module.main()
        answer: dict[str, Any] = json.loads(capsys.readouterr().out)
        return answer

    return run_module


def members(**states: dict[str, Any] | None) -> list[dict[str, Any]]:
    return [
        {"name": name, "address": f"127.0.4.{name[-1]}", **({"state": state} if state else {})}
        for name, state in states.items()
    ]


def primary_options(name: str, of: list[dict[str, Any]], ca: str = "/nowhere/ca.crt") -> dict[str, Any]:
    account = {
        "user": "replication",
        "password": "secret-r",
        "privileges": {
            "*.*": ["REPLICATION SLAVE", "BINLOG MONITOR", "SLAVE MONITOR"],
            "mcp.deployment_record": ["SELECT"],
        },
    }
    return {
        "name": name,
        "members": of,
        "bootstrap_primary": "db1",
        "databases": ["world"],
        "accounts": [account],
        "admin_password": "secret-s",
        "ca_file": ca,
    }


def test_a_cluster_from_modules(
    run: Run, node: Callable[[int], Node], authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    nodes = {f"db{number}": node(number) for number in (1, 2)}
    monkeypatch.setattr(mysql_primary, "login_of", logins(nodes.values()))
    states = {name: run(mysql_server_state, socket=one.socket)["state"] for name, one in nodes.items()}
    seen = members(**states)

    def roles(check: bool) -> dict[str, dict[str, Any]]:
        return {
            name: run(mysql_primary, check, socket=one.socket, **primary_options(name, seen, str(authority.ca)))
            for name, one in nodes.items()
        }

    foretold, done = roles(check=True), roles(check=False)
    assert {answer["primary"] for answer in done.values()} == {"db1"}
    assert done["db1"]["changed"] and not done["db2"]["changed"]
    assert foretold["db1"]["actions"] == done["db1"]["actions"]
    assert not roles(check=False)["db1"]["changed"]
    assert "secret" not in json.dumps([foretold, done]).replace("********", "")

    replica = {
        "name": "db2",
        "primary": {"name": "db1", "address": "127.0.4.1"},
        "port": nodes["db1"].server.port,
        "password": "secret-r",
        "ca_file": nodes["db1"].ca,
        "socket": nodes["db2"].socket,
    }
    assert run(mysql_replica, check=True, **replica)["changed"]
    assert run(mysql_replica, **replica)["changed"]
    assert not run(mysql_replica, **replica)["changed"]
    assert not run(mysql_replica, **{**replica, "name": "db1", "socket": nodes["db1"].socket})["changed"]

    healthy = run(mysql_server_state, socket=nodes["db2"].socket, healthy=True)["state"]["replication"]
    assert healthy["tls"] and healthy["verifies_certificate"] and healthy["host"] == "127.0.4.1"
    nodes["db2"].server.sql("STOP REPLICA")
    sick = run(mysql_server_state, socket=nodes["db2"].socket, healthy=True, timeout=1)
    assert "does not replicate" in sick["msg"]


def test_nothing_changes_while_two_servers_are_writable(run: Run, node: Callable[[int], Node]) -> None:
    nodes = {f"db{number}": node(number) for number in (1, 2)}
    for one in nodes.values():
        one.server.sql("SET GLOBAL read_only = 0")
    seen = members(**{name: run(mysql_server_state, socket=one.socket)["state"] for name, one in nodes.items()})
    for name, one in nodes.items():
        answer = run(mysql_primary, socket=one.socket, **primary_options(name, seen))
        assert answer["failed"] and "db1 and db2 are both writable" in answer["msg"]
        assert one.server.sql("SHOW DATABASES LIKE 'mcp'") == []


def test_a_host_without_a_server(run: Run, tmp_path: Path) -> None:
    nowhere = str(tmp_path / "s")
    assert "no server is running here" in run(mysql_server_state, socket=nowhere)["msg"]
    foretold = run(mysql_server_state, check=True, socket=nowhere)
    assert foretold["state"]["running"] is False
    seen = members(db1=foretold["state"], db2=foretold["state"])
    first = run(mysql_primary, check=True, socket=nowhere, **primary_options("db1", seen))
    assert first["changed"] and "create account replication@%" in first["actions"]
    assert run(mysql_primary, socket=nowhere, **primary_options("db1", seen))["failed"]
    second = {"name": "db2", "primary": {"name": "db1", "address": "127.0.4.1"}, "password": "x", "ca_file": "/ca"}
    assert run(mysql_replica, check=True, socket=nowhere, **second)["changed"]
    dumps = [{"database": "world", "sha256": "0", "files": ["world.sql"]}]
    names = {"auth": "auth", "characters": "characters", "world": "world"}
    data = {"source": "/x", "databases": names, "dumps": dumps, "socket": nowhere}
    assert run(game_database, check=True, **data)["loaded"] == ["world"]
    assert run(game_database, **data)["failed"]


def test_game_data_does_not_go_into_a_replica(run: Run, node: Callable[[int], Node], tmp_path: Path) -> None:
    (tmp_path / "world.sql").write_text("SELECT 1;\n")
    names = {"auth": "auth", "characters": "characters", "world": "world"}
    dumps = [{"database": "world", "sha256": "0", "files": ["world.sql"]}]
    closed = node(3)
    answer = run(
        game_database, source="/x", databases=names, dumps=dumps, directory=str(tmp_path), socket=closed.socket
    )
    assert "is read-only, so it is not the primary" in answer["msg"]


def test_filters_build_members_from_what_hosts_registered() -> None:
    hostvars = {
        "db1": {"ansible_host": "10.0.0.1", "mysql_state": {"state": {"running": True}}},
        "db2": {"ansible_host": "10.0.0.2"},
        "db3": {"cluster_address": "10.0.0.3", "ansible_host": "192.0.2.3"},
    }
    assert filters.mysql_members(["db1", "db2", "db3"], hostvars, [{"item": "db3", "state": {"running": False}}]) == [
        {"name": "db1", "address": "10.0.0.1", "state": {"running": True}},
        {"name": "db2", "address": "10.0.0.2"},
        {"name": "db3", "address": "10.0.0.3", "state": {"running": False}},
    ]
    follows = {"host": "10.0.0.1", "io_running": "Connecting", "sql_running": True}
    assert filters.mysql_follows({"replication": follows}, "10.0.0.1")
    assert not filters.mysql_follows({"replication": follows}, "10.0.0.2")
    assert not filters.mysql_follows({"replication": {**follows, "io_running": "No"}}, "10.0.0.1")
    assert not filters.mysql_follows({"replication": {**follows, "sql_running": False}}, "10.0.0.1")
    assert not filters.mysql_follows({"replication": None}, "10.0.0.1")
    assert filters.mysql_server_id("10.77.0.31") == 172818463
    with pytest.raises(Exception, match="no IPv4 address"):
        filters.mysql_server_id("db1")
