"""Hosts that lag, flap, freeze or are full; reads that nobody waits for any more."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterator

import pytest

from server.tests.database_support import (
    HEAVY,
    PORT,
    Limits,
    Pair,
    database_over,
    primary_and_replica,
    until,
)
from tests.support.database_server import DatabaseServer
from tests.support.database_servers import both_kinds, kind_of
from trinitycore_mcp.database import Database
from trinitycore_mcp.database.errors import DatabaseError, Unavailable
from trinitycore_mcp.metrics import REGISTRY

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module", params=both_kinds("health"))
def pair(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    with primary_and_replica(request.param, tmp_path_factory.mktemp("pair")) as both:
        yield both


@pytest.fixture(autouse=True)
def mended(pair: Pair) -> Iterator[None]:
    """Leave the pair running and replicating for the next test."""
    yield
    for server in pair:
        server.thaw()
        if server.process.poll() is not None:
            server.restart()
    pair[1].sql("START REPLICA")


async def port_read(database: Database) -> int:
    return int((await database.fetch("test", PORT))[0]["port"])


def metric(name: str, server: DatabaseServer, suffix: str = "") -> float:
    return REGISTRY.get_sample_value(name, {"pool": f"127.0.0.1:{server.port}{suffix}"}) or 0.0


async def test_a_replica_that_stopped_replicating_is_up_but_not_read(pair: Pair) -> None:
    primary, replica = pair
    async with database_over(primary, replica) as database:
        assert await port_read(database) == replica.port
        await until(lambda: database.states()[1].lag == 0)  # it has just loaded the world
        for thread in ("SQL", "IO"):
            replica.sql(f"STOP REPLICA {thread}_THREAD")
            await until(lambda: database.states()[1].note != "")
            assert await port_read(database) == primary.port
            state = database.states()[1]
            assert state.up
            assert f"{thread} thread is stopped" in state.note
            replica.sql("START REPLICA")
            await until(lambda: database.states()[1].note == "")
            assert await port_read(database) == replica.port


async def test_a_replica_behind_the_limit_is_not_read_until_it_has_caught_up(pair: Pair) -> None:
    primary, replica = pair
    replica.delay(60)
    try:
        primary.sql("INSERT INTO mcp.note VALUES (1, 'late')")
        async with database_over(primary, replica, section={"max_replica_lag": 1.5}) as database:
            await until(lambda: database.states()[1].note != "")
            assert await port_read(database) == primary.port
            state = database.states()[1]
            assert state.up
            assert state.lag is not None
            assert state.lag >= 2
            assert state.note == f"replication is {state.lag:.0f} s behind, allowed are 1.5 s"
            assert metric("mcp_db_replication_lag_seconds", replica) == state.lag
            replica.delay(0)
            await until(lambda: database.states()[1].lag == 0)
            assert await port_read(database) == replica.port
    finally:
        replica.delay(0)


async def test_a_replica_out_of_step_is_read_when_it_is_all_there_is(pair: Pair) -> None:
    _, replica = pair
    replica.sql("STOP REPLICA")
    async with database_over(replica) as database:
        assert database.available
        assert await port_read(database) == replica.port


async def test_a_replica_of_unknown_lag_is_read_and_said_once(pair: Pair, caplog: pytest.LogCaptureFixture) -> None:
    primary, replica = pair
    primary.account("plain", "plain")
    replica.wait_for_gtid(primary.position())
    with caplog.at_level(logging.WARNING, "trinitycore_mcp"):
        async with database_over(primary, replica, user="plain") as database:
            assert await port_read(database) == replica.port
            await asyncio.sleep(1.2)
            state = database.states()[1]
    assert (state.up, state.lag) == (True, None)
    privilege = {"mariadb": "SLAVE MONITOR", "mysql": "REPLICATION CLIENT"}[kind_of(replica)]
    assert state.note == f"replication lag is unknown: grant {privilege} to plain"
    assert [record.message for record in caplog.records] == ["database replica needs attention"]


async def test_a_host_that_fails_again_and_again_is_left_alone_for_a_while(pair: Pair) -> None:
    primary, _ = pair
    # The watcher's connection is all that the account may have: checks succeed, reads fail.
    primary.account("narrow", "narrow", "SELECT ON *.*")
    primary.sql("ALTER USER narrow WITH MAX_USER_CONNECTIONS 1")
    section = {"breaker": {"failures": 3, "open_for": 0.6}}
    async with database_over(primary, user="narrow", section=section, acquire_timeout=0.4) as database:
        host = database.hosts[0]
        while not host.breaker.is_open:
            with pytest.raises(Unavailable):
                await database.fetch("test", PORT)
        assert metric("mcp_db_breaker_open", primary) == 1
        assert not database.available
        began = time.monotonic()
        with pytest.raises(Unavailable, match=rf"127.0.0.1:{primary.port}: circuit breaker open after 3 failures .*"):
            await database.fetch("test", PORT)
        assert time.monotonic() - began < 0.2  # not acquire_timeout
        primary.sql("ALTER USER narrow WITH MAX_USER_CONNECTIONS 50")
        await until(lambda: database.available, 2)
        assert await port_read(database) == primary.port
        assert metric("mcp_db_breaker_open", primary) == 0
        assert host.breaker.failures == 0


async def test_the_breaker_opens_for_a_host_that_is_gone_and_closes_when_it_is_back(
    pair: Pair,
) -> None:
    primary, _ = pair
    section = {"breaker": {"failures": 2, "open_for": 0.5}}
    async with database_over(primary, section=section) as database:
        assert await port_read(database) == primary.port
        await asyncio.to_thread(primary.kill)
        with pytest.raises(Unavailable, match=r"next try in 0\.\d s; last failure: Can't connect"):
            await database.fetch("test", PORT)
        await asyncio.to_thread(primary.restart)
        await until(lambda: database.available, 3)
        assert await port_read(database) == primary.port


@pytest.mark.parametrize(("hosts", "failures"), [(1, 1000), (2, 2), (2, 1000)])
async def test_with_all_hosts_frozen_no_read_hangs_beyond_its_deadline(pair: Pair, hosts: int, failures: int) -> None:
    section = {"breaker": {"failures": failures}}
    limits: Limits = {"acquire_timeout": 0.5, "query_timeout": 0.8, "connect_timeout": 5, "size": 2}
    async with database_over(*pair[:hosts], section=section, **limits) as database:
        await port_read(database)
        for server in pair:
            server.freeze()

        async def read() -> float:
            began = time.monotonic()
            with pytest.raises(DatabaseError):
                await database.fetch("test", PORT)
            return time.monotonic() - began

        for _ in range(3):  # before anyone knows, while it is found out, and after
            assert max(await asyncio.gather(*(read() for _ in range(6)))) < 0.5 + 0.8 + 0.5 + 0.3
        for server in pair:
            server.thaw()
        await until(lambda: database.available)
        assert await port_read(database)


def running(server: DatabaseServer, mark: str) -> int:
    sql = f"SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE INFO LIKE '%{mark}%' AND USER = 'app_ro'"
    return int(server.sql(sql)[0][0])


@pytest.mark.parametrize(
    ("mark", "sql", "parameters"),
    [
        ("heavy", HEAVY, ()),
        ("SLEEP", "SELECT SLEEP(55)", ()),
        ("heavy", f"{HEAVY} WHERE t0.entry > %s", (0,)),
    ],
)
async def test_a_read_nobody_waits_for_is_ended_in_the_server(
    pair: Pair, mark: str, sql: str, parameters: tuple[object, ...]
) -> None:
    primary, _ = pair
    before = metric("mcp_db_queries_killed_total", primary)
    async with database_over(primary, size=3, query_timeout=60) as database:
        reads = [asyncio.create_task(database.fetch("test", sql, parameters)) for _ in range(3)]
        await until(lambda: running(primary, mark) == 3)
        for read in reads:
            read.cancel()
        await until(lambda: running(primary, mark) == 0)
        results = await asyncio.gather(*reads, return_exceptions=True)
        assert all(isinstance(result, asyncio.CancelledError) for result in results)
        await until(lambda: metric("mcp_db_queries_killed_total", primary) == before + 3)
        assert await asyncio.gather(*(port_read(database) for _ in range(6))) == [primary.port] * 6
