"""The role's part: which hosts are copied to, that the primary's end runs meanwhile, and what a normal run does."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support.binaries import free_port
from tests.support.certificates import Authority
from tests.support.playbooks import Run, run_playbook, write_yaml
from tests.unit.mysql.conftest import Node, only_mariadb
from tests.unit.mysql.test_copy import Start

# In systemd's place: stops and starts the server that the unit's name stands for, as `db2.service`.
SYSTEMCTL = """#!/bin/sh
cd {folder}/${{3%.service}} && pid=$(cat pid 2>/dev/null)
case $1 in
stop)
    kill "$pid"
    while grep -qs 'State:.[^ZX]' "/proc/$pid/status"; do sleep 0.1; done ;;
start)
    [ -n "$pid" ] && grep -qs 'State:.[^ZX]' "/proc/$pid/status" && exit 0
    rm -f pid
    sh ./start </dev/null >/dev/null 2>&1 &
    while ! [ -s pid ]; do sleep 0.1; done ;;
esac
"""

PLAY: list[dict[str, Any]] = [
    {
        "hosts": "database",
        "gather_facts": False,
        "any_errors_fatal": True,
        "tasks": [
            {
                "trinitycore.mcp.mysql_server_state": {"socket": "{{ mysql_socket }}"},
                "register": "mysql_state",
            },
            {"ansible.builtin.set_fact": {"mysql_topology": {"primary": "db1"}}},
            {
                "ansible.builtin.include_role": {
                    "name": "trinitycore.mcp.mysql",
                    "tasks_from": "replicas",
                    "rolespec_validate": False,
                }
            },
        ],
    }
]


@dataclass(frozen=True)
class Site:
    """Servers as hosts of an inventory; systemctl is replaced in a mount namespace of its own."""

    folder: Path
    nodes: list[Node]

    def run(self, *arguments: str) -> Run:
        return run_playbook(self.folder / "play.yml", self.folder / "hosts.yml", "-vv", *arguments)


@pytest.fixture
def site(node: Start, authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    nodes = [node(number) for number in (1, 2, 3)]
    nodes[0].server.sql("SET sql_log_bin = 0; CREATE DATABASE world; CREATE TABLE world.t (id INT PRIMARY KEY)")
    nodes[0].bootstrap()
    hosts = {}
    for each in nodes:
        tls = tmp_path / f"tls-{each.name}"
        tls.mkdir()
        shutil.copy(authority.ca, tls / "ca.crt")
        for suffix in ("crt", "key"):
            shutil.copy(authority.ca.parent / f"{each.name}.{suffix}", tls / f"host.{suffix}")
        (tmp_path / each.name).symlink_to(each.server.directory)
        (each.server.directory / "start").write_text("exec " + " ".join(each.server.arguments))
        hosts[each.name] = {
            "ansible_host": each.address,
            "cluster_address": each.address,
            "cluster_tls_directory": str(tls),
            "mysql_socket": each.socket,
        }
    variables = {
        "ansible_connection": "local",
        "ansible_python_interpreter": sys.executable,
        "ansible_async_dir": str(tmp_path / "async"),
        "cluster_schema": "mcp",
        "mysql_port": nodes[0].server.port,
        "mysql_copy_port": free_port(),
        "mysql_unit": "{{ inventory_hostname }}.service",
        "mysql_semi_sync": True,
        "mysql_replication_password": "secret-r",
        "mysql_errant_directory": "{{ inventory_dir }}/errant-{{ inventory_hostname }}",
        "mysql_errant_controller_directory": str(tmp_path / "errant"),
    }
    write_yaml(tmp_path / "hosts.yml", {"all": {"vars": variables, "children": {"database": {"hosts": hosts}}}})
    # The role's own unit is mariadb.service, and a role's vars win over the inventory's.
    play = [
        {
            **PLAY[0],
            "tasks": [
                *PLAY[0]["tasks"][:-1],
                {**PLAY[0]["tasks"][-1], "vars": {"mysql_unit": "{{ inventory_hostname }}.service"}},
            ],
        }
    ]
    write_yaml(tmp_path / "play.yml", play)
    fake = tmp_path / "systemctl"
    fake.write_text(SYSTEMCTL.format(folder=tmp_path))
    fake.chmod(0o755)
    program = tmp_path / "bin" / "ansible-playbook"
    program.parent.mkdir()
    real = Path(sys.executable).with_name("ansible-playbook")
    program.write_text(
        f"#!/bin/sh\nexec unshare --mount sh -c 'mount --bind {fake} $(readlink -f $(command -v systemctl)) && "
        f'exec {real} "$@"\' sh "$@"\n'
    )
    program.chmod(0o755)
    monkeypatch.setattr("tests.support.playbooks.sys.executable", str(program))
    try:
        yield Site(tmp_path, nodes)
    finally:
        for each in nodes:  # those that were started anew
            with contextlib.suppress(OSError, ValueError):
                os.kill(int((each.server.directory / "pid").read_text()), signal.SIGKILL)


@pytest.mark.long
@pytest.mark.skipif(os.geteuid() != 0, reason="replaces systemctl in a mount namespace, which takes root")
@only_mariadb  # whose commands are at hand; what differs is tested in test_copy
def test_replicas_of_a_primary_that_held_data_get_a_copy_one_after_the_other(site: Site) -> None:
    check = site.run("--check")
    assert check.code == 0, check.output
    assert [check.changed(name) for name in ("db1", "db2", "db3")] == [1, 2, 2]
    assert not site.nodes[1].server.sql("SHOW DATABASES LIKE 'world'")

    first = site.run()
    assert first.code == 0, first.output
    site.nodes[0].server.sql("INSERT INTO world.t VALUES (1)")
    for replica in site.nodes[1:]:
        replica.wait_for(site.nodes[0])
        assert replica.server.sql("SELECT * FROM world.t") == [["1"]]
    assert "secret-r" not in first.output
    copied = [line for line in first.output.splitlines() if line.startswith(("TASK [", "changed: [db"))]
    received = [copied[at + 1] for at, line in enumerate(copied) if line.startswith("TASK [") and "It has them" in line]
    assert [line.split("]")[0] for line in received] == ["changed: [db2", "changed: [db3"], "one after the other"

    second = site.run()
    assert second.code == 0, second.output
    assert [second.changed(name) for name in ("db1", "db2", "db3")] == [0, 0, 0]
    assert "Does it need a copy?" not in second.output, "a normal run asks nobody"

    # One that was written to is left alone until it is named; what it holds is saved at once, here and there.
    site.nodes[2].server.sql("STOP SLAVE; SET GLOBAL read_only = 0; CREATE DATABASE mine; SET GLOBAL read_only = 1")
    refused = site.run()
    assert refused.code != 0
    assert "db3 holds transactions that the primary db1 lacks: 0-3-" in refused.said
    assert "rejoin.yml -e host=db3 -e rebuild=db3" in refused.said
    assert refused.changed("db3") == 3, "the file, and the controller's place for it and copy of it"
    assert site.nodes[2].server.sql("SHOW DATABASES LIKE 'mine'")
    [there], [here] = (list((site.folder / folder).iterdir()) for folder in ("errant-db3", "errant"))
    assert there.name == here.name and there.read_bytes() == here.read_bytes()
    assert "CREATE DATABASE mine" in here.read_text()
    assert here.parent.stat().st_mode & 0o777 == 0o700
    again = site.run()
    assert again.code != 0 and again.changed("db3") == 0
    named = site.run("-e", '{"mysql_replace_data": ["db3"]}')
    assert named.code == 0, named.output
    assert not site.nodes[2].server.sql("SHOW DATABASES LIKE 'mine'")
    assert here.exists()
    assert site.run("-e", '{"mysql_replace_data": ["db3"]}').changed("db3") == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="replaces systemctl in a mount namespace, which takes root")
@only_mariadb  # whose commands are at hand; what differs is tested in test_copy
def test_what_can_not_be_saved_is_given_up_only_by_a_word_of_its_own(site: Site) -> None:
    assert site.run().code == 0
    three = site.nodes[2].server
    three.sql("STOP SLAVE; SET GLOBAL read_only = 0; CREATE DATABASE mine; FLUSH BINARY LOGS; CREATE DATABASE more")
    three.sql("SET GLOBAL read_only = 1")
    logs = [row[0] for row in three.sql("SHOW BINARY LOGS")]
    until = time.monotonic() + 20
    while three.sql("SHOW BINARY LOGS")[0][0] != logs[-1]:  # kept until the storage engine has checkpointed
        assert time.monotonic() < until
        three.sql(f"PURGE BINARY LOGS TO '{logs[-1]}'")
        time.sleep(0.1)
    named = ("-e", '{"mysql_replace_data": ["db3"]}')
    refused = site.run(*named)
    assert refused.code != 0
    assert "can not be saved: the binary logs no longer hold them" in refused.said
    assert "-e give_up=db3" in refused.said
    assert three.sql("SHOW DATABASES LIKE 'mine'")
    assert site.run(*named, "-e", '{"mysql_give_up": ["db3"]}').code == 0
    assert not site.nodes[2].server.sql("SHOW DATABASES LIKE 'mine'")


@pytest.mark.long
@pytest.mark.skipif(os.geteuid() != 0, reason="replaces systemctl in a mount namespace, which takes root")
@only_mariadb  # whose commands are at hand; what differs is tested in test_copy
def test_a_copy_that_fails_says_what_the_primary_saw(site: Site) -> None:
    (site.folder / "tls-db1/host.key").write_text("no key")
    began = time.monotonic()
    failed = site.run("--limit", "db1,db2")
    assert failed.code != 0
    assert "the primary (127.0.4.1) did not come to send" in failed.said
    assert "(On db1: " in failed.said
    assert "host.key" in failed.said
    assert time.monotonic() - began < 180
    assert not site.nodes[1].server.sql("SHOW DATABASES LIKE 'world'")
