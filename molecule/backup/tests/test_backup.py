"""Backups as the schedule makes them, and what can be had back from them. The tests run in this order."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from testinfra.host import Host
from testinfra.utils.ansible_runner import AnsibleRunner

from tests.support.playbooks import run_playbook

testinfra_hosts = ["ansible://db2"]

INVENTORY = Path(os.environ["MOLECULE_INVENTORY_FILE"])
CRON = "/etc/cron.d/trinitycore-backup"
ROWS = """USE world;
CREATE TABLE world.creature (entry INT PRIMARY KEY, name TEXT, scale FLOAT);
INSERT INTO world.creature SELECT seq, CONCAT('creature ', seq, CHAR(10), x'27'), seq / 3 FROM seq_1_to_5000;
CREATE TABLE characters.c (guid INT); INSERT INTO characters.c VALUES (1), (1), (NULL);
CREATE TABLE auth.account (id INT PRIMARY KEY); CREATE TABLE mcp.audit (id INT PRIMARY KEY);
INSERT INTO mcp.audit VALUES (5); CREATE VIEW world.small AS SELECT entry FROM world.creature WHERE scale < 1;
"""
TABLES = "world.creature, characters.c, auth.account, mcp.audit"

Ask = Callable[[str, str], str]


@pytest.fixture(scope="module")
def hosts() -> dict[str, Host]:
    """All hosts by name."""
    runner = AnsibleRunner(str(INVENTORY))
    return {name: runner.get_host(name) for name in ("db1", "db2", "other1")}


@pytest.fixture(scope="module")
def sql(hosts: dict[str, Host]) -> Ask:
    """Return what a server answers to root on its own host."""
    return lambda name, statement: hosts[name].check_output("mariadb -NBe %s", statement).strip()


@pytest.fixture(scope="module", autouse=True)
def data(sql: Ask) -> None:
    """Rows of every kind on the primary, and on the replica."""
    sql("db1", ROWS)
    position = sql("db1", "SELECT @@gtid_binlog_pos")
    assert sql("db2", f"SELECT MASTER_GTID_WAIT('{position}', 20)") == "0"


def restore(*arguments: str) -> str:
    """Run restore.yml and return what it says."""
    done = run_playbook("playbooks/restore.yml", INVENTORY, *(word for one in arguments for word in ("-e", one)))
    assert done.code == 0, done.output[-6000:]
    return done.said


def backups(host: Host) -> list[dict[str, Any]]:
    return [json.loads(line) for line in host.check_output("trinitycore-backup list").splitlines()]


def test_one_host_runs_the_schedule(hosts: dict[str, Host]) -> None:
    assert hosts["db2"].file(CRON).exists
    assert not hosts["db1"].file(CRON).exists


def test_cron_makes_a_backup(hosts: dict[str, Host]) -> None:
    """The host's own cron reads the file that the role wrote; only its minute is changed."""
    line = hosts["db2"].check_output(f"grep trinitycore-backup {CRON}")
    assert line.startswith("17 */6 * * * root ")
    assert not backups(hosts["db2"])
    try:
        hosts["db2"].run_test(f"sed -i 's|^17 \\*/6|* *|; s|--jitter 300|--jitter 0|' {CRON}")
        end = time.monotonic() + 130
        while not backups(hosts["db2"]):
            assert time.monotonic() < end, (
                hosts["db2"].run("journalctl -t trinitycore-backup -u cron --no-pager").stdout
            )
            time.sleep(2)
    finally:
        hosts["db2"].run_test(
            f"sed -i 's|^\\* \\* \\* \\* \\* root|17 */6 * * * root|; s|--jitter 0|--jitter 300|' {CRON}"
        )
    made = backups(hosts["db2"])[0]
    assert made["databases"] == ["auth", "characters", "mcp", "world"]
    assert made["rows"] == 5004
    log = hosts["db2"].check_output("journalctl -t trinitycore-backup -o cat --no-pager")
    assert json.loads(log.splitlines()[-1])["backup"] == made["backup"]


