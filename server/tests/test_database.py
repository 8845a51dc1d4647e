"""The database layer against real servers: who is read from, what happens when they fail, freeze or come back."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from server.tests.database_support import (
    HEAVY,
    PORT,
    Pair,
    database_over,
    kill_sessions,
    primary_and_replica,
    until,
)
from tests.support.certificates import Authority
from tests.support.database_servers import SERVERS, both_kinds
from trinitycore_mcp.database import Database
from trinitycore_mcp.database.errors import Busy, QueryFailed, TimedOut, Unavailable

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module", params=both_kinds("database"))
def pair(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    with primary_and_replica(request.param, tmp_path_factory.mktemp("pair")) as both:
        yield both


@pytest.fixture(autouse=True)
def mended(request: pytest.FixtureRequest) -> Iterator[None]:
    """Leave the pair running for the next test."""
    yield
    if "pair" in request.fixturenames:
        for server in request.getfixturevalue("pair"):
            if server.process.poll() is not None:
                server.restart()


async def port_read(database: Database) -> int:
    return int((await database.fetch("test", PORT))[0]["port"])


async def test_replicas_are_read_before_the_primary(pair: Pair) -> None:
    primary, replica = pair
    async with database_over(primary, replica) as database:
        assert {await port_read(database) for _ in range(20)} == {replica.port}
        assert [state.role for state in database.states()] == ["primary", "replica"]


async def read_all_the_while(database: Database, disturb: Callable[[], Awaitable[None]]) -> tuple[int, float]:
    """Read with 8 readers while `disturb` runs; return how many reads were made and the longest one's seconds."""
    stop, count, longest = asyncio.Event(), 0, 0.0

    async def reader() -> None:
        nonlocal count, longest
        while not stop.is_set():
            started = time.perf_counter()
            [row] = await database.fetch("test", "SELECT name FROM world.creature_template WHERE entry = %s", (448,))
            assert row["name"] == "Hogger"
            longest = max(longest, time.perf_counter() - started)
            count += 1
            await asyncio.sleep(0.002)

    async with asyncio.TaskGroup() as group:
        for _ in range(8):
            group.create_task(reader())
        await asyncio.sleep(0.3)
        await disturb()
        await asyncio.sleep(0.3)
        stop.set()
    return count, longest


async def test_a_killed_replica_fails_no_read(pair: Pair) -> None:
    primary, replica = pair
    async with database_over(primary, replica) as database:

        async def kill_and_restart() -> None:
            await asyncio.to_thread(replica.kill)
            await asyncio.sleep(0.5)
            assert await port_read(database) == primary.port
            await asyncio.to_thread(replica.restart)
            await until(lambda: all(state.up for state in database.states()))

        count, longest = await read_all_the_while(database, kill_and_restart)
        assert count > 200
        assert longest < 2.0
        assert await port_read(database) == replica.port


async def test_a_replica_shut_down_in_order_fails_no_read(pair: Pair) -> None:
    primary, replica = pair
    async with database_over(primary, replica) as database:
        count, _ = await read_all_the_while(database, lambda: asyncio.to_thread(replica.stop))
        assert count > 200
        assert await port_read(database) == primary.port


async def test_a_frozen_replica_delays_reads_but_fails_none(pair: Pair) -> None:
    primary, replica = pair
    async with database_over(primary, replica) as database:

        async def freeze() -> None:
            replica.freeze()
            try:
                await until(lambda: not database.states()[1].up)
                assert await port_read(database) == primary.port
            finally:
                replica.thaw()
            await until(lambda: database.states()[1].up)

        count, longest = await read_all_the_while(database, freeze)
        assert count > 100
        # A check a second, given up after a second; nobody waits for the query timeout of 3 s.
        assert longest < 2.8


@pytest.mark.parametrize("size", [1, 3])
async def test_a_frozen_replica_makes_no_read_busy_while_the_primary_is_idle(pair: Pair, size: int) -> None:
    primary, replica = pair
    # The replica's few sessions hang, and whoever waits for one loses patience before it is taken for down.
    async with database_over(primary, replica, size=size, acquire_timeout=0.3) as database:

        async def freeze() -> None:
            replica.freeze()
            try:
                await until(lambda: not database.states()[1].up)
            finally:
                replica.thaw()
            await until(lambda: database.states()[1].up)

        _, longest = await read_all_the_while(database, freeze)
        assert longest < 2.8
        replica.freeze()
        try:
            assert database.states()[1].up
            hanging = [asyncio.create_task(port_read(database)) for _ in range(size)]
            await asyncio.sleep(0)
            assert await port_read(database) == primary.port
            assert (await database.select("test", PORT)).rows == [[primary.port]]
        finally:
            replica.thaw()
        await asyncio.gather(*hanging)


