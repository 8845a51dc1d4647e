"""The result cache: peek first, then get.

Three layers: this process (fresh for moments), Redis (fresh for `ttl`, answered stale for `stale` more while one
instance renews it), the database. Without Redis, or while it is away, the first one does alone and keeps results for
their whole `ttl`.

A key must hold all that a result depends on: tool, arguments, and whose eyes it is for. The cache adds what changes
without the caller: the fleet's version numbers and the schema's fingerprint.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from hashlib import blake2b
from time import monotonic

from trinitycore_mcp.cache.counters import KindCounts, counts_of
from trinitycore_mcp.cache.flights import Chores, Flights, Produce
from trinitycore_mcp.cache.local import Entry, LocalLayer
from trinitycore_mcp.cache.policy import CachePolicy
from trinitycore_mcp.cache.remote import Found, RemoteLayer
from trinitycore_mcp.cache.versions import POLL_INTERVAL, Versions
from trinitycore_mcp.config.cache import Cache
from trinitycore_mcp.redis_link import RedisAway, RedisLink
from trinitycore_mcp.tasks import end

_log = logging.getLogger(__name__)
# Lifetimes are shortened by up to this share, so that what was stored together does not end together.
_JITTER = 0.1
_LARGEST = 256 * 1024
# After a refresh that failed, and while another instance is at it.
_RETRY_AFTER_ERROR, _RETRY_SOON = 1.0, 0.05
_MOST_REFRESHES, _MOST_STORES = 64, 512


@dataclass(frozen=True)
class CacheStats:
    """The cache's state for people: `versions` by kind, `*` for everything."""

    entries: int
    bytes: int
    in_flight: int
    refreshing: int
    shared: bool
    """Whether Redis takes part now."""
    versions: Mapping[str, int]


