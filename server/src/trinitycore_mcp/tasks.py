"""End background tasks."""

from __future__ import annotations

import asyncio
from typing import Any


async def end(*tasks: asyncio.Task[Any], again: float = 1.0) -> None:
    """Cancel the tasks and wait until all have ended, whatever with.

    The drivers of MariaDB and Redis wait in asyncio.wait_for, which before CPython 3.12 swallows a cancellation that
    comes together with what is waited for (gh-86296); so one that goes on is cancelled again.

    :param again: after how many seconds.
    """
    left = set(tasks)
    while left:
        for task in left:
            task.cancel()
        _, left = await asyncio.wait(left, timeout=again)
    await asyncio.gather(*tasks, return_exceptions=True)
