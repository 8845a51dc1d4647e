"""The tool call that site.yml ends with."""

from __future__ import annotations

import json
import ssl
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest
from ansible_collections.trinitycore.mcp.plugins.module_utils.mcp_client import (
    McpCallError,
    call_tool,
    parse_answer,
)


class _Server(BaseHTTPRequestHandler):
    seen: ClassVar[list[dict[str, Any]]] = []

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.seen.append({"host": self.headers["Host"], "name": self.headers["Mcp-Name"], "body": body})
        result = {"content": [{"type": "text", "text": "found"}], "structuredContent": {"id": 7}, "isError": False}
        payload = json.dumps({"jsonrpc": "2.0", "id": body["id"], "result": result}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(payload)))
        self.send_header("X-MCP-Instance", "app1-1")
        self.end_headers()
        self.wfile.write(payload)

    def log_message(self, *args: Any) -> None:
        """Keep quiet."""


@pytest.fixture
def tls_files(tmp_path: Path) -> tuple[Path, Path]:
    key, certificate = tmp_path / "key.pem", tmp_path / "cert.pem"
    subprocess.run(
        [
            "openssl",
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
            "-days",
            "2",
            "-keyout",
            key,
            "-out",
            certificate,
            "-subj",
            "/CN=mcp.test",
            "-addext",
            "subjectAltName=DNS:mcp.test",
        ],
        check=True,
        capture_output=True,
    )
    return key, certificate


@pytest.fixture
def server(tls_files: tuple[Path, Path]) -> Iterator[int]:
    key, certificate = tls_files
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    httpd = HTTPServer(("127.0.0.1", 0), _Server)
    httpd.socket = context.wrap_socket(httpd.socket, server_side=True)
    thread = threading.Thread(target=httpd.serve_forever, daemon=True)
    thread.start()
    yield httpd.server_port
    httpd.shutdown()
    httpd.server_close()


def test_a_call_reaches_the_address_under_the_domains_name(server: int, tls_files: tuple[Path, Path]) -> None:
    answer = call_tool(
        f"https://mcp.test:{server}/mcp", "creature_get", {"id": 7}, address="127.0.0.1", ca_file=str(tls_files[1])
    )
    assert (answer.is_error, answer.text, answer.structured, answer.instance) == (False, "found", {"id": 7}, "app1-1")
    assert _Server.seen[-1]["host"] == f"mcp.test:{server}"
    assert _Server.seen[-1]["body"]["params"]["arguments"] == {"id": 7}


def test_a_certificate_for_another_name_is_refused(server: int, tls_files: tuple[Path, Path]) -> None:
    with pytest.raises(McpCallError, match="certificate"):
        call_tool(f"https://other.test:{server}/mcp", "x", {}, address="127.0.0.1", ca_file=str(tls_files[1]))


def test_errors_say_what_came_back() -> None:
    with pytest.raises(McpCallError, match="HTTP 502: <html>bad gateway"):
        parse_answer(502, b"<html>bad gateway", None)
    with pytest.raises(McpCallError, match="JSON-RPC error -32602: unknown tool"):
        parse_answer(200, b'{"error": {"code": -32602, "message": "unknown tool"}}', None)


def test_plain_http_is_refused() -> None:
    with pytest.raises(McpCallError, match="'http://mcp.test/mcp' is not of the form https"):
        call_tool("http://mcp.test/mcp", "x", {})
