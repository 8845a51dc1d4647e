"""All hosts are rebooted, one after the other, and clients notice nothing."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from tests.support.calls import Outcome, load
from tests.support.lab import Lab

Figure = Callable[[str], None]


def booted(lab: Lab, hosts: list[str]) -> dict[str, str]:
    """Return the name of each host's present boot."""
    return {host: lab.ssh(host, "cat /proc/sys/kernel/random/boot_id").strip() for host in hosts}


@contextlib.contextmanager
def calling_until_done(lab: Lab) -> Iterator[list[Outcome]]:
    """Call all the time by 16 clients at a time, in rounds of 400 calls; yields what became of each round."""
    rounds, over = list[Outcome](), threading.Event()

    def everything() -> None:
        while not over.is_set():
            with load(lab.endpoints, 400, 16) as outcome:
                rounds.append(outcome)

    thread = threading.Thread(target=everything, daemon=True)
    thread.start()
    try:
        yield rounds
    finally:
        over.set()
        thread.join(120)


@pytest.mark.long
@pytest.mark.timeout(3600, func_only=True)
def test_every_host_is_rebooted_and_no_call_fails(lab: Lab, figure: Figure) -> None:
    hosts = [host for members in lab.groups.values() for host in members]
    before, began = booted(lab, hosts), time.monotonic()
    with calling_until_done(lab) as rounds:
        lab.playbook("patch_os", "-e", "patch_reboot=always", "-e", "patch_upgrade=false")
    after = booted(lab, hosts)
    assert [host for host in hosts if after[host] == before[host]] == []
    calls = sum(each.calls for each in rounds)
    failures = [failure for each in rounds for failure in each.failures]
    figure(
        f"patch_os.yml with a reboot of each of {len(hosts)} hosts in {time.monotonic() - began:.0f} s: "
        f"{len(failures)} of {calls} calls failed"
    )
    assert failures == []
    assert lab.playbook("site").changed_tasks == []


@pytest.mark.long
@pytest.mark.timeout(600, func_only=True)
def test_where_nothing_is_to_be_done_nobody_leaves(lab: Lab) -> None:
    hosts = lab.hosts("loadbalancers")
    before = booted(lab, hosts)
    recap = lab.playbook("patch_os", "-e", "patch_upgrade=false")
    assert (booted(lab, hosts), recap.changed_tasks) == (before, [])
