"""site.yml on a deployed cluster and on fresh hosts."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.support.lab import Lab


@pytest.mark.timeout(1200)
def test_a_second_run_changes_nothing(lab: Lab) -> None:
    recap = lab.playbook("lab")
    assert recap.changed_tasks == []


@pytest.mark.timeout(300, func_only=True)
def test_check_mode_on_a_deployed_cluster_foresees_no_change(lab: Lab) -> None:
    recap = lab.playbook("site", "--check", "--diff")
    assert recap.changed_tasks == []
    assert recap.failed_hosts == []


@pytest.fixture
def fresh_hosts() -> Iterator[Lab]:
    hosts = Lab("fresh", os.environ.get("FRESH_LAB_NETWORK", "10.77.5"), profile="small")
    try:
        hosts.playbook("lab_hosts")
        yield hosts
    finally:
        hosts.playbook("lab_down")


@pytest.mark.timeout(600)
def test_check_mode_on_fresh_hosts_runs_through_and_changes_nothing(fresh_hosts: Lab) -> None:
    before = fresh_hosts.ssh("db1", "dpkg-query -W; find /etc /opt /usr/local -newer /etc/machine-id -type f | sort")
    recap = fresh_hosts.playbook("site", "--check", "--diff")
    assert recap.failed_hosts == []
    assert {line.split(":")[0] for line in recap.changed_tasks} >= {"lb1", "app1", "app2", "db1", "db2", "redis1"}
    after = fresh_hosts.ssh("db1", "dpkg-query -W; find /etc /opt /usr/local -newer /etc/machine-id -type f | sort")
    assert after == before
