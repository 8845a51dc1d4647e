"""When a load balancer lets go of the floating address: by rule, and before a real NGINX."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.support.binaries import free_port
from tests.support.certificates import Authority
from tests.support.edge import DOMAIN, Edge, Instance
from tests.support.programs import ROLES, load
from tests.support.waiting import wait_for

PROGRAM = ROLES / "keepalived" / "files" / "edge_watch.py"


watch = load(PROGRAM)
GOOD, UNREADY, SILENT = watch.Word(True, True), watch.Word(True, False), watch.Word(False, False)
REFUSES = watch.Word(False, False, True)


def verdicts(rounds: list[tuple[object, list[object]]], judge: Any = None) -> list[bool]:
    """Return the verdict after each round of one second; a judge who has heard good words begins."""
    used = judge or watch.Judge()
    if judge is None:
        for _ in range(watch.RISES):
            used.hear(GOOD, [GOOD], 0.0)
        assert not used.fault
    found = []
    for number, (own, peers) in enumerate(rounds):
        used.hear(own, peers, float(number))
        found.append(used.fault)
    return found


def test_refused_twice_while_another_answers() -> None:
    assert verdicts([(REFUSES, [GOOD]), (GOOD, []), (REFUSES, [GOOD]), (REFUSES, [UNREADY])]) == [False] * 3 + [True]


def test_silent_for_long_while_another_answers() -> None:
    """For a moment it may be: many clients at once keep it busy, and would all lose their connection."""
    assert verdicts([(SILENT, [GOOD])] * 3 + [(GOOD, [])] + [(SILENT, [GOOD])] * 4) == [False] * 7 + [True]


def test_silent_like_everybody_else() -> None:
    assert verdicts([(SILENT, [SILENT])] * 5) == [False] * 5
    assert verdicts([(SILENT, [])] * 5) == [False] * 5
    assert verdicts([(REFUSES, [REFUSES])] * 5) == [False] * 5


def test_out_of_reach_of_the_instances_while_another_is_not() -> None:
    assert verdicts([(UNREADY, [GOOD])] * 4) == [False, False, True, True]
    assert verdicts([(UNREADY, [UNREADY])] * 4) == [False] * 4


def test_well_again() -> None:
    """Not at the first good answer, unless nobody else is left."""
    judge = watch.Judge()
    verdicts([(REFUSES, [GOOD])] * 2, judge)
    assert judge.fault
    assert verdicts([(GOOD, [GOOD])] * 3, judge) == [True, True, False]
    verdicts([(REFUSES, [GOOD])] * 2, judge)
    assert verdicts([(SILENT, [SILENT])], judge) == [False]


def test_at_the_start_nginx_has_to_answer_first() -> None:
    assert verdicts([(SILENT, [])] * 3 + [(GOOD, [])] * 3, watch.Judge()) == [True] * 5 + [False]


def test_after_a_freeze_another_has_the_address() -> None:
    judge = watch.Judge()
    verdicts([(GOOD, [])] * 3, judge)
    assert judge.was_frozen()
    assert verdicts([(GOOD, [GOOD])] * 3, judge) == [True, True, False]


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Signs all certificates."""
    return Authority(tmp_path_factory.mktemp("pki"))


@contextmanager
def running(file: Path, port: int, *peers: str) -> Iterator[None]:
    """Run the program, with more patience than it has on a host."""
    command = [sys.executable, str(PROGRAM), str(file), f"--name={DOMAIN}", *(f"--peer={peer}" for peer in peers)]
    process = subprocess.Popen([*command, f"--port={port}", "--timeout=2"])
    try:
        yield
    finally:
        process.terminate()
        process.wait(10)


def test_the_verdict_follows_nginx(tmp_path: Path, authority: Authority) -> None:
    """Two load balancers, by two addresses of loopback; NGINX of the first one ends, and comes back."""
    file, port = tmp_path / "fault", free_port()

    def says(word: str) -> bool:
        return file.exists() and file.read_text() == f"{word}\n"

    with (
        Instance.start(authority, "app1-1") as instance,
        Edge.start(tmp_path / "2", authority, [instance], variables={"nginx_https_port": f"127.0.0.2:{port}"}),
        running(file, port, "127.0.0.2"),
    ):
        own = {"nginx_https_port": f"127.0.0.1:{port}"}
        with Edge.start(tmp_path / "1", authority, [instance], variables=own):
            wait_for(lambda: says("0"))
        wait_for(lambda: says("1"))
        with Edge.start(tmp_path / "3", authority, [instance], variables=own):
            wait_for(lambda: says("0"))


def test_alone_it_lets_go_of_nothing(tmp_path: Path, authority: Authority) -> None:
    file, port = tmp_path / "fault", free_port()
    with Instance.start(authority, "app1-1") as instance, running(file, port):
        variables = {"nginx_https_port": port}
        with Edge.start(tmp_path / "1", authority, [instance], variables=variables):
            wait_for(lambda: file.exists() and file.read_text() == "0\n")
        time.sleep(1.5)
        assert file.read_text() == "0\n"
