"""Database servers change roles while the service is used: no acknowledged write is lost, and nobody reads an error."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.support.calls import load
from tests.support.lab import LOST, Lab
from tests.support.waiting import wait_for

pytestmark = pytest.mark.timeout(300, func_only=True)
Figure = Callable[[str], None]
# With what systemd hands to the service: its secrets, and its certificate's authority.
WRITE = """
cd $(mktemp -d) && cp /etc/trinitycore-mcp/credentials/* . && cp /etc/trinitycore-pki/ca.crt tls_ca
CREDENTIALS_DIRECTORY=$PWD /opt/trinitycore-mcp/current/bin/python /run/numbered_rows.py %d
"""
ROWS = Path(__file__).parents[1] / "support" / "numbered_rows.py"


@contextmanager
def rows_written(lab: Lab, seconds: int) -> Iterator[dict[str, Any]]:
    """Write rows from an app host, by the server's own routing; the report is there when the context has ended."""
    report: dict[str, Any] = {}

    def write() -> None:
        output = lab.ssh("app1", WRITE % seconds, check=False, timeout=seconds + 60)
        report.update(json.loads(output.splitlines()[-1]) if output.endswith("}\n") else {"failed": output})

    lab.put(ROWS, "app1", "/run/numbered_rows.py")
    thread = threading.Thread(target=write)
    thread.start()
    try:
        yield report
    finally:
        thread.join()
    assert "failed" not in report, report["failed"]


def test_the_primary_moves_while_rows_are_written_and_read(lab: Lab, figure: Figure) -> None:
    before = lab.database_primary()
    target = next(host for host in lab.hosts("database") if host != before)
    check = lab.playbook("switchover", "-e", f"target={target}", "--check")
    assert len(check.changed_tasks) == 1
    assert lab.database_primary() == before
    with load(lab.endpoints, 1000, 8) as outcome, rows_written(lab, 25) as report:
        lab.playbook("switchover", "-e", f"target={target}")
        assert lab.database_primary() == target
        lab.playbook("switchover", "-e", f"target={before}")
    assert lab.database_primary() == before
    figure(
        f"two switchovers: {report['lost']} of {report['acknowledged']} acknowledged rows lost, {report['phantom']} "
        f"phantom, {report['unknown']} unknown, {report['refused']} refused; longest write pause "
        f"{report['longest_pause']:.2f} s (aim: < 3 s), longest read {report['longest_read']:.2f} s; "
        f"{len(outcome.failures)} of {outcome.calls} tool calls failed"
    )
    assert (report["lost"], report["phantom"], report["refused"], report["failed_reads"]) == (0, 0, 0, 0)
    assert outcome.failures == []
    again = lab.playbook("switchover", "-e", f"target={before}")
    assert again.changed_tasks == []


@pytest.mark.parametrize(
    "how", [pytest.param(how, marks=[pytest.mark.long] if how == "frozen" else []) for how in LOST]
)
def test_another_takes_over_when_the_primary_is_gone(lab: Lab, figure: Figure, how: str) -> None:
    lost, fault, mend = lab.database_primary(), *LOST[how]
    try:
        with rows_written(lab, 35) as report:
            time.sleep(4)  # rows are being written
            lab.host(lost, **fault)
            began = time.monotonic()
            lab.playbook("failover")
            took = time.monotonic() - began
    finally:
        lab.host(lost, **mend)
    figure(
        f"failover.yml, primary {how}: {report['lost']} of {report['acknowledged']} acknowledged rows lost, "
        f"{report['phantom']} phantom, {report['unknown']} unknown; the run took {took:.1f} s; longest write pause "
        f"{report['longest_pause']:.1f} s (aim: < 10 s, limit 30 s), longest read {report['longest_read']:.2f} s"
    )
    assert (report["lost"], report["phantom"], report["failed_reads"]) == (0, 0, 0)

    wait_for_ssh(lab, lost)
    lab.playbook("rejoin", "-e", f"host={lost}")
    now = lab.database_primary()
    assert now != lost
    for host in lab.hosts("database"):
        if host != now:
            assert lab.replicates(host), host
    assert lab.playbook("rejoin", "-e", f"host={lost}").changed_tasks == []


def written_by_hand_on_a_replica(lab: Lab) -> str:
    """By root, whom only MySQL's `super_read_only` binds."""
    replica = lab.database_replica()
    closed = "SET GLOBAL super_read_only = {}; " if lab.database == "mysql" else ""
    lab.sql(replica, f"{closed.format(0)}{ASIDE}; {closed.format(1)}")
    return replica


def left_on_the_old_primary(lab: Lab) -> str:
    """Confirmed by a primary that did not wait, and lost with it."""
    lost = lab.database_primary()
    for host in lab.hosts("database"):
        if host != lost:
            lab.sql(host, "STOP REPLICA IO_THREAD")
    side = "source" if lab.database == "mysql" else "master"
    lab.sql(lost, f"SET GLOBAL rpl_semi_sync_{side}_enabled = 0; {ASIDE}")
    time.sleep(3)  # the storage engine writes its own end of a commit within a second; before, a crash undoes it
    lab.host(lost, state="killed")
    lab.playbook("failover")
    lab.host(lost, state="started")
    wait_for_ssh(lab, lost)
    return lost


def held(lab: Lab, host: str) -> str:
    """Return the words that a host has aside, or that it has no such table."""
    return lab.ssh(host, f'{lab.database} -NBe "SELECT GROUP_CONCAT(word) FROM mcp.aside"', check=False).strip()


ASIDE = "CREATE TABLE mcp.aside (id INT PRIMARY KEY, word TEXT); INSERT INTO mcp.aside VALUES (1, 'one'), (2, 'two')"


@pytest.mark.timeout(900, func_only=True)
@pytest.mark.parametrize(
    "how", [written_by_hand_on_a_replica, pytest.param(left_on_the_old_primary, marks=pytest.mark.long)]
)
def test_what_only_one_host_holds_is_saved_before_it_is_rebuilt_by_name(
    lab: Lab, figure: Figure, how: Callable[[Lab], str]
) -> None:
    kept = lab.state / "errant"
    before = set(kept.glob("*")) if kept.exists() else set()
    host = how(lab)
    primary = lab.database_primary()
    named = ("-e", f"host={host}")
    refused = lab.playbook("rejoin", *named, check=False)
    assert refused.returncode != 0
    assert f"{host} holds transactions that the primary {primary} lacks: " in refused.output
    assert f"rejoin.yml -e host={host} -e rebuild={host}" in refused.output
    [file] = set(kept.glob("*")) - before
    assert "CREATE TABLE mcp.aside" in file.read_text() and "###   @2='two'" in file.read_text()
    there = f"/var/backups/trinitycore/errant/{file.name}"
    assert lab.ssh(host, f"stat -c %a:%U {there}").strip() == "600:root"
    assert lab.ssh(host, f"cat {there}") == file.read_text()
    # Neither lost nor merged.
    assert held(lab, host) == "one,two"
    assert "doesn't exist" in held(lab, primary)
    assert lab.playbook("rejoin", *named, check=False).changed_tasks == []

    began = time.monotonic()
    lab.playbook("rejoin", *named, "-e", f"rebuild={host}")
    figure(f"rejoin.yml -e rebuild={host}: copied and following after {time.monotonic() - began:.1f} s")
    assert lab.replicates(host)
    assert "doesn't exist" in held(lab, host)
    assert lab.playbook("rejoin", *named, "-e", f"rebuild={host}").changed_tasks == []
    assert set(kept.glob("*")) - before == {file}

    lab.put(file, primary, "/run/saved.sql")
    lab.ssh(primary, f"{lab.database} < /run/saved.sql")
    for each in lab.hosts("database"):
        wait_for(lambda each=each: held(lab, each) == "one,two")  # type: ignore[misc] # a default binds it
    lab.sql(primary, "DROP TABLE mcp.aside")


@pytest.mark.long
@pytest.mark.timeout(600, func_only=True)
def test_the_primary_is_not_restarted_while_a_replica_holds_what_it_lacks(lab: Lab) -> None:
    """Read-only as after a restart, it could pass for one that has lost what the replica holds."""
    replica = written_by_hand_on_a_replica(lab)
    primary = lab.database_primary()
    changed = ("--tags", "mysql", "-e", "mysql_slow_query_seconds=2")
    refused = lab.playbook("configure", *changed, check=False)
    assert refused.returncode != 0
    assert f"{primary}, the primary, was not restarted, and takes writes as before: {replica} holds " in refused.output
    assert f"rejoin.yml -e host={replica} saves them" in refused.output
    assert lab.database_primary() == primary

    lab.playbook("rejoin", "-e", f"host={replica}", "-e", f"rebuild={replica}")
    lab.playbook("configure", *changed)
    assert lab.sql(primary, "SELECT @@long_query_time").startswith("2")
    assert lab.database_primary() == primary
    lab.playbook("configure", "--tags", "mysql")
    assert all(lab.replicates(host) for host in lab.hosts("database") if host != primary)


def test_the_topology_is_said_with_a_dead_primary(lab: Lab) -> None:
    lost = lab.database_primary()
    lab.host(lost, state="frozen")
    try:
        run = lab.playbook("topology")
    finally:
        lab.host(lost, state="started")
    assert run.returncode == 0
    assert f"The primary is unknown: {lost} did not answer and may be it" in run.said
    assert lab.database_primary() == lost


def wait_for_ssh(lab: Lab, host: str) -> None:
    deadline = time.monotonic() + 60
    while lab.ssh(host, f"systemctl is-active {lab.database}", check=False).strip() != "active":
        assert time.monotonic() < deadline, f"{host} is not back"
        time.sleep(1)


def test_a_wrong_target_is_named_and_nothing_changes(lab: Lab) -> None:
    before = lab.database_primary()
    run = lab.playbook("switchover", "-e", "target=db9", check=False)
    assert run.returncode != 0
    assert "target is 'db9'; it must be one of the database hosts" in run.output
    assert lab.database_primary() == before
