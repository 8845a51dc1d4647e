"""redis-py's client with our promises: no command outlasts the timeout, every failure is a RedisAway."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from time import perf_counter
from typing import Any, Protocol

from redis.asyncio import Connection, ConnectionPool, Redis
from redis.asyncio.client import Pipeline
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import NoScriptError, RedisError

from trinitycore_mcp import metrics
from trinitycore_mcp.redis_link.batches import Batches
from trinitycore_mcp.redis_link.errors import RedisAway
from trinitycore_mcp.redis_link.settings import Address, RedisSettings

# Pipelines at the same time; further ones wait their turn, within their timeout. Single commands need no such limit.
_PIPELINES = 8
_CLIENT_NAME = "trinitycore-mcp"


class TlsConnection(Connection):
    """A connection over TLS by a context of ours: redis-py's own would trust the system's CAs as well."""

    def __init__(self, *, context: ssl.SSLContext, **options: Any) -> None:
        super().__init__(**options)
        self._context = context

    def _connection_arguments(self) -> Mapping[str, Any]:
        return {**super()._connection_arguments(), "ssl": self._context}


def connection_options(
    settings: RedisSettings, address: Address, *, username: str | None, password: str | None, database: int = 0
) -> dict[str, Any]:
    """Return redis-py's keyword arguments for a connection pool to one server.

    No socket timeouts: whoever runs a command bounds it as a whole, which costs less and can't add up.
    """
    options: dict[str, Any] = {
        "host": address.host,
        "port": address.port,
        "username": username,
        "password": password,
        "db": database,
        "protocol": 2,
        "client_name": _CLIENT_NAME,
        "driver_info": None,
        "socket_timeout": None,
        "socket_connect_timeout": None,
        "retry": Retry(NoBackoff(), 0),
        "connection_class": Connection,
    }
    if settings.tls is not None:
        options |= {"connection_class": TlsConnection, "context": settings.tls}
    return options


def lone_client(settings: RedisSettings, address: Address, *, sentinel: bool = False) -> Redis:
    """Return a client with one connection, for watching a server or listening to it; its caller sets the timeouts."""
    login: tuple[str | None, str | None] = (settings.username, settings.password)
    if sentinel and settings.sentinel is not None:
        login = (settings.sentinel.username, settings.sentinel.password)
    options = connection_options(settings, address, username=login[0], password=login[1])
    return Redis.from_pool(ConnectionPool(max_connections=1, **options))


class Failures(Protocol):
    """Who hears of failures: the link."""

    def failed(self, error: BaseException) -> RedisAway:
        """Take note of the error; return what to raise instead."""
        ...


class GuardedRedis(Redis):
    """A client whose commands and pipelines end within the timeout, with an answer or RedisAway.

    Commands of many tasks share round trips, so none may block (BLPOP and the like) or depend on the connection
    (WATCH, SELECT, SUBSCRIBE). `NoScriptError` passes, since redis-py's scripts load themselves on it.
    """

    def __init__(self, settings: RedisSettings, address: Address, failures: Failures) -> None:
        options = connection_options(
            settings,
            address,
            username=settings.username,
            password=settings.password,
            database=settings.database,
        )
        super().__init__(connection_pool=ConnectionPool(**options))
        self._timeout = settings.timeout
        self._failures = failures
        self._batches = Batches(self.connection_pool, self.parse_response, settings.timeout)
        self._turns = asyncio.Semaphore(_PIPELINES)

    async def execute_command(self, *args: Any, **options: Any) -> Any:
        """Run one command.

        :raises RedisAway: it could not be run in time, or Redis refused it.
        """
        started = perf_counter()
        try:
            return await self._batches.submit(args, options)
        except NoScriptError:
            raise
        except (RedisError, OSError) as error:  # TimeoutError is an OSError
            raise self._failures.failed(error) from error
        finally:
            metrics.redis_command_duration(args[0]).observe(perf_counter() - started)

    def pipeline(self, transaction: bool = True, shard_hint: str | None = None) -> GuardedPipeline:
        """Return a pipeline whose `execute` is guarded as a whole; no other command comes between its own."""
        pipeline = GuardedPipeline(self.connection_pool, self.response_callbacks, transaction, shard_hint)
        pipeline.guard(self._timeout, self._failures, self._turns)
        return pipeline


class GuardedPipeline(Pipeline):
    """A pipeline that ends within the timeout."""

    def guard(self, timeout: float, failures: Failures, turns: asyncio.Semaphore) -> None:
        """:param timeout: seconds for `execute` as a whole.
        :param turns: how many may run at the same time.
        """
        self._timeout = timeout
        self._failures = failures
        self._turns = turns

    async def execute(self, raise_on_error: bool = True) -> list[Any]:
        """Run the commands.

        :raises RedisAway: they could not be run in time, or Redis refused one and `raise_on_error` is set.
        """
        started = perf_counter()
        try:
            async with asyncio.timeout(self._timeout), self._turns:
                return await super().execute(raise_on_error)
        except NoScriptError:
            raise
        except (RedisError, OSError) as error:
            raise self._failures.failed(error) from error
        finally:
            metrics.redis_command_duration("PIPELINE").observe(perf_counter() - started)
