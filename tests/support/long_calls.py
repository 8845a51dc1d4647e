"""Clients that make calls of five seconds, and clients that listen, for as long as something else goes on."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.support.lab import Lab

SLOW = re.compile(r"took longer than|no answer in time|are in use")


@dataclass
class Others:
    """What became of clients that call for long, or listen."""

    calls: int = 0
    longest: float = 0.0
    """Seconds."""
    streams: int = 0
    slow: int = 0
    """Calls that were told that a database was too slow or busy: all hosts share this machine."""
    failures: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        """What a figure says of them."""
        return (
            f"{len(self.failures)} of {self.calls} of 5 s failed, {self.slow} were told that a database was busy; "
            f"{self.streams} streams opened"
        )


@contextmanager
def long_calls_and_streams(lab: Lab) -> Iterator[Others]:
    """Have clients make calls of five seconds, and listen; streams are opened again."""
    others, over = Others(), threading.Event()
    key = lab.endpoints["admin_api_key"]

    def call() -> None:
        # A comment makes each statement another one, which no cache knows.
        began = time.monotonic()
        query = f"SELECT SLEEP(5) AS slept /* {began} */"
        with lab.request("tools/call", {"name": "sql_select", "arguments": {"query": query}}, key=key) as answer:
            body: dict[str, Any] = json.loads(answer.read())
            assert answer.status == 200, body
            said = body["result"]["content"][0]["text"] if body["result"]["isError"] else ""
            assert not said or SLOW.search(said), said
        others.calls += 1
        others.slow += bool(said)
        others.longest = max(others.longest, time.monotonic() - began)

    def listen() -> None:
        wanted = {"notifications": {"resourcesListChanged": True}}
        with lab.request("subscriptions/listen", wanted, key=key, timeout=600) as stream:
            assert stream.status == 200
            others.streams += 1
            while not over.is_set() and stream.readline():
                pass

    def repeat(what: Callable[[], None]) -> None:
        while not over.is_set():
            try:
                what()
            except (AssertionError, OSError, ValueError) as error:
                others.failures.append(f"{what.__name__}: {error!r}")
                time.sleep(1)

    listeners = [threading.Thread(target=repeat, args=(listen,), daemon=True) for _ in range(4)]
    callers = [threading.Thread(target=repeat, args=(call,), daemon=True) for _ in range(4)]
    for thread in (*listeners, *callers):
        thread.start()
    try:
        yield others
    finally:
        over.set()
        # Listeners wait for a word that may come late.
        for thread in callers:
            thread.join(60)
