"""The one way in which a tool is called, whichever way the call came: limits, arguments, cache, time limit, answer.

An answer is bytes: the members of the protocol's tool result, ready to be put into a response. What is in the cache
is such bytes too, so a repeated call costs a look-up.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping
from time import monotonic
from typing import Any, Protocol

import msgspec
from msgspec import Raw, Struct

from trinitycore_mcp.access.limits import Limiter, Verdict, refusal
from trinitycore_mcp.access.principal import Principal
from trinitycore_mcp.cache.policy import NONE, CachePolicy, policy_for
from trinitycore_mcp.config import Config
from trinitycore_mcp.errors import ToolError
from trinitycore_mcp.flights import ClientLeft, Flights, Receive, TimeUp
from trinitycore_mcp.on_the_spot import OnTheSpot
from trinitycore_mcp.services import Services
from trinitycore_mcp.toolkit.call import Call, Progress
from trinitycore_mcp.toolkit.definition import Content, Tool

_log = logging.getLogger(__name__)


class Answer(Struct, frozen=True):
    """What became of a call."""

    body: bytes
    """JSON members: content, structuredContent (unless it failed), isError."""
    error: str = ""
    """Empty, or a bounded word for why it failed."""
    verdict: Verdict | None = None
    """The limits' word; None: nobody asked them."""


class Cache(Protocol):
    """What keeps results; see cache.results."""

    def peek(self, key: bytes) -> bytes | None: ...

    def get(
        self, kind: str, key: bytes, policy: CachePolicy, produce: Callable[[], Awaitable[bytes]]
    ) -> Coroutine[Any, Any, bytes]: ...


class Dispatcher:
    """Calls tools."""

    def __init__(
        self,
        services: Services,
        tools: Iterable[Tool],
        flights: Flights,
        *,
        cache: Cache | None = None,
        limiter: Limiter | None = None,
    ) -> None:
        self.tools: Mapping[str, Tool] = {tool.name: tool for tool in sorted(tools, key=lambda each: each.name)}
        self._services = services
        self._cache = cache
        self.limiter = limiter
        self._flights = flights
        self._encode = msgspec.json.Encoder().encode
        self._most_bytes = services.config.database.max_result_bytes
        self._timeout = services.config.server.tool_timeout
        self._prefixes = {name: name.encode() + b"\0" for name in self.tools}
        self._policies = {name: self._policy(tool) for name, tool in self.tools.items()}

    def configure(self, config: Config) -> None:
        """Apply a new configuration."""
        self._timeout = config.server.tool_timeout
        self._policies = {name: self._policy(tool) for name, tool in self.tools.items()}

    def limit(self, name: str) -> float:
        """Return how many seconds a call of the tool may take."""
        return self.tools[name].timeout or self._timeout

    def _policy(self, tool: Tool) -> CachePolicy | None:
        """Return how long the tool's results are kept; None: not at all."""
        policy = policy_for(self._services.config.cache, tool.name, tool.cache)
        return None if self._cache is None or policy == NONE else policy

    async def run(
        self,
        tool: Tool,
        raw: bytes | Raw,
        principal: Principal,
        *,
        trace_id: str | None = None,
        progress: Progress | None = None,
        receive: Receive | None = None,
        verdict: Verdict | None = None,
    ) -> Answer:
        """Call a tool. The caller has checked that the principal may call it.

        :param raw: the arguments as JSON.
        :param receive: the request's channel, watched for the client's leaving, which ends the call.
        :param verdict: the limits' word on this call, where they were asked already.
        :raises ClientLeft: nobody waits for the answer any more.
        """
        started = monotonic()
        try:
            if self.limiter is not None:
                verdict = verdict or self.limiter.try_now(principal, tool.name)
                if verdict is None:
                    verdict = await self.limiter.check(principal, tool.name)
                if not verdict.allowed:
                    raise ToolError(refusal(verdict, tool.name), kind="rate_limited", retry_after=verdict.retry_after_s)
            arguments = tool.read(raw)
            policy = self._policies[tool.name]
            key = b""
            if policy is not None and self._cache is not None:
                key = self._prefixes[tool.name] + self._encode(arguments)
                kept = self._cache.peek(key)
                if kept is not None:
                    return Answer(kept, "", verdict)

            call = Call(self._services, principal, tool.name, arguments, trace_id, progress)
            if policy is not None and self._cache is not None:
                work = OnTheSpot(self._cache.get(tool.name, key, policy, lambda: self._produce(tool, call, arguments)))
            else:
                work = OnTheSpot(self._produce(tool, call, arguments))
            body = work.result if work.done else await self._bounded(tool, work, receive)
            error, answer = "", Answer(body, "", verdict)
        except ToolError as failure:
            error, answer = failure.kind, Answer(self._failure(str(failure)), failure.kind, verdict)
        except (asyncio.CancelledError, ClientLeft):
            error = "cancelled"
            raise
        except Exception:
            _log.exception("tool failed", extra={"fields": {"tool": tool.name, "trace_id": trace_id}})
            error = "internal"
            answer = Answer(self._failure("the server failed at this call; its log says why"), error, verdict)
        finally:
            if tool.audited and self._services.audit is not None:
                self._services.audit.record(
                    principal, tool.name, bytes(raw), error or "ok", monotonic() - started, trace_id
                )
        return answer

    async def _produce(self, tool: Tool, call: Call, arguments: Struct) -> bytes:
        try:
            result = await tool.function(call, *msgspec.structs.astuple(arguments))
        except (ValueError, TypeError, LookupError) as error:
            if not call.continued:
                raise
            # A place that we wrote fits; a client's own invention is no defect of ours, yet a defect looks the same.
            _log.warning("a cursor's place does not fit", exc_info=error, extra={"fields": {"tool": tool.name}})
            raise ToolError("cursor: not one of ours; start without one", kind="invalid_arguments") from error
        return self._success(tool, result)

    async def _bounded(self, tool: Tool, work: Awaitable[bytes], receive: Receive | None) -> bytes:
        """Return what the work comes to, unless time runs out or the client leaves."""
        limit = self.limit(tool.name)
        try:
            with self._flights.begin(limit, receive):
                return await work
        except TimeUp:
            raise ToolError(
                f"{tool.name} took longer than {limit:g} s and was stopped; ask for less", kind="timeout"
            ) from None

    def _success(self, tool: Tool, result: Struct) -> bytes:
        if isinstance(result, Content):
            return b'"content":%b,"isError":false' % self._encode(result.blocks)
        structured = self._encode(result)
        if len(structured) > 2 * self._most_bytes:
            most = 2 * self._most_bytes
            raise ToolError(
                f"{tool.name}: the answer has {len(structured)} bytes, allowed are {most}; ask for less",
                kind="too_large",
            )
        # Clients that know no structured content read the same from the text.
        text = self._encode(structured.decode())
        return b'"content":[{"type":"text","text":%b}],"structuredContent":%b,"isError":false' % (text, structured)

    def _failure(self, message: str) -> bytes:
        return b'"content":[{"type":"text","text":%b}],"isError":true' % self._encode(message)
