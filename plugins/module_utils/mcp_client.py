# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One stateless MCP tool call over HTTPS, with nothing but the standard library, so that any host can make it.

Protocol: Model Context Protocol, revision 2026-07-28, transport Streamable HTTP: every request carries its
protocol version and capabilities in ``_meta`` and repeats version, method and name as headers.
"""

from __future__ import annotations

import http.client
import json
import socket
import ssl
from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult, urlsplit

PROTOCOL_VERSION = "2026-07-28"


class McpCallError(Exception):
    """The call got no result: no connection, an HTTP error, or a JSON-RPC error."""


@dataclass(frozen=True)
class ToolAnswer:
    """What a tool answered."""

    is_error: bool
    text: str
    structured: dict[str, Any] | None
    instance: str | None


class _Connection(http.client.HTTPSConnection):
    """HTTPS to the address given, asking for (and checking) the URL's host name."""

    def __init__(self, url: SplitResult, address: str | None, context: ssl.SSLContext, timeout: float) -> None:
        super().__init__(str(url.hostname), url.port or 443, timeout=timeout, context=context)
        self._address = (address or str(url.hostname), url.port or 443)
        self._tls = context

    def connect(self) -> None:
        plain = socket.create_connection(self._address, self.timeout)
        self.sock = self._tls.wrap_socket(plain, server_hostname=self.host)


def request_body(tool: str, arguments: dict[str, Any]) -> dict[str, Any]:
    """Return the JSON-RPC request of one ``tools/call``."""
    return {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "tools/call",
        "params": {
            "name": tool,
            "arguments": arguments,
            "_meta": {
                "io.modelcontextprotocol/protocolVersion": PROTOCOL_VERSION,
                "io.modelcontextprotocol/clientInfo": {"name": "trinitycore.mcp", "version": "2"},
                "io.modelcontextprotocol/clientCapabilities": {},
            },
        },
    }


def parse_answer(status: int, body: bytes, instance: str | None) -> ToolAnswer:
    """Turn an HTTP answer into a :class:`ToolAnswer`.

    :raises McpCallError: the status is not 200, the body is not JSON, or it holds a JSON-RPC error.
    """
    try:
        message = json.loads(body)
    except ValueError:
        message = {}
    if "error" in message:
        error = message["error"]
        raise McpCallError(f"HTTP {status}: JSON-RPC error {error.get('code')}: {error.get('message')}")
    if status != 200 or "result" not in message:
        raise McpCallError(f"HTTP {status}: {body[:200].decode(errors='replace')}")
    result = message["result"]
    texts = [part.get("text", "") for part in result.get("content", []) if part.get("type") == "text"]
    return ToolAnswer(bool(result.get("isError")), "\n".join(texts), result.get("structuredContent"), instance)


def call_tool(
    url: str,
    tool: str,
    arguments: dict[str, Any],
    api_key: str | None = None,
    address: str | None = None,
    ca_file: str | None = None,
    timeout: float = 10.0,
    cert_file: str | None = None,
    key_file: str | None = None,
) -> ToolAnswer:
    """Call a tool once and return its answer.

    :param url: endpoint, ``https://<domain>/mcp``.
    :param address: connect here instead of resolving the domain.
    :param ca_file: PEM file of the trusted authority; the system's authorities if left out.
    :param timeout: seconds for each of connecting and answering.
    :param cert_file: certificate to show, as instances want it from whoever calls past the load balancer.
    :param key_file: its key.
    :raises McpCallError: as :func:`parse_answer`, or no connection was made.
    """
    parts = urlsplit(url)
    if parts.scheme != "https" or not parts.hostname:
        raise McpCallError(f"url {url!r} is not of the form https://<domain>/<path>")
    headers = {
        "Content-Type": "application/json",
        "Accept": "application/json, text/event-stream",
        "MCP-Protocol-Version": PROTOCOL_VERSION,
        "Mcp-Method": "tools/call",
        "Mcp-Name": tool,
    }
    if api_key:
        headers["Authorization"] = f"Bearer {api_key}"
    try:
        context = ssl.create_default_context(cafile=ca_file)
        if cert_file:
            context.load_cert_chain(cert_file, key_file)
        connection = _Connection(parts, address, context, timeout)
        try:
            connection.request("POST", parts.path or "/", json.dumps(request_body(tool, arguments)), headers)
            answer = connection.getresponse()
            return parse_answer(answer.status, answer.read(), answer.headers.get("X-MCP-Instance"))
        finally:
            connection.close()
    except (OSError, http.client.HTTPException) as error:
        raise McpCallError(f"no answer from {address or parts.hostname}: {error}") from error
