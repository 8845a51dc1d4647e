"""Lua scripts that Redis runs as one step."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha1
from typing import Any

from redis.exceptions import NoScriptError

from trinitycore_mcp.redis_link.link import RedisLink

Value = str | bytes | int


class Script:
    """A script, sent by its hash; a server that doesn't know it yet (restart, failover) gets the text."""

    def __init__(self, text: str) -> None:
        self._text = text
        # What Redis names scripts by; nothing is protected with it.
        self._hash = sha1(text.encode(), usedforsecurity=False).hexdigest()

    async def run(self, link: RedisLink, keys: Sequence[str], *arguments: Value) -> Any:
        """Run it and return its answer.

        :param keys: full names, prefix included; the script sees them as KEYS, the arguments as ARGV.
        :raises RedisAway: it could not be run in time.
        """
        client = link.client
        try:
            return await client.execute_command("EVALSHA", self._hash, len(keys), *keys, *arguments)  # type: ignore[no-untyped-call]  # the driver left it so
        except NoScriptError:
            return await client.execute_command("EVAL", self._text, len(keys), *keys, *arguments)  # type: ignore[no-untyped-call]  # the driver left it so
