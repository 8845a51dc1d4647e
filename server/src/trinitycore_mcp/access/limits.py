"""Rate limits for the whole fleet.

The rule is GCRA, in other words a token bucket: `burst` tokens at most, one more every period/requests seconds, one
for each call, in Redis by its own clock. A call counts for its caller's limit and, where one is set, for the caller's
limit of that tool; one script call decides on both, and a refused call takes from neither.

So that the usual call need not wait for Redis, limits of 20 requests a second and more are leased: the process takes
some tokens in advance (1/32 of the burst and a quarter of a second's at most; none for a single call, twice as many
each time while calls keep coming), decides by them without waiting, and refills in the background before they run
out. Tokens not used for about a second are given back, or lost if that fails. While tokens are out, Redis fills the
bucket up to burst minus those only. Hence in any span of t seconds the fleet allows burst + t * requests/period
calls at most, whoever holds what, and a fleet that is quiet has nearly all of it to give.

No limit expires in Redis, so that a Redis full of cached results does not evict it; see limits.lua.

While Redis is away each instance counts by itself, `local_share` of every limit, and begins with what it last heard of
the fleet's count: who had used up a limit gets no more. That costs a call no time, since the link knows. A Redis that
lost its data starts with full buckets.
"""

from __future__ import annotations

import asyncio
import hashlib
import math
from collections.abc import Awaitable, Coroutine, Sequence
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from time import monotonic
from typing import Any, Literal, NamedTuple, Protocol, cast

from redis.asyncio import Redis
from redis.exceptions import NoScriptError

from trinitycore_mcp import config, metrics
from trinitycore_mcp.access.bucket import LEASE, LEASE_IN_REDIS, Bucket, LimitScope
from trinitycore_mcp.access.principal import Principal, Rate
from trinitycore_mcp.redis_link import RedisAway

MAX_PLANS = 10_000
RATE_LIMITED = -32029
"""The JSON-RPC error code for what is beyond a caller's limit."""
_SCRIPT = Path(__file__).with_name("limits.lua").read_text(encoding="utf-8")
_SHA = hashlib.sha1(_SCRIPT.encode(), usedforsecurity=False).hexdigest()
_LIFE = int(LEASE_IN_REDIS * 1_000_000)
_SWEEP = 0.2
_RESULT: dict[tuple[LimitScope, str], Any] = {
    (scope, result): metrics.RATE_LIMIT.labels(scope, result)
    for scope in ("key", "tool")
    for result in ("allowed", "refused", "local")
}


class Link(Protocol):
    """The way to Redis: redis_link.RedisLink."""

    @property
    def up(self) -> bool:
        """Whether commands go through now, as far as is known."""
        ...

    @property
    def client(self) -> Redis:
        """The primary's client, or RedisAway; its commands end within a short timeout, with an answer or RedisAway."""
        ...

    def key(self, name: str) -> str:
        """Return the name of a key of ours."""
        ...


class Verdict(NamedTuple):
    """What was decided, by the limit that is nearest to its end."""

    allowed: bool
    limit: int
    """Requests in each window."""
    window_s: float
    remaining: int
    """Requests that could follow at once; while tokens are leased, a little less than there are."""
    reset_s: float
    """Seconds until `remaining` is at its most again."""
    retry_after_s: float
    """Seconds until a call may be allowed; 0 when this one is."""
    scope: Literal["key", "tool", "none"]


UNLIMITED = Verdict(True, 0, 0.0, 0, 0.0, 0.0, "none")


class _Plan(NamedTuple):
    rate: Rate
    buckets: tuple[Bucket, ...]


