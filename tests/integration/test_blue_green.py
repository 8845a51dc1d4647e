"""Two releases side by side on a whole cluster, and the switch between them, while clients call all the time."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from ansible_collections.trinitycore.mcp.plugins.module_utils.wheelhouse import source_version

from tests.integration.test_delivery import (
    BAD,
    CLIENTS,
    PATIENT,
    PAUSE,
    PROGRAM,
    links,
    release,
    releases,
    states,
)
from tests.support.calls import load_all_the_time
from tests.support.lab import ROOT, Lab, Recap
from tests.support.long_calls import long_calls_and_streams

pytestmark = [pytest.mark.long, pytest.mark.timeout(1800, func_only=True)]

Figure = Callable[[str], None]


def switch(source: Path) -> tuple[str, ...]:
    """Return the arguments by which blue_green.yml puts out the release of these sources."""
    return ("-e", f"version={source_version(source)}", "-e", f"source={source}", "-e", "canary_seconds=10", *PATIENT)


def step(lab: Lab, name: str, *arguments: str, check: bool = True) -> Recap:
    """Run another step of blue_green.yml."""
    return lab.playbook("blue_green", "-e", f"step={name}", *arguments, check=check)


def halves(lab: Lab) -> tuple[list[str], list[str]]:
    """Return the instances of the blue and of the green set."""
    names = list(lab.instances())
    count = {host: sum(name.startswith(f"{host}-") for name in names) for host in lab.hosts("app")}
    first = [name for name in names if int(name.split("-")[1]) <= count[name.split("-")[0]] // 2]
    return first, [name for name in names if name not in first]


def only(names: list[str]) -> dict[str, str]:
    """Return the states of a load balancer that gives calls to all but these."""
    return dict.fromkeys(names, "drained")


def seconds(said: str) -> str:
    """Return what a run said of how long the switch took."""
    found = re.search(r"([0-9.]+) s after load balancers were told", said)
    assert found, said
    return found[1]


def wait_on(lab: Lab, host: str, condition: str) -> None:
    """Wait until a shell's condition is true on a host, which looks itself, so that looking costs little."""
    lab.ssh(host, f"for i in $(seq 600); do if {condition}; then exit 0; fi; sleep 0.5; done; exit 1", timeout=400)


@contextmanager
def put_right(lab: Lab) -> Iterator[str]:
    """Yield the release that all have, and bring all back to it, if need be."""
    (old,) = set(releases(lab).values())
    try:
        yield old
    finally:
        if links(lab) != {old} or any(states(lab)):
            step(lab, "end")
            lab.playbook("rollback", "-e", f"version={old}")


def test_the_switch_and_the_way_back_lose_no_call(lab: Lab, tmp_path: Path, figure: Figure) -> None:
    source = release(tmp_path)
    new, (blue, green) = source_version(source), halves(lab)
    with put_right(lab) as old:
        with (
            load_all_the_time(lab.endpoints, 10_000, CLIENTS, PAUSE) as outcome,
            long_calls_and_streams(lab) as others,
        ):
            forth = lab.playbook("blue_green", *switch(source))
            side_by_side, after_switch = releases(lab), states(lab)
            again = lab.playbook("blue_green", *switch(source))
            kept = lab.playbook("site", "--tags", "mcp_server,nginx")
            refused = [lab.playbook(name, "-e", f"version={old}", check=False) for name in ("upgrade", "rollback")]
            back = step(lab, "back")
            after_back = states(lab)
            current_after_back = {lab.ssh(host, f"readlink {PROGRAM}/current").strip() for host in lab.hosts("app")}
            once_more = step(lab, "back")
            after_second = states(lab)
            foretold = step(lab, "end", "--check")
            step(lab, "end")
            ended = releases(lab)
        figure(
            f"blue/green switch, back, switch, end: {len(outcome.failures)} of {outcome.calls} calls failed, {others}; "
            f"load balancers switched within {seconds(forth.said)}, {seconds(back.said)}, {seconds(once_more.said)} s"
        )
        assert outcome.failures == []
        assert others.failures == []
        assert others.slow <= others.calls / 10
        assert side_by_side == {**dict.fromkeys(blue, old), **dict.fromkeys(green, new)}
        assert all(each == only(blue) for each in after_switch)
        assert again.changed_tasks == []
        assert kept.changed_tasks == []
        assert all(done.returncode and "blue_green.yml -e step=end first" in done.output for done in refused)
        assert all(each == only(green) for each in after_back)
        assert current_after_back == {f"releases/{old}"}
        assert all(each == only(blue) for each in after_second)
        assert "Would be done: All instances get calls with" in foretold.said
        assert ended == dict.fromkeys(ended, new)
        assert links(lab) == {new}
        assert not any(states(lab))


