"""A client of version 1: plain HTTP to the address it knows, no API key, one session."""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.support.waiting import wait_for

INITIALIZE = {
    "jsonrpc": "2.0",
    "id": 0,
    "method": "initialize",
    "params": {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "old", "version": "1"}},
}
CALL = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "creature_get", "arguments": {"id": 1}}}


class V1Client:
    """Keeps one connection and its session.

    :ivar session: the session's name, once there is one.
    """

    def __init__(self, address: str, port: int) -> None:
        self._connection = http.client.HTTPConnection(address, port, timeout=20)
        self.session: str | None = None

    def post(self, message: object) -> tuple[int, Any]:
        """Return status and answer; a session that the answer gives is kept."""
        fields = {
            "Content-Type": "application/json",
            "Accept": "application/json, text/event-stream",
            **({"Mcp-Session-Id": self.session} if self.session else {}),
        }
        self._connection.request("POST", "/mcp", json.dumps(message), fields)
        answer = self._connection.getresponse()
        self.session = answer.headers.get("Mcp-Session-Id", self.session)
        return answer.status, json.loads(answer.read() or b"null")

    def begin(self) -> None:
        """Open a session, as the protocol wants it.

        :raises AssertionError: it was refused.
        """
        self.session = None
        status, answer = self.post(INITIALIZE)
        assert status == 200, answer

    def call(self) -> str:
        """Call a tool and return which side answered: ``version 1`` or ``ours``; begin anew if the session is unknown.

        :raises AssertionError: it gave no result.
        """
        status, answer = self.post(CALL)
        if status == 404:
            self.begin()
            status, answer = self.post(CALL)
        assert status == 200 and "result" in answer and not answer["result"].get("isError"), (status, answer)
        return "version 1" if "version 1" in json.dumps(answer["result"]) else "ours"


@dataclass
class Calls:
    """What became of calls: which side answered each, and those that failed."""

    answered: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)

    def wait_for(self, more: int) -> None:
        """Wait until so many more were answered, or one has failed."""
        wanted = len(self.answered) + more
        wait_for(lambda: len(self.answered) > wanted or bool(self.failed), 60)


@contextmanager
def calling(address: str, port: int, clients: int) -> Iterator[Calls]:
    """Call all the time by so many clients; a client ends with its first failure."""
    calls, over = Calls(), threading.Event()

    def caller() -> None:
        client = V1Client(address, port)
        try:
            client.begin()
            while not over.is_set():
                calls.answered.append(client.call())
        except Exception as error:  # whatever it is, a client would see it
            calls.failed.append(repr(error))

    threads = [threading.Thread(target=caller, daemon=True) for _ in range(clients)]
    for thread in threads:
        thread.start()
    try:
        yield calls
    finally:
        over.set()
        for thread in threads:
            thread.join(30)
