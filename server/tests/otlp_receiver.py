"""Receivers on loopback for what a server sends of its own accord: spans by OTLP over HTTP, and Sentry's envelopes."""

from __future__ import annotations

import gzip
import json
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span


@dataclass(frozen=True)
class Received:
    """A POST."""

    path: str
    headers: Mapping[str, str]
    body: bytes
    """Decompressed."""


@dataclass
class Receiver:
    """A web server that takes whatever is posted; `url` is its address without a path."""

    url: str
    posts: list[Received] = field(default_factory=list)

    def spans(self) -> list[Span]:
        """Return all spans so far."""
        return [
            span
            for export in self.exports()
            for resource in export.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]

    def exports(self) -> list[ExportTraceServiceRequest]:
        """Return the exports so far, decoded."""
        return [ExportTraceServiceRequest.FromString(post.body) for post in list(self.posts)]

    def trace(self, trace_id: str, count: int = 1, timeout: float = 10.0) -> list[Span]:
        """Return a trace's spans, the parents last, when there are as many.

        :raises TimeoutError: there are not.
        """
        deadline = time.monotonic() + timeout
        while True:
            found = [span for span in self.spans() if span.trace_id.hex() == trace_id]
            if len(found) >= count:
                return sorted(found, key=lambda span: span.end_time_unix_nano)
            if time.monotonic() > deadline:
                raise TimeoutError(f"{len(found)} spans of trace {trace_id}, not {count}: {found}")
            time.sleep(0.05)

    def events(self, timeout: float = 10.0, count: int = 1) -> list[tuple[dict[str, Any], str]]:
        """Return Sentry's events so far, each decoded and as text, when there are as many.

        :raises TimeoutError: there are not.
        """
        deadline = time.monotonic() + timeout
        while True:
            found = []
            for post in list(self.posts):
                lines = post.body.split(b"\n")
                for header, payload in zip(lines[1::2], lines[2::2], strict=False):
                    if json.loads(header)["type"] == "event":
                        found.append((json.loads(payload), post.body.decode() + json.dumps(dict(post.headers))))
            if len(found) >= count:
                return found
            if time.monotonic() > deadline:
                raise TimeoutError(f"{len(found)} events, not {count}: {self.posts}")
            time.sleep(0.05)


@contextmanager
def receiver() -> Iterator[Receiver]:
    """Serve a receiver while the context is open."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            if self.headers.get("content-encoding") == "gzip":
                body = gzip.decompress(body)
            headers = {name.lower(): value for name, value in self.headers.items()}
            made.posts.append(Received(self.path, headers, body))
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made = Receiver(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield made
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def attributes(of: Any) -> dict[str, Any]:
    """Return the attributes of a span or a resource."""

    def plain(value: AnyValue) -> Any:
        return getattr(value, value.WhichOneof("value") or "string_value")

    pairs: list[KeyValue] = list(of.attributes)
    return {pair.key: plain(pair.value) for pair in pairs}
