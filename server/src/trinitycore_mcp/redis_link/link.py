"""The link to the writable Redis: found by asking, followed through failovers, given up at once when silent.

Who is primary is never taken from the configuration: the servers say it (ROLE), and with Sentinel the Sentinel whose
word is newest. Where two servers without Sentinel call themselves primary, the one in use is kept, else the one with
more replicas is taken.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from time import monotonic
from typing import Any

from redis.asyncio import Redis

from trinitycore_mcp import metrics
from trinitycore_mcp.redis_link.client import GuardedRedis, lone_client
from trinitycore_mcp.redis_link.errors import RedisAway, is_lost, reason
from trinitycore_mcp.redis_link.listener import Listener
from trinitycore_mcp.redis_link.node import Node, Sentinel, Watched
from trinitycore_mcp.redis_link.settings import Address, RedisSettings
from trinitycore_mcp.redis_link.states import NodeState
from trinitycore_mcp.tasks import end

_log = logging.getLogger(__name__)
_UNCHECKED = "not checked yet"


@dataclass(frozen=True)
class _Primary:
    node: Node
    run_id: str
    client: GuardedRedis


class RedisLink:
    """Hands out a client of the primary, or says at once that there is none.

    `None` for settings means that no Redis is configured: the link is then never up and everything works in process.
    """

    def __init__(self, settings: RedisSettings | None) -> None:
        self._settings = settings
        self._primary: _Primary | None = None
        self._up = False
        self._lost_at = 0.0
        self._reason = _UNCHECKED if settings else "no Redis is configured"
        self._nodes: dict[Address, Node] = {}
        self._sentinels: list[Sentinel] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._running = False
        self._changed = asyncio.Event()
        self._listener = Listener(self)
        self._generation = 0
        self._since = 0.0
        if settings is not None:
            for address in settings.hosts:
                self._nodes[address] = Node(address, settings, self._choose)
            if settings.sentinel is not None:
                name = settings.sentinel.master_name
                self._sentinels = [Sentinel(each, settings, self._choose, name) for each in settings.sentinel.hosts]

    @property
    def configured(self) -> bool:
        """Whether there is to be a Redis at all."""
        return self._settings is not None

    @property
    def up(self) -> bool:
        """Whether commands go through now, as far as is known."""
        return self._up

    @property
    def reason(self) -> str:
        """Why the link is down; empty while it is up."""
        return self._reason

    @property
    def generation(self) -> int:
        """Counts the changes of the primary and its restarts: at another number, what was stored may be lost."""
        return self._generation

    @property
    def since(self) -> float:
        """When (`time.monotonic`) the present `generation` was first seen."""
        return self._since

    @property
    def run_id(self) -> str:
        """Redis' own name for the run of the primary that `generation` counts; empty before the first."""
        return self._primary.run_id if self._primary else ""

    @property
    def timeout(self) -> float:
        """Seconds that a command may take."""
        return self._settings.timeout if self._settings else 0.0

    @property
    def client(self) -> Redis:
        """The primary's client: each command ends within `timeout`, with an answer or RedisAway.

        Take it anew for each use: after a failover it is another one.

        :raises RedisAway: there is no usable primary; known without asking, so it costs no time.
        """
        if not self._up or self._primary is None:
            raise RedisAway(self._reason)
        return self._primary.client

    def key(self, name: str) -> str:
        """Return the name of a key or channel of ours in Redis, prefix included."""
        return f"{self._settings.key_prefix}{name}" if self._settings else name

    def states(self) -> list[NodeState]:
        """Return each server's state: Redis servers in configured order, those found since, Sentinels."""
        used = self._primary.node if self._primary and self._up else None
        return [NodeState(str(each.address), each.up, each.role, each is used, each.reason) for each in self._watched()]

    def subscribe(self, channel: str, on_message: Callable[[bytes], None], on_join: Callable[[], None]) -> None:
        """Hear a channel, from now or from when the link comes up.

        :param channel: without prefix. Subscribe before `running`; nothing is ever unsubscribed.
        :param on_message: called with each message. Must not raise.
        :param on_join: called each time listening begins, the first time too: messages sent before are lost.
        """
        self._listener.channels[self.key(channel)] = (on_message, on_join)

    async def changed(self) -> None:
        """Return when the link goes up or down, or another primary is used."""
        await self._changed.wait()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Watch the servers while the context is open; waits for a primary or the first round of checks."""
        if self._settings is None:
            yield
            return
        self._running = True
        for each in self._watched():
            self._start(each.watch(self._hurried))
        self._start(self._listener.run())
        first = {asyncio.ensure_future(self._until_up()), asyncio.ensure_future(self._until_checked())}
        await asyncio.wait(first, timeout=self._settings.connect_timeout, return_when=asyncio.FIRST_COMPLETED)
        for waiting in first:
            waiting.cancel()
        try:
            yield
        finally:
            self._running = False
            tasks = list(self._tasks)
            await end(*tasks)
            primary, self._primary = self._primary, None
            self._up, self._reason = False, "stopped"
            metrics.REDIS_UP.set(0)
            if primary is not None:
                await self._close(primary.client)

    def failed(self, error: BaseException) -> RedisAway:
        """Take note of a command's failure and return what to raise: the link may be down by it until checked."""
        metrics.REDIS_ERRORS.labels(type(error).__name__).inc()
        why = reason(error)
        primary = self._primary
        if primary is not None and is_lost(error):
            self._lost_at = monotonic()
            self._set(up=False, why=f"{primary.node.address}: {why}")
            for each in [primary.node, *self._sentinels]:
                each.check_soon()
        return RedisAway(why)

    def listening_client(self) -> Redis | None:
        """Return a new client of the primary with one connection and no timeouts of its own, or None."""
        if self._settings is None or self._primary is None or not self._up:
            return None
        return lone_client(self._settings, self._primary.node.address)

    async def _until_up(self) -> None:
        while not self._up:
            await self.changed()

    async def _until_checked(self) -> None:
        while unchecked := [each for each in self._watched() if not each.checked.is_set()]:
            await unchecked[0].checked.wait()

    def _watched(self) -> list[Watched]:
        return [*self._nodes.values(), *self._sentinels]

    def _hurried(self) -> bool:
        return not self._up

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _choose(self) -> None:
        """Decide anew which server to use; called after each check that told something."""
        if self._settings is None or not self._running:
            return
        told = self._told_by_sentinels()
        if told is not None and told not in self._nodes:
            node = self._nodes[told] = Node(told, self._settings, self._choose)
            self._start(node.watch(self._hurried))
        candidates = [self._nodes[told]] if told is not None else list(self._nodes.values())
        usable = [node for node in candidates if node.up and node.role == "primary"]
        current = self._primary.node if self._primary else None
        best = max(usable, key=lambda node: (node is current, node.replicas, node.offset), default=None)
        if best is None:
            self._set(up=False, why=self._why(candidates))
        elif self._primary is None or self._primary.node is not best or self._primary.run_id != best.run_id:
            self._use(best, self._settings)
        elif best.asked_at > self._lost_at:
            self._set(up=True, why="")

    def _told_by_sentinels(self) -> Address | None:
        """Return the primary by the newest word of a Sentinel that answers, or None when none does."""
        newest = max((each for each in self._sentinels if each.up), key=lambda each: each.epoch, default=None)
        return newest.primary if newest is not None else None

    def _use(self, node: Node, settings: RedisSettings) -> None:
        if self._primary is not None:
            self._start(self._close(self._primary.client))
        self._primary = _Primary(node, node.run_id, GuardedRedis(settings, node.address, self))
        self._generation += 1
        self._since = monotonic()
        self._set(up=True, why="", again=True)

    async def _close(self, client: Redis) -> None:
        with suppress(Exception):  # its server may be long gone
            async with asyncio.timeout(self.timeout):
                await client.aclose()

    def _why(self, candidates: list[Node]) -> str:
        words = (f"{node.address}: {node.reason or f'is a {node.role}'}" for node in candidates)
        return f"no Redis primary: {'; '.join(words)}"

    def _set(self, *, up: bool, why: str, again: bool = False) -> None:
        changed = up is not self._up or again or self._reason == _UNCHECKED
        self._up, self._reason = up, why
        metrics.REDIS_UP.set(up)
        if changed:
            host = str(self._primary.node.address) if self._primary else None
            level = logging.INFO if up else logging.WARNING
            _log.log(
                level,
                "Redis is up" if up else "Redis is away",
                extra={"fields": {"host": host, "reason": why or None}},
            )
            before, self._changed = self._changed, asyncio.Event()
            before.set()
