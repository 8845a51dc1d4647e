"""Redis as its clients see it: TLS, users, replication, and a primary that no rerun moves."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from testinfra.host import Host
from testinfra.utils.ansible_runner import AnsibleRunner

from tests.support.waiting import wait_for

testinfra_hosts = ["ansible://redis1"]

ROOT = Path(__file__).parents[3]
INVENTORY = Path(os.environ["MOLECULE_INVENTORY_FILE"])
PKI = "/etc/trinitycore-pki"
TLS = f"--tls --cacert {PKI}/ca.crt --cert {PKI}/host.crt --key {PKI}/host.key"

Ask = Callable[..., str]


@pytest.fixture(scope="module")
def hosts() -> dict[str, Host]:
    """Both hosts by name."""
    runner = AnsibleRunner(str(INVENTORY))
    return {name: runner.get_host(name) for name in ("redis1", "redis2")}


@pytest.fixture(scope="module")
def secrets() -> dict[str, str]:
    """The scenario's secrets by variable name."""
    text = (ROOT / "molecule" / "shared" / "group_vars" / "all" / "secrets.yml").read_text()
    loaded: dict[str, str] = yaml.safe_load(text)
    return loaded


@pytest.fixture(scope="module")
def ask(hosts: dict[str, Host], secrets: dict[str, str]) -> Ask:
    """Return what a server answers to a command of a user: ``ask("redis1", "app", "GET", "mcp:x")``."""

    def run(host: str, user: str, *words: str, password: str | None = None, options: str = TLS) -> str:
        key = secrets[f"redis_{user}_password"] if password is None else password
        done = hosts[host].run(
            f"REDISCLI_AUTH=%s timeout 10 redis-cli --no-auth-warning {options} --user %s {' '.join(words)}", key, user
        )
        return str(done.stdout + done.stderr).strip()

    return run


def roles(ask: Ask) -> dict[str, str]:
    """Return each host's role as the server tells it."""
    return {name: ask(name, "admin", "ROLE").split()[0] for name in ("redis1", "redis2")}


