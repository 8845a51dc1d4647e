"""Who gets a call: only who is there, ready and not taken out, by the policy, and without a reload of NGINX."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.certificates import Authority
from tests.support.edge import Edge, Instance, body_of
from tests.support.waiting import wait_for

Start = Callable[..., Edge]


def shares(edge: Edge, calls: int, headers: dict[str, str] | None = None) -> Counter[str | None]:
    """Return how many of so many calls each instance answered."""
    found: Counter[str | None] = Counter()
    connection = edge.connect()
    for _ in range(calls):
        answer = edge.ask("POST", "/mcp", body_of("creature_get"), headers, connection)
        assert answer.status == 200, answer.body
        found[answer.instance] += 1
    connection.close()
    return found


@contextmanager
def load(edge: Edge, callers: int = 6) -> Iterator[list[tuple[float, str]]]:
    """Call all the time, half of the callers over kept connections; yields when each answer came, and whose it was.

    :raises AssertionError: at the end, when a call failed.
    """
    answered: list[tuple[float, str]] = []
    failed: list[str] = []
    over = threading.Event()

    def caller(keeps: bool) -> None:
        connection = edge.connect() if keeps else None
        while not over.is_set():
            try:
                answer = edge.ask("POST", "/mcp", body_of("creature_get"), None, connection)
            except Exception as error:  # whatever it is, a client would see it
                failed.append(repr(error))
                connection = edge.connect() if keeps else None
                continue
            if answer.status == 200:
                answered.append((time.monotonic(), str(answer.instance)))
            else:
                failed.append(f"{answer.status} {answer.body!r}")

    threads = [threading.Thread(target=caller, args=(number % 2 == 0,), daemon=True) for number in range(callers)]
    for thread in threads:
        thread.start()
    try:
        wait_for(lambda: len(answered) > 20)
        yield answered
    finally:
        over.set()
        for thread in threads:
            thread.join(30)
    assert failed == []


def last_of(answered: list[tuple[float, str]], *names: str) -> float:
    """Return when one of these last answered."""
    return max((at for at, name in answered if name in names), default=0.0)


def test_calls_go_in_turns(edge: Edge) -> None:
    """Over one connection, which is one worker's; workers count by themselves."""
    assert shares(edge, 60) == {"app1-1": 20, "app1-2": 20, "app2-1": 20}


def test_a_drained_host_gets_no_calls_and_none_is_lost(
    edge: Edge, record_property: Callable[[str, object], None]
) -> None:
    with load(edge) as answered:
        began = time.monotonic()
        edge.write_states({"app1": "drained"})
        time.sleep(2.5)
        stopped = last_of(answered, "app1-1", "app1-2") - began
        edge.write_states({})
        wait_for(lambda: last_of(answered, "app1-1") > began + 2.5)
    assert stopped < 2
    record_property(
        "figure", f"edge: a drained host got its last call {stopped:.2f} s after, 0 of {len(answered)} lost"
    )


def test_an_instance_may_be_taken_out_or_left_in_by_itself(edge: Edge) -> None:
    edge.write_states({"app1": "drained", "app1-2": "active"})
    assert set(shares(edge, 20)) == {"app1-2", "app2-1"}
    edge.write_states({"app1-2": "removed"})
    assert set(shares(edge, 20)) == {"app1-1", "app2-1"}


def test_calls_under_way_are_finished_and_counted(edge: Edge, instances: list[Instance]) -> None:
    for each in instances:
        each.delay = 1.5
    answers: list[int] = []
    callers = [threading.Thread(target=lambda: answers.append(edge.call("creature_get").status)) for _ in range(3)]
    for caller in callers:
        caller.start()
    wait_for(lambda: sum(each["calls_under_way"] for each in edge.status()["members"]) == 3)
    edge.write_states({"app1": "drained", "app2": "drained"})
    refused = edge.call("creature_get", "mine")
    for caller in callers:
        caller.join()
    assert answers == [200] * 3
    assert refused.status == 503
    assert refused.headers["retry-after"] == "30"
    assert refused.json() == {
        "jsonrpc": "2.0",
        "id": "mine",
        "error": {"code": -32000, "message": "under maintenance"},
    }
    wait_for(lambda: sum(each["calls_under_way"] for each in edge.status()["members"]) == 0)