class ResultCache:
    """Results as the bytes that are sent. Make it before the link runs: it subscribes to flushes."""

    def __init__(
        self,
        link: RedisLink,
        options: Cache,
        *,
        fingerprint: Callable[[], str] = lambda: "",
        is_answer: Callable[[Exception], bool] = lambda _error: False,
        limit: Callable[[str], float | None] = lambda _kind: None,
        largest: int = _LARGEST,
    ) -> None:
        """:param fingerprint: says which schema the results are made from; another one makes all of them void.
        :param is_answer: whether an error of `produce` is the true answer ("there is no such row") rather than a
            failure. An answer ends a stale result; after a failure that is still answered. Neither is kept.
        :param limit: seconds that a kind's result may take to be renewed, which nobody waits for; None: any time.
        :param largest: bytes; larger results are not kept.
        """
        self._link = link
        self._fingerprint = fingerprint
        self._is_answer = is_answer
        self._limit = limit
        self._largest = largest
        self._local = LocalLayer(options.local_entries, options.local_bytes)
        self._remote = RemoteLayer(link)
        self._versions = Versions(link, self._local.drop_kind)
        self._flights = Flights()
        self._refreshing: set[bytes] = set()
        self._refreshes = Chores(_MOST_REFRESHES)
        self._stores = Chores(_MOST_STORES)
        self.peek: Callable[[bytes], bytes | None] = self._local.peek
        """Return the result of a key if this process may answer it without asking anybody."""

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Hear of flushes while the context is open. Open it inside the link's."""
        with suppress(RedisAway):
            await self._versions.ask()
        watchers = [asyncio.create_task(self._versions.run()), asyncio.create_task(self._watch_fingerprint())]
        try:
            yield
        finally:
            await end(*watchers)
            for each in (self._flights, self._refreshes, self._stores):
                await each.stop()

    async def get(self, kind: str, key: bytes, policy: CachePolicy, produce: Produce) -> bytes:
        """Return the result of a key: a kept one by the policy, else a new one.

        Whoever asks for the same key meanwhile, in this process or another, waits for the same result.

        :param kind: the tool's name; what can be flushed by itself, and the metric's label.
        :param key: tool, arguments and scope class, so that no two results share one.
        :raises Exception: what `produce` raised.
        """
        counts = counts_of(kind)
        if policy.ttl <= 0:
            return await self._produce(counts, produce)
        now = monotonic()
        entry = self._local.get(key)
        if entry is not None:
            shared = self._versions.known
            if now < entry.peek_until or (not shared and now < entry.fresh_until):
                entry.used = True
                counts.local_hit += 1
                return entry.value
            if now < entry.stale_until and (
                key in self._refreshing or now < entry.retry_at or (not shared and now >= entry.fresh_until)
            ):
                return self._stale(kind, key, policy, produce, entry)
        counts.local_miss += 1
        flight = (self._versions.tag(kind), key)
        return await self._flights.join(flight, lambda: self._look_up(kind, key, policy, produce, counts))

    async def flush(self, kind: str | None) -> int:
        """Make void all results of a kind, or all (None), in the whole fleet; return the new version number.

        Other instances hear of it at once, or within a second. With Redis away it holds here, and for the others as
        soon as Redis is back.
        """
        return await self._versions.flush(kind)

    def stats(self) -> CacheStats:
        """Return the cache's state."""
        return CacheStats(
            entries=len(self._local),
            bytes=self._local.size,
            in_flight=len(self._flights),
            refreshing=len(self._refreshes),
            shared=self._versions.known,
            versions=dict(self._versions.numbers),
        )

    def _name(self, kind: str, key: bytes) -> str:
        digest = blake2b(key, digest_size=16).hexdigest()
        return self._link.key(f"cache:{self._versions.tag(kind)}:{self._fingerprint()}:{digest}")

    async def _look_up(self, kind: str, key: bytes, policy: CachePolicy, produce: Produce, counts: KindCounts) -> bytes:
        name = self._name(kind, key)
        locked = False
        if self._versions.known:
            try:
                found = await self._remote.look_up(name, policy)
            except RedisAway:
                counts.redis_error += 1
                entry = self._local.get(key)
                if entry is not None and monotonic() < entry.stale_until:
                    return self._stale(kind, key, policy, produce, entry)
            else:
                if found is not None:
                    return self._take(kind, key, policy, produce, name, found)
                counts.redis_miss += 1
                locked = True
        stored = False
        try:
            value = await self._produce(counts, produce)
            stored = self._keep(kind, key, policy, name, value)
        except Exception as error:
            entry = self._local.get(key)
            if self._is_answer(error) or entry is None or monotonic() >= entry.stale_until:
                raise
            entry.retry_at = monotonic() + _RETRY_AFTER_ERROR
            return self._stale(kind, key, policy, produce, entry)
        finally:
            if locked and not stored:
                self._stores.start(self._remote.unlock(name))
        return value

    def _take(self, kind: str, key: bytes, policy: CachePolicy, produce: Produce, name: str, found: Found) -> bytes:
        """Keep here what was found in Redis."""
        counts = counts_of(kind)
        entry = self._put(kind, key, policy, name, found.value, found.fresh_for)
        if found.fresh_for > 0:
            counts.redis_hit += 1
        else:
            counts.redis_stale += 1
            self._refresh(kind, key, policy, produce, entry)
        return found.value

    def _stale(self, kind: str, key: bytes, policy: CachePolicy, produce: Produce, entry: Entry) -> bytes:
        """Answer with what is stale, and see that it is renewed."""
        entry.counts.local_stale += 1
        entry.used = True
        if monotonic() >= entry.fresh_until:
            self._refresh(kind, key, policy, produce, entry)
        return entry.value

    def _refresh(self, kind: str, key: bytes, policy: CachePolicy, produce: Produce, entry: Entry) -> None:
        if key not in self._refreshing and monotonic() >= entry.retry_at and not self._refreshes.full:
            self._refreshing.add(key)
            self._refreshes.start(self._renew(kind, key, policy, produce, entry))

    async def _renew(self, kind: str, key: bytes, policy: CachePolicy, produce: Produce, entry: Entry) -> None:
        name = self._name(kind, key)
        stored = locked = False
        try:
            locked = await self._remote.lock(name)
            if not locked:
                entry.retry_at = monotonic() + _RETRY_SOON
                return
            async with asyncio.timeout(self._limit(kind)):
                value = await self._produce(counts_of(kind), produce)
            stored = self._keep(kind, key, policy, name, value)
        except Exception as error:  # nobody waits for it: what is stale is answered on, or is over
            if self._is_answer(error):
                self._local.drop(key)
                await self._remote.remove(name)
            else:
                entry.retry_at = monotonic() + _RETRY_AFTER_ERROR
                fields = {"tool": kind, "reason": type(error).__name__}
                _log.warning("a cached result could not be renewed", extra={"fields": fields})
        finally:
            self._refreshing.discard(key)
            if locked and not stored:
                self._stores.start(self._remote.unlock(name))

    async def _produce(self, counts: KindCounts, produce: Produce) -> bytes:
        try:
            value = await produce()
        except Exception:
            counts.database_error += 1
            raise
        counts.database_hit += 1
        return value

    def _keep(self, kind: str, key: bytes, policy: CachePolicy, name: str, value: bytes) -> bool:
        """Keep a new result in both layers; return whether it goes to Redis."""
        if len(value) > self._largest:
            return False
        fresh_for = policy.ttl * (1 - _JITTER * random.random())
        self._put(kind, key, policy, name, value, fresh_for)
        if not self._link.up or self._stores.full:
            return False
        self._stores.start(self._remote.store(name, value, fresh_for, policy.stale))
        return True

    def _put(self, kind: str, key: bytes, policy: CachePolicy, name: str, value: bytes, fresh_for: float) -> Entry:
        now = monotonic()
        entry = Entry(
            kind,
            value,
            counts_of(kind),
            peek_until=now + (min(policy.local_ttl, fresh_for) if self._link.configured else fresh_for),
            fresh_until=now + fresh_for,
            stale_until=now + fresh_for + policy.stale,
        )
        # Flushed while it was being made: it is what was asked for, but nobody else may have it.
        if self._name(kind, key) == name:
            self._local.put(key, entry)
        return entry

    async def _watch_fingerprint(self) -> None:
        known = self._fingerprint()
        while True:
            await asyncio.sleep(POLL_INTERVAL)
            if (now := self._fingerprint()) != known:
                known = now
                self._local.drop_kind(None)
