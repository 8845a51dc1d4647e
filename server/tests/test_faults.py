"""Faults around a running server: Redis, replica, primary, all of them, slow statements, clients that leave.

One cluster and one server for all: each test breaks something, and mends it.
"""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from server.tests.access_support import own_database
from server.tests.redis_link_support import frozen
from server.tests.wire_support import LEGACY, MODERN, Wire, complaints, headers_of, message_of, open_files, serving
from tests.support.mariadb import MariaDb
from tests.support.mcp_server import McpServer, load_lab_world
from tests.support.redis import Redis

pytestmark = pytest.mark.xdist_group("faults")
ACQUIRE, QUERY, TOOL = 0.5, 6.0, 2.0
"""Seconds: the pool's patience, the statement's limit, the call's."""
POOL = 8
"""Sessions to each host."""
LATE = 1.0
"""Seconds that a loaded machine may be late."""
SLOW = "SELECT SLEEP(100)"


@dataclass
class Site:
    """Everything that can break, and who asks."""

    primary: MariaDb
    replica: MariaDb
    redis: Redis
    server: McpServer
    number: int = 0

    @property
    def databases(self) -> tuple[MariaDb, MariaDb]:
        return self.primary, self.replica

    def call(self, tool: str, arguments: dict[str, Any], version: str = MODERN) -> tuple[dict[str, Any], float]:
        """Call a tool on a connection of its own; return its result and how many seconds it took."""
        wire = Wire(self.server)
        started = time.monotonic()
        try:
            return wire.call(tool, arguments, version=version), time.monotonic() - started
        finally:
            wire.close()

    def read(self, version: str = MODERN) -> tuple[dict[str, Any], float]:
        """Make a call that was never made before, so that it needs a database."""
        self.number += 1
        return self.call("world_search", {"text": f"Hogger {self.number}"}, version)

    def cached(self) -> dict[str, Any]:
        result: dict[str, Any] = self.call("creature_get", {"id": 448})[0]
        return result

    def ready(self) -> tuple[int, dict[str, Any]]:
        answer = self.server.get("/health/ready")
        return answer.status, answer.json()

    def statements(self) -> int:
        """Return how many of the slow statements run, on all hosts."""
        running = "SELECT COUNT(*) FROM information_schema.processlist WHERE info LIKE 'SELECT SLEEP(100%'"
        return sum(int(database.sql(running)[0][0]) for database in self.databases)


def until(condition: Callable[[], object], limit: float = 15.0) -> float:
    """Wait for something; return how many seconds it took."""
    started = time.monotonic()
    while not condition():
        assert time.monotonic() < started + limit, "it did not come about"
        time.sleep(0.02)
    return time.monotonic() - started


def in_background(work: Callable[[], Any]) -> Future[Any]:
    outcome: Future[Any] = Future()

    def run() -> None:
        try:
            outcome.set_result(work())
        except Exception as error:
            outcome.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    return outcome


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    directory = tmp_path_factory.mktemp("f")
    (directory / "own").mkdir()
    with (
        MariaDb.start(directory / "1", server_id=1) as primary,
        MariaDb.start(directory / "2", server_id=2) as replica,
        Redis.start(directory / "r") as redis,
    ):
        load_lab_world(primary)
        own_database(primary, directory / "own", "mcp_faults")
        replica.replicate_from(primary)
        with serving(directory / "mcp", primary, replica, **sections(directory, redis)) as server:
            site = Site(primary, replica, redis, server)
            until(lambda: server.metrics()["mcp_leader"] == 1)
            yield site
            assert complaints(server) == []


def sections(directory: Path, redis: Redis) -> dict[str, dict[str, Any]]:
    (directory / "own_password").write_text("mcp_faults")
    writer = {"user": "mcp_faults", "password_file": str(directory / "own_password")}
    pool = {"size": POOL, "acquire_timeout": ACQUIRE, "connect_timeout": 0.5, "query_timeout": QUERY}
    return {
        "database": {"pool": pool, "writer": writer, "databases": {"mcp": "mcp_faults"}},
        "redis": {"hosts": [{"host": "127.0.0.1", "port": redis.port}]},
        "server": {"tool_timeout": TOOL},
        "limits": {"enabled": True, "default": {"requests": 100_000, "period": 60}},
        "cache": {"local_ttl": 30, "ttl": 60},
        "leader": {"lease": 1.0},
    }


@pytest.fixture(autouse=True)
def whole(site: Site) -> Iterator[None]:
    """Begin and end each test with everything in its place."""
    yield
    until(lambda: all(each["up"] for each in site.ready()[1]["database"]))
    until(lambda: site.server.metrics()["mcp_redis_up"] == 1)
    until(lambda: site.statements() == 0)