def test_an_instance_that_says_not_ready_gets_no_calls(
    edge: Edge, instances: list[Instance], record_property: Callable[[str, object], None]
) -> None:
    with load(edge) as answered:
        began = time.monotonic()
        instances[0].health = "draining"
        time.sleep(3)
        stopped = last_of(answered, "app1-1") - began
        member = edge.member("app1-1")
        assert (member["health"], member["reason"]) == ("down", "draining")
        instances[0].health = "ready"
        wait_for(lambda: last_of(answered, "app1-1") > began + 3)
    assert stopped < 2
    record_property("figure", f"edge: an instance that says 'not ready' got its last call {stopped:.2f} s after")


def test_an_instance_that_hangs_or_dies_gets_no_calls(
    edge: Edge, instances: list[Instance], record_property: Callable[[str, object], None]
) -> None:
    with load(edge) as answered:
        began = time.monotonic()
        instances[0].health = "hang"
        instances[1].close()
        wait_for(lambda: {edge.member(name)["health"] for name in ("app1-1", "app1-2")} == {"down"})
        time.sleep(0.3)
        hung, died = last_of(answered, "app1-1") - began, last_of(answered, "app1-2") - began
        instances[0].health = "ready"
        instances[1].open()
        wait_for(lambda: {edge.member(name)["health"] for name in ("app1-1", "app1-2")} == {"up"})
    assert hung < 2
    assert died < 2
    record_property("figure", f"edge: last call after it hangs {hung:.2f} s, after it dies {died:.2f} s")


def test_when_none_is_ready_calls_go_on(edge: Edge, instances: list[Instance]) -> None:
    """The checks may be wrong about all; the instances know better what to say."""
    for each in instances:
        each.health = "draining"
    wait_for(lambda: edge.status()["ready"] == 0)
    assert sum(shares(edge, 12).values()) == 12
    assert edge.ask("GET", "/health/ready").status == 503
    edge.write_states({"app2": "drained"})
    assert set(shares(edge, 12)) <= {"app1-1", "app1-2"}
    instances[0].health = "ready"
    wait_for(lambda: edge.status()["ready"] == 1)
    assert edge.ask("GET", "/health/ready").json() == {"status": "ready"}


def test_instances_come_and_go_without_a_reload(edge: Edge, authority: Authority, instances: list[Instance]) -> None:
    workers = edge.workers()
    with Instance.start(authority, "app3-1") as more, load(edge) as answered:
        edge.write_members([*instances[1:], more])
        wait_for(lambda: last_of(answered, "app3-1") > 0)
        gone = time.monotonic()
        time.sleep(1)
        assert last_of(answered, "app1-1") < gone
        edge.write_members(instances)
        wait_for(lambda: last_of(answered, "app1-1") > gone)
    assert edge.workers() == workers


def test_a_file_with_a_mistake_changes_nothing(edge: Edge) -> None:
    edge.write_states({"app1": "drained"})
    (edge.directory / "states.json").write_text('{"app1": "asleep"}')
    (edge.directory / "members.json").write_text("[]")
    time.sleep(0.5)
    assert edge.status()["states"] == {"app1": "drained"}
    assert set(shares(edge, 6)) == {"app2-1"}
    log = (edge.directory / "error.log").read_text()
    assert "states.json is not taken over: the state of app1 is none of active, drained, removed" in log
    assert "members.json is not taken over" in log
    edge.reload()
    time.sleep(1)
    assert set(shares(edge, 6)) == {"app2-1"}