async def test_when_every_host_is_busy_a_read_says_so_after_two_waits(pair: Pair) -> None:
    async with database_over(*pair, size=1, acquire_timeout=0.3) as database:
        slow = [asyncio.create_task(database.fetch("test", "SELECT SLEEP(2.5)")) for _ in range(2)]
        await asyncio.sleep(0.6)  # the second one is on the primary by now
        started = time.perf_counter()
        with pytest.raises(Busy, match="all 1 connections"):
            await database.fetch("test", PORT)
        assert 0.5 < time.perf_counter() - started < 1.5
        await asyncio.gather(*slow)


async def test_the_only_host_restarting_fails_no_read_within_the_pools_patience(pair: Pair) -> None:
    primary, _ = pair
    # The breaker would tell the readers at once instead.
    patient = {"breaker": {"failures": 1000}}
    async with database_over(primary, acquire_timeout=10, section=patient) as database:

        async def restart() -> None:
            await asyncio.to_thread(primary.kill)
            await asyncio.to_thread(primary.restart)
            await until(lambda: database.available)

        count, _ = await read_all_the_while(database, restart)
        assert count > 50


async def test_a_session_killed_by_the_operator_fails_no_read(pair: Pair) -> None:
    primary, replica = pair
    async with database_over(primary, replica) as database:

        async def kill_all() -> None:
            for _ in range(3):
                await asyncio.to_thread(kill_sessions, replica, "app_ro")
                await asyncio.sleep(0.1)

        count, _ = await read_all_the_while(database, kill_all)
        assert count > 100


async def test_without_any_host_the_error_says_why(pair: Pair) -> None:
    primary, replica = pair
    primary.kill()
    replica.kill()
    async with database_over(primary, replica, acquire_timeout=0.3) as database:
        assert not database.available
        with pytest.raises(Unavailable, match=f"127.0.0.1:{primary.port}: Can't connect"):
            await database.fetch("test", PORT)


async def test_a_wrong_password_is_told_as_the_hosts_reason(pair: Pair) -> None:
    async with database_over(pair[0], user="nobody", acquire_timeout=0.2) as database:
        with pytest.raises(Unavailable, match="Access denied for user 'nobody'"):
            await database.fetch("test", PORT)


async def test_sessions_can_not_write_even_where_the_account_may(pair: Pair) -> None:
    primary, _ = pair
    primary.account("writer", "writer", "ALL ON *.*")
    async with database_over(primary, user="writer") as database:
        with pytest.raises(QueryFailed, match="1792"):
            await database.fetch("test", "UPDATE world.creature_template SET name = 'x' WHERE entry = %s", (448,))
        [row] = await database.fetch("test", "SELECT name FROM world.creature_template WHERE entry = 448")
        assert row["name"] == "Hogger"


async def test_a_statement_that_takes_too_long_is_stopped_by_the_server(pair: Pair) -> None:
    async with database_over(*pair, query_timeout=0.3) as database:
        started = time.perf_counter()
        with pytest.raises(TimedOut):
            await database.fetch("test", HEAVY)
        assert time.perf_counter() - started < 0.8
        assert all(state.up for state in database.states())


async def test_a_full_pool_says_so_after_its_patience(pair: Pair) -> None:
    async with database_over(pair[0], size=1, acquire_timeout=0.2) as database:
        slow = asyncio.create_task(database.fetch("test", "SELECT SLEEP(1)"))
        await asyncio.sleep(0.1)
        with pytest.raises(Busy, match="all 1 connections"):
            await database.fetch("test", PORT)
        await slow
        assert await port_read(database)


async def test_a_read_given_up_leaves_a_clean_pool(pair: Pair) -> None:
    async with database_over(pair[0], size=1) as database:
        for _ in range(3):
            slow = asyncio.create_task(database.fetch("test", "SELECT SLEEP(2), 'wrong' AS port"))
            await asyncio.sleep(0.05)
            slow.cancel()
            await asyncio.gather(slow, return_exceptions=True)
            assert await port_read(database) == pair[0].port


