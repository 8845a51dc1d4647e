"""A candidate in a process of its own, to be killed and frozen: python -m server.tests.leader_child ...

It prints a line for each thing that happens: `leads TOKEN`, `wrote TOKEN`, `refused TOKEN`. As leader it writes every
20 ms. A stubborn one goes on writing with its last token whether it leads or not.
"""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from trinitycore_mcp import config
from trinitycore_mcp.database import Database, Writer
from trinitycore_mcp.database.session import SessionSettings
from trinitycore_mcp.jobs import Deposed, fenced
from trinitycore_mcp.leader import Leader
from trinitycore_mcp.redis_link import Address, RedisLink, RedisSettings

SCHEMA = "fencing_test"
USER = "fencing"


@asynccontextmanager
async def writer_on(port: int) -> AsyncIterator[Writer]:
    """Open the real writer on the test's own database."""
    options = config.Database(hosts=[config.DatabaseHost(host="127.0.0.1", port=port)], user=USER)
    settings = SessionSettings(USER, USER, None, 2.0, 5.0, schema=SCHEMA)
    database = Database(options, settings)
    writer = Writer(database, settings)
    async with database.running(), writer.running():
        yield writer


async def write(writer: Writer, token: int) -> None:
    async with fenced(writer, "job", token) as transaction:
        await transaction.execute("INSERT INTO written (token) VALUES (%s)", (token,))


async def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("redis", type=int)
    parser.add_argument("database", type=int)
    parser.add_argument("lease", type=float)
    parser.add_argument("--stubborn", action="store_true")
    given = parser.parse_args()
    link = RedisLink(RedisSettings((Address("127.0.0.1", given.redis),)))
    leader = Leader(link, given.lease)
    async with link.running(), leader.running(), writer_on(given.database) as writer:
        last = await leader.elected()
        print("leads", last, flush=True)
        while True:
            token = leader.token_or_none()
            if token is not None or given.stubborn:
                last = last if given.stubborn else token or last
                try:
                    await write(writer, last)
                except Deposed:
                    print("refused", last, flush=True)
                else:
                    print("wrote", last, flush=True)
            await asyncio.sleep(0.02)


if __name__ == "__main__":
    asyncio.run(main())
