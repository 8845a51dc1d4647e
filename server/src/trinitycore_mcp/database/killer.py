"""End statements in the server whose callers are gone."""

from __future__ import annotations

import asyncio
import logging
from collections import deque

from trinitycore_mcp import metrics
from trinitycore_mcp.config import DatabaseHost
from trinitycore_mcp.database.errors import HostLost, translate
from trinitycore_mcp.database.session import SessionSettings, connect

_log = logging.getLogger(__name__)
_TIMEOUT = 3.0


class Killer:
    """Sends KILL QUERY over a connection of its own, of the same account: an account may end its own threads."""

    def __init__(self, address: DatabaseHost, settings: SessionSettings, name: str) -> None:
        self._address = address
        self._settings = settings
        self._name = name
        self._threads: deque[int] = deque()
        self._task: asyncio.Task[None] | None = None

    def kill(self, thread_id: int) -> None:
        """Have the statement that this thread runs ended; returns at once and never fails."""
        self._threads.append(thread_id)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run())

    async def _run(self) -> None:
        session = None
        try:
            async with asyncio.timeout(_TIMEOUT):
                session = await connect(self._address, self._settings)
                while self._threads:
                    thread_id = self._threads.popleft()
                    try:
                        await session.execute(f"KILL QUERY {thread_id}")
                    except Exception as error:
                        if isinstance(translate(error), HostLost | None):
                            raise
                    else:  # else the thread had ended already
                        metrics.DB_QUERIES_KILLED.labels(self._name).inc()
        except Exception as error:  # the server's own time limit ends what is left
            fields = {"host": self._name, "reason": str(translate(error) or type(error).__name__)}
            _log.warning("statements of callers that left could not be ended", extra={"fields": fields})
            self._threads.clear()
        finally:
            if session is not None:
                session.close()

    async def stop(self) -> None:
        """Finish what was asked for, within the time limit."""
        if self._task is not None:
            await asyncio.gather(self._task, return_exceptions=True)
