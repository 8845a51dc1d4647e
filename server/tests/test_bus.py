"""Change notices between instances, on a real Redis that goes away and comes back."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from mcp.server.subscriptions import SubscriptionBus
from mcp.shared.subscriptions import (
    PromptsListChanged,
    ResourcesListChanged,
    ResourceUpdated,
    ServerEvent,
    ToolsListChanged,
)
from mcp.types import SubscriptionFilter, SubscriptionsListenRequestParams

from server.tests.redis_link_support import frozen, settings, until
from tests.support.redis import Redis
from trinitycore_mcp.access.principal import STDIO
from trinitycore_mcp.bus import FleetBus
from trinitycore_mcp.protocol.context import LOCAL
from trinitycore_mcp.protocol.listen import FleetListenHandler
from trinitycore_mcp.redis_link import RedisLink

pytestmark = pytest.mark.anyio

EVERYTHING: list[ServerEvent] = [ToolsListChanged(), PromptsListChanged(), ResourcesListChanged()]


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[Redis]:
    with Redis.start(tmp_path / "redis") as server:
        yield server


class Instance:
    """A bus, and what a listener of it hears."""

    def __init__(self, link: RedisLink) -> None:
        self.link = link
        self.bus = FleetBus(link)
        self.heard: list[ServerEvent] = []
        self.unsubscribe: Callable[[], None] = lambda: None

    def listen(self) -> None:
        self.unsubscribe = self.bus.subscribe(self.heard.append)


@contextlib.asynccontextmanager
async def instance(server: Redis | None) -> AsyncIterator[Instance]:
    link = RedisLink(settings(server) if server else None)
    made = Instance(link)
    async with link.running(), made.bus.running():
        yield made


async def joined(server: Redis, count: int) -> None:
    await until(lambda: server.cli("PUBSUB", "NUMSUB", "mcp:events").split()[-1] == str(count))
    await asyncio.sleep(0.05)


async def test_every_listener_of_the_fleet_hears_an_event_once(redis: Redis) -> None:
    async with instance(redis) as one, instance(redis) as two:
        await joined(redis, 2)
        one.listen()
        two.listen()
        bus: SubscriptionBus = one.bus
        events = [*EVERYTHING, ResourceUpdated("trinity://creature/6")]
        for event in events:
            await bus.publish(event)
        await until(lambda: two.heard == events)
        await asyncio.sleep(0.1)
        assert (one.heard, two.heard) == (events, events)
        two.unsubscribe()
        two.unsubscribe()
        await two.bus.publish(ToolsListChanged())
        await until(lambda: len(one.heard) == len(events) + 1)
        assert two.heard == events


async def test_without_redis_local_listeners_hear() -> None:
    async with instance(None) as one:
        one.listen()
        await one.bus.publish(ToolsListChanged())
        assert one.heard == [ToolsListChanged()]


async def test_redis_killed_and_restarted(redis: Redis) -> None:
    async with instance(redis) as one, instance(redis) as two:
        await joined(redis, 2)
        one.listen()
        two.listen()
        two.bus.watched = lambda: ["trinity://realm/1"]
        redis.kill()
        await until(lambda: not one.link.up and not two.link.up)
        await one.bus.publish(ResourceUpdated("trinity://creature/6"))
        assert one.heard == [ResourceUpdated("trinity://creature/6")], "told at once, though Redis is away"
        assert two.heard == []
        redis.restart()
        # Whoever joins again looks at everything again.
        lost = [*EVERYTHING, ResourceUpdated("trinity://realm/1")]
        await until(lambda: all(event in two.heard for event in lost))
        await until(lambda: all(event in one.heard for event in EVERYTHING))
        await joined(redis, 2)
        one.heard.clear()
        two.heard.clear()
        await two.bus.publish(ToolsListChanged())
        await until(lambda: one.heard == [ToolsListChanged()])
        await asyncio.sleep(0.1)
        assert (one.heard, two.heard) == ([ToolsListChanged()], [ToolsListChanged()])


async def test_what_could_not_be_sent_is_sent_later_each_event_once(redis: Redis) -> None:
    async with instance(redis) as one, instance(redis) as two:
        await joined(redis, 2)
        two.listen()
        # Only the first instance is cut off: the second one never leaves and so has nothing to tell by itself.
        one.link._set(up=False, why="cut off")
        one.link._lost_at = float("inf")
        for _ in range(5):
            await one.bus.publish(ResourceUpdated("trinity://creature/6"))
            await one.bus.publish(ToolsListChanged())
        await asyncio.sleep(0.1)
        assert two.heard == []
        one.link._lost_at = 0.0
        await until(lambda: len(two.heard) >= 2)
        await asyncio.sleep(0.1)
        assert two.heard == [ResourceUpdated("trinity://creature/6"), ToolsListChanged()]


async def test_too_much_unsent_becomes_everything(redis: Redis) -> None:
    async with instance(redis) as one, instance(redis) as two:
        await joined(redis, 2)
        two.listen()
        two.bus.watched = lambda: ["trinity://item/17"]
        one.link._set(up=False, why="cut off")
        one.link._lost_at = float("inf")
        for number in range(1000):
            await one.bus.publish(ResourceUpdated(f"trinity://item/{number}"))
        assert len(one.bus._unsent) == 1
        one.link._lost_at = 0.0
        await until(lambda: two.heard == [*EVERYTHING, ResourceUpdated("trinity://item/17")])


async def test_a_frozen_redis_holds_no_publisher_up(redis: Redis) -> None:
    async with instance(redis) as one:
        await joined(redis, 1)
        one.listen()
        with frozen(redis):
            async with asyncio.timeout(1.0):
                for _ in range(100):
                    await one.bus.publish(ToolsListChanged())
        assert one.heard.count(ToolsListChanged()) == 100


async def test_a_burst_reaches_the_others_in_order(redis: Redis) -> None:
    async with instance(redis) as one, instance(redis) as two:
        await joined(redis, 2)
        two.listen()
        events = [ResourceUpdated(f"trinity://item/{number}") for number in range(500)]
        await asyncio.gather(*(one.bus.publish(event) for event in events))
        await until(lambda: len(two.heard) == 500)
        assert two.heard == events


async def test_a_failing_listener_and_a_foreign_message_disturb_nobody(redis: Redis) -> None:
    async with instance(redis) as one, instance(redis) as two:
        await joined(redis, 2)

        def fail(_event: ServerEvent) -> None:
            raise ValueError("not today")

        one.bus.subscribe(fail)
        one.listen()
        for garbage in ("", "[]", "7", '{"from":"x"}', '{"from":"x","event":["tools"]}', '{"from":"x","event":"?"}'):
            redis.cli("PUBLISH", "mcp:events", garbage)
        await two.bus.publish(ToolsListChanged())
        await until(lambda: one.heard == [ToolsListChanged()])


async def test_the_handler_says_which_resources_are_watched(redis: Redis) -> None:
    class Session:
        sent: list[Any] = []  # noqa: RUF012 (one session)

        async def send_notification(self, notification: Any, **_: Any) -> None:
            self.sent.append(notification)

    class Context:
        request = None
        request_id = 1
        session = Session()

    LOCAL.set(STDIO)
    async with instance(redis) as one:
        handler = FleetListenHandler(one.bus)
        wanted = SubscriptionFilter(resource_subscriptions=["trinity://realm/1"])
        params = SubscriptionsListenRequestParams.model_construct(notifications=wanted)
        stream = asyncio.create_task(handler(cast(Any, Context()), params))
        await until(lambda: Session.sent)
        assert list(one.bus.watched()) == ["trinity://realm/1"]
        redis.kill()
        await until(lambda: not one.link.up)
        redis.restart()
        await until(lambda: len(Session.sent) == 2)
        assert Session.sent[1].params.uri == "trinity://realm/1"
        handler.close()
        await stream
        assert list(one.bus.watched()) == []
