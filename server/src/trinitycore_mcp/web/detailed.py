"""GET /health/detailed: what operators may know, limited and recorded as a call of an admin tool is."""

from __future__ import annotations

import logging
from time import monotonic

from starlette.types import Scope, Send

from trinitycore_mcp.access.audit import AuditLog
from trinitycore_mcp.access.authenticator import Authenticator
from trinitycore_mcp.access.limits import Limiter, rate_limit_head, refusal
from trinitycore_mcp.access.metadata import challenge_headers
from trinitycore_mcp.access.principal import Principal
from trinitycore_mcp.access.refused import Refused, require
from trinitycore_mcp.observe.trace import trace_id_of
from trinitycore_mcp.services import Services
from trinitycore_mcp.web.http import answer_json, pairs

_log = logging.getLogger(__name__)
NAME = "health/detailed"
"""What audit records and the log call it, where they name a tool otherwise."""


class DetailedHealth:
    """Answers it."""

    def __init__(self, services: Services, authenticator: Authenticator, limiter: Limiter, audit: AuditLog) -> None:
        self._services = services
        self._authenticator = authenticator
        self._limiter = limiter
        self._audit = audit

    async def __call__(self, scope: Scope, send: Send) -> None:
        """Answer one request: 200 or 503 with the report, 429 beyond the caller's limit, or why it is not let in."""
        principal: Principal | None = None
        try:
            principal = await self._authenticator.verify(scope["headers"])
            require(principal, "admin")
        except Refused as refused:
            await self._refuse(send, refused, principal)
            return
        started, outcome = monotonic(), "cancelled"
        traceparent = dict(scope["headers"]).get(b"traceparent", b"").decode("latin-1")
        try:
            verdict = await self._limiter.check(principal, NAME)
            if verdict.allowed:
                status, body = await self._services.health.detailed()
                outcome = "ok"
            else:
                status, body = 429, {"error": refusal(verdict)}
                outcome = "rate_limited"
        except Exception:
            outcome = "internal"
            raise
        finally:
            self._audit.record(principal, NAME, {}, outcome, monotonic() - started, trace_id_of(traceparent))
        await answer_json(send, status, body, pairs(rate_limit_head(verdict)))

    async def _refuse(self, send: Send, refused: Refused, principal: Principal | None) -> None:
        """Say why somebody is not let in, and who it was if that is known, as where tools are called."""
        who = {"principal": principal.name, "tool": NAME} if principal is not None else {}
        _log.info("request refused", extra={"fields": {"status": refused.status, "outcome": str(refused), **who}})
        challenges = challenge_headers(refused, self._services.config)
        await answer_json(send, refused.status, {"error": str(refused)}, challenges)