async def test_who_waits_longest_for_a_connection_has_the_next_one(pair: Pair) -> None:
    async with database_over(pair[0], size=1) as database:
        order: list[int] = []

        async def read(number: int) -> None:
            await database.fetch("test", "SELECT SLEEP(0.02)")
            order.append(number)

        async with asyncio.TaskGroup() as group:
            for number in range(8):
                group.create_task(read(number))
                await asyncio.sleep(0)
        assert order == list(range(8))


async def test_a_waiting_read_that_is_given_up_takes_no_connection_with_it(pair: Pair) -> None:
    async with database_over(pair[0], size=1) as database:
        running = asyncio.create_task(database.fetch("test", "SELECT SLEEP(0.1)"))
        await asyncio.sleep(0.02)
        waiting = [asyncio.create_task(port_read(database)) for _ in range(5)]
        await asyncio.sleep(0.02)
        for task in waiting[::2]:
            task.cancel()
        await running
        assert [await waiting[1], await waiting[3]] == [pair[0].port] * 2
        assert await port_read(database) == pair[0].port


async def test_columns_of_the_same_name_are_no_silent_loss(pair: Pair) -> None:
    async with database_over(pair[0]) as database:
        with pytest.raises(ValueError, match="columns of the same name: id"):
            await database.fetch("test", "SELECT %s AS id, 2 AS id", (1,))


async def test_a_column_added_while_we_run_is_read(pair: Pair) -> None:
    primary, _ = pair
    primary.sql(
        "DROP TABLE IF EXISTS mcp.grows; CREATE TABLE mcp.grows (id INT PRIMARY KEY); INSERT INTO mcp.grows VALUES (1)"
    )
    async with database_over(primary, size=1) as database:
        sql = "SELECT * FROM mcp.grows WHERE id = %s"
        assert await database.fetch("test", sql, (1,)) == [{"id": 1}]
        primary.sql("ALTER TABLE mcp.grows ADD name VARCHAR(10) DEFAULT 'x' FIRST")
        assert await database.fetch("test", sql, (1,)) == [{"name": "x", "id": 1}]


@pytest.mark.parametrize("value", ["'; DROP TABLE x; -- ", "\\", "%s", "日本", "", "a\x00b", 2**63 - 1, -1])
async def test_parameters_come_back_as_they_went(pair: Pair, value: object) -> None:
    async with database_over(pair[0]) as database:
        [row] = await database.fetch("test", "SELECT %s AS value", (value,))
        assert row["value"] == value


@pytest.mark.parametrize("kind", both_kinds("database"))
async def test_tls_is_checked_against_the_configured_authority(kind: str, tmp_path: Path) -> None:
    good, other = Authority(tmp_path / "good"), Authority(tmp_path / "other")
    own, misnamed = good.issue("db1"), good.issue("elsewhere", ())

    def options(certificate: Any) -> dict[str, str]:
        return {
            "ssl_cert": str(certificate.certificate),
            "ssl_key": str(certificate.key),
            "require_secure_transport": "ON",
        }

    async with AsyncExitStack() as stack:
        server = stack.enter_context(SERVERS[kind].start(tmp_path / "a", options=options(own)))
        wrong = stack.enter_context(SERVERS[kind].start(tmp_path / "b", options=options(misnamed)))
        for each in (server, wrong):
            each.account("app_ro", "app_ro", require="SSL")
        trusting = ssl.create_default_context(cafile=good.ca)
        async with database_over(server, tls=trusting) as database:
            assert (await database.fetch("test", "SHOW STATUS LIKE 'Ssl_cipher'"))[0]["Value"]
        for context, host, reason in (
            (ssl.create_default_context(cafile=other.ca), server, "certificate verify failed"),
            (trusting, wrong, "certificate"),
            (None, server, "access denied|secure transport"),
        ):
            async with database_over(host, tls=context, acquire_timeout=0.2) as database:
                with pytest.raises(Unavailable, match=f"(?i){reason}"):
                    await database.fetch("test", PORT)


async def test_a_silent_host_is_still_tried_when_there_is_no_other(pair: Pair) -> None:
    primary, _ = pair
    async with database_over(primary, acquire_timeout=0.2) as database:
        primary.freeze()
        try:
            await until(lambda: not database.available)
            read = asyncio.create_task(port_read(database))
            await asyncio.sleep(0.3)
        finally:
            primary.thaw()
        assert await read == primary.port
