"""Writes of a job that only the present leader can do.

The table `fencing` of our own database holds the highest token that each job has shown. A transaction that shows a
lower one writes nothing: its leader was replaced, whatever it believes itself. The row stays locked until the end of
the transaction, so a newer leader's write comes wholly before or wholly after.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Protocol


class Deposed(Exception):
    """A newer leader has shown its token: nothing was written."""


class FencedTransaction(Protocol):
    """An open transaction."""

    async def execute(self, sql: str, parameters: Sequence[object] = ()) -> int:
        """Run one statement and return how many rows it changed."""
        ...

    async def fetch(self, sql: str, parameters: Sequence[object] = ()) -> Sequence[Mapping[str, Any]]:
        """Run one read and return its rows by column name."""
        ...


class FencedWriter(Protocol):
    """What opens transactions on our own database, e.g. `database.writer.Writer`."""

    def transaction(self, kind: str) -> AbstractAsyncContextManager[FencedTransaction]:
        """Return a context that commits when it ends well and rolls back when it doesn't."""
        ...


@asynccontextmanager
async def fenced(writer: FencedWriter, job: str, token: int) -> AsyncIterator[FencedTransaction]:
    """Open a transaction that only the leader with the highest token so far gets.

    :param job: the job's name, at most 64 characters; also the metric's kind.
    :param token: the fencing token that the job was given.
    :raises Deposed: a higher token has been shown for this job; nothing is written.
    """
    async with writer.transaction(job) as transaction:
        # Takes the row's lock also where it changes nothing, and makes the row when it is missing. How many rows an
        # UPDATE of the same number counts as changed depends on the connection's flags; so the number is read.
        await transaction.execute(
            "INSERT INTO fencing (name, token) VALUES (%s, %s) ON DUPLICATE KEY UPDATE token = GREATEST(token, %s)",
            (job, token, token),
        )
        [row] = await transaction.fetch("SELECT token FROM fencing WHERE name = %s FOR UPDATE", (job,))
        if row["token"] != token:
            raise Deposed(f"{job}: token {token} was replaced by {row['token']}: another instance leads")
        yield transaction
