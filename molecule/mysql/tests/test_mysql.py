"""A database pair of either flavour, as clients and operator see it. The tests build on each other."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from testinfra.host import Host
from testinfra.utils.ansible_runner import AnsibleRunner

from tests.support.waiting import wait_for

testinfra_hosts = ["ansible://db1"]

ROOT = Path(__file__).parents[3]
CONVERGE = "molecule/mysql/converge.yml"
INVENTORY = Path(os.environ["MOLECULE_INVENTORY_FILE"])
NAMES = ("db1", "db2")
FLAVOR = "mysql" if os.environ["MOLECULE_SCENARIO_NAME"] == "mysql_oracle" else "mariadb"
"""Which names the unit, and its client."""
TLS, NO_TLS, POSITION = {
    "mariadb": ("--ssl-verify-server-cert", "--skip-ssl", "@@gtid_binlog_pos"),
    "mysql": ("--ssl-mode=VERIFY_IDENTITY", "--ssl-mode=DISABLED", "@@GLOBAL.gtid_executed"),
}[FLAVOR]
TLS += " --ssl-ca=/etc/trinitycore-pki/ca.crt"

Ask = Callable[..., str]


@pytest.fixture(scope="module")
def hosts() -> dict[str, Host]:
    """Both hosts by name."""
    runner = AnsibleRunner(str(INVENTORY))
    return {name: runner.get_host(name) for name in NAMES}


@pytest.fixture(scope="module")
def secrets() -> dict[str, str]:
    """The scenario's secrets by variable name."""
    text = (ROOT / "molecule" / "shared" / "group_vars" / "all" / "secrets.yml").read_text()
    loaded: dict[str, str] = yaml.safe_load(text)
    return loaded


@pytest.fixture(scope="module")
def address(hosts: dict[str, Host]) -> dict[str, str]:
    """Each host's address in the lab."""
    return {name: host.check_output("hostname -I").split()[0] for name, host in hosts.items()}


@pytest.fixture(scope="module")
def sql(hosts: dict[str, Host]) -> Ask:
    """Return what a server answers to root on its own host: ``sql("db1", "SELECT 1")``."""

    def run(name: str, statement: str) -> str:
        return str(hosts[name].check_output(f"{FLAVOR} -NBe %s", statement)).strip()

    return run


@pytest.fixture(scope="module")
def login(hosts: dict[str, Host], address: dict[str, str], secrets: dict[str, str]) -> Ask:
    """Return what a server answers to an account that comes over the network from db2."""

    def run(name: str, user: str, statement: str, options: str = TLS) -> str:
        done = hosts["db2"].run(
            f"MYSQL_PWD=%s {FLAVOR} -NB {options} -h {address[name]} -u %s -e %s",
            secrets[f"mysql_{user}_password"],
            user,
            statement,
        )
        return str(done.stdout + done.stderr).strip()

    return run


