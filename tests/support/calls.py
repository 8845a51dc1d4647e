"""Real tool calls against a cluster, by the MCP SDK's own client, many at a time."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from trinitycore_mcp.client import Answer, Target, ToolCaller


@dataclass
class Outcome:
    """What became of a number of calls."""

    answered: int = 0
    failures: list[str] = field(default_factory=list)
    """One line per call that got no answer or a tool error."""
    instances: Counter[str] = field(default_factory=Counter)

    @property
    def calls(self) -> int:
        """Calls made so far."""
        return self.answered + len(self.failures)


def target(endpoints: dict[str, Any], mode: str = "auto", timeout: float = 30.0) -> Target:
    """Return where the cluster of ``endpoints.json`` is called."""
    return Target(
        endpoints["mcp_url"],
        ca_file=Path(endpoints["ca_file"]),
        address=endpoints["edge_address"],
        key=endpoints["api_key"],
        mode=mode,
        timeout=timeout,
    )


def call(endpoints: dict[str, Any], tool: str, arguments: dict[str, Any], times: int = 1) -> list[Answer]:
    """Make calls one after the other over one client."""
    return asyncio.run(ToolCaller(target(endpoints)).call(tool, arguments, times))


async def _worker(to: Target, share: int, outcome: Outcome, batch: int = 25) -> None:
    """Make a share of the calls, a new client (and connection) every ``batch`` calls."""
    while share > 0:
        size = min(batch, share)
        share -= size
        try:
            answers = await ToolCaller(to).call("creature_get", {"id": 1}, size)
        except BaseExceptionGroup as group:
            outcome.failures += [f"{size} calls: {error!r}" for error in group.exceptions]
            continue
        except Exception as error:  # whatever the client raises is a failed call
            outcome.failures.append(f"{size} calls: {error!r}")
            continue
        for answer in answers:
            if answer.is_error:
                outcome.failures.append(str(answer.result))
            else:
                outcome.answered += 1
                outcome.instances[str(answer.instance)] += 1


async def _paced_worker(to: Target, outcome: Outcome, over: threading.Event, at_least: int, pause: float) -> None:
    """Make calls, 25 over each connection, until that is ended and enough were made."""
    while not over.is_set() or outcome.calls < at_least:
        await _worker(to, 25, outcome)
        await asyncio.sleep(0 if over.is_set() else pause)


@contextmanager
def load_all_the_time(endpoints: dict[str, Any], at_least: int, concurrency: int, pause: float) -> Iterator[Outcome]:
    """Make calls in the background for as long as the body takes, and then until there were enough of them.

    :param pause: seconds that each client rests after 25 calls, to leave the machine to what the body does.
    """
    outcome = Outcome()
    to, over = target(endpoints), threading.Event()

    async def everything() -> None:
        await asyncio.gather(*(_paced_worker(to, outcome, over, at_least, pause) for _ in range(concurrency)))

    thread = threading.Thread(target=lambda: asyncio.run(everything()), daemon=True)
    thread.start()
    try:
        yield outcome
    finally:
        over.set()
        thread.join()


@contextmanager
def load(endpoints: dict[str, Any], calls: int, concurrency: int) -> Iterator[Outcome]:
    """Make calls in the background while the body breaks something; all are done when it ends.

    :param calls: in all.
    :param concurrency: clients at a time.
    """
    outcome = Outcome()
    to = target(endpoints)

    async def everything() -> None:
        shares = [calls // concurrency + (number < calls % concurrency) for number in range(concurrency)]
        await asyncio.gather(*(_worker(to, share, outcome) for share in shares))

    thread = threading.Thread(target=lambda: asyncio.run(everything()), daemon=True)
    thread.start()
    try:
        yield outcome
    finally:
        thread.join()
