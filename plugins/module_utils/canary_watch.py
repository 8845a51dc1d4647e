# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Watches an instance with a new release beside those with the old one, for a time."""

from __future__ import annotations

import http.client
import ssl
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from .canary import (
    Calls,
    CanaryError,
    Thresholds,
    between,
    comparable,
    errors_complaint,
    latency_complaint,
    read,
    summary,
    together,
)
from .mcp_client import McpCallError, call_tool

_PAUSE = 1.0
_ATTEMPT = 5.0
# Calls of our own in a row at one instance, before the other one's turn.
_BATCH = 5


@dataclass(frozen=True)
class Instance:
    """A server instance, called and read past the load balancer."""

    name: str
    url: str
    metrics_url: str
    ca_file: str
    cert_file: str
    key_file: str

    def calls(self) -> Calls:
        """Return the tool calls that it counted so far.

        :raises CanaryError: it does not say.
        """
        context = ssl.create_default_context(cafile=self.ca_file)
        context.load_cert_chain(self.cert_file, self.key_file)
        url = urlsplit(self.metrics_url)
        connection = http.client.HTTPSConnection(url.netloc, timeout=_ATTEMPT, context=context)
        try:
            connection.request("GET", url.path)
            return read(connection.getresponse().read().decode())
        except (OSError, ValueError, http.client.HTTPException) as error:
            raise CanaryError(f"no metrics at {self.metrics_url}: {error}") from error
        finally:
            connection.close()

    def answers(self, call: dict[str, Any]) -> str | None:
        """Make a tool call; return None when it was answered, else what is wrong."""
        try:
            answer = call_tool(
                self.url,
                ca_file=self.ca_file,
                cert_file=self.cert_file,
                key_file=self.key_file,
                timeout=_ATTEMPT,
                **call,
            )
        except McpCallError as error:
            return str(error)
        return answer.text if answer.is_error else None


class Watch:
    """One canary and the rest."""

    def __init__(
        self,
        canary: Instance,
        rest: Sequence[Instance],
        limits: Thresholds,
        call: dict[str, Any],
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Name whom to watch.

        :param call: ``tool``, ``arguments`` and ``api_key`` of the calls that are made when there are too few.
        """
        self._canary = canary
        self._rest = list(rest)
        self._limits = limits
        self._call = call
        self._sleep = sleep
        self._clock = clock
        self.own_calls = 0
        self.measured: dict[str, Any] = {}

    def look(self) -> tuple[Calls, dict[str, Calls]]:
        """Return what the canary and each of the rest counted so far.

        Who of the rest can't be read is left out from then on, as waiting for a host that is down takes all the time.

        :raises CanaryError: the canary can't be read, or none of the rest.
        """
        rest: dict[str, Calls] = {}
        reasons = []
        for instance in self._rest:
            try:
                rest[instance.name] = instance.calls()
            except CanaryError as error:
                reasons.append(str(error))
        if not rest:
            raise CanaryError(f"there is nobody to compare it with: {'; '.join(reasons) or 'no other instance'}")
        self._rest = [instance for instance in self._rest if instance.name in rest]
        return self._canary.calls(), rest

    def run(self, settle: float, seconds: float) -> None:
        """Watch, and return if the canary is no worse than the rest.

        :raises CanaryError: it is, or it can't be said.
        """
        self._span(settle, self._limits.calls // 4)
        canary, rest = self._span(seconds, self._limits.calls)
        if latency_complaint(canary, rest, self._limits):
            # A backup or another neighbour may have slowed down one of them for a while.
            canary, rest = self._span(seconds, self._limits.calls)
            if complaint := latency_complaint(canary, rest, self._limits):
                raise CanaryError(complaint)

    def _span(self, seconds: float, wanted: int) -> tuple[Calls, Calls]:
        """Watch for some seconds, longer if calls of our own take that; return those of the canary and of the rest."""
        before = self.look()
        began = self._clock()
        while True:
            canary, rest = self._made_since(before)
            self.measured = {"canary": summary(canary), "rest": summary(rest)}
            if complaint := errors_complaint(canary, rest, self._limits):
                raise CanaryError(complaint)
            passed = self._clock() - began
            # Of one tool, since durations are compared tool by tool.
            had = comparable(canary, rest)
            if passed >= seconds and had >= wanted:
                return canary, rest
            if had < wanted * min(passed / seconds if seconds else 1.0, 1.0):
                self._make_calls(wanted)
            else:
                self._sleep(min(_PAUSE, max(seconds - passed, 0.01)))

    def _made_since(self, before: tuple[Calls, dict[str, Calls]]) -> tuple[Calls, Calls]:
        canary, rest = self.look()
        made = []
        for name, calls in rest.items():
            try:
                made += [between(before[1][name], calls)] if name in before[1] else []
            except CanaryError:
                # Not the release's fault that we judge; it just has no past to compare with.
                before[1][name] = calls
        return between(before[0], canary), together(made)

    def _make_calls(self, wanted: int) -> None:
        """Call the canary and one of the rest by turns; an error of the canary alone ends the watch at once.

        :raises CanaryError: the canary answers with errors, and the other one does not.
        """
        peer = self._rest[self.own_calls // (2 * _BATCH) % len(self._rest)]
        for _ in range(max(wanted // 20, _BATCH) // _BATCH):
            theirs = [self._once(peer) for _ in range(_BATCH)]
            ours = [self._once(self._canary) for _ in range(_BATCH)]
            if all(ours) and not any(theirs):
                raise CanaryError(
                    f"all of {_BATCH} calls of {self._call['tool']} failed ({ours[0]}), none of {peer.name}'s {_BATCH}"
                )

    def _once(self, instance: Instance) -> str | None:
        self.own_calls += 1
        return instance.answers(self._call)
