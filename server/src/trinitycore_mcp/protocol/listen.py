"""`subscriptions/listen`: streams of change notices, which end with the key or token that opened them."""

from __future__ import annotations

import logging
import math
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import anyio
from mcp.server.context import ServerRequestContext
from mcp.server.subscriptions import SUBSCRIPTION_ID_META_KEY, ListenHandler
from mcp.shared.exceptions import MCPError
from mcp.types import INVALID_REQUEST, SubscriptionsListenRequestParams, SubscriptionsListenResult

from trinitycore_mcp.access.limits import RATE_LIMITED
from trinitycore_mcp.access.principal import Principal
from trinitycore_mcp.bus import FleetBus
from trinitycore_mcp.protocol.context import principal_of

_log = logging.getLogger(__name__)
_SHARE = 8
"""One caller may have this part of the places: 1/8."""


class FleetListenHandler(ListenHandler):
    """The SDK's handler, which also lets the bus know what resources are watched, and looks at who listens."""

    def __init__(
        self,
        bus: FleetBus,
        *,
        still_known: Callable[[Principal], bool] = lambda _: True,
        max_subscriptions: int = 1024,
        max_buffered_events: int = 1024,
    ) -> None:
        """:param still_known: whether a caller that was let in would be now; asked when a stream begins, and for all
        of them by `review`.
        """
        super().__init__(bus, max_subscriptions=max_subscriptions, max_buffered_events=max_buffered_events)
        self._still_known = still_known
        self._places = max_subscriptions
        self._share = max(1, max_subscriptions // _SHARE)
        self._open: dict[anyio.CancelScope, Principal] = {}
        self._watched: Counter[str] = Counter()
        bus.watched = self._watched.keys

    async def __call__(
        self, ctx: ServerRequestContext[Any, Any], params: SubscriptionsListenRequestParams
    ) -> SubscriptionsListenResult:
        """Serve one stream, until its client leaves, `close` ends all, or the caller's key or token ends.

        :raises MCPError: the caller may not begin another one.
        """
        principal = principal_of(ctx)
        self._admit(principal)
        uris = set(params.notifications.resource_subscriptions or ())
        self._watched.update(uris)
        # Cancelled, not closed as by `close`: a client that does not read would keep its stream beyond its key's end.
        with anyio.CancelScope(deadline=_deadline(principal)) as scope:
            self._open[scope] = principal
            try:
                return await super().__call__(ctx, params)
            finally:
                del self._open[scope]
                self._watched.subtract(uris)
                for uri in uris:
                    if not self._watched[uri]:
                        del self._watched[uri]
        _log.info("stream ended with its key or token", extra={"fields": {"principal": principal.name}})
        return SubscriptionsListenResult(_meta={SUBSCRIPTION_ID_META_KEY: ctx.request_id})

    def review(self) -> None:
        """End the streams of those who would not be let in any more."""
        for scope, principal in list(self._open.items()):
            if not self._still_known(principal):
                scope.cancel()

    def _admit(self, principal: Principal) -> None:
        caller = (principal.method, principal.name)
        begun = sum((each.method, each.name) == caller for each in self._open.values())
        if begun >= self._share:
            raise MCPError(
                RATE_LIMITED,
                f"this caller listens on {begun} streams already, as many as one caller may of this instance's "
                f"{self._places}: end one of them, or ask for more notices on one stream",
            )
        if not self._still_known(principal):
            raise MCPError(INVALID_REQUEST, "the API key or token has ended since the request began")


def _deadline(principal: Principal) -> float:
    """Return when the caller's key or token ends, by the event loop's clock."""
    if principal.expires is None:
        return math.inf
    return anyio.current_time() + principal.expires - time.time()
