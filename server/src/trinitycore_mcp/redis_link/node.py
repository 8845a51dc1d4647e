"""One Redis server or Sentinel under watch: about once a second it is asked what it is."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from contextlib import suppress
from time import monotonic
from typing import Any, cast

from redis.asyncio import Redis

from trinitycore_mcp.redis_link.client import lone_client
from trinitycore_mcp.redis_link.errors import reason
from trinitycore_mcp.redis_link.settings import Address, RedisSettings

CHECK_INTERVAL = 1.0
# While no usable primary is known, the servers are asked this often: what a failover costs beyond its own time.
SEEK_INTERVAL = 0.25


class Watched(ABC):
    """A server that is asked again and again; `on_change` is called after each answer that differs."""

    role = "unknown"
    """What the server last said it is."""

    def __init__(self, address: Address, settings: RedisSettings, on_change: Callable[[], None]) -> None:
        self.address = address
        self.up = False
        self.reason = "not checked yet"
        self.asked_at = 0.0
        """When (`time.monotonic`) the question was put that `up` is the answer to."""
        self.checked = asyncio.Event()
        """Set once the first check is done, whatever it found."""
        self._settings = settings
        self._on_change = on_change
        self._check_now = asyncio.Event()
        self._client: Redis | None = None

    @abstractmethod
    async def ask(self, client: Redis) -> None:
        """Ask the server for its state and keep it."""

    @abstractmethod
    def state(self) -> object:
        """Return what was last found out, to be compared."""

    def check_soon(self) -> None:
        """Have the server asked at once."""
        self._check_now.set()

    async def watch(self, hurried: Callable[[], bool]) -> None:
        """Ask for ever; never returns.

        :param hurried: whether to ask every SEEK_INTERVAL instead of every CHECK_INTERVAL.
        """
        try:
            while True:
                self._check_now.clear()
                before = (self.up, self.reason, self.state())
                await self._check()
                self.checked.set()
                if self.up or before != (self.up, self.reason, self.state()):
                    self._on_change()
                with suppress(TimeoutError):
                    # A server that is down is not asked more often for being asked for.
                    async with asyncio.timeout(SEEK_INTERVAL if hurried() else CHECK_INTERVAL):
                        await (self._check_now.wait() if self.up else asyncio.Event().wait())
        finally:
            await self._drop()

    async def _check(self) -> None:
        fresh = self._client is None
        client = self._client = self._client or lone_client(
            self._settings, self.address, sentinel=self.role == "sentinel"
        )
        asked_at = monotonic()
        try:
            async with asyncio.timeout(self._settings.connect_timeout if fresh else self._settings.timeout):
                await self.ask(client)
        except Exception as error:  # whatever it is, this server can't be relied on now
            await self._drop()
            self.up, self.reason = False, reason(error)
        else:
            self.up, self.reason = True, ""
        self.asked_at = asked_at

    async def _drop(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            with suppress(Exception):  # it is of no use any more, however it ends
                async with asyncio.timeout(self._settings.timeout):
                    await client.aclose()


class Node(Watched):
    """A Redis server."""

    def __init__(self, address: Address, settings: RedisSettings, on_change: Callable[[], None]) -> None:
        super().__init__(address, settings, on_change)
        self.run_id = ""
        """Redis' own name for this run of the server: another one after each restart."""
        self.replicas = 0
        self.offset = 0

    async def ask(self, client: Redis) -> None:
        """Ask for the role (https://redis.io/docs/latest/commands/role/) and for the run.

        For the run each time: after a quick restart the driver connects anew without a word.
        """
        pipeline = client.pipeline(transaction=False)
        pipeline.info("server")
        pipeline.execute_command("ROLE")
        info, answer = await pipeline.execute()
        self.run_id = str(info.get("run_id", ""))
        if answer[0] in (b"master", "master"):
            self.role, self.offset, self.replicas = "primary", int(answer[1]), len(answer[2])
        else:
            self.role, self.offset, self.replicas = "replica", 0, 0

    def state(self) -> object:
        """Return role and run."""
        return (self.role, self.run_id)


class Sentinel(Watched):
    """A Redis Sentinel: `primary` is whom it holds for the primary, `epoch` how new its word is."""

    role = "sentinel"

    def __init__(self, address: Address, settings: RedisSettings, on_change: Callable[[], None], name: str) -> None:
        super().__init__(address, settings, on_change)
        self.primary: Address | None = None
        self.epoch = -1
        self._name = name

    async def ask(self, client: Redis) -> None:
        """Ask who the primary is (https://redis.io/docs/latest/operate/oss_and_stack/management/sentinel/)."""
        question = client.execute_command("SENTINEL", "MASTER", self._name)  # type: ignore[no-untyped-call]  # the driver
        answer: Any = await cast(Awaitable[Any], question)
        if not isinstance(answer, dict):
            answer = dict(zip(answer[::2], answer[1::2], strict=False))
        fields = {_text(name): _text(value) for name, value in answer.items()}
        self.primary = Address(fields["ip"], int(fields["port"]))
        self.epoch = int(fields["config-epoch"])

    def state(self) -> object:
        """Return the Sentinel's word."""
        return (self.primary, self.epoch)


def _text(value: object) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
