"""What the tests of moving the primary share: three servers, somebody who writes, what must hold, and a run killed."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import pymysql
from ansible_collections.trinitycore.mcp.plugins.module_utils.mysql.topology import decide

from tests.unit.mysql.conftest import Node

Cluster = list[Node]
Progress = Callable[[str], None]


class Writer:
    """Inserts numbered rows into whichever server takes them, as fast as it is told that they are there."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self.acknowledged: list[int] = []
        self.unknown: set[int] = set()
        """Rows whose connection was lost before anybody said what became of them."""
        self.longest_pause = 0.0

    def _run(self) -> None:
        number, last, connection = 0, time.monotonic(), None
        while not self._done.is_set():
            number += 1
            while not self._done.is_set():
                try:
                    connection = connection or self._connect()
                    connection.cursor().execute("INSERT INTO world.t VALUES (%s)", [number])
                except pymysql.err.MySQLError as error:
                    if error.args[0] in (2006, 2013):
                        self.unknown.add(number)
                        number += 1
                    connection = None
                    time.sleep(0.01)
                else:
                    self.acknowledged.append(number)
                    self.longest_pause = max(self.longest_pause, time.monotonic() - last)
                    last = time.monotonic()
                    break

    def _connect(self) -> pymysql.Connection[pymysql.cursors.Cursor]:
        for each in self._cluster:
            try:
                connection = pymysql.connect(unix_socket=each.socket, user="writer", autocommit=True, read_timeout=1)
                with connection.cursor() as cursor:
                    cursor.execute("SELECT @@read_only")
                    if cursor.fetchone() == (0,):
                        return connection
                connection.close()
            except (pymysql.err.MySQLError, OSError):  # it is gone, or frozen
                continue
        raise pymysql.err.OperationalError(1290, "none is writable")

    @contextmanager
    def writing(self) -> Iterator[None]:
        self._thread.start()
        try:
            self.more()
            yield
            self.more()
        finally:
            self._done.set()
            self._thread.join()

    def more(self) -> None:
        """Wait until ten more rows were acknowledged."""
        wanted = len(self.acknowledged) + 10
        deadline = time.monotonic() + 20
        while len(self.acknowledged) < wanted:
            assert time.monotonic() < deadline, "no row is acknowledged"
            time.sleep(0.01)


def check(cluster: Cluster, primary: str, rows: Sequence[int] = (), unknown: Sequence[int] | set[int] = ()) -> None:
    """One primary, all others follow it, and all hold the same rows: those and perhaps the unknown ones."""
    [head] = [each for each in cluster if each.name == primary]
    for each in cluster:
        state = each.member().state
        assert state is not None
        assert state.read_only is (each is not head)
        assert state.semi_sync is (each is head)
        if each is head:
            assert state.replication is None
        else:
            assert state.replication is not None
            assert (state.replication.host, state.replication.healthy) == (head.address, True)
            each.wait_for(head)
        found = {int(row[0]) for row in each.server.sql("SELECT id FROM world.t")}
        assert set(rows) - found == set(), "acknowledged rows are lost"
        assert found - set(rows) - set(unknown) == set(), "there are rows that were refused"


def killed_at(step: int, run: Callable[[Progress], object]) -> str:
    """Do something in a process that is killed before its step of this number; return the step's name.

    :param run: is given whom to tell each step; empty is returned when it had no such step and ran to its end.
    """
    into, out = os.pipe()
    child = os.fork()
    if child == 0:
        steps: list[str] = []

        def progress(name: str) -> None:
            steps.append(name)
            if len(steps) == step:
                os.write(out, name.encode())
                os._exit(9)

        try:
            run(progress)
        finally:
            os._exit(0)
    os.close(out)
    with os.fdopen(into, "rb") as told:
        name = told.read().decode()
    os.waitpid(child, 0)
    return name


def rerun_site(cluster: Cluster) -> str:
    """Do what site.yml does about the topology; return the primary."""
    decision = decide([each.member() for each in cluster], cluster[0].name)
    primary = decision.primary
    [head] = [each for each in cluster if each.name == primary]
    head.bootstrap(
        semi_sync=True, takes_over=decision.takes_over, others=[each for each in cluster if each is not head]
    )
    for each in cluster:
        if each is not head:
            each.follow(head)
    head.await_replicas()
    return primary
