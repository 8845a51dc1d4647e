"""Three MySQL servers that choose their primary by themselves, while rows are written by the server's own routing.

The tests build on each other. Rows come from the controller, as the server's instances would write them.
"""

from __future__ import annotations

import json
import os
import re
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml
from testinfra.host import Host
from testinfra.utils.ansible_runner import AnsibleRunner

from tests.support.scenario import LAB, NETWORK, lab_host
from tests.support.waiting import wait_for

testinfra_hosts = ["ansible://db1"]

ROOT = Path(__file__).parents[3]
CONVERGE = "molecule/mysql_group/converge.yml"
INVENTORY = Path(os.environ["MOLECULE_INVENTORY_FILE"])
ADDRESSES = {f"db{number}": f"{NETWORK}.3{number}" for number in (1, 2, 3)}
NAMES = tuple(ADDRESSES)
VIEW = "SELECT MEMBER_HOST, MEMBER_STATE FROM performance_schema.replication_group_members ORDER BY 1"
SECRETS = yaml.safe_load((ROOT / "molecule/shared/group_vars/all/secrets.yml").read_text())

Figure = Callable[[str], None]


@dataclass
class Cluster:
    """The database hosts."""

    hosts: dict[str, Host] = field(
        default_factory=lambda: {name: AnsibleRunner(str(INVENTORY)).get_host(name) for name in NAMES}
    )

    def sql(self, name: str, statement: str) -> str:
        """Return what a server answers to root on its own host."""
        return str(self.hosts[name].check_output("mysql -NBe %s", statement)).strip()

    def tries(self, name: str, statement: str) -> str:
        """Return the same, or nothing while that is not to be had."""
        done = self.hosts[name].run("mysql -NBe %s", statement)
        return str(done.stdout).strip() if done.rc == 0 else ""

    def primary(self) -> str:
        """Return the one that takes writes."""
        [name] = [name for name in NAMES if self.sql(name, "SELECT @@read_only") == "0"]
        return name

    def whole(self) -> bool:
        """Whether every server sees all of them ONLINE."""
        everybody = "\n".join(f"{address}\tONLINE" for address in ADDRESSES.values())
        return all(self.tries(name, VIEW) == everybody for name in NAMES)


@pytest.fixture(scope="module")
def cluster() -> Cluster:
    """The database hosts."""
    return Cluster()


