"""Ending background tasks."""

from __future__ import annotations

import asyncio

import pytest

from trinitycore_mcp.tasks import end

pytestmark = pytest.mark.anyio


async def test_tasks_that_end_swallow_or_fail_are_all_over_afterwards() -> None:
    swallowed = 0

    async def swallows() -> None:
        nonlocal swallowed
        while swallowed < 2:
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                swallowed += 1
        await asyncio.sleep(60)

    async def fails() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            raise OSError("at the end")

    async def returns() -> None:
        pass

    tasks = [asyncio.create_task(each()) for each in (swallows, fails, returns)]
    await asyncio.sleep(0)
    async with asyncio.timeout(1):
        await end(*tasks, again=0.01)
    assert [task.done() for task in tasks] == [True] * 3
    assert swallowed == 2
    await end()
