"""Commands of many calls in one round trip.

redis-py spends some 60 us of processor time on a command sent alone, more than our whole way of a call. Commands that
come while others are under way are therefore sent together, each with its own answer. It is fair as well: a command
waits for the batch before it, never for luck with a pool.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from redis.asyncio import ConnectionPool
from redis.exceptions import ResponseError

# Round trips under way at the same time, and commands in one of them.
_UNDER_WAY = 2
_SIZE = 128


@dataclass(slots=True)
class _Command:
    words: tuple[Any, ...]
    options: dict[str, Any]
    deadline: float
    answer: asyncio.Future[Any]


class Batches:
    """Sends commands; none waits longer than the timeout, be it in the queue or for its answer."""

    def __init__(self, pool: ConnectionPool, parse: Callable[..., Awaitable[Any]], limit: float) -> None:
        """:param parse: reads the next answer of a connection and puts it in shape, as `Redis.parse_response` does.
        :param limit: seconds for each command, from `submit` to its answer.
        """
        self._pool = pool
        self._parse = parse
        self._limit = limit
        self._queue: deque[_Command] = deque()
        self._tasks: set[asyncio.Task[None]] = set()
        self._scheduled = False

    def submit(self, words: tuple[Any, ...], options: dict[str, Any]) -> asyncio.Future[Any]:
        """Send a command soon and return its answer to be.

        The future ends with what redis-py raises, or TimeoutError. Cancelling it disturbs no other command.
        """
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Any] = loop.create_future()
        self._queue.append(_Command(words, options, loop.time() + self._limit, answer))
        if not self._scheduled and len(self._tasks) < _UNDER_WAY:
            # Not at once: whoever else runs in this turn of the loop gets into the same batch.
            self._scheduled = True
            loop.call_soon(self._send)
        return answer

    def _send(self) -> None:
        self._scheduled = False
        batch: list[_Command] = []
        while self._queue and len(batch) < _SIZE:
            command = self._queue.popleft()
            if not command.answer.done():
                batch.append(command)
        if batch:
            task = asyncio.create_task(self._run(batch))
            self._tasks.add(task)
            task.add_done_callback(self._next)

    def _next(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if self._queue and not self._scheduled:
            self._send()

    async def _run(self, batch: list[_Command]) -> None:
        try:
            async with asyncio.timeout_at(batch[0].deadline):
                await self._exchange(batch)
        except (Exception, asyncio.CancelledError) as error:
            # What waits behind a batch that failed would fail the same way, only later.
            failure = error if isinstance(error, Exception) else ConnectionError("the connection was closed")
            for command in [*batch, *self._queue]:
                if not command.answer.done():
                    command.answer.set_exception(failure)
            self._queue.clear()
            if not isinstance(error, Exception):
                raise

    async def _exchange(self, batch: list[_Command]) -> None:
        connection = await self._pool.get_connection()  # type: ignore[no-untyped-call]  # the driver left it so
        try:
            await connection.send_packed_command(connection.pack_commands([command.words for command in batch]))
            for command in batch:
                try:
                    answer = await self._parse(connection, command.words[0], **command.options)
                except ResponseError as error:
                    if not command.answer.done():
                        command.answer.set_exception(error)
                else:
                    if not command.answer.done():
                        command.answer.set_result(answer)
        except BaseException:
            # Answers may still be on their way: the next batch must not take them for its own.
            await connection.disconnect(nowait=True)
            raise
        finally:
            await self._pool.release(connection)
