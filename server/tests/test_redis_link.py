"""The link to Redis against real servers: found, followed, and never waited for."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from redis.exceptions import NoScriptError

from server.tests.redis_link_support import TIMEOUT, frozen, linked, sentinels, settings, until
from tests.support.certificates import Authority
from tests.support.redis import Redis
from trinitycore_mcp.config_load import ConfigError, load
from trinitycore_mcp.redis_link import Address, RedisAway, RedisLink, RedisSettings, settings_from
from trinitycore_mcp.redis_link.settings import tls_context

pytestmark = pytest.mark.anyio

# The application's rights as the collection's Redis role grants them.
ACL = (
    "user app on >secret ~mcp:* resetchannels &mcp:* -@all +@read +@write +@connection +@transaction +@scripting "
    "+@pubsub -@dangerous +info +role"
)


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[Redis]:
    with Redis.start(tmp_path / "redis") as server:
        yield server


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[tuple[Redis, Redis]]:
    """A primary and its replica in step."""
    with Redis.start(tmp_path / "one") as primary, Redis.start(tmp_path / "two") as replica:
        replicate(replica, primary)
        yield primary, replica


def replicate(replica: Redis, primary: Redis) -> None:
    replica.cli("REPLICAOF", "127.0.0.1", str(primary.port))
    deadline = time.monotonic() + 10
    while "master_link_status:up" not in replica.cli("INFO", "replication"):
        assert time.monotonic() < deadline
        time.sleep(0.02)


async def writes(link: RedisLink, value: str) -> bool:
    """Whether a value can be written now."""
    try:
        await link.client.set("mcp:probe", value)
    except RedisAway:
        return False
    return True


async def until_it_writes(link: RedisLink, value: str, limit: float = 10.0) -> None:
    deadline = time.monotonic() + limit
    while not await writes(link, value):
        assert time.monotonic() < deadline, link.states()
        await asyncio.sleep(0.02)


async def test_the_primary_is_found_wherever_it_stands_in_the_list(pair: tuple[Redis, Redis]) -> None:
    primary, replica = pair
    async with linked(replica, primary) as link:
        assert link.up
        await link.client.set("mcp:x", "1")
        assert primary.cli("GET", "mcp:x") == "1"
        states = {state.host: (state.role, state.used) for state in link.states()}
        assert states == {
            f"127.0.0.1:{replica.port}": ("replica", False),
            f"127.0.0.1:{primary.port}": ("primary", True),
        }


async def test_without_configuration_it_is_away_and_says_so() -> None:
    link = RedisLink(None)
    async with link.running():
        assert not link.up
        assert not link.configured
        with pytest.raises(RedisAway, match="no Redis is configured"):
            _ = link.client


async def test_a_frozen_server_costs_one_timeout_once(redis: Redis) -> None:
    async with linked(redis) as link:
        await link.client.set("mcp:x", "1")
        with frozen(redis):
            started = time.monotonic()
            calls = [link.client.get("mcp:x") for _ in range(200)]
            answers = await asyncio.gather(*calls, return_exceptions=True)
            assert time.monotonic() - started < 4 * TIMEOUT
            assert all(isinstance(answer, RedisAway) for answer in answers)
            assert not link.up
            # From now on nobody waits at all.
            for _ in range(20):
                with pytest.raises(RedisAway, match="no answer in time"):
                    _ = link.client
                await asyncio.sleep(TIMEOUT / 4)
        await until(lambda: link.up)
        assert await link.client.get("mcp:x") == b"1"


async def test_a_pipeline_is_bounded_as_a_whole(redis: Redis) -> None:
    async with linked(redis) as link:
        pipeline = link.client.pipeline(transaction=False)
        pipeline.set("mcp:a", "1")
        pipeline.get("mcp:a")
        assert await pipeline.execute() == [True, b"1"]
        pipeline = link.client.pipeline()
        with frozen(redis):
            pipeline.get("mcp:a")
            with pytest.raises(RedisAway, match="no answer in time"):
                await asyncio.wait_for(pipeline.execute(), 4 * TIMEOUT)


async def test_a_restarted_server_is_used_again_and_counted_as_another(redis: Redis) -> None:
    async with linked(redis) as link:
        before = link.generation
        await link.client.set("mcp:x", "1")
        redis.kill()
        await until(lambda: not link.up)
        redis.restart()
        await until(lambda: link.up)
        assert link.generation == before + 1
        assert await link.client.get("mcp:x") is None


async def test_a_restart_too_quick_to_be_missed_counts_too(redis: Redis) -> None:
    async with linked(redis) as link:
        before, run = link.generation, link.run_id
        redis.kill()
        redis.restart()
        await until(lambda: link.generation == before + 1)
        assert link.run_id != run


async def test_a_refused_command_does_not_take_the_link_down(redis: Redis) -> None:
    async with linked(redis) as link:
        await link.client.set("mcp:x", "no list")
        with pytest.raises(RedisAway, match="WRONGTYPE"):
            await link.client.execute_command("LPUSH", "mcp:x", "1")  # type: ignore[no-untyped-call]
        assert link.up
        with pytest.raises(NoScriptError):
            await link.client.evalsha("0" * 40, 0)


async def test_a_manual_failover_is_followed(pair: tuple[Redis, Redis]) -> None:
    one, two = pair
    async with linked(one, two) as link:
        assert await writes(link, "before")
        two.cli("REPLICAOF", "NO", "ONE")
        one.cli("REPLICAOF", "127.0.0.1", str(two.port))
        # The next write meets a replica: it fails as away, and the new primary is looked for at once.
        assert not await writes(link, "lost")
        assert not link.up
        await until_it_writes(link, "after")
        assert two.cli("GET", "mcp:probe") == "after"


async def test_of_two_primaries_the_used_one_is_kept(pair: tuple[Redis, Redis]) -> None:
    one, two = pair
    async with linked(one, two) as link:
        one.kill()
        two.cli("REPLICAOF", "NO", "ONE")
        await until_it_writes(link, "after")
        one.restart()
        await until(lambda: all(state.up and state.role == "primary" for state in link.states()))
        await link.client.set("mcp:y", "2")
        assert two.cli("GET", "mcp:y") == "2"


async def test_sentinel_says_who_is_primary_and_its_failover_is_followed(
    pair: tuple[Redis, Redis], tmp_path: Path
) -> None:
    one, two = pair
    with sentinels(tmp_path, one) as ports:
        # Only the first server is known by configuration: the other is learnt from Sentinel.
        link = RedisLink(settings(one, sentinels=ports))
        async with link.running():
            await until_it_writes(link, "before")
            await until(lambda: all(state.up for state in link.states()))
            await asyncio.to_thread(until_known, two, ports)
            one.kill()
            await until_it_writes(link, "after", limit=20)
            assert two.cli("GET", "mcp:probe") == "after"
            # The old primary comes back as one for a moment: Sentinel's word counts, not its own.
            one.restart()
            for number in range(20):
                await until_it_writes(link, str(number))
                assert two.cli("GET", "mcp:probe") == str(number)
                await asyncio.sleep(0.05)
        # A Sentinel that was left behind knows another primary: the newer word counts.
        with Redis.start(tmp_path / "three") as stray, sentinels(tmp_path / "stray", stray, 1) as behind:
            torn = RedisLink(settings(one, sentinels=(*behind, *ports)))
            async with torn.running():
                await until(lambda: all(state.up for state in torn.states()))
                await until_it_writes(torn, "torn")
                assert two.cli("GET", "mcp:probe") == "torn"


def until_known(replica: Redis, ports: tuple[int, ...]) -> None:
    """Wait until every Sentinel knows the replica and the other Sentinels."""
    deadline = time.monotonic() + 15
    for port in ports:
        asked = Redis(replica.directory, port, replica.process, (), None, None)
        while True:
            words = asked.cli("SENTINEL", "MASTER", "main").splitlines()
            fields = dict(zip(words[::2], words[1::2], strict=False))
            if fields["num-slaves"] == "1" and fields["num-other-sentinels"] == str(len(ports) - 1):
                break
            assert time.monotonic() < deadline, fields
            time.sleep(0.05)


async def test_tls_and_the_rights_that_the_role_grants(tmp_path: Path) -> None:
    authority, other = Authority(tmp_path / "ca"), Authority(tmp_path / "other", "other")
    pair = authority.issue("redis1")
    acl = [ACL, "user default on nopass ~* &* +@all"]
    with Redis.start(tmp_path / "redis", tls=pair, ca=authority.ca, acl=acl) as server:
        heard: list[bytes] = []
        joined = asyncio.Event()
        common: dict[str, Any] = {"username": "app", "password": "secret", "database": 0}
        address = Address("localhost", server.port)
        trusted = tls_context(authority.ca, pair.certificate, pair.key)
        link = RedisLink(RedisSettings((address,), tls=trusted, **common))
        link.subscribe("news", heard.append, joined.set)
        async with link.running():
            assert link.up, link.reason
            script = link.client.register_script("return redis.call('SET', KEYS[1], ARGV[1])")
            await script(keys=["mcp:x"], args=["1"])
            await asyncio.wait_for(joined.wait(), 5)
            await link.client.publish("mcp:news", "hello")
            await until(lambda: heard == [b"hello"])
        stranger = tls_context(other.ca, pair.certificate, pair.key)
        async with (untrusting := RedisLink(RedisSettings((address,), tls=stranger, **common))).running():
            assert not untrusting.up
            assert "CERTIFICATE_VERIFY_FAILED" in untrusting.reason
        wrong = common | {"password": "not this"}
        async with (refused := RedisLink(RedisSettings((address,), tls=trusted, **wrong))).running():
            assert not refused.up
            assert "not this" not in refused.reason


async def test_pub_sub_joins_again_after_a_restart_and_after_a_freeze(redis: Redis) -> None:
    heard: list[bytes] = []
    joins: list[int] = []
    link = RedisLink(settings(redis))
    link.subscribe("news", heard.append, lambda: joins.append(1))
    async with link.running():
        await until(lambda: joins)
        redis.kill()
        await until(lambda: not link.up)
        redis.restart()
        await until(lambda: len(joins) == 2)
        redis.cli("PUBLISH", "mcp:news", "again")
        await until(lambda: heard == [b"again"])
        with frozen(redis):
            # No connection is closed by a freeze: only the silence tells.
            await asyncio.sleep(3.0)
        await until(lambda: len(joins) == 3)


async def test_quiet_channels_stay_joined(redis: Redis) -> None:
    joins: list[int] = []
    link = RedisLink(settings(redis))
    link.subscribe("news", lambda _: None, lambda: joins.append(1))
    async with link.running():
        await until(lambda: joins)
        await asyncio.sleep(3.0)
        assert joins == [1]


async def test_nothing_is_left_running(redis: Redis) -> None:
    before = asyncio.all_tasks()
    link = RedisLink(settings(redis))
    link.subscribe("news", lambda _: None, lambda: None)
    async with link.running():
        await link.client.ping()
    await asyncio.sleep(0)
    assert asyncio.all_tasks() == before
    with pytest.raises(RedisAway):
        _ = link.client


async def test_commands_under_load_are_all_answered_each_with_its_own(redis: Redis) -> None:
    async with linked(redis) as link:

        async def work(number: int) -> None:
            for turn in range(30):
                key = f"mcp:{number}:{turn}"
                await link.client.set(key, key)
                assert await link.client.get(key) == key.encode()

        await asyncio.gather(*(work(number) for number in range(200)))
        assert link.up


async def test_a_cancelled_caller_and_a_refused_command_disturb_no_other(redis: Redis) -> None:
    async with linked(redis) as link:
        await link.client.set("mcp:x", "text")
        calls = [asyncio.ensure_future(link.client.get("mcp:x")) for _ in range(20)]
        bad = asyncio.create_task(link.client.execute_command("INCR", "mcp:x"))  # type: ignore[no-untyped-call]
        more = [asyncio.ensure_future(link.client.get("mcp:x")) for _ in range(20)]
        await asyncio.sleep(0)
        for call in calls[::2]:
            call.cancel()
        answers = await asyncio.gather(*calls[1::2], *more)
        assert answers == [b"text"] * 30
        with pytest.raises(RedisAway, match="not an integer"):
            await bad
        assert link.up


def test_settings_are_read_from_the_configuration(tmp_path: Path) -> None:
    authority = Authority(tmp_path / "ca")
    (tmp_path / "password").write_text("secret\n")
    (tmp_path / "sentinel_password").write_text("other\n")
    lines = [
        "auth: {enabled: false}",
        "redis:",
        "  hosts: [{host: redis1}, {host: redis2, port: 6380}]",
        "  username: app",
        "  password_file: password",
        "  key_prefix: 'test:'",
        "  sentinel: {master_name: main, hosts: [{host: s1}], password_file: sentinel_password}",
        f"  tls: {{ca_file: {authority.ca}}}",
    ]
    file = tmp_path / "config.yml"
    file.write_text("\n".join(lines))
    made = settings_from(load(file, {}))
    assert made is not None
    assert made.hosts == (Address("redis1", 6379), Address("redis2", 6380))
    assert (made.username, made.password, made.key_prefix) == ("app", "secret", "test:")
    assert made.sentinel is not None
    assert (made.sentinel.hosts, made.sentinel.password) == ((Address("s1", 26379),), "other")
    assert made.tls is not None
    assert "secret" not in repr(made)
    assert "other" not in repr(made)
    file.write_text("\n".join(lines).replace(str(authority.ca), str(tmp_path / "password")))
    with pytest.raises(ConfigError, match=r"redis\.tls: .*password"):
        settings_from(load(file, {}))
    file.write_text(lines[0])
    assert settings_from(load(file, {})) is None
