"""Clients of a running version 1 move to the cluster and back, while they call."""

from __future__ import annotations

import json
import shlex
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support import v1_server
from tests.support.lab import Lab
from tests.support.v1_client import V1Client, calling

Figure = Callable[[str], None]
PORT = 3000
ENV = "TRINITY_DB_HOST=127.0.0.1\nTRINITY_DB_PASSWORD=secret-of-version-1\nTRINITY_DB_WORLD=world\nGT_PATH=./data/gt\n"


@pytest.fixture
def v1_host(lab: Lab) -> Iterator[str]:
    """Version 1, running on a host of its own; returns the host's name."""
    host = lab.hosts("redis")[0]
    lab.put(Path(v1_server.__file__), host, "/root/v1_server.py")
    lab.ssh(host, f"mkdir -p /opt/trinitycore-mcp && printf %s {shlex.quote(ENV)} > /opt/trinitycore-mcp/.env")
    lab.ssh(host, f"systemd-run --unit=v1 python3 /root/v1_server.py {PORT}")
    yield host
    lab.ssh(host, "systemctl stop v1; rm -r /root/v1_server.py /opt/trinitycore-mcp")


@pytest.mark.long
@pytest.mark.timeout(900, func_only=True)
def test_clients_of_version_1_move_and_none_notices(lab: Lab, figure: Figure, v1_host: str, tmp_path: Path) -> None:
    address = lab.endpoints["hosts"][v1_host]
    network = f"{address.rpartition('.')[0]}.0/24"
    said = lab.playbook(
        "migrate_v2",
        *("-e", "step=settings", "-e", f"v1_host={address}", "-e", f"variables_directory={tmp_path}"),
        *("-e", json.dumps({"v1_sources": [network]})),
    ).said
    assert "GT_PATH: not carried over" in said
    assert "secret-of-version-1" not in said
    # Version 1's host is one of the cluster's here, so its firewall has to let the load balancers in.
    open_port = {"offered_by": ["redis"], "ports": [PORT], "from": ["loadbalancers"]}
    acme = {"offered_by": ["acme_lab"], "ports": [14000], "from": ["loadbalancers"]}
    rolled_out = ("--tags", "nginx,firewall,mcp_server")
    with_v1 = (
        "-e",
        f"@{tmp_path}/v1.yml",
        "-e",
        json.dumps({"firewall_extra_services": {"acme": acme, "v1": open_port}}),
    )
    try:
        lab.playbook("site", *rolled_out, *with_v1)
        edge = lab.endpoints["edge_address"]
        with calling(edge, PORT, 16) as calls:
            calls.wait_for(500)
            assert set(calls.answered) == {"version 1"}
            for step in (("move", "-e", "share=50"), ("move",), ("back",), ("move",)):
                lab.playbook("migrate_v2", "-e", f"step={step[0]}", *step[1:])
                calls.wait_for(500)
            moved = calls.answered[-100:]
            assert lab.playbook("site", *rolled_out, *with_v1).changed_tasks == []
            calls.wait_for(500)
        figure(f"version 1 to 2, back and again: {len(calls.failed)} of {len(calls.answered)} calls failed")
        assert calls.failed == []
        assert set(moved) == {"ours"}
        lab.ssh(v1_host, "systemctl stop v1")
        client = V1Client(edge, PORT)
        client.begin()
        assert client.call() == "ours"
        lab.playbook("migrate_v2", "-e", "step=back")
        refused, answer = client.post({"jsonrpc": "2.0", "id": 7, "method": "tools/list"})
        assert (refused, answer["id"]) == (502, None)
    finally:
        lab.playbook("site", *rolled_out)
    deadline = time.monotonic() + 10
    with pytest.raises((ConnectionRefusedError, TimeoutError)):
        while time.monotonic() < deadline:
            V1Client(edge, PORT).begin()