def play(playbook: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a playbook of the collection or the scenario's converge.yml."""
    return subprocess.run(
        ["ansible-playbook", "-i", str(INVENTORY), str(ROOT / playbook), *arguments],
        env={**os.environ, "ANSIBLE_STDOUT_CALLBACK": "ansible.posix.json"},
        capture_output=True,
        text=True,
        check=False,
    )


def converge(*arguments: str, playbook: str = CONVERGE) -> dict[str, Any]:
    """Run the role once more and return the counters of each host."""
    done = play(playbook, *arguments)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    stats: dict[str, Any] = json.loads(done.stdout[done.stdout.index("{") :])["stats"]
    return stats


def writable(sql: Ask) -> list[str]:
    return [name for name in NAMES if sql(name, "SELECT @@read_only") == "0"]


def test_a_row_written_on_the_primary_shows_on_the_replica(sql: Ask) -> None:
    assert writable(sql) == ["db1"]
    sql("db1", "CREATE TABLE mcp.t (id INT PRIMARY KEY); INSERT INTO mcp.t VALUES (1)")
    wait_for(lambda: sql("db2", "SELECT COUNT(*) FROM information_schema.tables WHERE table_name='t'") == "1")
    wait_for(lambda: sql("db2", "SELECT id FROM mcp.t") == "1")


def test_accounts_write_where_they_may_and_nowhere_else(login: Ask) -> None:
    assert login("db1", "app_rw", "INSERT INTO mcp.t VALUES (2)") == ""
    assert "read-only" in login("db2", "app_rw", "INSERT INTO mcp.t VALUES (3)")
    assert "denied" in login("db1", "app_rw", "CREATE TABLE world.x (id INT)")
    assert "denied" in login("db1", "app_rw", "SELECT * FROM mysql.user")
    for statement in ("INSERT INTO mcp.t VALUES (4)", "CREATE TABLE world.x (id INT)", "DROP DATABASE world"):
        assert "denied" in login("db1", "app_ro", statement)
    assert login("db2", "app_rw", "SELECT COUNT(*) FROM mcp.t") == "2"
    assert "denied" in login("db2", "app_ro", "SELECT COUNT(*) FROM mcp.t")
    assert "Waiting for " in login("db2", "app_ro", "SHOW REPLICA STATUS")
    for user in ("admin", "replication"):
        assert "denied" in login("db1", user, "SELECT * FROM mcp.t")
    assert login("db1", "admin", "SELECT 1") == "1"


@pytest.mark.parametrize("user", ["admin", "replication", "app_ro", "app_rw"])
def test_no_login_without_tls(login: Ask, user: str) -> None:
    answer = login("db1", user, "SELECT 1", options=NO_TLS)
    assert "ERROR" in answer and re.search("secure.transport|secure connection|denied", answer)


def test_local_accounts_do_not_come_over_the_network(login: Ask) -> None:
    for user in ("backup", "exporter"):
        assert "denied" in login("db1", user, "SELECT 1")


def test_replication_is_encrypted_with_a_checked_certificate(hosts: dict[str, Host], address: dict[str, str]) -> None:
    shown = hosts["db2"].check_output(f"{FLAVOR} -BEe %s", "SHOW REPLICA STATUS")
    pairs = (line.partition(":") for line in shown.splitlines())
    status = {re.sub("Source|Master", "Primary", key.strip()): value.strip() for key, _, value in pairs}
    by_gtid = {"mariadb": ("Using_Gtid", "Slave_Pos"), "mysql": ("Auto_Position", "1")}[FLAVOR]
    assert (status["Primary_Host"], status[by_gtid[0]]) == (address["db1"], by_gtid[1])
    assert (status["Primary_SSL_Allowed"], status["Primary_SSL_Verify_Server_Cert"]) == ("Yes", "Yes")


def test_no_password_is_in_sight(hosts: dict[str, Host], secrets: dict[str, str]) -> None:
    for host in hosts.values():
        shown = host.check_output("ps auxe; journalctl --no-pager; cat /var/lib/mysql/binlog.0* | tr -cd '[:print:]'")
        assert "CREATE USER" in shown, "the binary log must be among what is looked at"
        found = [name for name, secret in secrets.items() if name.startswith("mysql_") and secret in shown]
        assert not found


def test_a_renewed_certificate_is_taken_over_without_a_restart(hosts: dict[str, Host], sql: Ask) -> None:
    pid = hosts["db1"].check_output(f"systemctl show -P MainPID {FLAVOR}")
    hosts["db1"].run_test(f"systemctl reload {FLAVOR}")
    assert hosts["db1"].check_output(f"systemctl show -P MainPID {FLAVOR}") == pid
    assert sql("db1", "SELECT 1") == "1"


def test_check_mode_finds_nothing_to_do() -> None:
    stats = converge("--check", "--diff")
    assert {name: counters["changed"] for name, counters in stats.items()} == {"db1": 0, "db2": 0}


def test_a_crash_loses_nothing_and_leaves_the_primary_closed_until_the_next_run(
    hosts: dict[str, Host], sql: Ask
) -> None:
    sql("db1", "INSERT INTO mcp.t VALUES (10)")
    hosts["db1"].run_test(f"systemctl kill -s KILL {FLAVOR}")
    hosts["db2"].run_test(f"systemctl restart {FLAVOR}")
    wait_for(lambda: hosts["db1"].run(f"{FLAVOR} -e 'SELECT 1'").rc == 0, 60)
    assert writable(sql) == []
    converge()
    # If the crash undid a write that only the replica has then, the replica takes over.
    [name] = writable(sql)
    for other in NAMES:
        wait_for(lambda other=other: sql(other, "SELECT COUNT(*) FROM mcp.t WHERE id = 10") == "1")  # type: ignore[misc] # a default binds it
    if name != "db1":
        converge("-e", "target=db1", playbook="playbooks/switchover.yml")
    assert writable(sql) == ["db1"]
    sql("db1", "INSERT INTO mcp.t VALUES (11)")
    wait_for(lambda: sql("db2", "SELECT COUNT(*) FROM mcp.t WHERE id = 11") == "1")


def test_the_other_flavour_does_not_take_its_place(sql: Ask) -> None:
    other = {"mariadb": "mysql", "mysql": "mariadb"}[FLAVOR]
    version = sql("db1", "SELECT @@version")
    assert play(CONVERGE, "-e", f"mysql_flavor={other}").returncode != 0
    assert sql("db1", "SELECT @@version") == version
    assert converge()["db1"]["changed"] == 0


def test_two_writable_servers_stop_the_run(sql: Ask) -> None:
    sql("db2", "SET GLOBAL read_only = 0")
    done = play(CONVERGE)
    assert done.returncode != 0
    assert "db1 and db2 are both writable" in done.stdout
    sql("db2", "SET GLOBAL read_only = 1")
    assert writable(sql) == ["db1"]


def test_a_change_of_settings_restarts_replica_and_primary_one_after_the_other(
    hosts: dict[str, Host], sql: Ask
) -> None:
    converge("-e", "mysql_max_connections=123")
    assert [sql(name, "SELECT @@max_connections") for name in NAMES] == ["123", "123"]
    assert writable(sql) == ["db1"]
    began = [
        int(hosts[name].check_output(f"systemctl show -P ActiveEnterTimestampMonotonic {FLAVOR}")) for name in NAMES
    ]
    ended = [
        int(hosts[name].check_output(f"systemctl show -P InactiveExitTimestampMonotonic {FLAVOR}")) for name in NAMES
    ]
    assert began[1] <= ended[0], "the primary goes when the replica is back"
    converge()
    assert [sql(name, "SELECT @@max_connections") for name in NAMES] == ["200", "200"]


def test_what_waits_for_a_replica_is_written_when_the_run_has_started_one(sql: Ask, login: Ask) -> None:
    """Also a new password of the account that replicas come by."""
    sql("db1", "ALTER USER app_rw@'%' IDENTIFIED BY 'Another-1'")
    wait_for(lambda: "denied" in login("db2", "app_rw", "SELECT 1"))
    sql("db2", "STOP REPLICA")
    clients = f"SHOW GLOBAL STATUS LIKE 'Rpl_semi_sync_{'source' if FLAVOR == 'mysql' else 'master'}_clients'"
    wait_for(lambda: sql("db1", clients).split()[-1] == "0")
    new = "a-new-password-for-replicas"
    stats = converge("-e", f"mysql_replication_password={new}")
    assert (stats["db1"]["changed"], stats["db2"]["changed"]) == (1, 2), "accounts; started, then the new password"
    assert writable(sql) == ["db1"]
    assert login("db1", "app_rw", "SELECT 1") == "1"
    assert {name: each["changed"] for name, each in converge("-e", f"mysql_replication_password={new}").items()} == {
        "db1": 0,
        "db2": 0,
    }
    converge()


def test_a_primary_that_was_moved_by_hand_stays_moved(sql: Ask) -> None:
    rows = sql("db1", "SELECT COUNT(*) FROM mcp.t")
    sql("db1", "SET GLOBAL read_only = 1")
    wait_for(lambda: sql("db1", f"SELECT {POSITION}") == sql("db2", f"SELECT {POSITION}"))
    sql("db2", "STOP REPLICA; RESET REPLICA ALL; SET GLOBAL read_only = 0; INSERT INTO mcp.t VALUES (100)")
    stats = converge()
    assert (stats["db1"]["changed"], stats["db2"]["changed"]) == (1, 1), "one follows, the other waits for it"
    assert writable(sql) == ["db2"]
    wait_for(lambda: sql("db1", "SELECT COUNT(*) FROM mcp.t") == str(int(rows) + 1))
    assert {name: counters["changed"] for name, counters in converge().items()} == {"db1": 0, "db2": 0}


def test_a_run_limited_to_one_host_knows_the_other(sql: Ask) -> None:
    assert converge("--limit", "db1")["db1"]["changed"] == 0
    assert writable(sql) == ["db2"]


def test_game_data_loads_once_and_replicates(sql: Ask, login: Ask, tmp_path: Path) -> None:
    (tmp_path / "my_world.sql").write_text("CREATE TABLE creature_template (entry INT PRIMARY KEY);\n")
    account = "CREATE TABLE account (id INT PRIMARY KEY, username VARCHAR(9), email VARCHAR(9));\n"
    (tmp_path / "my_auth.sql").write_text(account + "INSERT INTO account VALUES (1, 'ONE', 'e');\n")
    source = ("-e", f"game_data_source={tmp_path}")
    stats = converge(*source, playbook="playbooks/game_data.yml")
    assert sum(counters["changed"] for counters in stats.values()) == 2, "the data, and rights on it"
    for name in NAMES:
        assert sql(name, "SHOW TABLES FROM world") == "creature_template"
        wait_for(lambda name=name: login(name, "app_ro", "SELECT username FROM auth.account") == "ONE")  # type: ignore[misc] # a default binds it
        assert "denied" in login(name, "app_ro", "SELECT email FROM auth.account")
        assert "denied" in login(name, "app_ro", "SELECT * FROM auth.account")
    assert {name: counters["changed"] for name, counters in converge().items()} == {"db1": 0, "db2": 0}
    stats = converge(*source, playbook="playbooks/game_data.yml")
    assert sum(counters["changed"] for counters in stats.values()) == 0
    (tmp_path / "my_world.sql").write_text("DROP TABLE creature_template;\n")
    done = play("playbooks/game_data.yml", *source)
    assert done.returncode != 0
    assert "database world holds another dump; nothing is dropped" in done.stdout
    assert sql("db2", "SHOW TABLES FROM world") == "creature_template"
