"""Change notices for `subscriptions/listen`, across the instances of the fleet.

Implements the SDK's `SubscriptionBus` over one Redis channel. An event reaches the listeners of its own instance at
once, whether Redis is there or not, and those of the others by pub/sub.

Pub/sub forgets: whoever was not joined has lost what was sent. Every event is a level trigger ("this changed, look
again"), so nothing is replayed; instead, both sides say more than they know:

- An instance that joins again tells its listeners that all three lists changed, and that each resource that somebody
  watches was updated. Nobody listens when it joins for the first time, so a start tells nothing.
- What an instance could not send is kept, each event once, and sent when Redis is back: others were joined meanwhile.
  Where too much was missed, they are told what a join tells.

Notices are rare and small, and a listener that is told too much only reads once more.
"""

from __future__ import annotations

import asyncio
import json
import logging
import secrets
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager

import anyio.lowlevel
from mcp.shared.subscriptions import (
    PromptsListChanged,
    ResourcesListChanged,
    ResourceUpdated,
    ServerEvent,
    ToolsListChanged,
)

from trinitycore_mcp.redis_link import RedisAway, RedisLink
from trinitycore_mcp.tasks import end

_log = logging.getLogger(__name__)
_CHANNEL = "events"
# Unsent events beyond this number become one: everything changed.
_MOST_UNSENT = 100
_EVERYTHING = "everything"
_LISTS: dict[str, ServerEvent] = {
    "tools": ToolsListChanged(),
    "prompts": PromptsListChanged(),
    "resources": ResourcesListChanged(),
}
_NAMES = {type(event): name for name, event in _LISTS.items()}

Listener = Callable[[ServerEvent], None]


class FleetBus:
    """The SDK's `SubscriptionBus` for all instances. Make it before the link runs: it subscribes."""

    def __init__(self, link: RedisLink, watched: Callable[[], Collection[str]] = tuple) -> None:
        """:param watched: the URIs of resources that somebody listens to, asked when events may have been lost."""
        self.watched = watched
        self._link = link
        self._own = secrets.token_hex(8)
        self._listeners: dict[object, Listener] = {}
        self._unsent: dict[str, None] = {}
        self._something_unsent = asyncio.Event()
        link.subscribe(_CHANNEL, self._heard, self._joined)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Send what could not be sent, while the context is open. Open it inside the link's."""
        sender = asyncio.create_task(self._send_unsent())
        try:
            yield
        finally:
            await end(sender)

    async def publish(self, event: ServerEvent) -> None:
        """Tell every listener of the fleet; returns after one Redis timeout at the latest and never fails."""
        self.tell(event)
        if self._link.configured:
            text = self._encode(event)
            try:
                await self._link.client.publish(self._link.key(_CHANNEL), text)
            except RedisAway:
                self._keep(text)
        # Lets the listeners' streams take a burst of events one by one.
        await anyio.lowlevel.checkpoint()

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Have events told to a listener; the returned callable ends that and may be called twice."""
        token = object()
        self._listeners[token] = listener

        def unsubscribe() -> None:
            self._listeners.pop(token, None)

        return unsubscribe

    def tell(self, event: ServerEvent) -> None:
        """Tell the listeners of this instance only."""
        for listener in list(self._listeners.values()):
            try:
                listener(event)
            except Exception:  # one listener's failure is not the others'
                _log.exception("a listener of change notices failed")

    def _tell_everything(self) -> None:
        if not self._listeners:
            return
        for event in _LISTS.values():
            self.tell(event)
        for uri in list(self.watched()):
            self.tell(ResourceUpdated(uri))

    def _joined(self) -> None:
        if self._listeners:
            _log.info("change notices may have been lost: listeners are told to look again")
        self._tell_everything()

    def _heard(self, message: bytes) -> None:
        try:
            said = json.loads(message)
            sender, name, uri = said["from"], said["event"], said.get("uri")
        except (ValueError, TypeError, KeyError, AttributeError):
            return  # nothing of ours
        if sender == self._own:
            return
        if name == _EVERYTHING:
            self._tell_everything()
        elif name == "resource" and isinstance(uri, str):
            self.tell(ResourceUpdated(uri))
        elif isinstance(name, str) and name in _LISTS:
            self.tell(_LISTS[name])

    def _encode(self, event: ServerEvent | None) -> str:
        """Return an event as it is sent; None is everything."""
        if event is None:
            said = {"from": self._own, "event": _EVERYTHING}
        elif isinstance(event, ResourceUpdated):
            said = {"from": self._own, "event": "resource", "uri": event.uri}
        else:
            said = {"from": self._own, "event": _NAMES[type(event)]}
        return json.dumps(said, separators=(",", ":"))

    def _keep(self, text: str) -> None:
        everything = self._encode(None)
        if everything in self._unsent:
            return
        if len(self._unsent) >= _MOST_UNSENT and text not in self._unsent:
            self._unsent.clear()
            text = everything
        self._unsent[text] = None
        self._something_unsent.set()

    async def _send_unsent(self) -> None:
        while True:
            await self._something_unsent.wait()
            while not self._link.up:
                await self._link.changed()
            texts = list(self._unsent)
            self._unsent.clear()
            self._something_unsent.clear()
            try:
                pipeline = self._link.client.pipeline(transaction=False)
                for text in texts:
                    pipeline.publish(self._link.key(_CHANNEL), text)
                await pipeline.execute()
            except RedisAway:
                for text in texts:
                    self._keep(text)
                await asyncio.sleep(self._link.timeout)