def converge(*arguments: str) -> dict[str, Any]:
    """Run the role once more and return the counters of each host."""
    done = subprocess.run(
        ["ansible-playbook", "-i", str(INVENTORY), str(ROOT / "molecule/redis/converge.yml"), *arguments],
        env={**os.environ, "ANSIBLE_STDOUT_CALLBACK": "ansible.posix.json"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    stats: dict[str, Any] = json.loads(done.stdout[done.stdout.index("{") :])["stats"]
    return stats


def test_a_write_on_the_primary_shows_on_the_replica(ask: Ask) -> None:
    assert roles(ask) == {"redis1": "master", "redis2": "slave"}
    assert ask("redis1", "app", "SET", "mcp:seen", "here") == "OK"
    wait_for(lambda: ask("redis2", "app", "GET", "mcp:seen") == "here")
    assert "READONLY" in ask("redis2", "app", "SET", "mcp:seen", "there")


def test_strangers_are_refused(ask: Ask, hosts: dict[str, Host]) -> None:
    address = hosts["redis1"].run("hostname -I").stdout.split()[0]
    assert "WRONGPASS" in ask("redis1", "app", "PING", password="wrong")
    assert "NOAUTH" in hosts["redis2"].run(f"timeout 10 redis-cli -h {address} {TLS} PING").stdout
    for options in ("", f"--tls --cacert {PKI}/ca.crt"):  # plain TCP; no certificate
        done = hosts["redis2"].run(f"timeout 10 redis-cli -h {address} {options} PING")
        assert "PONG" not in done.stdout
        assert "NOAUTH" not in done.stdout  # not even asked for a password
        assert done.stderr


@pytest.mark.parametrize(
    "words", [("SET", "other:key", "1"), ("KEYS", "*"), ("FLUSHALL",), ("CONFIG", "GET", "masterauth"), ("SHUTDOWN",)]
)
def test_the_app_gets_no_further_than_its_keys(ask: Ask, words: tuple[str, ...]) -> None:
    assert "NOPERM" in ask("redis1", "app", *(f"'{word}'" for word in words))


def test_the_app_can_do_what_the_server_does(ask: Ask) -> None:
    """Limits count by Redis' own clock, the leader's lease looks which run of Redis it is in, notices are published."""
    script = 'return {redis.call(\\"TIME\\")[1] > \\"0\\", redis.call(\\"INFO\\", \\"server\\")}'
    assert "run_id:" in ask("redis1", "app", "EVAL", f'"{script}"', "1", "mcp:any")
    assert ask("redis1", "app", "PUBLISH", "mcp:events", "x") == "0"
    assert "NOPERM" in ask("redis1", "app", "PUBLISH", "events", "x")


def test_replication_may_not_read(ask: Ask) -> None:
    assert "NOPERM" in ask("redis1", "replication", "GET", "mcp:seen")


def test_no_password_is_in_sight(hosts: dict[str, Host], secrets: dict[str, str]) -> None:
    shown = hosts["redis1"].run("ps auxe; journalctl -u redis-server --no-pager; cat /etc/redis/users.acl").stdout
    found = [name for name, secret in secrets.items() if name.startswith("redis_") and secret in shown]
    assert not found
    for name in ("redis.conf", "users.acl", "admin_password"):
        assert hosts["redis1"].run(f"runuser -u nobody -- cat /etc/redis/{name}").rc != 0


def test_data_survives_a_crash(ask: Ask, hosts: dict[str, Host]) -> None:
    assert ask("redis1", "app", "SET", "mcp:kept", "yes") == "OK"
    script = 'redis.call(\\"SET\\", KEYS[1], 1); redis.call(\\"SET\\", KEYS[2], 2)'
    ask("redis1", "app", "EVAL", f'"{script}"', "2", "mcp:both", "mcp:together")
    time.sleep(1.2)  # appendfsync everysec
    hosts["redis1"].run_test("systemctl kill -s KILL redis-server")
    wait_for(lambda: ask("redis1", "app", "GET", "mcp:kept") == "yes")
    assert ask("redis1", "app", "MGET", "mcp:both", "mcp:together").split() == ["1", "2"]
    assert roles(ask)["redis1"] == "master"


def test_reload_takes_new_users_without_a_restart(ask: Ask, hosts: dict[str, Host]) -> None:
    pid = hosts["redis1"].run("systemctl show -P MainPID redis-server").stdout
    assert ask("redis1", "admin", "ACL", "DELUSER", "app") == "1"
    assert "WRONGPASS" in ask("redis1", "app", "PING")
    hosts["redis1"].run_test("systemctl reload redis-server")
    assert ask("redis1", "app", "PING") == "PONG"
    assert hosts["redis1"].run("systemctl show -P MainPID redis-server").stdout == pid


def test_a_switch_by_hand_is_kept(ask: Ask, hosts: dict[str, Host]) -> None:
    address = hosts["redis2"].run("hostname -I").stdout.split()[0]
    wait_for(lambda: "connected" in ask("redis2", "admin", "ROLE"))
    ask("redis2", "admin", "REPLICAOF", "NO", "ONE")
    ask("redis1", "admin", "REPLICAOF", address, "6379")
    wait_for(lambda: "connected" in ask("redis1", "admin", "ROLE"))
    assert ask("redis2", "app", "SET", "mcp:after", "switch") == "OK"
    for stats in (converge("--check"), converge()):
        assert {name: counters["changed"] for name, counters in stats.items()} == {"redis1": 0, "redis2": 0}
    assert roles(ask) == {"redis1": "slave", "redis2": "master"}
    wait_for(lambda: ask("redis1", "app", "GET", "mcp:after") == "switch")


def test_an_old_primary_comes_back_as_a_replica(ask: Ask, hosts: dict[str, Host]) -> None:
    """redis2 is primary here; it goes down without a word, redis1 is promoted, and a rerun starts redis2 again."""
    address = hosts["redis1"].run("hostname -I").stdout.split()[0]
    assert ask("redis2", "admin", "CONFIG", "REWRITE") == "OK"
    wait_for(lambda: "connected" in ask("redis1", "admin", "ROLE"))
    hosts["redis2"].run_test("systemctl stop redis-server")
    assert ask("redis1", "admin", "REPLICAOF", "NO", "ONE") == "OK"
    assert ask("redis1", "admin", "CONFIG", "REWRITE") == "OK"
    assert ask("redis1", "app", "SET", "mcp:while", "away") == "OK"
    stats = converge()
    assert stats["redis1"]["changed"] == 0
    assert stats["redis2"]["changed"] > 0
    wait_for(lambda: ask("redis2", "app", "GET", "mcp:while") == "away")
    assert address in ask("redis2", "admin", "ROLE")
    assert roles(ask) == {"redis1": "master", "redis2": "slave"}


def test_two_servers_with_data_are_a_conflict(ask: Ask) -> None:
    ask("redis2", "admin", "REPLICAOF", "NO", "ONE")
    try:
        with pytest.raises(AssertionError, match="redis_discard"):
            converge()
        assert roles(ask) == {"redis1": "master", "redis2": "master"}
        converge("-e", '{"redis_discard": ["redis2"]}')
        assert roles(ask) == {"redis1": "master", "redis2": "slave"}
    finally:
        wait_for(lambda: "connected" in ask("redis2", "admin", "ROLE"))
