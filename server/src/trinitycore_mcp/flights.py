"""Requests that wait for something: ended when their time is up or their client has left.

One look at all of them every 50 ms costs less than a timer and a watcher for each: most are done before.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from time import monotonic
from typing import Any

_SWEEP = 0.05
Receive = Callable[[], Awaitable[Any]]


class TimeUp(Exception):
    """It took longer than it may."""


class ClientLeft(Exception):
    """The client closed the connection before its request was done; nobody waits for an answer."""


class Flight:
    """One such request. As a context manager it is watched while the context is open.

    What ends it is raised where the context ends: TimeUp or ClientLeft, in the place of the cancellation.
    """

    __slots__ = ("_all", "_receive", "_watcher", "deadline", "expired", "left", "task")

    def __init__(self, flights: set[Flight], seconds: float | None, receive: Receive | None) -> None:
        task = asyncio.current_task()
        assert task is not None
        self.task = task
        self.deadline = None if seconds is None else monotonic() + seconds
        self.expired = False
        """Its time was up, so the task was cancelled."""
        self.left = False
        """The client closed the connection, so the task was cancelled."""
        self._receive = receive
        self._watcher: asyncio.Task[None] | None = None
        self._all = flights

    def __enter__(self) -> Flight:
        self._all.add(self)
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._all.discard(self)
        if self._watcher is not None:
            self._watcher.cancel()
        # Another cancellation, such as the server's end, may have come together with ours: it goes on.
        ours = self.expired or self.left
        if ours and kind is asyncio.CancelledError and self.task.uncancel() == 0:
            raise (TimeUp if self.expired else ClientLeft) from None

    def look(self, now: float) -> None:
        """End it if its time is up; from the second look on, notice when the client leaves."""
        if self.expired or self.left:
            return
        if self.deadline is not None and now >= self.deadline:
            self.expired = True
            self.task.cancel()
        elif self._receive is not None and self._watcher is None:
            self._watcher = asyncio.create_task(self._watch(self._receive))

    async def _watch(self, receive: Receive) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        if self in self._all and not self.expired:
            self.left = True
            self.task.cancel()


class Flights:
    """All of them."""

    def __init__(self) -> None:
        self._all: set[Flight] = set()

    def __len__(self) -> int:
        return len(self._all)

    def begin(self, seconds: float | None = None, receive: Receive | None = None) -> Flight:
        """Return the flight of the current task, to be entered.

        :param seconds: how long it may last; None: as long as it takes.
        :param receive: the request's ASGI channel, whose body was read; None: nobody can leave.
        :raises TimeUp: where the context ends.
        :raises ClientLeft: where the context ends.
        """
        return Flight(self._all, seconds, receive)

    async def sweep(self) -> None:
        """Look at all of them now and then, until cancelled."""
        while True:
            await asyncio.sleep(_SWEEP)
            now = monotonic()
            for flight in list(self._all):
                flight.look(now)
