"""Jobs that come round: each runs on the leader, and so once in the fleet.

When a job last ended well is kept in Redis, so that a change of leaders does not start it before its time. The key does
not expire: a Redis full of cached results would evict it.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

from trinitycore_mcp import metrics
from trinitycore_mcp.jobs.fencing import Deposed
from trinitycore_mcp.leader import Leader
from trinitycore_mcp.redis_link import RedisAway, RedisLink
from trinitycore_mcp.tasks import end

_log = logging.getLogger(__name__)
# Until a job that failed is tried again, unless it comes round sooner.
RETRY = 60.0


@dataclass(frozen=True)
class Job:
    """`run` is called with the fencing token, every `every` seconds; it writes through `fenced`.

    It is cancelled when its instance is deposed. `name` is a metric's label and a key: letters, digits, `_`.
    """

    name: str
    every: float
    run: Callable[[int], Awaitable[None]]


class Schedule:
    """Runs jobs while this instance leads."""

    def __init__(self, leader: Leader, link: RedisLink, jobs: Sequence[Job]) -> None:
        self._leader = leader
        self._link = link
        self._jobs = jobs
        self._ended: dict[str, float] = {}
        self._not_before: dict[str, float] = {}

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Keep the schedule while the context is open. Open it inside the leader's."""
        tasks = [asyncio.create_task(self._keep(job)) for job in self._jobs]
        try:
            yield
        finally:
            await end(*tasks)

    async def _keep(self, job: Job) -> None:
        while True:
            try:
                await self._turn(job)
            except Exception:  # a defect; the job must come round all the same
                _log.exception("a job's turn failed", extra={"fields": {"job": job.name}})
                await asyncio.sleep(_pause(job))

    async def _turn(self, job: Job) -> None:
        """Run the job if it is due, else wait until it is or until this instance is deposed."""
        token = await self._leader.elected()
        wait = await self._seconds_until_due(job)
        if wait > 0:
            with suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    await self._leader.deposed(token)
        elif self._leader.token_or_none() == token:
            await self._run(job, token)

    async def _seconds_until_due(self, job: Job) -> float:
        ended = max(self._ended.get(job.name, 0.0), await self._ended_in_the_fleet(job))
        # By another instance's clock it may have ended in the future.
        due = min(ended + job.every - time.time(), job.every)
        return max(due, self._not_before.get(job.name, 0.0) - time.monotonic())

    async def _ended_in_the_fleet(self, job: Job) -> float:
        """Return when the job last ended well by what is in Redis; 0: nothing is, or nothing that we wrote."""
        stored = None
        with suppress(RedisAway):
            if self._link.configured:
                stored = await self._link.client.get(self._key(job))
        try:
            return int(stored or 0) / 1000
        except (ValueError, OverflowError):
            _log.warning("a job's time in Redis is no time: it runs now", extra={"fields": {"job": job.name}})
            return 0.0

    async def _run(self, job: Job, token: int) -> None:
        started = time.monotonic()
        work = asyncio.ensure_future(job.run(token))
        deposed = asyncio.ensure_future(self._leader.deposed(token))
        try:
            await asyncio.wait({work, deposed}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            await end(work, deposed)
        error = None if work.cancelled() else work.exception()
        ended = "failed" if error else "ok"
        result = "deposed" if work.cancelled() or isinstance(error, Deposed) else ended
        metrics.JOB_RUNS.labels(job.name, result).inc()
        fields = {"job": job.name, "result": result, "seconds": round(time.monotonic() - started, 3)}
        _log.log(logging.WARNING if error else logging.INFO, "job ended", extra={"fields": fields}, exc_info=error)
        if result == "ok":
            await self._remember(job)
        else:
            self._not_before[job.name] = time.monotonic() + _pause(job)

    async def _remember(self, job: Job) -> None:
        self._ended[job.name] = time.time()
        with suppress(RedisAway):
            await self._link.client.set(self._key(job), int(time.time() * 1000))

    def _key(self, job: Job) -> str:
        return self._link.key(f"job:{job.name}")


def _pause(job: Job) -> float:
    """Return how many seconds after a failure the job is tried again."""
    return min(RETRY, job.every)
