"""What can go wrong with Redis, as the rest of the server sees it."""

from __future__ import annotations

from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import ReadOnlyError, RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError


class RedisAway(Exception):
    """Redis did not do what it was asked: none is configured, none is reachable, it was silent or it refused.

    Every caller has an answer of its own to this: the cache works without Redis, nobody leads, and so on.
    """


def is_lost(error: BaseException) -> bool:
    """Whether the error says that this Redis can't be used now, not only that it refused one command.

    A primary that became a replica counts: the writable one has to be found again.
    """
    return isinstance(error, RedisConnectionError | RedisTimeoutError | ReadOnlyError | TimeoutError | OSError)


def reason(error: BaseException) -> str:
    """Return the error as one short line for people; it holds no value that was to be stored."""
    if isinstance(error, RedisTimeoutError | TimeoutError):
        return "no answer in time"
    if isinstance(error, RedisError | OSError):
        return str(error).splitlines()[0][:200] if str(error) else type(error).__name__
    return type(error).__name__