def counted(site: Site, start: str) -> float:
    """Return the sum of the metrics whose series begin so."""
    return sum(value for series, value in site.server.metrics().items() if series.startswith(start))


def test_redis_killed_and_back(site: Site) -> None:
    site.cached()
    assert site.ready()[1]["cache"] == "shared"
    limited = counted(site, 'mcp_rate_limit_total{result="local"')
    site.redis.kill()
    try:
        for _ in range(20):
            result, seconds = site.read()
            assert result["isError"] is False
            assert seconds < LATE
        status, state = site.ready()
        assert (status, state["cache"]) == (200, "local")
        assert counted(site, 'mcp_rate_limit_total{result="local"') >= limited + 15
        asked = counted(site, "mcp_db_query_duration_seconds_count")
        assert site.cached()["structuredContent"]["name"] == "Hogger"
        assert counted(site, "mcp_db_query_duration_seconds_count") == asked
        until(lambda: site.server.metrics()["mcp_leader"] == 0, 1 + LATE)
    finally:
        site.redis.restart()
    until(lambda: site.ready()[1]["cache"] == "shared")
    until(lambda: site.server.metrics()["mcp_leader"] == 1)
    assert site.read()[0]["isError"] is False


def test_redis_frozen(site: Site) -> None:
    with frozen(site.redis):
        for _ in range(10):
            result, seconds = site.read()
            assert result["isError"] is False
            assert seconds < LATE
        assert site.ready()[0] == 200
        until(lambda: site.ready()[1]["cache"] == "local")
        until(lambda: site.server.metrics()["mcp_leader"] == 0)
    until(lambda: site.server.metrics()["mcp_leader"] == 1)


def test_replica_frozen_then_killed(site: Site) -> None:
    site.replica.freeze()
    try:
        for version in (MODERN, LEGACY) * 3:
            result, seconds = site.read(version)
            assert result["isError"] is False, result
            assert seconds < TOOL + LATE
        assert site.ready()[0] == 200
    finally:
        site.replica.thaw()
    site.replica.kill()
    try:
        for version in (MODERN, LEGACY) * 3:
            result, seconds = site.read(version)
            assert result["isError"] is False, result
            assert seconds < ACQUIRE + LATE
    finally:
        site.replica.restart()
    up = f'mcp_db_host_up{{pool="127.0.0.1:{site.replica.port}",role="replica"}}'
    until(lambda: site.server.metrics()[up] == 1)
    served = f'mcp_db_query_duration_seconds_count{{kind="world_search",pool="127.0.0.1:{site.replica.port}"}}'
    before = site.server.metrics()[served]
    assert site.read()[0]["isError"] is False
    assert site.server.metrics()[served] > before


def audited(site: Site) -> int:
    return int(site.primary.sql("SELECT COUNT(*) FROM mcp_faults.audit")[0][0])


def test_primary_killed_reads_go_on_and_audit_waits(site: Site) -> None:
    before = audited(site)
    site.primary.kill()
    try:
        for version in (MODERN, LEGACY) * 3:
            result, seconds = site.read(version)
            assert result["isError"] is False, result
            assert seconds < ACQUIRE + LATE
        result, seconds = site.call("get_security_status", {})
        assert result["isError"] is False
        assert seconds < TOOL + LATE
        assert site.ready()[0] == 200
    finally:
        site.primary.restart()
    until(lambda: audited(site) == before + 1)
    assert counted(site, "mcp_audit_dropped_total") == 0


@pytest.mark.parametrize("how", ["killed", "frozen"])
def test_no_database_at_all(site: Site, how: str) -> None:
    site.cached()
    for database in site.databases:
        database.kill() if how == "killed" else database.freeze()
    try:
        for version in (MODERN, LEGACY):
            many = [in_background(lambda version=version: site.read(version)) for _ in range(8)]  # type: ignore[misc]  # a default is the loop's value now
            for each in many:
                result, seconds = each.result(10)
                assert result["isError"] is True
                assert seconds < TOOL + LATE
                text = result["content"][0]["text"]
                assert "try again in a second" in text or "took longer than 2 s" in text
        until(lambda: site.ready()[0] == 503)
        assert all(not each["up"] for each in site.ready()[1]["database"])
        assert site.server.get("/health/live").status == 200
        result, seconds = site.read()
        assert result["isError"] is True
        assert "no database host can be read from" in result["content"][0]["text"]
        assert seconds < ACQUIRE + LATE
        assert site.cached()["isError"] is False, "what is in the cache needs no database"
    finally:
        for database in site.databases:
            database.restart() if how == "killed" else database.thaw()
    until(lambda: site.ready()[0] == 200)
    until(lambda: site.read()[0]["isError"] is False)