def test_what_was_taken_out_stays_out_over_reloads_and_restarts(
    tmp_path: Path, authority: Authority, instances: list[Instance]
) -> None:
    with Edge.start(tmp_path / "edge", authority, instances) as edge:
        edge.write_states({"app1": "drained"})
        before = edge.workers()
        edge.reload()
        wait_for(lambda: not edge.workers() & before)
        assert edge.status()["ready"] == 1
        assert set(shares(edge, 6)) == {"app2-1"}
        saved = (edge.directory / "states.json").read_text()
    with Edge.start(tmp_path / "again", authority, []) as edge:
        (edge.directory / "states.json").write_text(saved)
        edge.write_members(instances)
        wait_for(lambda: edge.all_up(instances[2:]))
        assert set(shares(edge, 6)) == {"app2-1"}


def test_another_worker_goes_on_with_the_checks(edge: Edge, instances: list[Instance]) -> None:
    for worker in edge.workers():
        os.kill(worker, signal.SIGKILL)
        instances[0].health = "ready" if instances[0].health == "draining" else "draining"
        wanted = "up" if instances[0].health == "ready" else "down"
        wait_for(lambda wanted=wanted: edge.member("app1-1")["health"] == wanted)  # type: ignore[misc]
    assert all(each["calls_under_way"] == 0 for each in edge.status()["members"])


def test_weights(edge: Edge, instances: list[Instance]) -> None:
    edge.write_members(instances, weights={"app2-1": 4})
    wait_for(lambda: edge.member("app2-1")["weight"] == 4)
    found = shares(edge, 120)
    assert found["app2-1"] == pytest.approx(80, abs=4)


def test_a_canary_gets_its_share_only(edge: Edge, instances: list[Instance]) -> None:
    edge.write_members(instances, {"canary_share": 10}, canaries=["app1-1"])
    wait_for(lambda: edge.member("app1-1")["canary"])
    found = shares(edge, 600)
    assert 25 <= found["app1-1"] <= 105  # 60 wanted; six standard deviations to each side
    edge.write_states({"app1-2": "drained", "app2-1": "drained"})
    assert set(shares(edge, 6)) == {"app1-1"}


def test_least_connections(edge: Edge, instances: list[Instance]) -> None:
    edge.write_members(instances, {"policy": "least_conn"})
    wait_for(lambda: edge.status()["policy"] == "least_conn")
    instances[0].delay = 0.5
    with load(edge, 8) as answered:
        time.sleep(3)
    found = Counter(name for _, name in answered)
    assert found["app1-1"] * 4 < found["app1-2"]


@pytest.mark.parametrize("affinity", ["address", "credential"])
def test_a_client_keeps_its_instance(edge: Edge, instances: list[Instance], affinity: str) -> None:
    edge.write_members(instances, {"affinity": affinity})
    wait_for(lambda: edge.status()["affinity"] == affinity)
    found = {key: shares(edge, 8, {"Authorization": f"Bearer {key}"}) for key in "abcdefgh"}
    assert all(len(each) == 1 for each in found.values())
    used = {name for each in found.values() for name in each}
    assert len(used) == 1 if affinity == "address" else len(used) > 1
    (mine,) = found["a"]
    edge.write_states({str(mine): "drained"})
    assert mine not in shares(edge, 8, {"Authorization": "Bearer a"})


def test_an_instance_with_another_hosts_certificate_gets_no_call(edge: Edge, authority: Authority) -> None:
    with (
        Instance.start(authority, "app5-1", certificate_name="app6") as impostor,
        Instance.start(authority, "app7-1") as honest,
    ):
        edge.write_members([impostor])
        wait_for(lambda: [each["health"] for each in edge.status()["members"]] == ["down"])
        answer = edge.call("trigger_backup")
        assert answer.status == 502
        assert "no instance of the service could answer" in answer.json()["error"]["message"]
        edge.write_members([impostor, honest])
        wait_for(lambda: edge.all_up([honest]))
        assert set(shares(edge, 10)) == {"app7-1"}
        assert impostor.calls == []