def test_the_metric_tells_of_it(hosts: dict[str, Host]) -> None:
    lines = hosts["db2"].check_output("cat /var/tmp/trinitycore_backup.prom").splitlines()
    metrics = dict(line.split(" ") for line in lines if not line.startswith("#"))
    assert metrics["trinitycore_backup_last_run_success"] == "1"
    assert time.time() - float(metrics["trinitycore_backup_last_success_timestamp_seconds"]) < 300


def test_only_root_can_read_it(hosts: dict[str, Host]) -> None:
    folder = backups(hosts["db2"])[0]["backup"]
    for path in (f"{folder}/world.sql.zst", "/etc/trinitycore-backup/credentials.cnf"):
        assert hosts["db2"].run(f"runuser -u nobody -- cat {path}").rc != 0
        assert hosts["db2"].run(f"cat {path}").rc == 0


def test_it_restores_into_an_empty_server(sql: Ask) -> None:
    said = restore("restore_host=other1")
    assert "server: other1" in said
    assert sql("other1", f"CHECKSUM TABLE {TABLES}") == sql("db1", f"CHECKSUM TABLE {TABLES}")
    assert sql("other1", "SELECT COUNT(*), MAX(name) FROM world.creature") == sql(
        "db1", "SELECT COUNT(*), MAX(name) FROM world.creature"
    )
    assert sql("other1", "SELECT COUNT(*) FROM world.small") == "2"


@pytest.mark.parametrize("limit", [(), ("--limit", "db2")], ids=["", "for the replica"])
def test_an_occupied_database_is_refused(sql: Ask, limit: tuple[str, ...]) -> None:
    """It is the primary's that counts, also where the run leaves the primary out."""
    done = run_playbook("playbooks/restore.yml", INVENTORY, *limit)
    assert done.code != 0
    assert "hold(s) tables; nothing was changed" in done.said
    assert sql("db1", "SELECT COUNT(*) FROM world.creature") == "5000"


def test_what_was_lost_comes_back_on_primary_and_replica(sql: Ask, hosts: dict[str, Host]) -> None:
    before = sql("db1", f"CHECKSUM TABLE {TABLES}")
    sql("db1", "DELETE FROM world.creature WHERE entry > 100")
    restore("restore_databases=world", "restore_replace=world")
    assert sql("db1", f"CHECKSUM TABLE {TABLES}") == before
    assert sql("db2", f"CHECKSUM TABLE {TABLES}") == before
    # What was replaced was kept first.
    assert backups(hosts["db1"])[0]["rows"] == 104
    assert not hosts["db1"].file("/var/backups/trinitycore-restore").exists


@pytest.mark.parametrize(
    ("damage", "said"),
    [("truncate -s -20", "cut short or damaged"), ("sed -i 1s/./x/", "differs from the manifest")],
)
def test_a_damaged_backup_is_refused(sql: Ask, hosts: dict[str, Host], damage: str, said: str) -> None:
    good = backups(hosts["db2"])[-1]["backup"]
    bad = "/var/backups/trinitycore/20200101T000000Z"
    hosts["db2"].run_test(f"cp -r {good} {bad} && {damage} {bad}/world.sql.zst")
    try:
        replace = "restore_replace=world,auth,characters,mcp"
        done = run_playbook("playbooks/restore.yml", INVENTORY, "-e", f"restore_file={bad}", "-e", replace)
        assert done.code != 0
        assert said in done.said
        assert sql("db1", "SELECT COUNT(*) FROM world.creature") == "5000"
    finally:
        hosts["db2"].run_test(f"rm -r {bad}")


def test_a_backup_on_demand(hosts: dict[str, Host]) -> None:
    known = len(backups(hosts["db2"]))
    done = run_playbook("playbooks/backup.yml", INVENTORY)
    assert done.code == 0, done.output
    assert len(backups(hosts["db2"])) == known + 1
