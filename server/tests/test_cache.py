"""The result cache in one process and across instances, on a real Redis."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from server.tests.redis_link_support import frozen, settings, until
from tests.support.redis import Redis
from trinitycore_mcp import metrics
from trinitycore_mcp.cache import CONTENT, LIVE, NONE, CachePolicy, ResultCache, policy_for, warm
from trinitycore_mcp.cache.counters import counts_of
from trinitycore_mcp.cache.local import Entry, LocalLayer
from trinitycore_mcp.config.cache import Cache, ToolCache, WarmCall
from trinitycore_mcp.redis_link import RedisLink

pytestmark = pytest.mark.anyio

LONG = CachePolicy(ttl=60.0, stale=60.0, local_ttl=60.0)
SHARED = CachePolicy(ttl=60.0, stale=60.0, local_ttl=0.0)
"""Asks Redis each time."""
BRIEF = CachePolicy(ttl=0.2, stale=60.0, local_ttl=0.1)


@pytest.fixture(scope="module")
def module_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Redis]:
    with Redis.start(tmp_path_factory.mktemp("cache") / "redis") as server:
        yield server


@pytest.fixture
def redis(module_redis: Redis) -> Redis:
    module_redis.cli("FLUSHALL")
    return module_redis


class Source:
    """A database stand-in that counts how often it is asked; what it answers, and how, can be changed."""

    def __init__(self, value: bytes = b"one", seconds: float = 0.0) -> None:
        self.value = value
        self.seconds = seconds
        self.error: Exception | None = None
        self.asked = 0
        self.cancelled = 0

    async def __call__(self) -> bytes:
        self.asked += 1
        value = self.value
        try:
            await asyncio.sleep(self.seconds)
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        if self.error is not None:
            raise self.error
        return value


@contextlib.asynccontextmanager
async def cached(server: Redis | None, **options: Any) -> AsyncIterator[ResultCache]:
    link = RedisLink(settings(server) if server else None)
    cache = ResultCache(link, Cache(), **options)
    async with link.running(), cache.running():
        yield cache


def results(server: Redis) -> list[str]:
    keys = server.cli("KEYS", "mcp:cache:*.*").split()
    return [key for key in keys if not key.endswith(":lock")]


async def stored(server: Redis, count: int = 1) -> None:
    await until(lambda: len(results(server)) == count)


async def test_a_result_is_made_once_and_peeked_at_afterwards(redis: Redis) -> None:
    source = Source()
    async with cached(redis) as cache:
        assert cache.peek(b"k") is None
        assert await cache.get("tool", b"k", LONG, source) == b"one"
        assert cache.peek(b"k") == b"one"
        assert await cache.get("tool", b"k", LONG, source) == b"one"
        assert cache.peek(b"other") is None
    assert source.asked == 1


async def test_another_instance_finds_it_in_redis(redis: Redis) -> None:
    source = Source(b"\x00\xff" * 5000)
    async with cached(redis) as one, cached(redis) as two:
        first = await one.get("tool", b"k", LONG, source)
        await stored(redis)
        assert await two.get("tool", b"k", LONG, source) == first
        assert two.peek(b"k") == first
        assert await two.get("tool", b"K", LONG, source) == first
    assert source.asked == 2, "another key is another result"


async def test_concurrent_callers_share_one_production(redis: Redis) -> None:
    source = Source(seconds=0.1)
    async with cached(redis) as cache:
        answers = await asyncio.gather(*(cache.get("tool", b"k", LONG, source) for _ in range(100)))
    assert set(answers) == {b"one"}
    assert source.asked == 1


async def test_instances_share_one_production(redis: Redis) -> None:
    source = Source(seconds=0.3)
    async with cached(redis) as one, cached(redis) as two, cached(redis) as three:
        calls = [cache.get("tool", b"k", LONG, source) for cache in (one, two, three) for _ in range(10)]
        assert set(await asyncio.gather(*calls)) == {b"one"}
    assert source.asked == 1


async def test_a_dead_producer_costs_the_others_a_second(redis: Redis) -> None:
    source, stuck = Source(), Source(seconds=60)
    async with cached(redis) as one, cached(redis) as two:
        holder = asyncio.create_task(one.get("tool", b"k", LONG, stuck))
        await until(lambda: stuck.asked)
        started = time.monotonic()
        assert await two.get("tool", b"k", LONG, source) == b"one"
        assert 0.5 < time.monotonic() - started < 3
        holder.cancel()


async def test_a_lock_that_does_not_end_costs_a_second_too(redis: Redis) -> None:
    source = Source()
    async with cached(redis) as cache:
        await cache.get("tool", b"k", SHARED, source)
        await stored(redis)
        [name] = results(redis)
        redis.cli("DEL", name)
        redis.cli("SET", f"{name}:lock", "somebody", "PX", "60000")
        assert await asyncio.wait_for(cache.get("tool", b"k", SHARED, source), 3) == b"one"
    assert source.asked == 2


async def test_a_failed_producer_hands_over_at_once(redis: Redis) -> None:
    source, failing = Source(), Source(seconds=0.2)
    failing.error = ValueError("no luck")
    async with cached(redis) as one, cached(redis) as two:
        first = asyncio.create_task(one.get("tool", b"k", LONG, failing))
        await until(lambda: failing.asked)
        second = asyncio.create_task(two.get("tool", b"k", LONG, source))
        with pytest.raises(ValueError, match="no luck"):
            await first
        started = time.monotonic()
        assert await second == b"one"
        assert time.monotonic() - started < 0.6


@pytest.mark.parametrize("shared", [True, False])
async def test_an_error_is_told_to_all_and_not_kept(redis: Redis, shared: bool) -> None:
    source = Source(seconds=0.05)
    source.error = ValueError("no luck")
    async with cached(redis if shared else None) as cache:
        calls = [cache.get("tool", b"k", LONG, source) for _ in range(5)]
        answers = await asyncio.gather(*calls, return_exceptions=True)
        assert [str(answer) for answer in answers] == ["no luck"] * 5
        assert source.asked == 1
        source.error = None
        assert await cache.get("tool", b"k", LONG, source) == b"one"


async def test_a_cancelled_caller_leaves_the_others_alone_and_the_last_one_ends_the_work(redis: Redis) -> None:
    source = Source(seconds=0.2)
    async with cached(redis) as cache:
        calls = [asyncio.create_task(cache.get("tool", b"k", LONG, source)) for _ in range(3)]
        await until(lambda: source.asked)
        calls[0].cancel()
        assert await asyncio.gather(*calls[1:]) == [b"one", b"one"]
        lone = asyncio.create_task(cache.get("tool", b"other", LONG, source))
        await until(lambda: source.asked == 2)
        lone.cancel()
        await until(lambda: source.cancelled == 1)
        # The lock was given back: the next one need not wait for it to end.
        await until(lambda: not redis.cli("KEYS", "*:lock"))
        assert await cache.get("tool", b"other", LONG, source) == b"one"


async def test_what_is_stale_is_answered_at_once_and_renewed_once(redis: Redis) -> None:
    source = Source()
    async with cached(redis) as one, cached(redis) as two:
        await one.get("tool", b"k", BRIEF, source)
        await stored(redis)
        await asyncio.sleep(0.3)
        source.value, source.seconds = b"two", 0.2
        calls = [cache.get("tool", b"k", BRIEF, source) for cache in (one, two) for _ in range(20)]
        assert set(await asyncio.gather(*calls)) == {b"one"}
        await until(lambda: source.asked == 2)
        await asyncio.sleep(0.25)
        assert {await cache.get("tool", b"k", BRIEF, source) for cache in (one, two)} == {b"two"}
        assert source.asked == 2


@pytest.mark.parametrize("shared", [True, False])
async def test_a_refresh_that_fails_goes_on_with_what_is_stale_until_that_ends(redis: Redis, shared: bool) -> None:
    source = Source()
    policy = CachePolicy(ttl=0.1, stale=1.0, local_ttl=0.05)
    async with cached(redis if shared else None) as cache:
        await cache.get("tool", b"k", policy, source)
        await asyncio.sleep(0.15)
        source.error = ConnectionError("database away")
        for _ in range(50):
            assert await cache.get("tool", b"k", policy, source) == b"one"
            await asyncio.sleep(0.005)
        assert source.asked == 2, "one refresh a second, not one a call"
        await asyncio.sleep(1.0)
        with pytest.raises(ConnectionError):
            await cache.get("tool", b"k", policy, source)


async def test_a_refresh_that_finds_nothing_ends_what_is_stale(redis: Redis) -> None:
    source = Source()
    gone = KeyError("no such creature")
    async with (
        cached(redis, is_answer=lambda error: error is gone) as one,
        cached(redis, is_answer=lambda error: error is gone) as two,
    ):
        await one.get("tool", b"k", BRIEF, source)
        await stored(redis)
        await asyncio.sleep(0.3)
        source.error = gone
        assert await one.get("tool", b"k", BRIEF, source) == b"one"
        await until(lambda: source.asked == 2)
        await stored(redis, 0)
        for cache in (one, two):
            with pytest.raises(KeyError):
                await cache.get("tool", b"k", BRIEF, source)


@pytest.mark.parametrize("shared", [True, False])
async def test_a_refresh_that_hangs_is_given_up_and_tried_again(redis: Redis, shared: bool) -> None:
    source = Source()
    async with cached(redis if shared else None, limit=lambda _kind: 0.2) as cache:
        await cache.get("tool", b"k", BRIEF, source)
        await asyncio.sleep(0.3)
        source.seconds = 60.0
        assert await cache.get("tool", b"k", BRIEF, source) == b"one"
        await until(lambda: source.cancelled == 1)
        await until(lambda: cache.stats().refreshing == 0)
        source.value, source.seconds = b"two", 0.0
        deadline = time.monotonic() + 10
        while await cache.get("tool", b"k", BRIEF, source) == b"one":
            assert time.monotonic() < deadline
            await asyncio.sleep(0.05)
        assert source.asked == 3, "not again before a second is over"


async def test_a_flush_reaches_every_instance(redis: Redis) -> None:
    source, other = Source(), Source()
    async with cached(redis) as one, cached(redis) as two:
        for cache in (one, two):
            await cache.get("tool", b"k", LONG, source)
            await cache.get("other", b"o", LONG, other)
            await stored(redis, 2)
        source.value = other.value = b"two"
        version = await one.flush("tool")
        assert one.peek(b"k") is None
        await until(lambda: two.peek(b"k") is None, limit=1.0)
        assert two.stats().versions["tool"] == version
        assert await two.get("tool", b"k", LONG, source) == b"two"
        assert two.peek(b"o") == b"one", "another kind is not touched"
        assert await one.flush("tool") > version
        await one.flush(None)
        await until(lambda: two.peek(b"o") is None, limit=1.0)
        assert await two.get("other", b"o", LONG, other) == b"two"


async def test_an_instance_that_starts_later_knows_of_former_flushes(redis: Redis) -> None:
    source = Source()
    async with cached(redis) as one:
        await one.get("tool", b"k", LONG, source)
        await stored(redis)
        await one.flush(None)
    source.value = b"two"
    async with cached(redis) as two:
        assert two.stats().shared, "known before the first caller comes"
        assert await two.get("tool", b"k", LONG, source) == b"two"


async def test_a_flush_during_the_work_makes_its_result_void(redis: Redis) -> None:
    source = Source(seconds=0.2)
    async with cached(redis) as cache:
        before = asyncio.create_task(cache.get("tool", b"k", LONG, source))
        await until(lambda: source.asked)
        await cache.flush("tool")
        source.value = b"two"
        after = asyncio.create_task(cache.get("tool", b"k", LONG, source))
        assert (await before, await after) == (b"one", b"two")
        assert cache.peek(b"k") == b"two"
        late = asyncio.create_task(cache.get("tool", b"late", LONG, source))
        await until(lambda: source.asked == 3)
        await cache.flush("tool")
        assert await late == b"two", "it is what was asked for, before the flush"
        assert cache.peek(b"late") is None


async def test_a_flush_while_redis_is_away_or_that_it_lost_holds_all_the_same(tmp_path: Path) -> None:
    source = Source()
    with Redis.start(tmp_path / "redis", options={"appendonly": "yes", "appendfsync": "always"}) as server:
        async with cached(server) as one, cached(server) as two:
            await two.get("tool", b"k", LONG, source)
            await stored(server)
            server.kill()
            version = await one.flush("tool")
            assert two.peek(b"k") == b"one", "it can't know yet"
            server.restart()
            await until(lambda: two.peek(b"k") is None)
            assert two.stats().versions["tool"] >= version
            source.value = b"two"
            assert await two.get("tool", b"k", LONG, source) == b"two"
            # A failover may lose the number itself: whoever knows it brings it back.
            version = await one.flush("tool")
            server.cli("DEL", "mcp:cache:versions")
            await until(lambda: server.cli("HGET", "mcp:cache:versions", "tool") == str(version))


async def test_a_clock_that_is_behind_flushes_too(redis: Redis) -> None:
    ahead = int(time.time() * 1000) + 3_600_000
    async with cached(redis) as one:
        redis.cli("HSET", "mcp:cache:versions", "tool", str(ahead))
        # It has not asked since: what it would say by its own clock is less than what is stored.
        assert await one.flush("tool") == ahead + 1
        # The same when it can say so only later.
        link = one._link
        link._lost_at = float("inf")
        link._set(up=False, why="cut off")
        await one.flush("other")
        redis.cli("HSET", "mcp:cache:versions", "other", str(ahead))
        link._lost_at = 0.0
        await until(lambda: redis.cli("HGET", "mcp:cache:versions", "other") == str(ahead + 1))


async def test_another_schema_makes_all_results_void(redis: Redis) -> None:
    source = Source()
    schema = ["a"]
    async with cached(redis, fingerprint=lambda: schema[0]) as cache:
        await cache.get("tool", b"k", LONG, source)
        schema[0], source.value = "b", b"two"
        await until(lambda: cache.peek(b"k") is None)
        assert await cache.get("tool", b"k", LONG, source) == b"two"


async def test_without_redis_this_process_keeps_results_for_their_whole_time() -> None:
    source = Source()
    async with cached(None) as cache:
        await cache.get("tool", b"k", CachePolicy(60, 60, 0.01), source)
        await asyncio.sleep(0.05)
        assert cache.peek(b"k") == b"one"
        assert await cache.flush("tool") > 0
        assert cache.peek(b"k") is None


async def test_a_redis_that_goes_away_and_comes_back(tmp_path: Path) -> None:
    source = Source()
    with Redis.start(tmp_path / "redis") as server:
        async with cached(server) as one, cached(server) as two:
            await one.get("tool", b"k", SHARED, source)
            await stored(server)
            with frozen(server):
                started = time.monotonic()
                for _ in range(20):
                    assert await one.get("tool", b"k", SHARED, source) == b"one"
                    assert await one.get("tool", b"new", SHARED, source) == b"one"
                assert time.monotonic() - started < 1.0
                assert source.asked == 2
            await until(lambda: one.stats().shared and two.stats().shared)
            server.kill()
            await until(lambda: not one.stats().shared)
            assert await one.get("tool", b"k", SHARED, source) == b"one"
            server.restart()
            await until(lambda: one.stats().shared and two.stats().shared)
            await one.get("tool", b"later", SHARED, source)
            await stored(server)
            asked = source.asked
            assert await two.get("tool", b"later", SHARED, source) == b"one"
            assert source.asked == asked


async def test_results_that_are_large_or_not_to_be_kept_are_made_each_time(redis: Redis) -> None:
    source = Source(b"x" * 1001)
    async with cached(redis, largest=1000) as cache:
        for _ in range(2):
            await cache.get("tool", b"k", LONG, source)
        await cache.get("tool", b"k", NONE, source)
        assert source.asked == 3
        assert cache.stats().entries == 0
        await until(lambda: not redis.cli("KEYS", "mcp:*"))


async def test_what_is_in_redis_ends_by_itself_and_not_all_at_once(redis: Redis) -> None:
    async with cached(redis) as cache:
        for number in range(20):
            await cache.get("tool", b"%d" % number, CachePolicy(100, 50, 1), Source())
        await stored(redis, 20)
        left = [int(redis.cli("PTTL", key)) for key in results(redis)]
        assert all(135_000 < each <= 150_000 for each in left)
        assert len({each // 500 for each in left}) > 5


async def test_garbage_in_redis_is_a_miss(redis: Redis) -> None:
    source = Source()
    async with cached(redis) as one:
        await one.get("tool", b"k", SHARED, source)
        await stored(redis)
        [name] = results(redis)
        for garbage in ("", "x", "what is this"):
            redis.cli("SET", name, garbage)
            assert await one.get("tool", b"k", SHARED, source) == b"one"
            # Stored anew, beside the answer: with an end, which what we put there has not.
            await until(lambda: int(redis.cli("PTTL", name)) > 0)
    assert source.asked == 4


def entry(value: bytes, kind: str = "tool", lives: float = 60.0) -> Entry:
    until = time.monotonic() + lives
    return Entry(kind, value, counts_of(kind), peek_until=until, fresh_until=until, stale_until=until)


def test_the_local_layer_is_bounded_and_keeps_what_is_used() -> None:
    layer = LocalLayer(100, 10_000_000)
    for number in range(100):
        layer.put(b"%d" % number, entry(b"v"))
    for number in range(0, 100, 10):
        assert layer.peek(b"%d" % number) == b"v"
    for number in range(100, 150):
        layer.put(b"%d" % number, entry(b"v"))
    assert len(layer) == 100
    assert all(layer.peek(b"%d" % number) for number in range(0, 100, 10))
    assert layer.peek(b"1") is None
    assert layer.peek(b"149") == b"v"


def test_the_local_layer_is_bounded_by_bytes() -> None:
    layer = LocalLayer(1000, 50_000)
    for number in range(100):
        layer.put(b"%d" % number, entry(b"x" * 5000))
        assert layer.size <= 50_000
    assert 5 < len(layer) < 10
    layer.put(b"huge", entry(b"x" * 60_000))
    assert layer.peek(b"huge") is None
    layer.drop_kind(None)
    assert (len(layer), layer.size) == (0, 0)
    nothing = LocalLayer(0, 50_000)
    nothing.put(b"k", entry(b"v"))
    assert nothing.peek(b"k") is None


async def test_metrics_say_which_layer_answered(redis: Redis) -> None:
    def count(layer: str, result: str) -> float:
        labels = {"layer": layer, "kind": "counted", "result": result}
        return metrics.REGISTRY.get_sample_value("mcp_cache_total", labels) or 0.0

    source = Source()
    async with cached(redis) as one, cached(redis) as two:
        await one.get("counted", b"k", LONG, source)
        assert (count("local", "miss"), count("redis", "miss"), count("database", "hit")) == (1, 1, 1)
        one.peek(b"k")
        assert count("local", "hit") == 1
        await stored(redis)
        await two.get("counted", b"k", LONG, source)
        assert count("redis", "hit") == 1
        source.error = ValueError()
        with pytest.raises(ValueError):  # noqa: PT011  # it has no text
            await two.get("counted", b"new", LONG, source)
        assert count("database", "error") == 1


def test_a_tools_policy_is_its_own_unless_configured() -> None:
    tools = {
        "off": ToolCache(enabled=False),
        "longer": ToolCache(ttl=600, local_ttl=5),
        "acts": ToolCache(enabled=True, ttl=600),
    }
    options = Cache(ttl=30, stale=40, local_ttl=1, tools=tools)
    assert policy_for(options, "any", CONTENT) == CachePolicy(30, 40, 1)
    assert policy_for(options, "any", LIVE) == LIVE
    assert policy_for(options, "off", CONTENT) == NONE
    assert policy_for(options, "longer", CONTENT) == CachePolicy(600, 40, 5)
    assert policy_for(options, "acts", NONE) == NONE
    assert policy_for(Cache(enabled=False, tools=tools), "longer", CONTENT) == NONE


async def test_warming_goes_on_after_a_lookup_that_fails(redis: Redis) -> None:
    source = Source()
    lookups = [WarmCall(tool=name, arguments={"id": number}) for number, name in enumerate(["good", "bad", "good"])]
    async with cached(redis) as cache:

        async def run(tool: str, arguments: Any) -> bytes:
            if tool == "bad":
                raise ValueError(tool)
            return await cache.get(tool, f"{tool}{arguments}".encode(), LONG, source)

        result = await warm(lookups, run)
        assert (result.done, result.failed) == (2, 1)
        assert cache.peek(b"good{'id': 2}") == b"one"


async def test_nothing_is_left_running(redis: Redis) -> None:
    before = asyncio.all_tasks()
    source: Callable[[], Any] = Source(seconds=60)
    async with cached(redis) as cache:
        waiting = asyncio.create_task(cache.get("tool", b"k", LONG, source))
        await until(lambda: cache.stats().in_flight)
    with pytest.raises(asyncio.CancelledError):
        await waiting
    await until(lambda: asyncio.all_tasks() == before)
