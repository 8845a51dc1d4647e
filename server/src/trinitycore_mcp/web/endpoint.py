"""POST /mcp: who may come in, and which way a message takes.

The short way: tools/call of a registered tool, well-formed to the letter, is answered here. Whatever is rare or odd
(other methods, other revisions, progress, malformed messages) goes to the SDK, which knows all of the protocol. Both
ways share tools, checks, limits and cache, so an answer does not depend on the way.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from time import perf_counter
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import UNSET
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from trinitycore_mcp import metrics
from trinitycore_mcp.access.authenticator import Authenticator
from trinitycore_mcp.access.limits import Verdict, rate_limit_headers, refusal
from trinitycore_mcp.access.metadata import challenge
from trinitycore_mcp.access.principal import ANONYMOUS, Principal, anonymous
from trinitycore_mcp.access.refused import Refused, require
from trinitycore_mcp.config import Config
from trinitycore_mcp.dispatch import Dispatcher
from trinitycore_mcp.flights import ClientLeft, Flights
from trinitycore_mcp.health import Health
from trinitycore_mcp.observe.recorder import Recorder
from trinitycore_mcp.observe.trace import trace_id_of
from trinitycore_mcp.protocol.context import PRINCIPAL, VERDICT
from trinitycore_mcp.toolkit.definition import Tool
from trinitycore_mcp.web import wire
from trinitycore_mcp.web.admission import Doorkeeper, Headers, known_caller, twice
from trinitycore_mcp.web.body import TIMEOUT, Replay, TooLarge, TooSlow, read_body
from trinitycore_mcp.web.http import Header, answer_json

if TYPE_CHECKING:
    from trinitycore_mcp.observe.tracing import RequestSpan, Tracing

_log = logging.getLogger(__name__)
_NO_ARGUMENTS = b"{}"
_JSON = (b"content-type", b"application/json")
_INVALID_REQUEST = -32600
_RATE_LIMITED = -32029
_LONGEST_VERSION = 32


_Refusal = tuple[int, str, list[Header]]


class McpEndpoint:
    """The application behind /mcp."""

    def __init__(
        self,
        config: Config,
        authenticator: Authenticator,
        dispatcher: Dispatcher,
        recorder: Recorder,
        health: Health,
        flights: Flights,
        sdk: ASGIApp,
        sdk_streaming: ASGIApp,
        server_info: dict[str, Any],
        tracing: Tracing | None = None,
    ) -> None:
        """:param sdk: the SDK's application that answers in JSON.
        :param sdk_streaming: the same, answering by server-sent events.
        :param server_info: what 2026-07-28 results say of us.
        :param tracing: makes a span of each call on the short way; the SDK's way has its own observer.
        """
        self.config = config
        self._authenticator = authenticator
        self._dispatcher = dispatcher
        self._recorder = recorder
        self._health = health
        self._flights = flights
        self._tracing = tracing
        self._sdk = sdk
        self._sdk_streaming = sdk_streaming
        self._doorkeeper = Doorkeeper(config.server.allowed_hosts, config.server.allowed_origins)
        self._instance = (b"x-mcp-instance", health.instance.encode())
        self._envelopes = wire.Envelopes()
        info = msgspec.json.encode({"io.modelcontextprotocol/serverInfo": server_info})
        self._modern_tail = b',"resultType":"complete","_meta":' + info + b"}}"
        self.in_flight = 0
        metrics.REQUESTS_IN_FLIGHT.set_function(lambda: self.in_flight)
        self._left_to_sdk = frozenset(name for name, tool in dispatcher.tools.items() if _wants_sdk(tool))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        raw: list[Header] = scope["headers"]
        headers = dict(raw)
        refusal = self._at_the_door(scope["method"], raw, headers)
        if refusal is not None:
            await self._refuse(send, *refusal)
            return
        self.in_flight += 1
        principal = tool = None
        try:
            principal = known_caller(self._authenticator, headers) or await self._authenticator.verify(raw)
            if principal is ANONYMOUS:
                principal = anonymous(self._address(scope, headers))
            body = await read_body(headers, receive, self.config.server.max_body_size, self._flights)
            try:
                message = wire.read(body)
            except (ValueError, RecursionError):
                message = None
            tool = None if message is None else self._tool(message)
            if message is None or tool is None or len(raw) != len(headers) or not self._is_plain(headers, message):
                await self._pass_on(scope, receive, send, principal, body, message, tool, headers)
            else:
                if tool.scope not in principal.scopes:
                    require(principal, tool.scope)
                await self._call(send, receive, tool, principal, message, headers)
        except Refused as refused:
            extra = [(b"www-authenticate", challenge(refused, self.config))] if refused.status != 503 else []
            who = {"principal": principal.name, "tool": tool.name} if principal and tool else {}
            await self._refuse(send, refused.status, str(refused), extra, error=refused.error, fields=who)
        except ClientLeft:
            return
        except TooLarge:
            most = self.config.server.max_body_size
            await self._refuse(send, 413, f"a body has at most {most} bytes", [(b"connection", b"close")])
        except TooSlow:
            await self._refuse(send, 408, f"a body comes within {TIMEOUT:g} s", [(b"connection", b"close")])
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

    def _address(self, scope: Scope, headers: Headers) -> str:
        """Return the caller's network address.

        A load balancer's word on it counts where it has proved by its certificate that it is one.
        """
        tls = self.config.server.tls
        forwarded = headers.get(b"x-real-ip")
        if tls is not None and tls.client_ca_file is not None and forwarded is not None:
            return forwarded.decode("latin-1")
        client = scope.get("client")
        return str(client[0]) if client else "unknown"

    def _tool(self, message: wire.Message) -> Tool | None:
        """Return the tool that is called, None when it is another request or the tool is unknown."""
        if message.method != "tools/call" or message.params is None:
            return None
        return self._dispatcher.tools.get(message.params.name or "")

    def _is_plain(self, headers: Headers, message: wire.Message) -> bool:
        """Return whether a call is as most are, so that nothing of the protocol is left to check."""
        params = message.params
        assert params is not None
        meta = params.meta
        if (
            message.id is None
            or params.state is not UNSET
            or params.responses is not UNSET
            or params.name in self._left_to_sdk
            or (meta is not None and meta.token is not UNSET)
            or (params.arguments is not UNSET and not bytes(params.arguments).startswith(b"{"))
            or headers.get(b"content-type", b"").partition(b";")[0] != b"application/json"
        ):
            return False
        accept = headers.get(b"accept", b"")
        if b"application/json" not in accept or b"text/event-stream" not in accept:
            return False
        version = headers.get(b"mcp-protocol-version")
        if version == wire.MODERN:
            return (
                meta is not None
                and meta.version == "2026-07-28"
                and headers.get(b"mcp-method") == b"tools/call"
                and headers.get(b"mcp-name") == (params.name or "").encode()
                and self._envelopes.well_formed(meta)
            )
        return version in wire.LEGACY and (meta is None or meta.version is None)

    async def _call(
        self,
        send: Send,
        receive: Receive,
        tool: Tool,
        principal: Principal,
        message: wire.Message,
        headers: Headers,
        verdict: Verdict | None = None,
    ) -> None:
        params = message.params
        assert params is not None
        started = perf_counter()
        traceparent = params.meta.traceparent if params.meta is not None else None
        if traceparent is None and b"traceparent" in headers:
            traceparent = headers[b"traceparent"].decode("latin-1")
        tracing, span = self._tracing, None
        if tracing is None:
            trace_id = trace_id_of(traceparent)
        else:
            span = _span(tracing, tool, message, traceparent, headers)
            trace_id = span.trace_id
        error = "cancelled"
        try:
            given = params.arguments
            answer = await self._dispatcher.run(
                tool,
                _NO_ARGUMENTS if given is UNSET else given,
                principal,
                trace_id=trace_id,
                receive=receive,
                verdict=verdict,
            )
            error = answer.error
        finally:
            version = headers.get(b"mcp-protocol-version", b"")[:_LONGEST_VERSION]
            self._recorder.record(
                "tools/call",
                tool.name,
                error,
                perf_counter() - started,
                request_id=message.id,
                trace_id=trace_id,
                principal=principal.name,
                protocol=version.decode("latin-1"),
            )
            if span is not None:
                span.end(error)
        tail = self._modern_tail if version == wire.MODERN else b"}}"
        body = b'{"jsonrpc":"2.0","id":%b,"result":{%b%b' % (msgspec.json.encode(message.id), answer.body, tail)
        all_headers = [_JSON, (b"content-length", b"%d" % len(body)), self._instance, *answer.headers]
        if self._health.draining:  # so that the load balancer keeps no connection to a closing door
            all_headers.append((b"connection", b"close"))
        await send({"type": "http.response.start", "status": 200, "headers": all_headers})
        await send({"type": "http.response.body", "body": body})

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
            verdict = limiter.try_now(principal, name) or await limiter.check(principal, name)
            extra = list(rate_limit_headers(verdict))
            if tool is not None:
                scope[VERDICT] = verdict  # a call that the SDK lets pass is not counted again
            if not verdict.allowed and tool is not None and message is not None and ident is not None:
                await self._call(send, receive, tool, principal, message, headers, verdict)
                return
            if not verdict.allowed:
                await self._refuse_message(send, 429, _RATE_LIMITED, refusal(verdict), ident, extra)
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


def _span(
    tracing: Tracing, tool: Tool, message: wire.Message, traceparent: str | None, headers: Headers
) -> RequestSpan:
    """Begin the span of a call on the short way."""
    meta = message.params.meta if message.params is not None else None
    state = meta.tracestate if meta is not None and meta.traceparent is not None else None
    if state is None and b"tracestate" in headers:
        state = headers[b"tracestate"].decode("latin-1")
    return tracing.start(
        "tools/call",
        tool.name,
        traceparent=traceparent,
        tracestate=state,
        request_id=message.id,
        protocol=headers.get(b"mcp-protocol-version", b"")[:_LONGEST_VERSION].decode("latin-1"),
    )


def _wants_sdk(tool: Tool) -> bool:
    """Return whether calls of this tool are never plain: it sends notifications, or wants arguments in headers."""
    return tool.streams or b'"x-mcp-header"' in msgspec.json.encode(tool.input_schema)


def _streams(message: wire.Message | None) -> bool:
    """Return whether the answer must be a stream of events: the client asked for progress, or listens."""
    if message is None:
        return False
    meta = message.params.meta if message.params is not None else None
    return message.method == "subscriptions/listen" or (meta is not None and meta.token is not UNSET)