class Limiter:
    """Decides whether a call may go now."""

    def __init__(self, settings: config.Limits, link: Link | None) -> None:
        """:param link: None: the process counts by itself, the whole of each limit."""
        self._link = link
        self._endings = link.key("limit:endings") if link is not None else ""
        self._plans: dict[tuple[str, str, str], _Plan] = {}
        self._buckets: dict[str, Bucket] = {}
        self._holding: set[Bucket] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._sweeping: asyncio.Task[None] | None = None
        self.configure(settings)

    def configure(self, settings: config.Limits) -> None:
        """Take over other limits; what was used of the old ones stays used where the rates are the same."""
        self._enabled = settings.enabled
        self._default = Rate.of(settings.default)
        self._anonymous = Rate.of(settings.anonymous)
        self._tools = {tool: Rate.of(rate) for tool, rate in settings.tools.items()}
        self._share = settings.local_share if self._link is not None else 1.0
        self._plans.clear()

    def try_now(self, principal: Principal, tool: str) -> Verdict | None:
        """Decide without waiting; None when Redis has to be asked: `await check`."""
        if not self._enabled:
            return UNLIMITED
        buckets = self._plan(principal, tool)
        now = monotonic()
        if self._link is None or not self._link.up:
            return self._decide_locally(buckets, now)
        for bucket in buckets:
            if now < bucket.refused_until:
                return _refuse(bucket, now)
        for bucket in buckets:
            if bucket.tokens <= 0 or now >= bucket.ends:
                return None
        for bucket in buckets:
            if bucket.take():
                self._start(bucket, self._refill(bucket))
        return _allow(buckets, "allowed")

    async def check(self, principal: Principal, tool: str) -> Verdict:
        """Decide, asking Redis if need be: one round trip."""
        verdict = self.try_now(principal, tool)
        if verdict is not None:
            return verdict
        buckets = self._plan(principal, tool)
        try:
            allowed = await self._ask(buckets, cost=1)
        except RedisAway:
            return self._decide_locally(buckets, monotonic())
        if allowed:
            return _allow(buckets, "allowed")
        now = monotonic()
        return _refuse(max(buckets, key=lambda bucket: bucket.retry_at), now)

    async def close(self) -> None:
        """Give back what is held."""
        for task in [*self._tasks, self._sweeping]:
            if task is not None:
                task.cancel()
        held = [bucket for bucket in self._holding if bucket.has_token(monotonic())]
        await asyncio.gather(*(self._give_back(bucket) for bucket in held))

    def _plan(self, principal: Principal, tool: str) -> tuple[Bucket, ...]:
        """Return the limits that a call counts for."""
        rate = principal.rate or (self._anonymous if principal.method == "none" else self._default)
        own = self._tools.get(tool)
        name = (principal.method, principal.name, tool if own else "")
        plan = self._plans.get(name)
        if plan is not None and plan.rate is rate:
            return plan.buckets
        caller = hashlib.sha256(f"{principal.method}:{principal.name}".encode()).hexdigest()[:24]
        buckets = [self._bucket(f"limit:{{{caller}}}:key", "key", rate)]
        if own:
            buckets.append(self._bucket(f"limit:{{{caller}}}:tool:{tool}", "tool", own))
        while len(self._plans) >= MAX_PLANS:
            del self._plans[next(iter(self._plans))]
        self._plans[name] = _Plan(rate, tuple(buckets))
        return self._plans[name].buckets

    def _bucket(self, name: str, scope: LimitScope, rate: Rate) -> Bucket:
        bucket = self._buckets.get(name)
        if bucket is None or bucket.rate != rate:
            while len(self._buckets) >= 2 * MAX_PLANS:
                del self._buckets[next(iter(self._buckets))]
            bucket = Bucket(self._link.key(name) if self._link is not None else name, scope, rate)
            self._buckets[name] = bucket
        return bucket

    def _decide_locally(self, buckets: Sequence[Bucket], now: float) -> Verdict:
        """Decide by this process' own count."""
        slowest, longest = buckets[0], 0.0
        for bucket in buckets:
            wait = bucket.local_wait(now, self._share)
            if wait > longest:
                slowest, longest = bucket, wait
        if longest > 0:
            bucket = slowest
            bucket.retry_at = now + longest
            return _refuse(bucket, now)
        for bucket in buckets:
            bucket.left = bucket.count_locally(now)
        return _allow(buckets, "local")

    async def _ask(self, buckets: Sequence[Bucket], *, cost: int, give_back: bool = False) -> bool:
        """Ask Redis for a call's tokens and more for the leases; return whether the call is allowed.

        :raises RedisAway: it did not answer; whatever it did is then written off.
        """
        sent = monotonic()
        arguments: list[str | int | float] = [cost, _LIFE]
        asked = []
        for bucket in buckets:
            want = 0 if give_back else bucket.wish(sent)
            back = bucket.tokens if give_back else 0
            used, bucket.used = bucket.used, 0
            bucket.tokens -= back
            bucket.pending += want
            asked.append((bucket, bucket.lease, want))
            arguments += [repr(bucket.interval * 1e6), bucket.burst, bucket.lease, used, back, want]
        try:
            answer = await self._run([*(bucket.key for bucket in buckets), self._endings], arguments)
        except BaseException:  # cancelled as well: nobody knows what Redis did
            for bucket, lease, _ in asked:
                if bucket.lease == lease:
                    bucket.drop_lease()
            raise
        now = monotonic()
        for (bucket, lease, want), at in zip(asked, range(1, len(answer), 4), strict=True):
            if bucket.lease == lease:
                bucket.pending -= want
            left, leased, _, wait = answer[at : at + 4]
            bucket.granted(sent, now, lease, leased, left, wait / 1e6)
            if bucket.tokens:
                self._holding.add(bucket)
        if self._holding and self._sweeping is None:
            self._sweeping = asyncio.create_task(self._sweep())
        return bool(answer[0])

    async def _run(self, keys: Sequence[str], arguments: Sequence[str | int | float]) -> list[int]:
        if self._link is None:
            raise RedisAway("no Redis is configured")
        client = self._link.client
        try:
            return await cast(Awaitable[list[int]], client.evalsha(_SHA, len(keys), *keys, *arguments))
        except NoScriptError:  # a new Redis; EVAL makes it know the script
            return await cast(Awaitable[list[int]], client.eval(_SCRIPT, len(keys), *keys, *arguments))

    async def _refill(self, bucket: Bucket) -> None:
        with suppress(RedisAway):
            await self._ask([bucket], cost=0)

    async def _give_back(self, bucket: Bucket) -> None:
        with suppress(RedisAway):
            await self._ask([bucket], cost=0, give_back=True)

    async def _sweep(self) -> None:
        """Keep leases that are in use, give back the others before they end; done when none is left."""
        try:
            while self._holding:
                await asyncio.sleep(_SWEEP)
                now = monotonic()
                self._holding = {bucket for bucket in self._holding if bucket.has_token(now)}
                for bucket in self._holding:
                    if bucket.ends - now < LEASE / 2 and not bucket.refilling:
                        self._start(bucket, self._refill(bucket) if bucket.used else self._give_back(bucket))
        finally:
            self._sweeping = None

    def _start(self, bucket: Bucket, work: Coroutine[Any, Any, None]) -> None:
        def done(task: asyncio.Task[None]) -> None:
            bucket.refilling = False
            self._tasks.discard(task)

        bucket.refilling = True
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(done)


