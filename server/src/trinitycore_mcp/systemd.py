"""Tell systemd how far we are (Type=notify, WatchdogSec). Does nothing when systemd did not start us."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import time

_log = logging.getLogger(__name__)


def notify(state: str) -> None:
    """Send one state such as ``READY=1`` or ``STOPPING=1`` to the service manager (sd_notify(3))."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    if address.startswith("@"):  # abstract socket
        address = "\0" + address[1:]
    # A manager that is not there or does not read is no reason to stop serving, nor to wait.
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK) as channel:
        try:
            channel.sendto(state.encode(), address)
        except OSError as error:
            _log.warning("service manager not told", extra={"fields": {"state": state, "error": str(error)}})


def notify_reloading() -> None:
    """Say that a reload begins; READY=1 says that it is over. Type=notify-reload wants the time with it."""
    notify(f"RELOADING=1\nMONOTONIC_USEC={time.monotonic_ns() // 1000}")


def watchdog_interval() -> float | None:
    """Return how often the service manager wants to hear from us, in seconds; None: never (sd_watchdog_enabled(3))."""
    microseconds = os.environ.get("WATCHDOG_USEC", "")
    process = os.environ.get("WATCHDOG_PID", str(os.getpid()))
    if not microseconds.isdigit() or int(microseconds) == 0 or process != str(os.getpid()):
        return None
    return int(microseconds) / 1_000_000


async def keep_watchdog_quiet() -> None:
    """Say that the event loop runs, three times as often as is asked for; returns at once when nobody asks."""
    interval = watchdog_interval()
    while interval is not None:
        notify("WATCHDOG=1")
        await asyncio.sleep(interval / 3)