@pytest.mark.parametrize(
    ("bad", "reason"), [("answers errors", "a bad release"), ("crashes at start", "trinitycore-mcp@2.service")]
)
def test_no_client_sees_a_bad_release(lab: Lab, tmp_path: Path, figure: Figure, bad: str, reason: str) -> None:
    source, before = release(tmp_path, BAD[bad]), releases(lab)
    with (
        put_right(lab),
        load_all_the_time(lab.endpoints, 1_000, 16, PAUSE) as outcome,
    ):
        done = lab.playbook("blue_green", *switch(source), check=False)
        after = releases(lab)
    figure(f"blue/green with a release that {bad}: {len(outcome.failures)} of {outcome.calls} calls failed")
    assert done.returncode != 0
    assert reason in done.output
    assert "Taken back: calls go to app1-1" in done.output
    assert after == before
    assert links(lab) == set(before.values())
    assert not any(states(lab))
    assert outcome.failures == []


def test_a_load_balancer_that_does_not_switch_has_the_others_go_back(lab: Lab, tmp_path: Path) -> None:
    balancers = lab.hosts("loadbalancers")
    if len(balancers) < 2:
        pytest.skip("the lab has one load balancer")
    source, (blue, _green) = release(tmp_path), halves(lab)
    stuck = "/var/lib/trinitycore-edge/states.json.new"
    with put_right(lab):
        lab.playbook("blue_green", *switch(source))
        lab.ssh(balancers[-1], f"mkdir {stuck}")
        try:
            done = step(lab, "back", check=False)
        finally:
            lab.ssh(balancers[-1], f"rmdir {stuck}")
        assert done.returncode != 0
        assert "states.json can't be written" in done.output
        assert "Taken back: calls go to app1-2" in done.output
        assert [each == only(blue) for each in states(lab)] == [True] * len(balancers)
        current = {lab.ssh(host, f"readlink {PROGRAM}/current").strip() for host in lab.hosts("app")}
        assert current == {f"releases/{source_version(source)}"}
        step(lab, "back")
        step(lab, "end")


def test_interrupted_it_goes_on_when_it_is_run_again(lab: Lab, tmp_path: Path, figure: Figure) -> None:
    """Killed while the idle set gets the release, and then while it is compared."""
    source = release(tmp_path)
    new, (blue, green), app = source_version(source), halves(lab), lab.hosts("app")[0]
    # Each time one step further.
    signs = (
        f"test -L {PROGRAM}/standby",
        f"tr '\\0' ' ' < /proc/$(systemctl show -P MainPID trinitycore-mcp@2)/cmdline | grep -q {new}",
    )
    with (
        put_right(lab) as old,
        load_all_the_time(lab.endpoints, 1_000, 16, PAUSE) as outcome,
    ):
        for sign in signs:
            run = subprocess.Popen(
                lab.command("blue_green", *switch(source)),
                cwd=ROOT,
                env=lab.environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                start_new_session=True,
            )
            try:
                wait_on(lab, app, sign)
            finally:
                os.killpg(run.pid, signal.SIGKILL)
                run.wait()
            time.sleep(2)
            assert all(each == only(green) for each in states(lab))
            kept = lab.playbook("site", "--tags", "mcp_server", "--check")
            assert not [task for task in kept.changed_tasks if "Make the release current" in task]
        lab.playbook("blue_green", *switch(source))
        assert all(each == only(blue) for each in states(lab))
        assert releases(lab) == {**dict.fromkeys(blue, old), **dict.fromkeys(green, new)}
        step(lab, "back")
        step(lab, "end")
    figure(f"blue/green, killed twice: {len(outcome.failures)} of {outcome.calls} calls failed")
    assert outcome.failures == []
    assert links(lab) == {old}