@pytest.mark.parametrize("version", [MODERN, LEGACY])
def test_a_slow_statement_is_ended_with_its_call(site: Site, version: str) -> None:
    result, seconds = site.call("sql_select", {"query": SLOW}, version)
    assert result["isError"] is True
    assert "took longer than 2 s and was stopped" in result["content"][0]["text"]
    assert TOOL - 0.1 < seconds < TOOL + LATE
    assert until(lambda: site.statements() == 0) < LATE


@contextlib.contextmanager
def locked(*databases: MariaDb) -> Iterator[None]:
    """Keep readers of creature_template waiting: longer than two pools have patience, shorter than a call may take."""
    sql = "LOCK TABLES creature_template WRITE; SELECT SLEEP(1.7); UNLOCK TABLES"
    holders = [threading.Thread(target=database.sql, args=(sql, "world")) for database in databases]
    for holder in holders:
        holder.start()
    time.sleep(0.2)
    try:
        yield
    finally:
        for holder in holders:
            holder.join()


def read_at_once(site: Site, number: int) -> list[tuple[dict[str, Any], float]]:
    """Make so many calls at the same time, none of which has a kept result; return what came and after how long."""
    slow = []
    for each in range(number):
        query = {"text": f"nobody {each} of {number}"}
        slow.append(in_background(lambda query=query: site.call("creature_search", query)))  # type: ignore[misc]  # as above
    return [each.result(10) for each in slow]


def test_full_pools_say_so_and_the_others_are_served(site: Site) -> None:
    site.read()  # the world's schema is known
    with locked(site.primary, site.replica):
        outcomes = read_at_once(site, 2 * POOL + 4)
    refused = [(result, seconds) for result, seconds in outcomes if result["isError"]]
    assert 3 <= len(refused) <= 6, outcomes
    for result, seconds in refused:
        assert "try again in a second" in result["content"][0]["text"]
        assert "busy" in result["content"][0]["text"] or "in use" in result["content"][0]["text"]
        assert seconds < 2 * ACQUIRE + LATE  # at the replica, then at the primary
    assert site.read()[0]["isError"] is False


def test_who_finds_the_replicas_pool_full_is_served_by_the_primary(site: Site) -> None:
    site.read()
    with locked(site.replica):
        outcomes = read_at_once(site, POOL + 4)
    assert not [result for result, _ in outcomes if result["isError"]]
    assert sum(seconds < ACQUIRE + LATE for _, seconds in outcomes) >= 4


def begin(site: Site, version: str, **params: Any) -> socket.socket:
    """Send a call of the slow statement and return the connection that waits for its answer."""
    message = message_of("tools/call", {"name": "sql_select", "arguments": {"query": SLOW}} | params, version=version)
    body = json.dumps(message)
    lines = [f"{name}: {value}" for name, value in headers_of("tools/call", "sql_select", version=version).items()]
    head = ["POST /mcp HTTP/1.1", "Host: 127.0.0.1", f"Content-Length: {len(body)}", *lines]
    connection = socket.create_connection(("127.0.0.1", site.server.port))
    connection.sendall("\r\n".join([*head, "", body]).encode())
    until(lambda: site.statements() == 1)
    return connection


@pytest.mark.parametrize("version", [MODERN, LEGACY])
@pytest.mark.parametrize("params", [{}, {"_meta": {"progressToken": 1}}], ids=["json", "events"])
def test_a_client_that_leaves_takes_its_statement_along(site: Site, version: str, params: dict[str, Any]) -> None:
    started = time.monotonic()
    begin(site, version, **params).close()
    assert until(lambda: site.statements() == 0) < TOOL - 0.5, "the call's time limit would have ended it too"
    assert time.monotonic() - started < TOOL
    assert site.read()[0]["isError"] is False


def test_idle_connections_take_nothing_from_others(site: Site) -> None:
    files = open_files(site.server)
    idle = []
    try:
        for number in range(500):
            connection = socket.create_connection(("127.0.0.1", site.server.port))
            if number % 2:
                connection.sendall(b"POST /mcp HTTP/1.1\r\nHost: 127.0.0.1\r\n")
            idle.append(connection)
        for version in (MODERN, LEGACY):
            result, seconds = site.read(version)
            assert result["isError"] is False
            assert seconds < LATE
        assert site.ready()[0] == 200
        assert open_files(site.server) >= files + 490
    finally:
        for connection in idle:
            connection.close()
    until(lambda: open_files(site.server) <= files + 10)
