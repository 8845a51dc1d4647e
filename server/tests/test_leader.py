"""Leader election and the leader's jobs, on a real Redis, with leaders that are killed and frozen."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from server.tests.leader_child import SCHEMA, USER, write, writer_on
from server.tests.redis_link_support import frozen, linked, settings, until
from tests.support.mariadb import MariaDb
from tests.support.redis import Redis
from trinitycore_mcp import metrics
from trinitycore_mcp.jobs import Deposed, Job, Schedule, fenced
from trinitycore_mcp.leader import Leader
from trinitycore_mcp.redis_link import Address, RedisLink

pytestmark = pytest.mark.anyio

LEASE = 0.6


@pytest.fixture(scope="module")
def module_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Redis]:
    with Redis.start(tmp_path_factory.mktemp("leader") / "redis") as server:
        yield server


@pytest.fixture
def redis(module_redis: Redis) -> Redis:
    module_redis.cli("FLUSHALL")
    return module_redis


@pytest.fixture
def store(mariadb: MariaDb) -> Iterator[MariaDb]:
    mariadb.sql(
        f"CREATE DATABASE {SCHEMA}; USE {SCHEMA};"
        "CREATE TABLE fencing (name VARCHAR(64) NOT NULL PRIMARY KEY, token BIGINT NOT NULL) ENGINE=InnoDB;"
        "CREATE TABLE written (id INT PRIMARY KEY AUTO_INCREMENT, token BIGINT NOT NULL) ENGINE=InnoDB"
    )
    mariadb.account(USER, USER, f"SELECT, INSERT, UPDATE, DELETE ON {SCHEMA}.*")
    yield mariadb
    mariadb.sql(f"DROP DATABASE {SCHEMA}; DROP USER {USER}@'%'")


@contextlib.asynccontextmanager
async def candidate(server: Redis, lease: float = LEASE) -> AsyncIterator[Leader]:
    async with linked(server) as link:
        leader = Leader(link, lease)
        async with leader.running():
            yield leader


class Child:
    """A candidate in another process, and what it has printed."""

    def __init__(self, redis: Redis, store: MariaDb, log: Path, *options: str) -> None:
        self.log = log
        module = "server.tests.leader_child"
        with log.open("w") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", module, str(redis.port), str(store.port), str(LEASE), *options],
                stdout=output,
                cwd=Path(__file__).parents[2],
            )

    def told(self, word: str) -> list[int]:
        lines = [line.split() for line in self.log.read_text().splitlines()]
        return [int(line[1]) for line in lines if line[0] == word]

    def signal(self, number: int) -> None:
        os.kill(self.process.pid, number)


@contextlib.contextmanager
def child(redis: Redis, store: MariaDb, log: Path, *options: str) -> Iterator[Child]:
    started = Child(redis, store, log, *options)
    try:
        yield started
    finally:
        started.process.kill()
        started.process.wait()


async def test_a_killed_leader_is_replaced_within_two_leases(redis: Redis, store: MariaDb, tmp_path: Path) -> None:
    with child(redis, store, tmp_path / "log") as leading:
        await until(lambda: leading.told("wrote"))
        async with candidate(redis) as other:
            await asyncio.sleep(2 * LEASE)
            assert other.token_or_none() is None
            leading.signal(signal.SIGKILL)
            token = await asyncio.wait_for(other.elected(), 2 * LEASE)
            assert token > leading.told("leads")[0]


async def test_a_frozen_leader_writes_nothing_after_it_was_replaced(
    redis: Redis, store: MariaDb, tmp_path: Path
) -> None:
    with child(redis, store, tmp_path / "log") as leading, child(redis, store, tmp_path / "stubborn") as reserve:
        await until(lambda: leading.told("wrote") or reserve.told("wrote"))
        first = leading if leading.told("wrote") else reserve
        second = reserve if first is leading else leading
        first.signal(signal.SIGSTOP)
        await until(lambda: len(second.told("wrote")) > 3)
        [[written]] = store.sql(f"SELECT COUNT(*) FROM written WHERE token = {first.told('leads')[0]}", SCHEMA)
        first.signal(signal.SIGCONT)
        await asyncio.sleep(2 * LEASE)
        assert store.sql(f"SELECT COUNT(*) FROM written WHERE token = {first.told('leads')[0]}", SCHEMA) == [[written]]
        assert not first.told("refused"), "it knew by its clock that it leads no more"
        tokens = [int(row[0]) for row in store.sql("SELECT token FROM written ORDER BY id", SCHEMA)]
        assert tokens == sorted(tokens)


async def test_the_fence_stops_a_leader_that_does_not_look_at_its_clock(
    redis: Redis, store: MariaDb, tmp_path: Path
) -> None:
    with child(redis, store, tmp_path / "log", "--stubborn") as stubborn:
        await until(lambda: stubborn.told("wrote"))
        stubborn.signal(signal.SIGSTOP)
        async with candidate(redis) as other, writer_on(store.port) as writer:
            token = await asyncio.wait_for(other.elected(), 10)
            await write(writer, token)
            rows = store.sql("SELECT token FROM written ORDER BY id", SCHEMA)
            stubborn.signal(signal.SIGCONT)
            await until(lambda: len(stubborn.told("refused")) > 5)
            assert store.sql("SELECT token FROM written ORDER BY id", SCHEMA) == rows
            await write(writer, token)


async def test_a_fenced_transaction_that_fails_leaves_nothing(store: MariaDb) -> None:
    async with writer_on(store.port) as writer:

        async def fail() -> None:
            async with fenced(writer, "job", 7) as transaction:
                await transaction.execute("INSERT INTO written (token) VALUES (%s)", (7,))
                raise OSError("no disk")

        with pytest.raises(OSError, match="no disk"):
            await fail()
        assert store.sql("SELECT COUNT(*) FROM written", SCHEMA) == [["0"]]
        await write(writer, 7)
        await write(writer, 7)
        with pytest.raises(Deposed, match="job: token 6 was replaced by 7"):
            await write(writer, 6)
        async with fenced(writer, "other job", 6):
            pass
        await write(writer, 8)
        assert [row[0] for row in store.sql("SELECT token FROM written ORDER BY id", SCHEMA)] == ["7", "7", "8"]


async def test_with_redis_away_nobody_leads_after_the_lease(tmp_path: Path) -> None:
    with Redis.start(tmp_path / "redis") as server:
        async with candidate(server) as one, candidate(server) as two:
            await until(lambda: one.token_or_none() or two.token_or_none())
            token = one.token_or_none() or two.token_or_none()
            assert metrics.REGISTRY.get_sample_value("mcp_leader") is not None
            assert token is not None
            with frozen(server):
                await asyncio.sleep(LEASE)
                assert (one.token_or_none(), two.token_or_none()) == (None, None)
            await until(lambda: one.token_or_none() or two.token_or_none())
            server.kill()
            await asyncio.sleep(LEASE)
            assert (one.token_or_none(), two.token_or_none()) == (None, None)
            server.restart()
            await until(lambda: one.token_or_none() or two.token_or_none())
            # Redis has lost the last token, and still the next one is larger.
            assert max(one.token_or_none() or 0, two.token_or_none() or 0) > token


@pytest.mark.parametrize("noticed", [False, True])
async def test_a_restarted_redis_gives_no_lease_while_the_old_one_may_be_counted_on(
    tmp_path: Path, noticed: bool
) -> None:
    with Redis.start(tmp_path / "redis") as server:
        async with linked(server) as link, linked(server) as other_link:
            leader, other = Leader(link, LEASE), Leader(other_link, LEASE)
            while leader.token_or_none() is None:
                await leader._turn()
                await asyncio.sleep(0.01)
            # Frozen from now on. Redis comes back without the lease that this one still counts on.
            server.kill()
            server.restart()
            assert leader.token_or_none() is not None
            if noticed:
                generation = other_link.generation
                other_link._nodes[Address("127.0.0.1", server.port)].check_soon()
                await until(lambda: other_link.generation > generation)
            async with other.running():
                await asyncio.wait_for(other.elected(), 10)
                assert leader.token_or_none() is None


async def test_a_clock_that_went_back_does_not_keep_the_lease_for_ever(redis: Redis) -> None:
    """As after a failover to a host whose clock is behind: whoever holds it gets one lease more, not the difference."""
    async with linked(redis) as link:
        gone, other = Leader(link, LEASE, "behind"), Leader(link, LEASE, "behind")
        while gone.token_or_none() is None:
            await gone._turn()
            await asyncio.sleep(0.01)
        redis.cli("HSET", "mcp:leader:behind", "ends", str(time.time_ns() // 1_000_000 + 3_600_000))
        async with other.running():
            await other._turn()
            assert other.token_or_none() is None
            await asyncio.wait_for(other.elected(), 10)
            assert gone.token_or_none() is None


async def replaced(former: Leader, other: Leader) -> None:
    await until(lambda: other.token_or_none() or not former.token_or_none())
    await asyncio.sleep(0.005)


async def test_two_candidates_never_hold_at_the_same_time(redis: Redis) -> None:
    lease, rounds = 0.06, 240
    held = {0: 0, 1: 0}
    tokens: list[int] = []
    async with linked(redis) as first, linked(redis) as second:
        links = (first, second)
        leaders = [Leader(link, lease) for link in links]
        overlaps = 0
        over = False

        async def look() -> None:
            nonlocal overlaps
            while not over:
                if all(leader.token_or_none() is not None for leader in leaders):
                    overlaps += 1
                await asyncio.sleep(0)

        looking = asyncio.create_task(look())
        campaigns = [asyncio.create_task(leader._campaign()) for leader in leaders]
        for number in range(rounds):
            await until(lambda: any(leader.token_or_none() for leader in leaders))
            index = 0 if leaders[0].token_or_none() else 1
            held[index] += 1
            tokens.append(leaders[index].token_or_none() or 0)
            # The leader ends: every fourth time as if it were killed, else in order. Its place is taken by a new one,
            # but what the killed one believes is still looked at.
            campaigns[index].cancel()
            await asyncio.gather(campaigns[index], return_exceptions=True)
            if number % 4:
                await leaders[index]._resign()
                leaders[index] = Leader(links[index], lease)
            else:
                await replaced(leaders[index], leaders[1 - index])
                leaders[index] = Leader(links[index], lease)
            campaigns[index] = asyncio.create_task(leaders[index]._campaign())
        over = True
        await looking
        for campaign in campaigns:
            campaign.cancel()
        await asyncio.gather(*campaigns, return_exceptions=True)
    assert overlaps == 0
    assert all(held.values()), "both had their turns"
    assert [token for token in tokens if token] == sorted({token for token in tokens if token})


async def test_a_leader_that_ends_in_order_is_replaced_at_once(redis: Redis) -> None:
    lease = 1.5
    async with linked(redis) as link, contextlib.AsyncExitStack() as first:
        one = Leader(link, lease)
        await first.enter_async_context(one.running())
        token = await asyncio.wait_for(one.elected(), 3 * lease)
        async with candidate(redis, lease) as two:
            await asyncio.sleep(lease)
            await first.aclose()
            assert one.token_or_none() is None
            assert await asyncio.wait_for(two.elected(), lease * 0.6) > token


async def test_without_redis_each_instance_leads_and_the_last_one_wins(store: MariaDb) -> None:
    async with candidate_alone() as one:
        first = await one.elected()
        await asyncio.sleep(0.01)
        async with candidate_alone() as two, writer_on(store.port) as writer:
            second = await two.elected()
            await write(writer, first)
            await write(writer, second)
            with pytest.raises(Deposed):
                await write(writer, first)


@contextlib.asynccontextmanager
async def candidate_alone() -> AsyncIterator[Leader]:
    leader = Leader(RedisLink(None), LEASE)
    async with leader.running():
        yield leader
    assert leader.token_or_none() is None


@contextlib.asynccontextmanager
async def scheduled(server: Redis, *jobs: Job, lease: float = LEASE) -> AsyncIterator[Leader]:
    link = RedisLink(settings(server))
    leader = Leader(link, lease)
    async with link.running(), leader.running(), Schedule(leader, link, jobs).running():
        yield leader


async def test_a_job_runs_on_one_instance_and_not_again_before_its_time(redis: Redis) -> None:
    runs: list[tuple[str, int]] = []

    def job(instance: str) -> Job:
        async def run(token: int) -> None:
            runs.append((instance, token))

        return Job("tidy", 60.0, run)

    async with scheduled(redis, job("one")) as one:
        await until(lambda: runs)
        assert runs == [("one", one.token_or_none())]
        async with scheduled(redis, job("two")):
            await asyncio.sleep(0.3)
    # The first one has left and the second one too: a third leads and keeps to the time.
    async with scheduled(redis, job("three")) as three:
        await asyncio.wait_for(three.elected(), 5)
        await asyncio.sleep(0.3)
        assert len(runs) == 1
    redis.cli("SET", "mcp:job:tidy", str(int((time.time() - 59) * 1000)))
    async with scheduled(redis, job("four")) as four:
        await until(lambda: len(runs) == 2)
        assert runs[1] == ("four", four.token_or_none())
    assert metrics.REGISTRY.get_sample_value("mcp_job_runs_total", {"job": "tidy", "result": "ok"}) == 2


async def test_a_job_is_ended_when_its_leader_is_deposed_and_one_that_fails_is_tried_again(redis: Redis) -> None:
    ended: list[str] = []
    failed: list[int] = []

    async def endless(_token: int) -> None:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            ended.append("cancelled")
            raise

    async def failing(token: int) -> None:
        failed.append(token)
        raise OSError("no disk")

    async with scheduled(redis, Job("endless", 60, endless), Job("failing", 0.2, failing)) as leader:
        token = await asyncio.wait_for(leader.elected(), 5)
        await until(lambda: len(failed) >= 2)
        assert not ended
        redis.cli("SET", "mcp:leader:leader", f"somebody:{token + 1}", "PX", "400")
        await until(lambda: ended)
        assert leader.token_or_none() is None
        assert await asyncio.wait_for(leader.elected(), 5) > token


@pytest.mark.parametrize("odd", ["soon", "1e9", "9" * 400], ids=["word", "float", "huge"])
async def test_a_time_in_redis_that_is_none_makes_the_job_due(redis: Redis, odd: str) -> None:
    runs: list[int] = []

    async def run(token: int) -> None:
        runs.append(token)

    redis.cli("SET", "mcp:job:tidy", odd)
    async with scheduled(redis, Job("tidy", 60.0, run)):
        await until(lambda: runs)
        await until(lambda: redis.cli("GET", "mcp:job:tidy") != odd)
        assert int(redis.cli("GET", "mcp:job:tidy")) > 1_000_000_000_000
        await asyncio.sleep(0.2)
        assert len(runs) == 1


async def test_a_job_comes_round_although_its_bookkeeping_failed(
    redis: Redis, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    runs: list[int] = []

    async def run(token: int) -> None:
        runs.append(token)

    def broken(_self: Schedule, _job: Job) -> str:
        raise LookupError("a defect")

    with monkeypatch.context() as patch:
        patch.setattr(Schedule, "_key", broken)
        async with scheduled(redis, Job("tidy", 0.2, run)):
            await until(lambda: "a job's turn failed" in caplog.text)
            assert not runs
            patch.undo()
            await until(lambda: len(runs) >= 2)
