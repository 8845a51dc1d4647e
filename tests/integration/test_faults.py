"""What breaks without a client noticing."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from tests.support.calls import Outcome, load, load_all_the_time
from tests.support.lab import Lab
from tests.support.long_calls import long_calls_and_streams
from tests.support.waiting import wait_for

# Not of the lab's boot and rollout too, for which the first of them waits.
pytestmark = pytest.mark.timeout(300, func_only=True)

Figure = Callable[[str], None]

CALLS = 2000
CONCURRENCY = 16


def _wait_for(outcome: Outcome, calls: int) -> None:
    """Wait until so many calls were made, so that the fault falls into the middle of the load."""
    deadline = time.monotonic() + 60
    while outcome.calls < calls:
        assert time.monotonic() < deadline, f"only {outcome.calls} calls in 60 s"
        time.sleep(0.05)


def test_killing_an_instance_fails_no_call(lab: Lab, figure: Figure) -> None:
    with load(lab.endpoints, CALLS, CONCURRENCY) as outcome:
        _wait_for(outcome, CALLS // 5)
        lab.ssh("app1", "systemctl kill -s KILL trinitycore-mcp@1")
        during = outcome.calls
    figure(f"kill -9 of one instance: {len(outcome.failures)} of {outcome.calls} calls failed")
    assert during < CALLS, "the instance was killed after the last call"
    assert outcome.failures == []
    assert outcome.calls == CALLS
    assert int(lab.ssh("app1", "systemctl show -P NRestarts trinitycore-mcp@1")) >= 1


def test_restarting_a_host_of_instances_fails_no_call(lab: Lab, figure: Figure) -> None:
    with load(lab.endpoints, CALLS, CONCURRENCY) as outcome:
        _wait_for(outcome, CALLS // 5)
        lab.ssh("app2", "systemctl restart trinitycore-mcp.target")
    figure(f"restart of one host's instances: {len(outcome.failures)} of {outcome.calls} calls failed")
    assert outcome.failures == []


def test_an_app_host_without_power_fails_no_call_that_reads(lab: Lab, figure: Figure) -> None:
    """Calls that it was given are answered by another host, though it does not even say that it is gone."""
    lost = lab.hosts("app")[-1]
    with load_all_the_time(lab.endpoints, CALLS, CONCURRENCY, 1.0) as outcome, long_calls_and_streams(lab) as others:
        wait_for(lambda: others.calls >= 4, 60)
        # Its processes' ends would be told otherwise.
        lab.host(lost, network="cut")
        lab.host(lost, state="killed")
        try:
            calls = others.calls
            wait_for(lambda: others.calls >= calls + 12, 90)
        finally:
            lab.host(lost, state="started", network="up")
            is_active = "systemctl is-active trinitycore-mcp@1"
            wait_for(lambda: lab.ssh(lost, is_active, check=False).strip() == "active", 120)
    figure(
        f"app host without power: {len(outcome.failures)} of {outcome.calls} calls failed, {others}; the longest took "
        f"{others.longest:.1f} s"
    )
    assert outcome.failures == []
    assert others.failures == []
    assert others.slow <= others.calls / 10


@pytest.mark.parametrize("verb", ["stop", "kill -s KILL"])
def test_losing_a_database_replica_fails_no_call(lab: Lab, figure: Figure, verb: str) -> None:
    replica = lab.database_replica()
    try:
        with load(lab.endpoints, CALLS, CONCURRENCY) as outcome:
            _wait_for(outcome, CALLS // 5)
            lab.ssh(replica, f"systemctl {verb} {lab.database}")
            during = outcome.calls
    finally:
        lab.ssh(replica, f"systemctl start {lab.database}")
    figure(f"{verb} of a replica: {len(outcome.failures)} of {outcome.calls} calls failed")
    assert during < CALLS
    assert outcome.failures == []
    assert outcome.calls == CALLS
