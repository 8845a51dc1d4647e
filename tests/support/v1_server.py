"""A stand-in for version 1: one process without TLS or API keys, MCP with sessions, a page of its own.

Runs by itself too, on a host that has nothing but Python: ``python3 v1_server.py 3000``. ``GET /calls`` says how many
tools it has called.
"""

from __future__ import annotations

import itertools
import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Version1(ThreadingHTTPServer):
    """Listens at once; serves when told."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address: str, port: int) -> None:
        super().__init__((address, port), Handler)
        self.numbers = itertools.count(1)
        self.sessions: set[str] = set()
        self.calls = 0
        self.lock = threading.Lock()


class Handler(BaseHTTPRequestHandler):
    """Streamable HTTP as the TypeScript SDK does it with sessions: none and an unknown one are refused."""

    protocol_version = "HTTP/1.1"
    server: Version1

    def do_GET(self) -> None:  # http.server's own name
        if self.path == "/health":
            self._answer(200, {"status": "healthy", "version": "1.4.0"})
        elif self.path == "/calls":
            self._answer(200, {"calls": self.server.calls})
        else:
            self._answer(404, {"error": "not found"})

    def do_POST(self) -> None:
        message = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        session = self.headers.get("Mcp-Session-Id")
        if message["method"] == "initialize":
            with self.server.lock:
                session = f"one-{next(self.server.numbers)}"
                self.server.sessions.add(session)
            result = {
                "protocolVersion": message["params"]["protocolVersion"],
                "capabilities": {"tools": {}},
                "serverInfo": {"name": "trinitycore-mcp", "version": "1.4.0"},
            }
            self._answer(200, {"jsonrpc": "2.0", "id": message["id"], "result": result}, {"Mcp-Session-Id": session})
        elif session not in self.server.sessions:
            status, text = (400, "Mcp-Session-Id header is required") if session is None else (404, "Session not found")
            self._answer(status, {"jsonrpc": "2.0", "id": None, "error": {"code": -32000, "message": text}})
        elif "id" not in message:
            self._answer(202, None)
        else:
            with self.server.lock:
                self.server.calls += 1
            content = [{"type": "text", "text": '{"server": "version 1"}'}]
            self._answer(200, {"jsonrpc": "2.0", "id": message["id"], "result": {"content": content}})

    def _answer(self, status: int, body: Any, headers: dict[str, str] | None = None) -> None:
        content = b"" if body is None else json.dumps(body).encode()
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


if __name__ == "__main__":
    Version1("0.0.0.0", int(sys.argv[1])).serve_forever()
