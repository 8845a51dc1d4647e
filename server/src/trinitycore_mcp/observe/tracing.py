"""OpenTelemetry traces: one span for each MCP request, sent by OTLP over HTTP.

Loaded only where ``tracing.otlp_endpoint`` is set. The provider is ours alone, not the process's global one, so no
library adds spans of its own accord. Names and attributes are those of the OpenTelemetry conventions for MCP
(https://opentelemetry.io/docs/specs/semconv/gen-ai/mcp/); arguments and results are in no span.

Spans gather in a queue of bounded length and leave from a thread of their own: a collector that is slow or gone costs
spans, never a request.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

from opentelemetry import context as current
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanLimits, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from opentelemetry.trace import Span, SpanKind, StatusCode, format_trace_id, set_span_in_context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from trinitycore_mcp import __version__
from trinitycore_mcp.config_load import Loaded
from trinitycore_mcp.observe.recorder import METHODS

_QUEUE = 4096
_BATCH = 512
_DELAY_MS = 1000
# Seconds that one export may take with its repetitions, and that the end waits for the last spans.
_EXPORT_TIMEOUT = 5.0
_END_TIMEOUT = 3.0
_TRACES_PATH = "/v1/traces"


class RequestSpan:
    """The span of one request, and the current one until it ends."""

    __slots__ = ("_span", "_token", "trace_id")

    def __init__(self, span: Span) -> None:
        self._span = span
        self._token = current.attach(set_span_in_context(span))
        self.trace_id = format_trace_id(span.get_span_context().trace_id)
        """32 hex digits: the caller's, else a new one."""

    def end(self, error: str) -> None:
        """End it, in the task that began it.

        :param error: a bounded word for what went wrong, empty for nothing.
        """
        span = self._span
        if error and span.is_recording():
            span.set_attribute("error.type", error)
            if error.lstrip("-").isdigit():  # a JSON-RPC error code
                span.set_attribute("rpc.response.status_code", error)
            span.set_status(StatusCode.ERROR)
        span.end()
        current.detach(self._token)


class Tracing:
    """Makes spans and sends them."""

    def __init__(
        self,
        endpoint: str,
        *,
        instance: str,
        tools: Collection[str],
        sample_ratio: float = 1.0,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """:param endpoint: URL that takes spans by OTLP over HTTP; without a path, the usual one is meant.
        :param instance: this instance's name.
        :param tools: names that a span may have in its own name; what else a client asks for is not quoted.
        :param sample_ratio: share of the traces that begin here which is recorded.
        :param headers: what the endpoint wants to see, such as a token.
        """
        self._tools = frozenset(tools)
        if urlsplit(endpoint).path in ("", "/"):
            endpoint = endpoint.rstrip("/") + _TRACES_PATH
        exporter = OTLPSpanExporter(
            endpoint, headers=dict(headers or {}), timeout=_EXPORT_TIMEOUT, compression=Compression.Gzip
        )
        self._provider = TracerProvider(
            sampler=ParentBased(TraceIdRatioBased(sample_ratio)),
            resource=Resource.create(
                {
                    "service.name": "trinitycore-mcp",
                    "service.version": __version__,
                    "service.instance.id": instance,
                }
            ),
            span_limits=SpanLimits(max_attribute_length=256),
            shutdown_on_exit=False,  # `running` ends it, within a time
        )
        self._provider.add_span_processor(BatchSpanProcessor(exporter, _QUEUE, _DELAY_MS, _BATCH))
        self.tracer = self._provider.get_tracer("trinitycore_mcp", __version__)
        self._propagator = TraceContextTextMapPropagator()

    def start(
        self,
        method: str,
        tool: str,
        *,
        traceparent: str | None,
        tracestate: str | None = None,
        request_id: int | str | None = None,
        protocol: str = "",
        transport: str = "tcp",
    ) -> RequestSpan:
        """Begin a request's span and make it the current one.

        :param tool: its tool or prompt, empty for other methods.
        :param traceparent: the span that caused the request, as W3C Trace Context has it; None: there is none.
        :param protocol: the protocol's revision.
        :param transport: "tcp", or "pipe" for standard input and output.
        """
        if method not in METHODS:
            method = "other"
        attributes: dict[str, Any] = {"mcp.method.name": method, "network.transport": transport}
        if protocol:
            attributes["mcp.protocol.version"] = protocol
        if request_id is not None:
            attributes["jsonrpc.request.id"] = str(request_id)[:64]
        name = method
        if method == "tools/call":
            attributes["gen_ai.operation.name"] = "execute_tool"
            if tool in self._tools:
                attributes["gen_ai.tool.name"] = tool
                name = f"{method} {tool}"
        # An empty context: what runs us, such as a connection's earlier request, is no parent.
        parent = current.Context()
        if traceparent is not None:
            carrier = {"traceparent": traceparent}
            if tracestate:
                carrier["tracestate"] = tracestate
            parent = self._propagator.extract(carrier, parent)
        return RequestSpan(self.tracer.start_span(name, parent, SpanKind.SERVER, attributes))

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Send spans while the context is open; at its end, what is left is sent, for a few seconds at most."""
        try:
            yield
        finally:
            # Its own time limit is half a minute; a daemon's thread keeps no process from ending.
            ending = threading.Thread(target=self._provider.shutdown, daemon=True)
            ending.start()
            await asyncio.to_thread(ending.join, _END_TIMEOUT)


def traced(loaded: Loaded, instance: str, tools: Collection[str]) -> Tracing | None:
    """Return what the configuration says; None: no traces.

    :raises ConfigError: the headers' file can't be used.
    """
    options = loaded.config.tracing
    if options.otlp_endpoint is None:
        return None
    headers = {}
    if options.headers_file is not None:
        for line in loaded.secret("tracing.headers_file", options.headers_file).splitlines():
            name, _, value = line.partition(":")
            if line.strip():
                headers[name.strip()] = value.strip()
    return Tracing(
        options.otlp_endpoint,
        instance=instance,
        tools=tools,
        sample_ratio=options.sample_ratio,
        headers=headers,
    )
