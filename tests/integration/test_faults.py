"""What breaks without a client noticing."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from tests.support.calls import Outcome, load
from tests.support.lab import Lab

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
