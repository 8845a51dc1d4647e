"""A Redis that is full of cached results: what must not be forgotten is not."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from server.tests.redis_link_support import linked
from tests.support.redis import Redis
from trinitycore_mcp.access.limits import Limiter
from trinitycore_mcp.access.principal import Principal
from trinitycore_mcp.cache import CachePolicy, ResultCache
from trinitycore_mcp.config import Cache, Limits, Rate
from trinitycore_mcp.leader import Leader
from trinitycore_mcp.redis_link import RedisLink

pytestmark = pytest.mark.anyio
ROLE = Path(__file__).parents[2] / "roles" / "redis"
MAXMEMORY_MB = 8
RESULT = b"x" * 4000
CALLERS = [Principal(f"caller{number}", frozenset({"read"}), "api_key") for number in range(100)]
LEASE = 2.0


@pytest.fixture
def full(tmp_path: Path, policy: str) -> Iterator[Redis]:
    options = {"maxmemory": f"{MAXMEMORY_MB}mb", "maxmemory-policy": policy, "maxmemory-samples": "10"}
    with Redis.start(tmp_path / "redis", options=options) as server:
        yield server


async def fill(link: RedisLink, times: int) -> None:
    """Write results of so many times the memory by the real cache."""
    cache = ResultCache(link, Cache(local_entries=0))
    kept = CachePolicy(ttl=600.0, stale=600.0, local_ttl=0.0)

    async def produce() -> bytes:
        return RESULT

    async with cache.running():
        total = times * MAXMEMORY_MB * 1024**2 // len(RESULT)
        for first in range(0, total, 100):
            keys = [b"%d" % number for number in range(first, first + 100)]
            await asyncio.gather(*(cache.get("creature_get", key, kept, produce) for key in keys))


def evicted(server: Redis) -> int:
    return int(next(line for line in server.cli("INFO", "stats").splitlines() if "evicted_keys" in line).split(":")[1])


def policies() -> list[str]:
    """Return what the role allows."""
    spec = yaml.safe_load((ROLE / "meta" / "argument_specs.yml").read_text())
    choices: list[str] = spec["argument_specs"]["main"]["options"]["redis_maxmemory_policy"]["choices"]
    return choices


@pytest.mark.parametrize("policy", policies())
async def test_a_cache_larger_than_the_memory_costs_no_limit_and_no_lease(
    full: Redis, record_property: Callable[[str, object], None], policy: str
) -> None:
    used_up = Limits(default=Rate(requests=5, period=3600, burst=5))
    async with linked(full) as link, linked(full) as other_link:
        limiter, leader, other = Limiter(used_up, link), Leader(link, LEASE), Leader(other_link, LEASE)
        async with leader.running():
            token = await leader.elected()
            for caller in CALLERS:
                for _ in range(5):
                    assert (await limiter.check(caller, "t")).allowed
            async with other.running():
                began = time.monotonic()
                await fill(link, 4)
                seconds = time.monotonic() - began
                gone = evicted(full)
                anew = Limiter(used_up, other_link)  # an instance that remembers no refusal
                allowed = [caller for caller in CALLERS if (await anew.check(caller, "t")).allowed]
                await asyncio.sleep(LEASE)
                assert leader.token_or_none() == token
                assert other.token_or_none() is None
            await limiter.close()
            await anew.close()
    record_property(
        "figure",
        f"Redis full ({policy}): {gone} results evicted in {seconds:.1f} s, {len(allowed)} of {len(CALLERS)} used-up "
        f"limits forgotten",
    )
    assert gone > 1000
    assert allowed == []
