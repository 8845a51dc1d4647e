"""What the tests of everything over Redis share: settings, waiting for a state, freezing a server."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

from tests.support.binaries import binary, free_port
from tests.support.redis import Redis
from trinitycore_mcp.redis_link import Address, RedisLink, RedisSettings, SentinelSettings

TIMEOUT = 0.25


def settings(*servers: Redis, prefix: str = "mcp:", sentinels: tuple[int, ...] = ()) -> RedisSettings:
    sentinel = SentinelSettings("main", tuple(Address("127.0.0.1", port) for port in sentinels)) if sentinels else None
    hosts = tuple(Address("127.0.0.1", server.port) for server in servers)
    return RedisSettings(hosts, sentinel, timeout=TIMEOUT, key_prefix=prefix)


@contextlib.asynccontextmanager
async def linked(*servers: Redis, prefix: str = "mcp:") -> AsyncIterator[RedisLink]:
    link = RedisLink(settings(*servers, prefix=prefix))
    async with link.running():
        yield link


async def until(condition: Callable[[], object], limit: float = 10.0) -> None:
    deadline = time.monotonic() + limit
    while not condition():
        assert time.monotonic() < deadline, "it did not come about"
        await asyncio.sleep(0.01)


@contextlib.contextmanager
def frozen(server: Redis) -> Iterator[None]:
    os.kill(server.process.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(server.process.pid, signal.SIGCONT)


@contextlib.contextmanager
def sentinels(folder: Path, primary: Redis, count: int = 3) -> Iterator[tuple[int, ...]]:
    """Sentinels that watch the primary as "main" and fail over within a second."""
    ports = tuple(free_port() for _ in range(count))
    started = []
    try:
        for port in ports:
            own = folder / f"sentinel-{port}"
            own.mkdir(parents=True)
            lines = [
                *(f"port {port}", "bind 127.0.0.1", f"dir {own}", f"logfile {own}/log"),
                f"sentinel monitor main 127.0.0.1 {primary.port} {count // 2 + 1}",
                *("sentinel down-after-milliseconds main 500", "sentinel failover-timeout main 3000"),
            ]
            (own / "sentinel.conf").write_text("\n".join(lines) + "\n")
            started.append(subprocess.Popen([binary("redis-server"), str(own / "sentinel.conf"), "--sentinel"]))
        yield ports
    finally:
        for process in started:
            process.kill()
            process.wait()
