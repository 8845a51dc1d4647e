"""The ASGI applications: /mcp, health and metadata on one listener, /metrics on another."""

from __future__ import annotations

from http import HTTPStatus

from starlette.types import Receive, Scope, Send

from trinitycore_mcp import metrics
from trinitycore_mcp.access.metadata import metadata, metadata_paths
from trinitycore_mcp.health import Health
from trinitycore_mcp.web.cors import PUBLIC, is_preflight, preflight_answer
from trinitycore_mcp.web.detailed import DetailedHealth
from trinitycore_mcp.web.endpoint import McpEndpoint
from trinitycore_mcp.web.http import answer, answer_empty, answer_json


class Application:
    """The main listener's application."""

    def __init__(self, mcp: McpEndpoint, health: Health, detailed: DetailedHealth) -> None:
        self._mcp = mcp
        self._health = health
        self._detailed = detailed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        path = scope["path"]
        if path == "/mcp":
            await self._mcp(scope, receive, send)
        elif path in metadata_paths(self._mcp.config) and scope["method"] in ("GET", "HEAD", "OPTIONS"):
            await self._metadata(scope, send)
        elif scope["method"] not in ("GET", "HEAD"):
            await answer_json(send, HTTPStatus.NOT_FOUND, {"error": "not found"})
        elif path == "/health/live":
            await answer_json(send, *self._health.live())
        elif path == "/health/ready":
            await answer_json(send, *self._health.ready(), headers=self._health_headers())
        elif path == "/health/tools":
            await answer_json(send, HTTPStatus.OK, {"read_only": self._mcp.read_only_tools})
        elif path == "/health/detailed":
            await self._detailed(scope, send)
        else:
            await answer_json(send, HTTPStatus.NOT_FOUND, {"error": "not found"})

    async def _metadata(self, scope: Scope, send: Send) -> None:
        """Answer how to get in; where browsers of other origins may, to all of them, since it is public."""
        headers = dict(scope["headers"])
        public = [PUBLIC] if self._mcp.config.server.allowed_origins else []
        document = metadata(self._mcp.config)
        if public and is_preflight(scope["method"], headers):
            await answer_empty(send, [*public, *preflight_answer(b"GET", headers)])
        elif scope["method"] == "OPTIONS":
            await answer_json(send, HTTPStatus.NOT_FOUND, {"error": "not found"}, public)
        elif document is None:
            await answer_json(send, HTTPStatus.NOT_FOUND, {"error": "no authorization server is configured"}, public)
        else:
            await answer_json(send, HTTPStatus.OK, document, public)

    def _health_headers(self) -> list[tuple[bytes, bytes]]:
        instance = (b"x-mcp-instance", self._health.instance.encode())
        return [instance, (b"connection", b"close")] if self._health.draining else [instance]


async def metrics_application(scope: Scope, receive: Receive, send: Send) -> None:
    """Serve /metrics."""
    if scope["type"] != "http":
        return
    if scope["path"] != "/metrics":
        await answer_json(send, HTTPStatus.NOT_FOUND, {"error": "not found"})
        return
    body, content_type = metrics.render()
    await answer(send, HTTPStatus.OK, body, content_type)
