"""POST /mcp: who may come in, and which way a message takes.

Plain calls take a short way (plain_calls), and mostly not even come here: the connection asks for them by itself.
Everything else goes to the SDK, which knows all of the protocol. All ways share tools, checks, limits and cache, so an
answer does not depend on the way.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from types import MappingProxyType

from msgspec import UNSET
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from trinitycore_mcp import metrics
from trinitycore_mcp.access.authenticator import Authenticator
from trinitycore_mcp.access.limits import RATE_LIMITED, rate_limit_head, refusal
from trinitycore_mcp.access.metadata import challenge_headers
from trinitycore_mcp.access.principal import ANONYMOUS, Principal, anonymous
from trinitycore_mcp.access.refused import Refused, require
from trinitycore_mcp.config import Config
from trinitycore_mcp.dispatch import Dispatcher
from trinitycore_mcp.flights import ClientLeft, Flights
from trinitycore_mcp.health import Health
from trinitycore_mcp.protocol.context import PRINCIPAL, VERDICT
from trinitycore_mcp.toolkit.definition import Tool
from trinitycore_mcp.web import wire
from trinitycore_mcp.web.admission import Doorkeeper, Headers, twice
from trinitycore_mcp.web.body import TIMEOUT, Replay, TooLarge, TooSlow, read_body
from trinitycore_mcp.web.cors import is_preflight, preflight_answer, readable_by
from trinitycore_mcp.web.http import Header, Reply, answer_empty, answer_json, pairs
from trinitycore_mcp.web.plain_calls import PlainCall, PlainCalls

_log = logging.getLogger(__name__)
_INVALID_REQUEST = -32600
_Address = tuple[str, int] | None
_Refusal = tuple[int, str, list[Header]]


class McpEndpoint:
    """The application behind /mcp."""

    def __init__(
        self,
        config: Config,
        authenticator: Authenticator,
        dispatcher: Dispatcher,
        plain: PlainCalls,
        health: Health,
        flights: Flights,
        sdk: ASGIApp,
        sdk_streaming: ASGIApp,
    ) -> None:
        """:param sdk: the SDK's application that answers in JSON.
        :param sdk_streaming: the same, answering by server-sent events.
        """
        self.config = config
        self._authenticator = authenticator
        self._dispatcher = dispatcher
        self._plain = plain
        self._health = health
        self._flights = flights
        self._sdk = sdk
        self._sdk_streaming = sdk_streaming
        self._doorkeeper = Doorkeeper(config.server.allowed_hosts, config.server.allowed_origins)
        self._instance = (b"x-mcp-instance", health.instance.encode())
        self.read_only_tools = sorted(name for name, tool in dispatcher.tools.items() if tool.read_only)
        """What a load balancer may ask a second instance for when it loses the first one over it."""
        self.in_flight = 0
        metrics.REQUESTS_IN_FLIGHT.set_function(lambda: self.in_flight)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        raw: list[Header] = scope["headers"]
        headers = dict(raw)
        if (origin := self._foreign_reader(headers)) is not None:
            send = readable_by(origin, send)
            if is_preflight(scope["method"], headers) and self._doorkeeper.host_allowed(headers.get(b"host")):
                await answer_empty(self._stamped(send, ()), preflight_answer(b"POST", headers))
                return
        refusal = self._at_the_door(scope["method"], raw, headers)
        if refusal is not None:
            await self._refuse(send, *refusal)
            return
        self.in_flight += 1
        principal = tool = None
        try:
            principal = self._named(await self._caller(raw, headers), scope.get("client"), headers)
            body = await read_body(headers, receive, self.config.server.max_body_size, self._flights)
            message = wire.read(body)
            tool = None if message is None else self._plain.tool_of(message)
            if message is None or tool is None or len(raw) != len(headers) or not self._plain.fits(headers, message):
                await self._pass_on(scope, receive, send, principal, body, message, tool, headers)
            else:
                require(principal, tool.scope)
                call = PlainCall(tool, principal, message, headers)
                await _send(send, await self._plain.answer(call, receive))
        except Refused as refused:
            who = {"principal": principal.name, "tool": tool.name} if principal and tool else {}
            challenges = challenge_headers(refused, self.config)
            await self._refuse(send, refused.status, str(refused), challenges, error=refused.error, fields=who)
        except ClientLeft:
            return
        except TooLarge:
            most = self.config.server.max_body_size
            await self._refuse(send, 413, f"a body has at most {most} bytes", [(b"connection", b"close")])
        except TooSlow:
            await self._refuse(send, 408, f"a body comes within {TIMEOUT:g} s", [(b"connection", b"close")])
        finally:
            self.in_flight -= 1

    def plain_call(self, raw: list[Header], body: bytes, client: _Address) -> PlainCall | None:
        """Return the call that a POST makes if it is a plain one and may be made; None: __call__ does or refuses it.

        :param raw: the request's headers, names in lower case.
        :param body: all of it.
        :param client: address and port that it came from.
        """
        headers = dict(raw)
        if len(raw) != len(headers) or b"origin" in headers or len(body) > self.config.server.max_body_size:
            return None
        if not self._doorkeeper.host_allowed(headers.get(b"host")):
            return None
        principal = self._authenticator.recall(headers)
        message = None if principal is None else wire.read(body)
        tool = None if message is None else self._plain.tool_of(message)
        if principal is None or message is None or tool is None or not self._plain.fits(headers, message):
            return None
        if not principal.may(tool.scope):
            return None
        self._authenticator.count(principal)
        return PlainCall(tool, self._named(principal, client, headers), message, headers)

    async def answer(self, call: PlainCall, receive: Receive) -> Reply:
        """Answer a plain call; see PlainCalls.answer."""
        self.in_flight += 1
        try:
            return await self._plain.answer(call, receive)
        finally:
            self.in_flight -= 1

    def _at_the_door(self, method: str, raw: list[Header], headers: Headers) -> _Refusal | None:
        """Return why a request is refused before anybody asks who sent it, or None."""
        if method != "POST":
            return 405, "only POST is served here", [(b"allow", b"POST")]
        if len(raw) != len(headers) and (found := twice(raw)) is not None:
            return 400, f"header {found} appears more than once", []
        if not self._doorkeeper.host_allowed(headers.get(b"host")):
            return 421, "this name is not served here (server.allowed_hosts)", []
        origin = headers.get(b"origin")
        if origin is not None and not self._doorkeeper.origin_allowed(origin):
            return 403, "this origin is not served here (server.allowed_origins)", []
        return None

    def _foreign_reader(self, headers: Headers) -> bytes | None:
        """Return the origin whose scripts may read the answer: one that the configuration names.

        Pages of our own hosts need no leave to read, and others get none.
        """
        origin = headers.get(b"origin")
        if origin is None or not self.config.server.allowed_origins or not self._doorkeeper.origin_allowed(origin):
            return None
        return origin

    async def _caller(self, raw: list[Header], headers: Headers) -> Principal:
        principal = self._authenticator.recall(headers)
        if principal is None:
            return await self._authenticator.verify(raw)
        self._authenticator.count(principal)
        return principal

    def _named(self, principal: Principal, client: _Address, headers: Headers) -> Principal:
        """Return the caller; one whom nobody knows is named by its network address.

        A load balancer's word on the address counts where it has proved by its certificate that it is one.
        """
        if principal is not ANONYMOUS:
            return principal
        tls = self.config.server.tls
        forwarded = headers.get(b"x-real-ip")
        if tls is not None and tls.client_ca_file is not None and forwarded is not None:
            return anonymous(forwarded.decode("latin-1"))
        return anonymous(str(client[0]) if client else "unknown")

    async def _pass_on(
        self,
        scope: Scope,
        receive: Receive,
        send: Send,
        principal: Principal,
        body: bytes,
        message: wire.Message | None,
        tool: Tool | None,
        headers: Headers,
    ) -> None:
        """Let the SDK answer."""
        extra: list[Header] = []
        ident = message.id if message is not None else None
        if tool is not None:
            require(principal, tool.scope)
        limiter = self._dispatcher.limiter
        if limiter is not None:
            name = tool.name if tool is not None else ""
            verdict = await limiter.check(principal, name)
            extra = pairs(rate_limit_head(verdict))
            if tool is not None:
                scope[VERDICT] = verdict  # a call that the SDK lets pass is not counted again
            if not verdict.allowed and tool is not None and message is not None and ident is not None:
                call = PlainCall(tool, principal, message, headers)
                await _send(send, await self._plain.answer(call, receive, verdict))
                return
            if not verdict.allowed:
                await self._refuse_message(send, 429, RATE_LIMITED, refusal(verdict), ident, extra)
                return
        if wire.nested_deeper(body, self.config.server.max_nesting):
            text = f"the body has more than {self.config.server.max_nesting} levels of objects and lists"
            await self._refuse_message(send, 400, _INVALID_REQUEST, text, ident, extra)
            return
        if (fault := wire.fault(body)) is not None:
            await self._refuse_message(send, 400, *fault, extra)
            return
        scope[PRINCIPAL] = principal
        streams = _streams(message) or (tool is not None and tool.streams)
        replayed = Replay(body, receive)
        stamped = self._stamped(send, extra)
        if streams:
            await self._sdk_streaming(scope, replayed, stamped)
            return
        with self._flights.begin(None, receive):
            await self._sdk(scope, replayed, stamped)

    def _stamped(self, send: Send, extra: Iterable[Header]) -> Send:
        """Return `send` with the headers that each of our answers has."""

        async def stamped(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = [*message["headers"], self._instance, *extra]
                if self._health.draining:
                    headers = [pair for pair in headers if pair[0].lower() != b"connection"]
                    headers.append((b"connection", b"close"))
                message = {**message, "headers": headers}
            await send(message)

        return stamped

    async def _refuse(
        self,
        send: Send,
        status: int,
        text: str,
        headers: Iterable[Header] = (),
        *,
        error: str | None = None,
        fields: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        metrics.HTTP_REJECTED.labels(str(status)).inc()
        _log.info("request refused", extra={"fields": {"status": status, "outcome": text, **fields}})
        body = {"error": error, "error_description": text} if error else {"error": text}
        await answer_json(self._stamped(send, ()), status, body, headers)

    async def _refuse_message(
        self, send: Send, status: int, code: int, text: str, ident: int | str | None, headers: Iterable[Header]
    ) -> None:
        metrics.HTTP_REJECTED.labels(str(status)).inc()
        body = {"jsonrpc": "2.0", "id": ident, "error": {"code": code, "message": text}}
        await answer_json(self._stamped(send, ()), status, body, headers)


async def _send(send: Send, reply: Reply) -> None:
    headers = [*pairs(reply.head), *([(b"connection", b"close")] if reply.closing else [])]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": reply.body})


def _streams(message: wire.Message | None) -> bool:
    """Return whether the answer must be a stream of events: the client asked for progress, or listens."""
    if message is None:
        return False
    meta = message.params.meta if message.params is not None else None
    return message.method == "subscriptions/listen" or (meta is not None and meta.token is not UNSET)
