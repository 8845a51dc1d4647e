"""One piece of work for everybody who wants its result at the same time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from trinitycore_mcp.tasks import end

Key = tuple[str, bytes]
"""A version's tag and a key: who asks after a flush must not get what was begun before it."""


class Flights:
    """Work under way by key. It goes on as long as anybody waits, and is cancelled when nobody does any more."""

    def __init__(self) -> None:
        self._tasks: dict[Key, asyncio.Task[bytes]] = {}
        self._waiting: dict[asyncio.Task[bytes], int] = {}

    def __len__(self) -> int:
        return len(self._tasks)

    async def join(self, key: Key, start: Callable[[], Coroutine[Any, Any, bytes]]) -> bytes:
        """Wait for the work of a key, started if it isn't under way, and return its result.

        A waiter that is cancelled disturbs no other. An error is told to all that wait, and not kept.
        """
        task = self._tasks.get(key)
        if task is None:
            task = self._tasks[key] = asyncio.create_task(start())
            self._waiting[task] = 0
            task.add_done_callback(lambda done: self._done(key, done))
        self._waiting[task] += 1
        try:
            return await asyncio.shield(task)
        finally:
            if task in self._waiting:
                self._waiting[task] -= 1
                if not self._waiting[task]:
                    task.cancel()
                    self._end(key, task)

    def _done(self, key: Key, task: asyncio.Task[bytes]) -> None:
        self._end(key, task)
        if not task.cancelled():
            task.exception()  # those that waited to the end have it; when all left, nobody need hear of it

    def _end(self, key: Key, task: asyncio.Task[bytes]) -> None:
        self._waiting.pop(task, None)
        if self._tasks.get(key) is task:
            del self._tasks[key]

    async def stop(self) -> None:
        """Cancel all."""
        await end(*self._tasks.values())


class Chores:
    """Work that nobody waits for, bounded in number."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def full(self) -> bool:
        """Whether no more is taken now."""
        return len(self._tasks) >= self._most

    def __len__(self) -> int:
        return len(self._tasks)

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        """Do it in the background; it must raise nothing."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def stop(self) -> None:
        """Cancel all."""
        await end(*self._tasks)


Produce = Callable[[], Awaitable[bytes]]
"""Makes a result anew, from the database as a rule."""
