"""What a client and an operator see of a healthy cluster."""

from __future__ import annotations

import json
import re
import shlex
import socket
import ssl
import urllib.request
from typing import Any

import pytest

from tests.support.calls import call
from tests.support.lab import Lab


def test_a_tool_call_answers_from_database_rows(lab: Lab) -> None:
    (answer,) = call(lab.endpoints, "creature_get", {"id": 1})
    assert not answer.is_error
    name = lab.sql("db1", "SELECT name FROM world.creature_template WHERE entry = 1")
    assert answer.result["name"] == name


def test_thirty_calls_are_served_by_every_instance(lab: Lab) -> None:
    answers = call(lab.endpoints, "creature_get", {"id": 1}, times=30)
    served = {answer.instance for answer in answers}
    instances = {
        f"{host}-{number + 1}" for host in lab.hosts("app") for number in range(int(lab.ssh(host, "nproc").strip()))
    }
    assert served == instances


def _status(lab: Lab, path: str) -> int:
    """Status of a GET through the load balancer, under the service's name."""
    endpoints = lab.endpoints
    domain = endpoints["mcp_url"].split("/")[2]
    context = ssl.create_default_context(cafile=endpoints["ca_file"])
    with (
        socket.create_connection((endpoints["edge_address"], 443), timeout=10) as plain,
        context.wrap_socket(plain, server_hostname=domain) as secured,
    ):
        secured.sendall(f"GET {path} HTTP/1.1\r\nHost: {domain}\r\nConnection: close\r\n\r\n".encode())
        return int(secured.recv(4096).split()[1])


@pytest.mark.parametrize(
    ("path", "status"), [("/health/ready", 200), ("/mcp", 405), ("/metrics", 404), ("/", 404), ("/admin", 404)]
)
def test_the_edge_serves_mcp_and_health_only(lab: Lab, path: str, status: int) -> None:
    assert _status(lab, path) == status


@pytest.mark.parametrize("host", ["lb1", "app1", "redis1", "mon1"])
def test_the_database_port_is_closed_to_groups_that_do_not_need_it(lab: Lab, host: str) -> None:
    address = lab.endpoints["hosts"]["db1"]
    probe = f"timeout 2 bash -c '</dev/tcp/{address}/3306' 2>/dev/null && echo open || echo closed"
    assert lab.ssh(host, probe).strip() == ("open" if host == "app1" else "closed")


@pytest.mark.parametrize("unit", ["trinitycore-mcp@1.service"])
def test_the_server_is_sandboxed(lab: Lab, unit: str) -> None:
    told = lab.ssh("app1", f"systemd-analyze security --no-pager {unit} | tail -n 1")
    exposure = float(told.split(":")[1].split()[0])
    assert exposure <= 2.0, told


def test_limits_of_the_server_hold(lab: Lab) -> None:
    shown = lab.ssh("app1", "systemctl show trinitycore-mcp@1 -p MemoryMax -p TasksMax -p ControlGroup")
    values = dict(line.split("=", 1) for line in shown.split())
    assert values["MemoryMax"].isdigit()
    group = values["ControlGroup"]
    files = (f"/sys/fs/cgroup/memory{group}/memory.limit_in_bytes", f"/sys/fs/cgroup{group}/memory.max")
    limit = lab.ssh("app1", f"cat {shlex.join(files)} 2>/dev/null", check=False)
    assert limit.split()[0] == values["MemoryMax"]


def _prometheus(lab: Lab, path: str) -> Any:
    with urllib.request.urlopen(f"{lab.endpoints['prometheus_url']}/api/v1/{path}", timeout=10) as answer:
        return json.load(answer)["data"]


def test_every_target_is_up(lab: Lab) -> None:
    targets = _prometheus(lab, "targets?state=active")["activeTargets"]
    assert [target["labels"] for target in targets if target["health"] != "up"] == []
    jobs = {target["labels"]["job"] for target in targets}
    hosts = {target["scrapeUrl"].split("//")[1].split(":")[0] for target in targets}
    assert hosts == set(lab.endpoints["hosts"].values())
    assert len(jobs) >= 3


def test_the_backup_job_runs_and_prometheus_knows(lab: Lab) -> None:
    host = next(
        name
        for name in lab.hosts("database")
        if "run" in lab.ssh(name, "cat /etc/cron.d/*backup* 2>/dev/null", check=False)
    )
    line = next(
        entry for entry in lab.ssh(host, "cat /etc/cron.d/*backup*").splitlines() if entry and entry[0] in "0123456789*"
    )
    fields = line.split(maxsplit=6)
    assert fields[1] == "*/6"
    at_once = re.sub(r"--jitter \S+", "--jitter 0", fields[6])
    lab.ssh(host, f"su -s /bin/sh {fields[5]} -c {json.dumps(at_once)}", timeout=300)
    metrics = lab.ssh(host, "cat /var/lib/prometheus/node-exporter/*backup*.prom")
    assert "trinitycore_backup_last_success_timestamp_seconds" in metrics
