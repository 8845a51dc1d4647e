"""The ASGI applications: /mcp and /health on one listener, /metrics on another."""

from __future__ import annotations

import logging
from http import HTTPStatus

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from trinitycore_mcp import metrics
from trinitycore_mcp.auth import ANONYMOUS, ApiKeys, Principal, key_from_headers
from trinitycore_mcp.health import Health
from trinitycore_mcp.http import Header, answer, answer_json

_log = logging.getLogger(__name__)


class Gate:
    """Lets requests to /mcp in: the right method, a known key. What is behind it never sees others.

    The caller is put in the scope as ``trinitycore_mcp.principal``.
    """

    def __init__(self, inner: ASGIApp, keys: ApiKeys | None) -> None:
        """:param keys: None when authentication is switched off."""
        self._inner = inner
        self._keys = keys

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse, or pass on."""
        if scope["method"] != "POST":
            await self._refuse(send, HTTPStatus.METHOD_NOT_ALLOWED, [(b"allow", b"POST")])
            return
        principal = self._authenticate(scope)
        if principal is None:
            challenge = b'Bearer realm="trinitycore-mcp"'
            if key_from_headers(scope["headers"]) is not None:
                challenge += b', error="invalid_token"'
            await self._refuse(send, HTTPStatus.UNAUTHORIZED, [(b"www-authenticate", challenge)])
            return
        if not principal.may("read"):
            challenge = b'Bearer realm="trinitycore-mcp", error="insufficient_scope", scope="read"'
            await self._refuse(send, HTTPStatus.FORBIDDEN, [(b"www-authenticate", challenge)])
            return
        scope["trinitycore_mcp.principal"] = principal
        metrics.REQUESTS_IN_FLIGHT.inc()
        try:
            await self._inner(scope, receive, send)
        finally:
            metrics.REQUESTS_IN_FLIGHT.dec()

    def _authenticate(self, scope: Scope) -> Principal | None:
        if self._keys is None:
            return ANONYMOUS
        key = key_from_headers(scope["headers"])
        principal = self._keys.find(key) if key is not None else None
        result = "ok" if principal else ("missing" if key is None else "refused")
        metrics.AUTH.labels("api_key", result).inc()
        return principal

    @staticmethod
    async def _refuse(send: Send, status: HTTPStatus, headers: list[Header]) -> None:
        metrics.HTTP_REJECTED.labels(str(status.value)).inc()
        _log.info("request refused", extra={"fields": {"status": status.value, "outcome": status.phrase}})
        await answer_json(send, status, {"error": status.phrase}, headers)


class Application:
    """The listener's application: routes, and the headers that every answer carries."""

    def __init__(self, mcp: ASGIApp, health: Health) -> None:
        self._mcp = mcp
        self._health = health
        self._instance = health.instance

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return

        async def stamped(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["x-mcp-instance"] = self._instance
                if self._health.draining:  # so that the load balancer keeps no connection to a closing door
                    headers["connection"] = "close"
            await send(message)

        path = scope["path"]
        if path == "/mcp":
            await self._mcp(scope, receive, stamped)
        elif path == "/health/live":
            await answer_json(stamped, *self._health.live())
        elif path == "/health/ready":
            await answer_json(stamped, *self._health.ready())
        else:
            await answer_json(stamped, HTTPStatus.NOT_FOUND, {"error": "not found"})


async def metrics_application(scope: Scope, receive: Receive, send: Send) -> None:
    """Serve /metrics."""
    if scope["type"] != "http":
        return
    if scope["path"] != "/metrics":
        await answer_json(send, HTTPStatus.NOT_FOUND, {"error": "not found"})
        return
    body, content_type = metrics.render()
    await answer(send, HTTPStatus.OK, body, content_type)
