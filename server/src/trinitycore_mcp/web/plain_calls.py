"""The short way: tools/call of a registered tool, well-formed to the letter, answered without the SDK.

Whatever is rare or odd (other methods, other revisions, progress, malformed messages) is no plain call.
"""

from __future__ import annotations

from collections.abc import Mapping
from time import perf_counter
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
from msgspec import UNSET
from starlette.types import Receive

from trinitycore_mcp.access.limits import Verdict, rate_limit_head
from trinitycore_mcp.access.principal import Principal
from trinitycore_mcp.dispatch import Dispatcher
from trinitycore_mcp.health import Health
from trinitycore_mcp.observe.recorder import Recorder
from trinitycore_mcp.observe.trace import trace_id_of
from trinitycore_mcp.toolkit.definition import Tool
from trinitycore_mcp.web import wire
from trinitycore_mcp.web.http import Reply

if TYPE_CHECKING:
    from trinitycore_mcp.observe.tracing import RequestSpan, Tracing

Headers = Mapping[bytes, bytes]
_NO_ARGUMENTS = b"{}"
_LONGEST_VERSION = 32


class PlainCall(NamedTuple):
    """A call that takes the short way."""

    tool: Tool
    principal: Principal
    message: wire.Message
    headers: Headers


class PlainCalls:
    """Tells plain calls from others, and answers them."""

    def __init__(
        self,
        dispatcher: Dispatcher,
        recorder: Recorder,
        health: Health,
        server_info: dict[str, Any],
        tracing: Tracing | None = None,
    ) -> None:
        """:param server_info: what 2026-07-28 results say of us.
        :param tracing: makes a span of each call; the SDK's way has its own observer.
        """
        self._dispatcher = dispatcher
        self._recorder = recorder
        self._health = health
        self._tracing = tracing
        self._envelopes = wire.Envelopes()
        self._head = b"content-type: application/json\r\nx-mcp-instance: %b\r\n" % health.instance.encode()
        info = msgspec.json.encode({"io.modelcontextprotocol/serverInfo": server_info})
        self._modern_tail = b',"resultType":"complete","_meta":' + info + b"}}"
        self._left_to_sdk = frozenset(name for name, tool in dispatcher.tools.items() if _wants_sdk(tool))

    def tool_of(self, message: wire.Message) -> Tool | None:
        """Return the tool that is called, None when it is another request or the tool is unknown."""
        if message.method != "tools/call" or message.params is None:
            return None
        return self._dispatcher.tools.get(message.params.name or "")

    def fits(self, headers: Headers, message: wire.Message) -> bool:
        """Return whether a call of a known tool is as most are, so that nothing of the protocol is left to check."""
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

    async def answer(self, call: PlainCall, receive: Receive, verdict: Verdict | None = None) -> Reply:
        """Return the response.

        :param receive: the request's channel, watched for the client's leaving.
        :param verdict: the limits' word on this call, where they were asked already.
        :raises ClientLeft: nobody waits for it any more.
        """
        tool, principal, message, headers = call
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
        version = headers.get(b"mcp-protocol-version", b"")[:_LONGEST_VERSION]
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
        limits = rate_limit_head(answer.verdict) if answer.verdict is not None else b""
        head = b"%bcontent-length: %d\r\n%b" % (self._head, len(body), limits)
        # While draining, so that the load balancer keeps no connection to a closing door.
        return Reply(head, body, self._health.draining)


def _span(
    tracing: Tracing, tool: Tool, message: wire.Message, traceparent: str | None, headers: Headers
) -> RequestSpan:
    """Begin the span of a call."""
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
