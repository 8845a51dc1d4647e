"""What the service manager hears, over a socket as systemd's, and what happens when nobody listens there."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from server.tests.lifecycle_support import Manager
from tests.support.mariadb import MariaDb
from tests.support.mcp_server import McpServer, database_section


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[Manager]:
    made = Manager(tmp_path / "notify")
    yield made
    made.close()


def test_start_watchdog_reload_and_end_are_told(mariadb: MariaDb, manager: Manager, tmp_path: Path) -> None:
    environment = manager.environment | {"WATCHDOG_USEC": "600000"}
    config = {"database": database_section(mariadb), "server": {"drain_delay": 0.5}}
    with McpServer.start(tmp_path / "mcp", config, environment=environment, wait=False) as server:
        # Ready is told when the first request would be served.
        assert manager.next_but("WATCHDOG=1") == "READY=1"
        assert server.get("/health/live").status == 200
        # Three times as often as is asked for, so that one late message does no harm.
        manager.rest()
        assert [manager.next(5) for _ in range(4)] == ["WATCHDOG=1"] * 4

        server.process.send_signal(signal.SIGSTOP)
        try:
            time.sleep(0.1)
            manager.rest()
            with pytest.raises(TimeoutError):
                manager.next(1.5)
        finally:
            server.process.send_signal(signal.SIGCONT)
        assert manager.next() == "WATCHDOG=1"

        before = time.monotonic_ns() // 1000
        server.process.send_signal(signal.SIGHUP)
        state, clock = manager.next_but("WATCHDOG=1").split("\n")
        assert state == "RELOADING=1"
        assert before <= int(clock.removeprefix("MONOTONIC_USEC=")) <= time.monotonic_ns() // 1000
        assert manager.next_but("WATCHDOG=1") == "READY=1"

        server.terminate()
        assert manager.next_but("WATCHDOG=1") == "STOPPING=1"
        # The end is watched too, and no reload is told of any more.
        assert manager.next() == "WATCHDOG=1"
        server.process.send_signal(signal.SIGHUP)
        assert server.process.wait(10) == 0
        assert set(manager.rest()) <= {"WATCHDOG=1"}


def test_a_watchdog_for_another_process_is_not_ours(mariadb: MariaDb, manager: Manager, tmp_path: Path) -> None:
    environment = manager.environment | {"WATCHDOG_USEC": "100000", "WATCHDOG_PID": "1"}
    config = {"database": database_section(mariadb)}
    with McpServer.start(tmp_path / "mcp", config, environment=environment) as server:
        assert manager.next() == "READY=1"
        with pytest.raises(TimeoutError):
            manager.next(0.5)
        # A manager that has gone is no reason to stop.
        manager.close()
        (tmp_path / "notify").unlink()
        server.process.send_signal(signal.SIGHUP)
        server.wait_for("configuration reloaded")
        server.wait_for("service manager not told")
        assert server.get("/health/live").status == 200