def _allow(buckets: Sequence[Bucket], result: str) -> Verdict:
    nearest = buckets[0]
    for bucket in buckets:
        _RESULT[bucket.scope, result].inc()
        if bucket.left + bucket.tokens < nearest.left + nearest.tokens:
            nearest = bucket
    remaining = nearest.left + nearest.tokens
    rate = nearest.rate
    reset = (nearest.burst - remaining) * nearest.interval
    return Verdict(True, rate.requests, rate.period, remaining, reset, 0.0, nearest.scope)


def _refuse(bucket: Bucket, now: float) -> Verdict:
    _RESULT[bucket.scope, "refused"].inc()
    wait = max(0.001, bucket.retry_at - now)
    rate, reset = bucket.rate, wait + (bucket.burst - 1) * bucket.interval
    return Verdict(False, rate.requests, rate.period, 0, reset, wait, bucket.scope)


def rate_limit_head(verdict: Verdict) -> bytes:
    """Return header lines: RateLimit-Policy and RateLimit (draft-ietf-httpapi-ratelimit-headers-10).

    On refusal Retry-After too.
    q and w: requests in so many seconds; r: requests left; t: seconds until all of them are there again.
    """
    allowed, limit, window_s, remaining, reset_s, retry_after_s, scope = verdict
    if scope == "none":
        return b""
    head = b"%b;r=%d;t=%d\r\n" % (_policy(scope, limit, window_s), remaining, math.ceil(reset_s))
    return head if allowed else b"%bretry-after: %d\r\n" % (head, max(1, math.ceil(retry_after_s)))


@lru_cache(maxsize=1024)
def _policy(scope: str, limit: int, window_s: float) -> bytes:
    """Return the line that names a limit, and the beginning of the one that refers to it by that name."""
    name = b'"%b"' % scope.encode()
    return b"ratelimit-policy: %b;q=%d;w=%d\r\nratelimit: %b" % (name, limit, max(1, round(window_s)), name)


def refusal(verdict: Verdict, tool: str | None = None) -> str:
    """Return what a refused caller is told: which limit, and when to come again."""
    whose = f"this caller's calls of {tool or 'this tool'}" if verdict.scope == "tool" else "this caller"
    again = max(1, math.ceil(verdict.retry_after_s))
    return (
        f"the rate limit of {whose} is reached ({verdict.limit} requests in {verdict.window_s:g} s): "
        f"try again in {again} second{'s' if again > 1 else ''}"
    )
