"""Signals, turned into an orderly end."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Callable

from trinitycore_mcp import systemd
from trinitycore_mcp.health import Health
from trinitycore_mcp.lifecycle.listeners import Listener

_log = logging.getLogger(__name__)


class Drain:
    """Ends the main listener when SIGTERM or SIGINT comes."""

    def __init__(self, main: Listener, health: Health, delay: float, end_streams: Callable[[], None]) -> None:
        """:param delay: seconds between "not ready" and the closed door.
        :param end_streams: ends the streams that clients listen on, cleanly.
        """
        self._listener = main
        self._health = health
        self._delay = delay
        self._end_streams = end_streams
        self._task: asyncio.Task[None] | None = None

    def listen(self) -> None:
        """Take over SIGTERM and SIGINT."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._on_signal)

    def _on_signal(self) -> None:
        if self._task is None:
            self._task = asyncio.create_task(self._run())
        elif not self._listener.should_exit:
            self._end_streams()
            self._listener.should_exit = True
        else:
            self._listener.force_exit = True

    async def _run(self) -> None:
        self._health.draining = True
        systemd.notify("STOPPING=1")
        _log.info("draining", extra={"fields": {"delay_s": self._delay}})
        await asyncio.sleep(self._delay)
        self._end_streams()
        self._listener.should_exit = True

    def cancel(self) -> None:
        """Leave nothing behind."""
        if self._task is not None:
            self._task.cancel()