def play(playbook: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a playbook of the collection or the scenario's converge.yml."""
    return subprocess.run(
        ["ansible-playbook", "-i", str(INVENTORY), str(ROOT / playbook), *arguments],
        env={**os.environ, "ANSIBLE_STDOUT_CALLBACK": "ansible.posix.json"},
        capture_output=True,
        text=True,
        check=False,
    )


def changes(*arguments: str, playbook: str = CONVERGE) -> int:
    """Run it and return how much it changed."""
    done = play(playbook, *arguments)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    stats = json.loads(done.stdout[done.stdout.index("{") :])["stats"]
    return sum(counters["changed"] for counters in stats.values())


def refused(playbook: str, *arguments: str) -> str:
    """Run what must fail; return what it said, on one line."""
    done = play(playbook, *arguments)
    assert done.returncode != 0
    return " ".join(done.stdout.split())


@pytest.fixture(scope="module")
def configuration(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The server's configuration for these hosts."""
    directory = tmp_path_factory.mktemp("writer")
    for file, account in (("db_password", "app_ro"), ("db_writer_password", "app_rw")):
        (directory / file).write_text(SECRETS[f"mysql_{account}_password"])
        (directory / file).chmod(0o600)
    settings = {
        "hosts": [{"host": address, "port": 3306} for address in ADDRESSES.values()],
        "user": "app_ro",
        "password_file": "db_password",
        "writer": {"user": "app_rw", "password_file": "db_writer_password"},
        "tls": {"ca_file": str(LAB / "pki/ca.crt")},
        "databases": {"auth": "auth", "characters": "characters", "world": "world", "mcp": "mcp"},
    }
    (directory / "config.yml").write_text(json.dumps({"database": settings, "auth": {"enabled": False}}))
    return directory / "config.yml"


@contextmanager
def rows_written(configuration: Path, seconds: int) -> Iterator[dict[str, Any]]:
    """Write rows by the server's own routing; the report is there when the context has ended."""
    report: dict[str, Any] = {}
    # -P: beside the script there are modules with the names of others.
    command = [sys.executable, "-P", str(ROOT / "tests/support/numbered_rows.py"), str(seconds), str(configuration)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as writer:
        time.sleep(6)
        yield report
        output, errors = writer.communicate(timeout=seconds + 90)
    assert writer.returncode == 0, errors
    report.update(json.loads(output))


def result(report: dict[str, Any]) -> str:
    return (
        f"{report['lost']} of {report['acknowledged']} acknowledged rows lost, {report['phantom']} phantom, "
        f"{report['unknown']} unknown, {report['refused']} refused; longest write pause "
        f"{report['longest_pause']:.1f} s, {report['failed_reads']} reads failed, the longest took "
        f"{report['longest_read']:.1f} s; {report['reasons']}"
    )


def test_one_is_the_primary_and_all_are_members(cluster: Cluster) -> None:
    assert cluster.whole()
    assert cluster.primary() == "db1"
    assert changes("--check", "--diff") == 0
    said = ""

    def told() -> bool:  # it leaves out who does not answer in time, which may be so on a machine with much to do
        nonlocal said
        said = play("playbooks/topology.yml").stdout
        return "db1 is the primary of a group of 3 (all ONLINE)." in said

    wait_for(told, 60)
    assert "Problem" not in said


def test_nobody_joins_without_a_certificate(cluster: Cluster) -> None:
    with pytest.raises((OSError, ssl.SSLError)), socket.create_connection((ADDRESSES["db1"], 33061), 5) as plain:
        plain.settimeout(5)
        context = ssl.create_default_context(cafile=str(LAB / "pki/ca.crt"))
        with context.wrap_socket(plain, server_hostname=ADDRESSES["db1"]) as stream:
            stream.sendall(b"x" * 64)
            if not stream.recv(1):
                raise ConnectionResetError
    assert cluster.whole()


def test_members_read_for_their_clients(cluster: Cluster) -> None:
    """What the server's routing asks is to be had by the account that reads."""
    ask = "SELECT MEMBER_STATE FROM performance_schema.replication_group_members WHERE MEMBER_ID = @@server_uuid"
    options = "--ssl-mode=VERIFY_IDENTITY --ssl-ca=/etc/trinitycore-pki/ca.crt"
    for name, address in ADDRESSES.items():
        done = cluster.hosts[name].run(
            f"MYSQL_PWD=%s mysql -NB {options} -h {address} -u app_ro -e %s", SECRETS["mysql_app_ro_password"], ask
        )
        assert done.stdout.strip() == "ONLINE", done.stderr


def test_the_primary_moves_on_purpose(cluster: Cluster, configuration: Path, figure: Figure) -> None:
    before = cluster.primary()
    target = next(name for name in NAMES if name != before)
    assert changes("-e", f"target={target}", "--check", playbook="playbooks/switchover.yml") == 1
    assert cluster.primary() == before
    with rows_written(configuration, 25) as report:
        assert changes("-e", f"target={target}", playbook="playbooks/switchover.yml") == 1
    figure(f"group, planned switchover: {result(report)}")
    assert (report["lost"], report["phantom"], report["failed_reads"]) == (0, 0, 0)
    assert cluster.primary() == target
    assert changes("-e", f"target={target}", playbook="playbooks/switchover.yml") == 0
    assert changes() == 0
    assert cluster.primary() == target


FAULTS = {
    "kill -9 of the primary's server": 30,
    "power cut of the primary's host": 35,
    "network of the primary's host cut for 25 s": 50,
    "primary's host frozen for 20 s": 45,
}


def _break(cluster: Cluster, fault: str, name: str) -> None:
    if fault.startswith("kill -9"):
        cluster.hosts[name].run_test("systemctl kill --signal=KILL mysql")
    elif fault.startswith("power"):
        lab_host(name, state="killed")
        time.sleep(12)
        lab_host(name, state="started")
    elif fault.startswith("network"):
        lab_host(name, network="cut")
        time.sleep(25)
        lab_host(name, network="up")
    else:
        lab_host(name, state="frozen")
        time.sleep(20)
        lab_host(name, state="started")


@pytest.mark.parametrize("fault", FAULTS)
def test_another_one_takes_over_by_itself(cluster: Cluster, configuration: Path, figure: Figure, fault: str) -> None:
    """Nobody does anything; the old primary comes back as a member, and a run afterwards changes nothing."""
    before = cluster.primary()
    with rows_written(configuration, FAULTS[fault]) as report:
        _break(cluster, fault, before)
        mended = time.monotonic()
    wait_for(cluster.whole, 120)
    figure(
        f"group, {fault}: {result(report)}; all members back at most {time.monotonic() - mended:.0f} s after it ended"
    )
    assert (report["lost"], report["phantom"], report["failed_reads"]) == (0, 0, 0)
    now = cluster.primary()
    assert now != before
    assert changes() == 0
    assert cluster.primary() == now


def test_what_an_operator_does_elsewhere_is_refused(cluster: Cluster) -> None:
    assert "mysql_ha is auto: the servers form a group" in refused("playbooks/failover.yml")
    assert "comes back by itself" in refused("playbooks/rejoin.yml", "-e", "host=db2")
    assert cluster.whole()


def test_tables_that_a_group_cannot_write_to_are_named(cluster: Cluster) -> None:
    primary = cluster.primary()
    cluster.sql(primary, "DROP DATABASE IF EXISTS other; CREATE DATABASE other")
    off = "SET sql_require_primary_key = OFF, sql_generate_invisible_primary_key = OFF"
    tables = "CREATE TABLE other.bare (a INT); CREATE TABLE other.named (a INT NOT NULL UNIQUE)"
    cluster.sql(primary, f"{off}; {tables}")
    cluster.sql(primary, "CREATE TABLE other.fine (a INT); INSERT INTO other.fine VALUES (1)")  # gets a key
    ask = ["ansible", "-i", str(INVENTORY), primary, "-m", "trinitycore.mcp.mysql_group_tables"]
    done = subprocess.run(ask, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "Found are other.bare (no primary key). Nothing was changed." in " ".join(done.stdout.split())
    [mend] = set(re.findall(r"ALTER TABLE `other`\.`bare` [^;]*;", " ".join(done.stdout.split())))
    cluster.sql(primary, mend)
    assert subprocess.run(ask, capture_output=True, check=False).returncode == 0
    cluster.sql(primary, "INSERT INTO other.bare VALUES (1); DROP DATABASE other")


def test_a_group_that_ended_begins_anew_only_when_told(cluster: Cluster) -> None:
    """By a host that holds everything, and not while another one does not answer."""
    last = cluster.primary()
    for name in NAMES:
        lab_host(name, state="killed")
    for name in NAMES:
        lab_host(name, state="started")
    wait_for(lambda: all(cluster.tries(name, "SELECT 1") for name in NAMES), 120)
    said = refused(CONVERGE)
    assert "no member of the group runs, so nobody can write" in said
    assert "To have the group begin anew" in said
    other = next(name for name in NAMES if name != last)
    cluster.hosts[other].run_test("systemctl stop mysql")
    assert f"{other} did not answer" in refused(CONVERGE, "-e", f"mysql_group_recover={last}", "--limit", last)
    cluster.hosts[other].run_test("systemctl start mysql")
    changes("-e", f"mysql_group_recover={last}")
    wait_for(cluster.whole, 60)
    assert cluster.primary() == last
    assert changes() == 0
