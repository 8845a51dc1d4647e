"""Logging in to a server that accepts connections and then says nothing."""

from __future__ import annotations

import asyncio
import socket
import time

import pytest

from trinitycore_mcp.config import DatabaseHost
from trinitycore_mcp.database.session import Session, SessionSettings, connect

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("steps", range(12))
@pytest.mark.parametrize("given_up", [False, True])
async def test_a_login_ends_in_time_even_if_the_connection_comes_at_that_very_moment(
    steps: int, given_up: bool
) -> None:
    """Before CPython 3.12, asyncio.wait_for swallows such a timeout, and a caller's cancellation too."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        host = DatabaseHost(host="127.0.0.1", port=silent.getsockname()[1])
        attempt: asyncio.Task[Session] = asyncio.create_task(
            connect(host, SessionSettings("app_ro", "secret", None, 5 if given_up else 0.02, 1))
        )
        for _ in range(steps):
            await asyncio.sleep(0)
        time.sleep(0.03)  # noqa: ASYNC251 (the connection and the end of the time are found together afterwards)
        if given_up:
            attempt.cancel()
        ended, _ = await asyncio.wait({attempt}, timeout=0.5)
        assert ended
        assert attempt.cancelled() if given_up else isinstance(attempt.exception(), TimeoutError)
