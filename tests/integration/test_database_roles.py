"""Database servers change roles while the service is used: no acknowledged write is lost, and nobody reads an error."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.support.calls import load
from tests.support.lab import Lab

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
        report.update(json.loads(lab.ssh("app1", WRITE % seconds, timeout=seconds + 60).splitlines()[-1]))

    lab.put(ROWS, "app1", "/run/numbered_rows.py")
    thread = threading.Thread(target=write)
    thread.start()
    try:
        yield report
    finally:
        thread.join()


def primary(lab: Lab) -> str:
    [name] = [host for host in lab.hosts("database") if lab.ssh(host, "mariadb -NBe 'SELECT @@read_only'") == "0\n"]
    return name


def test_the_primary_moves_while_rows_are_written_and_read(lab: Lab, figure: Figure) -> None:
    before = primary(lab)
    target = next(host for host in lab.hosts("database") if host != before)
    check = lab.playbook("switchover", "-e", f"target={target}", "--check")
    assert len(check.changed_tasks) == 1
    assert primary(lab) == before
    with load(lab.endpoints, 1000, 8) as outcome, rows_written(lab, 25) as report:
        lab.playbook("switchover", "-e", f"target={target}")
        assert primary(lab) == target
        lab.playbook("switchover", "-e", f"target={before}")
    assert primary(lab) == before
    figure(
        f"two switchovers: {report['lost']} of {report['acknowledged']} acknowledged rows lost, {report['phantom']} "
        f"phantom, {report['unknown']} unknown, {report['refused']} refused; longest write pause "
        f"{report['longest_pause']:.2f} s (aim: < 3 s), longest read {report['longest_read']:.2f} s; "
        f"{len(outcome.failures)} of {outcome.calls} tool calls failed"
    )
    assert (report["lost"], report["phantom"], report["refused"], report["failed_reads"]) == (0, 0, 0, 0)
    assert report["longest_pause"] < 3
    assert outcome.failures == []
    again = lab.playbook("switchover", "-e", f"target={before}")
    assert again.changed_tasks == []


def test_a_wrong_target_is_named_and_nothing_changes(lab: Lab) -> None:
    before = primary(lab)
    run = lab.playbook("switchover", "-e", "target=db9", check=False)
    assert run.returncode != 0
    assert "target is 'db9'; it must be one of the database hosts" in run.output
    assert primary(lab) == before
