"""Rate limits: one rule for the fleet in a real Redis, leases, Redis gone and back, what callers are told."""

from __future__ import annotations

import asyncio
import random
import re
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from server.tests.redis_link_support import frozen, linked, until
from tests.support.redis import Redis
from trinitycore_mcp import metrics
from trinitycore_mcp.access.limits import UNLIMITED, Limiter, Verdict, rate_limit_head, refusal
from trinitycore_mcp.access.principal import ANONYMOUS, Principal, Rate, anonymous
from trinitycore_mcp.config import Limits
from trinitycore_mcp.config import Rate as RateSection
from trinitycore_mcp.redis_link import RedisLink
from trinitycore_mcp.web.http import pairs

pytestmark = pytest.mark.anyio
ALICE = Principal("alice", frozenset({"read"}), "api_key")
BOB = Principal("bob", frozenset({"read"}), "api_key")
CLOCKS = 0.005
"""Seconds: Redis goes by the wall clock, which is adjusted now and then, and the test by one that is not."""


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Redis]:
    with Redis.start(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture(autouse=True)
def _empty(redis: Redis) -> None:
    redis.cli("FLUSHALL")


def rate(requests: int, period: float, burst: int | None = None) -> RateSection:
    return RateSection(requests=requests, period=period, burst=burst or requests)


def limits(default: RateSection, **options: Any) -> Limits:
    return Limits(default=default, **options)


@asynccontextmanager
async def fleet(redis: Redis, settings: Limits, count: int) -> AsyncIterator[list[Limiter]]:
    """Instances with a link to Redis each, as separate processes have."""
    async with linked(redis) as link:
        limiters = [Limiter(settings, link) for _ in range(count)]
        try:
            yield limiters
        finally:
            await asyncio.gather(*(limiter.close() for limiter in limiters))


@asynccontextmanager
async def instance(redis: Redis, settings: Limits) -> AsyncIterator[tuple[Limiter, RedisLink]]:
    async with linked(redis) as link:
        limiter = Limiter(settings, link)
        yield limiter, link
        await limiter.close()


@dataclass
class Load:
    """Calls that were allowed, with the time before and after each decision."""

    allowed: list[tuple[float, float]] = field(default_factory=list)
    refused: int = 0
    at_once: int = 0

    async def call(self, limiter: Limiter, principal: Principal = ALICE, tool: str = "t") -> Verdict:
        started = time.monotonic()
        verdict = limiter.try_now(principal, tool)
        if verdict is None:
            verdict = await limiter.check(principal, tool)
        elif verdict.allowed:
            self.at_once += 1
        if verdict.allowed:
            self.allowed.append((started, time.monotonic()))
        else:
            self.refused += 1
        return verdict

    def worst(self, requests: float, burst: int) -> float:
        """Return by how many calls the busiest span of time went over burst + rate * time."""
        self.allowed.sort()
        # Of a span from i to j at least ends[j] - starts[i] may have passed between the two decisions.
        lowest, worst = float("inf"), float("-inf")
        for number, (started, ended) in enumerate(self.allowed):
            lowest = min(lowest, number - requests * started)
            worst = max(worst, number + 1 - requests * ended - lowest - burst)
        return worst


async def test_a_limit_holds_for_the_fleet_however_the_calls_are_spread(redis: Redis) -> None:
    requests, burst = 400, 640
    async with fleet(redis, limits(rate(requests, 1, burst)), 5) as limiters:
        load, started = Load(), time.monotonic()
        dice = random.Random(7)  # the same every time

        async def client(limiter: Limiter) -> None:
            while time.monotonic() - started < 3:
                for _ in range(dice.randrange(1, 30)):
                    await load.call(limiter)
                # Quiet times let leases end, be given back, and the bucket fill up behind them.
                await asyncio.sleep(dice.choice([0, 0.001, 0.01, 0.3, 1.1]))

        await asyncio.gather(*(client(limiter) for limiter in limiters for _ in range(4)))
    assert load.worst(requests, burst) <= requests * CLOCKS
    assert load.refused > 0
    assert load.at_once > 0


async def test_a_busy_fleet_gets_its_limit(redis: Redis) -> None:
    requests, burst = 400, 640
    async with fleet(redis, limits(rate(requests, 1, burst)), 4) as limiters:
        load, started = Load(), time.monotonic()

        async def client(limiter: Limiter) -> None:
            while time.monotonic() - started < 1.5:
                verdict = await load.call(limiter)
                await asyncio.sleep(0 if verdict.allowed else verdict.retry_after_s)

        await asyncio.gather(*(client(limiter) for limiter in limiters for _ in range(4)))
        passed = time.monotonic() - started
    assert load.worst(requests, burst) <= requests * CLOCKS
    assert len(load.allowed) >= 0.9 * (burst + requests * passed)


async def test_leases_and_a_bucket_that_filled_up_behind_them_are_not_more_than_the_burst(redis: Redis) -> None:
    requests, burst = 3000, 640
    async with fleet(redis, limits(rate(requests, 1, burst)), 6) as limiters:
        load = Load()
        for limiter in limiters:
            while not (limiter._holding and min(bucket.tokens for bucket in limiter._holding) >= 19):
                await load.call(limiter)
        # Long enough to fill up what was taken, short enough for the leases to live.
        await asyncio.sleep(0.42)
        held = sum(bucket.tokens for limiter in limiters for bucket in limiter._holding)
        assert held >= 100
        before = len(load.allowed)

        async def client(limiter: Limiter) -> None:
            while (await load.call(limiter)).allowed:
                pass

        await asyncio.gather(*(client(limiter) for limiter in limiters))
    assert load.worst(requests, burst) <= requests * CLOCKS
    assert len(load.allowed) - before > 0.9 * burst


async def test_a_lease_used_in_its_last_moment_counts_though_redis_has_it_as_lost(redis: Redis) -> None:
    requests, burst = 400, 3200
    async with fleet(redis, limits(rate(requests, 1, burst)), 4) as (*holding, other):
        load = Load()
        for limiter in holding:
            while sum(bucket.tokens for bucket in limiter._holding) < 90:
                await load.call(limiter)
            await asyncio.gather(*limiter._tasks)
            limiter._sweeping.cancel()  # type: ignore[union-attr]  # it holds a lease; it is neither refilled
            for bucket in limiter._holding:
                bucket.refilling = True  # nor given back from now on
        held = [bucket for limiter in holding for bucket in limiter._holding]
        await asyncio.sleep(min(bucket.ends for bucket in held) - time.monotonic() - 0.03)
        for limiter, bucket in zip(holding, held, strict=True):
            for _ in range(bucket.tokens):
                await load.call(limiter)
        assert load.at_once >= 250
        await asyncio.sleep(0.3)

        async def client() -> None:
            while (await load.call(other)).allowed:
                pass

        await asyncio.gather(*(client() for _ in range(8)))
    assert load.worst(requests, burst) <= requests * CLOCKS


async def test_a_quiet_fleet_has_nearly_all_of_its_limit_to_give(redis: Redis) -> None:
    async with fleet(redis, limits(rate(60, 1, 320)), 4) as limiters:
        warm = Load()
        for limiter in limiters * 5:  # each now has a lease
            await warm.call(limiter)
        await asyncio.sleep(1.6)  # given back, and what was used came back
        load, started = Load(), time.monotonic()
        while (await load.call(limiters[0])).allowed:
            pass
        # One instance gets the whole burst but for the last half of a lease's size of the others, which hold none.
        assert len(load.allowed) >= 316
        assert len(load.allowed) <= 320 + 60 * (time.monotonic() - started)


async def test_an_instance_that_ends_gives_back_what_it_held(redis: Redis) -> None:
    async with fleet(redis, limits(rate(20, 1, 640)), 6) as (*ending, other):
        load, started = Load(), time.monotonic()
        for limiter in ending:
            while sum(bucket.tokens for bucket in limiter._holding) < 4:
                await load.call(limiter)
        await asyncio.gather(*(limiter.close() for limiter in ending))
        left = (await other.check(ALICE, "t")).remaining
        assert 640 - len(load.allowed) - 2 <= left <= 640 - len(load.allowed) + 20 * (time.monotonic() - started)


async def test_what_dead_instances_held_comes_back(redis: Redis) -> None:
    async with fleet(redis, limits(rate(60, 1, 320)), 2) as (dead, alive):
        for _ in range(40):
            await Load().call(dead)
        dead._sweeping.cancel()  # type: ignore[union-attr]  # it holds a lease; now it will not give it back
        await asyncio.gather(*dead._tasks)
        held = next(iter(dead._holding)).tokens
        assert held > 0
        await asyncio.sleep(2.2)
        load = Load()
        while (await load.call(alive)).allowed:
            pass
        assert len(load.allowed) >= 316


async def test_a_small_limit_is_exact_at_every_instance(redis: Redis) -> None:
    async with fleet(redis, limits(rate(5, 60)), 3) as limiters:
        verdicts = [await limiters[number % 3].check(ALICE, "t") for number in range(8)]
        assert [verdict.allowed for verdict in verdicts] == [True] * 5 + [False] * 3
        assert [verdict.remaining for verdict in verdicts[:5]] == [4, 3, 2, 1, 0]
        last = verdicts[-1]
        assert (last.limit, last.window_s, last.scope) == (5, 60.0, "key")
        assert 11 < last.retry_after_s <= 12
        assert 59 < last.reset_s <= 60
        assert (await limiters[0].check(BOB, "t")).allowed


async def test_concurrent_calls_do_not_pass_the_limit(redis: Redis) -> None:
    async with fleet(redis, limits(rate(10, 60)), 2) as limiters:
        verdicts = await asyncio.gather(*(limiters[number % 2].check(ALICE, "t") for number in range(60)))
        assert sum(verdict.allowed for verdict in verdicts) == 10


async def test_a_refused_call_is_taken_from_neither_limit(redis: Redis) -> None:
    settings = limits(rate(10, 600), tools={"slow": rate(2, 600)})
    async with instance(redis, settings) as (limiter, _):
        assert [(await limiter.check(ALICE, "slow")).allowed for _ in range(5)] == [True, True, False, False, False]
        refused = await limiter.check(ALICE, "slow")
        assert (refused.scope, refused.limit) == ("tool", 2)
        verdicts = [await limiter.check(ALICE, "other") for _ in range(9)]
        assert [verdict.allowed for verdict in verdicts] == [True] * 8 + [False]
        assert (await limiter.check(BOB, "slow")).allowed
    redis.cli("FLUSHALL")
    async with instance(redis, settings) as (limiter, _):
        for _ in range(10):
            await limiter.check(ALICE, "other")
        assert (await limiter.check(ALICE, "slow")).scope == "key"
        tool_keys = [key for key in redis.cli("KEYS", "*").split() if key.endswith(":tool:slow")]
        seconds, micros = redis.cli("TIME").split()
        now = (int(seconds) - 1_700_000_000) * 1e6 + int(micros)
        assert [key for key in tool_keys if float(redis.cli("HGET", key, "tat")) > now] == []


async def test_retry_after_is_when_the_call_is_allowed(redis: Redis) -> None:
    async with instance(redis, limits(rate(4, 1, 2))) as (limiter, _):
        for _ in range(2):
            assert (await limiter.check(ALICE, "t")).allowed
        verdict = await limiter.check(ALICE, "t")
        assert not verdict.allowed
        assert 0 < verdict.retry_after_s <= 0.25
        await asyncio.sleep(verdict.retry_after_s / 2)
        assert not (await limiter.check(ALICE, "t")).allowed
        await asyncio.sleep(verdict.retry_after_s / 2 + 0.002)
        assert (await limiter.check(ALICE, "t")).allowed


async def test_a_refused_caller_costs_redis_nothing(redis: Redis) -> None:
    async with instance(redis, limits(rate(1, 60))) as (limiter, _):
        await limiter.check(ALICE, "t")
        assert not (await limiter.check(ALICE, "t")).allowed
        asked = re.compile(r"cmdstat_evalsha:calls=(\d+)")
        before = asked.findall(redis.cli("INFO", "commandstats"))
        for _ in range(100):
            verdict = limiter.try_now(ALICE, "t")
            assert verdict is not None
            assert not verdict.allowed
        assert asked.findall(redis.cli("INFO", "commandstats")) == before != []


async def test_keys_and_tokens_of_the_same_name_do_not_share_a_limit_and_a_key_may_have_its_own(redis: Redis) -> None:
    async with instance(redis, limits(rate(1, 600), anonymous=rate(2, 600))) as (limiter, _):
        assert (await limiter.check(ALICE, "t")).allowed
        assert (await limiter.check(Principal("alice", frozenset(), "jwt"), "t")).allowed
        assert (await limiter.check(ANONYMOUS, "t")).limit == 2
        assert [(await limiter.check(anonymous("10.0.0.1"), "t")).allowed for _ in range(3)] == [True, True, False]
        assert (await limiter.check(anonymous("10.0.0.2"), "t")).allowed
        own = Principal("carol", frozenset(), "api_key", Rate(3, 600.0, 3))
        assert [(await limiter.check(own, "t")).allowed for _ in range(4)] == [True, True, True, False]
        changed = Principal("carol", frozenset(), "api_key", Rate(3000, 600.0, 3000))
        assert (await limiter.check(changed, "t")).limit == 3000


async def test_other_limits_hold_from_now_on(redis: Redis) -> None:
    async with instance(redis, limits(rate(2, 600))) as (limiter, _):
        await limiter.check(ALICE, "t")
        limiter.configure(limits(rate(2, 600), tools={"t": rate(1, 600)}))
        assert [(await limiter.check(ALICE, "t")).allowed for _ in range(2)] == [True, False]
        limiter.configure(limits(rate(2, 600), enabled=False))
        assert await limiter.check(ALICE, "t") is UNLIMITED


async def test_the_usual_call_does_not_wait(redis: Redis) -> None:
    async with instance(redis, limits(rate(60_000, 60, 3200))) as (limiter, _):
        load = Load()
        for _ in range(1500):
            assert (await load.call(limiter)).allowed
            await asyncio.sleep(0)
        assert load.at_once >= 1300


async def test_who_calls_little_holds_nothing(redis: Redis) -> None:
    async with instance(redis, limits(rate(6000, 60, 1000))) as (limiter, _):
        await limiter.check(ALICE, "t")
        assert not limiter._holding
        assert limiter._sweeping is None


async def test_remaining_counts_down_with_a_lease_too(redis: Redis) -> None:
    async with instance(redis, limits(rate(100, 5, 200))) as (limiter, _):
        verdicts = [await limiter.check(ALICE, "t") for _ in range(100)]
        assert all(verdict.allowed for verdict in verdicts)
        assert 95 <= verdicts[-1].remaining <= 110
        assert verdicts[-1].reset_s == pytest.approx((200 - verdicts[-1].remaining) / 20)


def counted(result: str, scope: str = "key") -> float:
    return metrics.REGISTRY.get_sample_value("mcp_rate_limit_total", {"scope": scope, "result": result}) or 0.0


async def test_redis_killed_in_the_middle_and_back(redis: Redis) -> None:
    settings = limits(rate(10, 600), local_share=0.5)
    async with instance(redis, settings) as (limiter, link):
        for _ in range(4):
            assert (await limiter.check(ALICE, "t")).allowed
        redis.kill()
        try:
            before = counted("local")
            assert (await limiter.check(ALICE, "t")).allowed  # Redis is asked in vain, once
            await until(lambda: not link.up)
            verdicts = [limiter.try_now(ALICE, "t") for _ in range(4)]  # none has to wait
            assert [verdict and verdict.allowed for verdict in verdicts] == [True] * 2 + [False] * 2, (
                "half of what is left"
            )
            assert verdicts[-1] is not None
            assert 110 < verdicts[-1].retry_after_s <= 120  # half the rate
            assert counted("local") == before + 3
        finally:
            redis.restart()
        await until(lambda: link.up)
        assert limiter.try_now(ALICE, "t") is None
        assert [(await limiter.check(ALICE, "t")).remaining for _ in range(2)] == [9, 8]  # it came back empty


async def test_a_lease_that_was_cut_off_is_not_used_twice(redis: Redis) -> None:
    async with instance(redis, limits(rate(200, 1, 640))) as (limiter, link):
        load = Load()
        for _ in range(60):
            await load.call(limiter)
        assert limiter._holding
        with frozen(redis):
            for _ in range(40):  # beyond the lease
                await load.call(limiter)
            await until(lambda: not link.up)
            assert (await limiter.check(ALICE, "t")).allowed
            bucket = next(iter(limiter._buckets.values()))
            assert bucket.tokens == 0
            name = bucket.lease
        await until(lambda: link.up)
        for _ in range(60):
            await load.call(limiter)
        assert bucket.lease == name
        assert bucket.pending >= 0
        held = sum(int(value.split()[0]) for value in redis.cli("HGETALL", bucket.key).splitlines() if " " in value)
        assert held >= bucket.tokens


async def test_a_silent_redis_is_not_waited_for_again(redis: Redis) -> None:
    async with instance(redis, limits(rate(10, 600))) as (limiter, link):
        await limiter.check(ALICE, "t")
        with frozen(redis):
            started = time.monotonic()
            verdicts = await asyncio.gather(*(limiter.check(ALICE, "t") for _ in range(50)))
            assert time.monotonic() - started < 1
            assert sum(verdict.allowed for verdict in verdicts) == 9, "one was used before"
            assert not link.up
            assert limiter.try_now(ALICE, "t") is not None


async def test_a_limit_that_is_used_up_stays_so_while_redis_comes_and_goes(redis: Redis) -> None:
    async with linked(redis) as link:
        fleet_of_three = [Limiter(limits(rate(10, 600)), link) for _ in range(3)]
        for limiter in fleet_of_three * 4:
            await limiter.check(ALICE, "t")
        for _ in range(2):
            with frozen(redis):
                verdicts = [await limiter.check(ALICE, "t") for limiter in fleet_of_three * 4]
                assert not any(verdict.allowed for verdict in verdicts)
            await until(lambda: link.up)
            assert not any([(await limiter.check(ALICE, "t")).allowed for limiter in fleet_of_three])


async def test_without_redis_the_process_counts_by_itself() -> None:
    limiter = Limiter(limits(rate(20, 1, 5), tools={"slow": rate(1, 60)}, local_share=0.1), None)
    assert limiter.try_now(ALICE, "slow") is not None
    refused = limiter.try_now(ALICE, "slow")
    assert refused is not None
    assert (refused.allowed, refused.scope) == (False, "tool")
    verdicts = [limiter.try_now(ALICE, "t") for _ in range(5)]
    assert [verdict and verdict.allowed for verdict in verdicts] == [True] * 4 + [False]
    await asyncio.sleep(0.06)
    assert (await limiter.check(ALICE, "t")).allowed


async def test_the_memory_of_callers_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trinitycore_mcp.access.limits.MAX_PLANS", 50)
    limiter = Limiter(limits(rate(20, 1)), None)
    for number in range(1000):
        limiter.try_now(Principal(f"p{number}", frozenset(), "jwt"), f"tool{number}")
    assert len(limiter._plans) <= 50
    assert len(limiter._buckets) <= 100


KEYS = r"mcp:limit:{*"


async def test_a_limit_that_is_over_is_cleared_away_by_the_next_ones(redis: Redis) -> None:
    callers = [Principal(f"caller{number}", frozenset(), "api_key") for number in range(40)]
    async with instance(redis, limits(rate(100, 1, 64))) as (limiter, _):
        for caller in callers:
            await limiter.check(caller, "t")
        await asyncio.sleep(0.1)
        for _ in range(20):
            await limiter.check(ALICE, "t")
            await asyncio.sleep(0.01)
        await limiter.close()
        [key] = redis.cli("KEYS", KEYS).split()
        assert re.fullmatch(r"mcp:limit:\{[0-9a-f]{24}\}:key", key)
        assert redis.cli("TTL", key) == "-1", "what expires can be evicted"
        assert redis.cli("ZRANGE", "mcp:limit:endings", "0", "-1").split() == [key]


async def test_a_clock_that_went_back_does_not_lock_callers_out(redis: Redis) -> None:
    async with instance(redis, limits(rate(10, 1, 5))) as (limiter, _):
        await limiter.check(ALICE, "t")
        [key] = redis.cli("KEYS", KEYS).split()
        redis.cli("HSET", key, "tat", str(10**15), "gone:1", f"3 {10**15}")
        assert not (await limiter.check(ALICE, "t")).allowed
        await asyncio.sleep(0.12)
        assert (await limiter.check(ALICE, "t")).allowed


ITEM = re.compile(r'"(key|tool)"((?:;[a-z]+=\d+)+)')


def parameters(value: bytes) -> dict[str, int]:
    """Return the parameters of the one item; the value must be a structured field list (RFC 9651)."""
    match = ITEM.fullmatch(value.decode("ascii"))
    assert match is not None
    return {name: int(number) for name, number in re.findall(r";([a-z]+)=(\d+)", match[2])}


async def test_headers_are_those_of_the_draft() -> None:
    limiter = Limiter(limits(rate(3, 60)), None)
    verdicts = [await limiter.check(ALICE, "t") for _ in range(4)]
    first = dict(pairs(rate_limit_head(verdicts[0])))
    assert first == {b"ratelimit-policy": b'"key";q=3;w=60', b"ratelimit": b'"key";r=2;t=20'}
    last = dict(pairs(rate_limit_head(verdicts[3])))
    assert parameters(last[b"ratelimit-policy"]) == {"q": 3, "w": 60}
    assert parameters(last[b"ratelimit"]) == {"r": 0, "t": 60}
    assert last[b"retry-after"] == b"20"
    assert rate_limit_head(UNLIMITED) == b""


@pytest.mark.parametrize(
    ("verdict", "text"),
    [
        (
            Verdict(False, 100, 60.0, 0, 60.0, 0.2, "key"),
            "the rate limit of this caller is reached (100 requests in 60 s): try again in 1 second",
        ),
        (
            Verdict(False, 5, 0.5, 0, 60.0, 12.1, "tool"),
            "the rate limit of this caller's calls of slow is reached (5 requests in 0.5 s): try again in 13 seconds",
        ),
    ],
)
async def test_a_refusal_says_which_limit_and_when_to_come_again(verdict: Verdict, text: str) -> None:
    assert refusal(verdict, "slow") == text
