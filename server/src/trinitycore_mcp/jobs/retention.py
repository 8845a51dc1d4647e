"""Old audit records are deleted, a little at a time, so that no write waits for it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from trinitycore_mcp.jobs.fencing import FencedWriter, fenced
from trinitycore_mcp.jobs.schedule import Job

EVERY = 3600.0
_BATCH = 5000


def audit_retention(writer: FencedWriter, days: Callable[[], int]) -> Job:
    """Return the job that deletes audit records older than so many days.

    :param writer: writes to our own database.
    :param days: asked at each run, as a reload may change it.
    """
    return Job("audit_retention", EVERY, _deletion(writer, days))


def _deletion(writer: FencedWriter, days: Callable[[], int]) -> Callable[[int], Awaitable[None]]:
    async def run(token: int) -> None:
        deleted = _BATCH
        while deleted == _BATCH:
            async with fenced(writer, "audit_retention", token) as transaction:
                deleted = await transaction.execute(
                    "DELETE FROM audit WHERE at < UTC_TIMESTAMP(6) - INTERVAL %s DAY ORDER BY at LIMIT %s",
                    (days(), _BATCH),
                )

    return run
