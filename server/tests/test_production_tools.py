"""Tools about the server itself, over a whole instance with real MariaDB and Redis."""

from __future__ import annotations

import hashlib
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from server.tests.access_support import own_database
from server.tests.database_support import until
from tests.support.certificates import Authority
from tests.support.mariadb import MariaDb
from tests.support.redis import Redis
from tests.support.tools import Toolbox
from trinitycore_mcp import metrics
from trinitycore_mcp.access.principal import Principal
from trinitycore_mcp.config_load import load
from trinitycore_mcp.lifecycle.parts import Parts, assemble
from trinitycore_mcp.security.grants import parse
from trinitycore_mcp.tools import every_tool

pytestmark = pytest.mark.anyio
SCHEMA = "mcp_production"
ADMIN = Principal("ops", frozenset({"admin"}), "api_key")
DIGESTS = {name: hashlib.sha256(name.encode()).hexdigest() for name in ("a", "b", "c")}


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with Redis.start(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture(scope="module")
def folder(mariadb: MariaDb, redis: Redis, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write an instance's configuration and the files that it names."""
    place = tmp_path_factory.mktemp("instance")
    own_database(mariadb, place, SCHEMA)
    authority = Authority(place / "ca")
    pair = authority.issue("mcp.test")
    today = datetime.now(UTC).date()
    keys = [
        {"name": "model", "sha256": DIGESTS["a"], "scopes": ["read", "players"]},
        {"name": "ops", "sha256": DIGESTS["b"], "scopes": ["admin"]},
        {"name": "old", "sha256": DIGESTS["c"], "scopes": ["read"], "expires": today - timedelta(days=3)},
    ]
    (place / "keys").write_text(yaml.safe_dump(keys))
    (place / "db_password").write_text("app_ro")
    (place / "db_password").chmod(0o644)
    for secret in ("keys", "password", pair.key):
        (place / secret).chmod(0o600)
    (place / "textfiles").mkdir()
    config = {
        "server": {
            "instance_name": "one",
            "host": "127.0.0.1",
            "tls": {"certificate_file": str(pair.certificate), "key_file": str(pair.key)},
        },
        "auth": {"api_keys_file": "keys"},
        "limits": {"tools": {"world_search": {"requests": 10}}},
        "database": {
            "hosts": [{"host": "127.0.0.1", "port": mariadb.port}],
            "user": "app_ro",
            "password_file": "db_password",
            "writer": {"user": SCHEMA, "password_file": "password"},
            "databases": {"mcp": SCHEMA},
        },
        "redis": {"hosts": [{"host": "127.0.0.1", "port": redis.port}]},
        "backup": {"textfile_directory": str(place / "textfiles")},
    }
    (place / "config.yml").write_text(yaml.safe_dump(config))
    return place


@dataclass
class Instance:
    """A running instance without listeners."""

    parts: Parts
    tools: Toolbox

    async def call(self, name: str, /, **arguments: Any) -> Any:
        return await self.tools.call(name, **arguments)


@pytest.fixture
async def instance(folder: Path) -> AsyncIterator[Instance]:
    parts = assemble(load(folder / "config.yml", {}))
    async with parts.running():
        yield Instance(parts, Toolbox(parts.services, every_tool()))


def components(report: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {each["name"]: each for each in report["components"]}


async def test_health_asks_every_part(instance: Instance, mariadb: MariaDb, redis: Redis) -> None:
    report = await instance.call("get_health_status")
    found = components(report)
    assert found["database"]["latency_ms"] > 0
    host = found[f"database host 127.0.0.1:{mariadb.port}"]
    assert host["details"] == {"role": "primary", "lag_seconds": None}
    assert "MariaDB" in host["version"]
    assert found["redis"]["details"]["primary"] == f"127.0.0.1:{redis.port}"
    assert found["redis"]["version"] == redis.cli("INFO", "server").split("redis_version:")[1].split()[0]
    assert found["schema"]["details"]["family"] == "TrinityCore 3.3.5"
    assert found["cache"]["details"]["policy"] == "shared"
    assert found["disk"]["details"]["free_bytes"] > 0
    assert found["memory"]["details"]["resident_bytes"] > 10_000_000
    assert "leads" in found["leader"]["details"]
    # The certificate of the test lives for a day.
    assert found["certificates"]["status"] == "degraded"
    assert 0 < found["certificates"]["details"]["server.tls.certificate_file_days_left"] <= 1
    assert report["status"] == "degraded"
    assert any("expires" in each for each in report["reasons"])
    status, body = await instance.parts.services.health.detailed()
    assert (status, body["status"]) == (200, "degraded")


async def test_health_while_draining_is_down(instance: Instance) -> None:
    instance.parts.services.health.draining = True
    report = await instance.call("get_health_status")
    assert report["status"] == "down"
    assert report["reasons"][0] == "draining"
    assert (await instance.parts.services.health.detailed())[0] == 503
    assert instance.parts.services.health.ready()[0] == 503


async def test_a_late_event_loop_shows(instance: Instance) -> None:
    instance.parts.services.health.lag._seen.append(0.7)
    found = components(await instance.call("get_health_status"))["event loop"]
    assert found["status"] == "degraded"
    assert found["details"]["most_of_last_minute_ms"] == 700.0
    assert metrics.REGISTRY.get_sample_value("mcp_event_loop_lag_seconds") is not None


async def run(instance: Instance, tool: str, arguments: bytes, principal: Principal = ADMIN) -> bytes:
    dispatcher = instance.parts.dispatcher
    answer = await dispatcher.run(dispatcher.tools[tool], arguments, principal)
    instance.parts.recorder.record("tools/call", tool, answer.error, 0.004)
    return answer.body


async def test_figures_are_those_that_were_counted(instance: Instance) -> None:
    async def search() -> dict[str, Any]:
        found: dict[str, Any] = await instance.call("get_metrics_snapshot", tool="creature_search")
        return found

    for _ in range(20):
        await run(instance, "creature_search", b'{"text": "a"}')
    before = await search()
    for _ in range(4):
        await run(instance, "creature_search", b'{"text": "a"}')
    await run(instance, "creature_search", b'{"texts": "a"}')
    after = await search()
    [first], [second] = before["requests"], after["requests"]
    assert second["count"] - first["count"] == 5
    assert second["failures"]["invalid_arguments"] - first["failures"].get("invalid_arguments", 0) == 1
    # All were recorded with 4 ms, in the bucket from 2.5 to 5 ms.
    assert 2.5 <= second["p50_ms"] <= second["p99_ms"] <= 5
    cached = {each["tool"]: each for each in after["cache_by_tool"]}["creature_search"]
    assert cached["local_hits"] >= 20
    assert cached["hit_ratio"] > 0.8
    assert after["redis_up"] is True
    assert {each["kind"] for each in after["limits"]} >= {"key"}
    pool = next(each for each in after["pools"] if "/" not in each["pool"] and each["statements"])
    assert pool["p95_ms"] >= pool["p50_ms"] > 0
    assert "did you mean creature_search" in await instance.tools.refusal("get_metrics_snapshot", tool="creature_serch")


async def test_flushing_the_cache_makes_the_next_call_read_anew(instance: Instance) -> None:
    async def produced() -> int:
        figures = (await instance.call("get_metrics_snapshot", limit=500))["cache_by_tool"]
        return int({each["tool"]: each["produced"] for each in figures}["quest_search"])

    for _ in range(2):  # the first call of all makes the schema known, which makes its result void
        await run(instance, "quest_search", b'{"text": "e"}')
    first = await produced()
    await run(instance, "quest_search", b'{"text": "e"}')
    assert await produced() == first
    flushed = await instance.call("cache_flush", kind="quest_search")
    assert flushed["fleet"] is True
    await run(instance, "quest_search", b'{"text": "e"}')
    assert await produced() == first + 1
    await instance.call("cache_flush")
    await run(instance, "quest_search", b'{"text": "e"}')
    assert await produced() == first + 2
    assert "did you mean quest_search" in await instance.tools.refusal("cache_flush", kind="quest_serch")


async def test_admin_calls_are_audited_and_listed(instance: Instance, mariadb: MariaDb) -> None:
    mariadb.sql("DELETE FROM audit", SCHEMA)
    started = datetime.now(UTC)
    for number in range(3):
        await run(instance, "cache_flush", b'{"kind": "item_search"}' if number else b'{"kind": "no_such"}')
    await run(instance, "creature_search", b'{"text": "a"}')
    assert await instance.parts.audit.flush()
    page = await instance.call("list_audit", limit=2)
    assert [each["outcome"] for each in page["entries"]] == ["ok", "ok"]
    assert page["entries"][0]["arguments"]["values"] == {"kind": "item_search"}
    rest = await instance.call("list_audit", limit=2, cursor=page["next_cursor"])
    assert [each["outcome"] for each in rest["entries"]] == ["invalid_arguments"]
    assert rest["next_cursor"] is None
    assert page["waiting"] == 0
    only = await instance.call(
        "list_audit", outcome="ok", tool="cache_flush", principal="ops", since=started.isoformat()
    )
    assert len(only["entries"]) == 2
    assert (await instance.call("list_audit", until=started.isoformat()))["entries"] == []
    assert (await instance.call("list_audit", principal="nobody"))["entries"] == []


async def test_security_tells_facts_and_what_should_be_otherwise(instance: Instance, folder: Path) -> None:
    text = "trinitycore_backup_last_success_timestamp_seconds {}\ntrinitycore_backup_backups 4\n"
    file = folder / "textfiles/trinitycore_backup.prom"
    file.write_text(text.format(time.time() - 100))
    status = await instance.call("get_security_status")
    [keys] = status["access"]["api_keys"]
    assert keys["by_scope"] == {"read": 1, "players": 1, "admin": 1}
    assert keys["admin_without_end"] == ["ops"]
    assert [(each["name"], each["days_left"] < 0) for each in keys["ending"]] == [("old", True)]
    assert status["listeners"][0]["tls"] is True
    grants = {each["object"]: each for each in status["database"]["grants"]}
    assert grants["world.*"]["rights"] == ["SELECT", "SHOW VIEW"]
    assert "username" in grants["auth.account"]["columns"]
    assert not any(each["beyond_reading"] for each in grants.values())
    assert status["database"]["personal_columns"] == []
    assert "api_keys" in status["database"]["own_tables"]
    assert status["database"]["tls"] is None
    assert status["certificates"][0]["key"] == "server.tls.certificate_file"
    assert ["db_password" in each for each in status["readable_secrets"]] == [True]
    assert 90 < status["backup"]["age_seconds"] < 200
    assert status["backup"]["kept"] == 4
    findings = " | ".join(each["what"] for each in status["findings"])
    for fact in ("our own tables", "mode 0644", "API key old ended", "ops has scope admin"):
        assert fact in findings
    severities = [each["severity"] for each in status["findings"]]
    assert severities == sorted(severities, key=["high", "medium", "low"].index)
    assert not any(digest in str(status) for digest in DIGESTS.values())
    file.write_text(text.format(time.time() - 90_000))
    status = await instance.call("get_security_status")
    assert any("25 hours old" in each["what"] for each in status["findings"])


async def test_an_account_that_could_read_personal_data_is_a_finding_and_in_the_log(
    folder: Path, mariadb: MariaDb, caplog: pytest.LogCaptureFixture
) -> None:
    mariadb.account("production_wide", "app_ro")
    config = yaml.safe_load((folder / "config.yml").read_text())
    config["database"]["user"] = "production_wide"
    (folder / "wide.yml").write_text(yaml.safe_dump(config))
    parts = assemble(load(folder / "wide.yml", {}))
    async with parts.running():
        await until(lambda: "account production_wide may read personal data: auth.account.email" in caplog.text)
        box = Toolbox(parts.services, every_tool())
        assert "REVOKE" in await box.refusal("sql_select", query="SELECT 1")
        status = await box.call("get_security_status")
    assert caplog.text.count("may read personal data") == 1
    assert {"auth.account.email", "auth.account.verifier", "characters.mail.body"} <= set(
        status["database"]["personal_columns"]
    )
    found = {each["what"]: each["severity"] for each in status["findings"]}
    [personal] = [what for what in found if "auth.account.last_ip" in what]
    assert found[personal] == "high"
    assert "sql_select and sql_explain are refused" in personal
    assert any("every database" in what for what in found)


async def test_grants_beyond_reading_are_flagged() -> None:
    found = parse(
        [
            "GRANT USAGE ON *.* TO `app`@`%` IDENTIFIED BY PASSWORD '*2470C0C06DEE42FD1618BB99005ADCA2EC9D1E19'",
            "GRANT SELECT, SHOW VIEW, INSERT ON `world`.* TO `app`@`%` WITH GRANT OPTION",
            "GRANT SELECT (`id`, `username`), UPDATE (`locked`) ON `auth`.`account` TO `app`@`%`",
            "GRANT `readers`@`%` TO `app`@`%`",
        ]
    )
    assert [(each.object, each.beyond_reading) for each in found] == [
        ("*.*", []),
        ("world.*", ["INSERT", "GRANT OPTION"]),
        ("auth.account", ["UPDATE"]),
        ("readers@%", []),
    ]
    assert found[2].columns == ["id", "username", "locked"]
    assert "2470C0" not in str(found)


async def test_server_info(instance: Instance) -> None:
    info = await instance.call("get_server_info")
    assert info["instance"] == "one"
    assert info["tools"] == len(instance.parts.dispatcher.tools) == sum(info["tools_by_scope"].values())
    assert info["protocol_revisions"][0] == "2024-11-05"
    assert info["protocol_revisions"][-1] == "2026-07-28"
    assert info["world_family"] in info["families"]
    assert info["features"]["redis"] is True
    assert info["features"]["tracing"] is False


async def test_scopes() -> None:
    scopes = {each.name: each.scope for each in every_tool()}
    for name in ("get_health_status", "get_metrics_snapshot", "get_server_info"):
        assert scopes[name] == "read"
    for name in ("query_logs", "trigger_backup", "verify_backup", "get_security_status", "cache_flush", "list_audit"):
        assert scopes[name] == "admin"


async def test_redis_away_degrades_and_is_said(folder: Path, tmp_path: Path) -> None:
    with Redis.start(tmp_path / "r") as lone:
        config = yaml.safe_load((folder / "config.yml").read_text())
        config["redis"]["hosts"] = [{"host": "127.0.0.1", "port": lone.port}]
        (folder / "lone.yml").write_text(yaml.safe_dump(config))
        parts = assemble(load(folder / "lone.yml", {}))
        async with parts.running():
            box = Toolbox(parts.services, every_tool())
            assert components(await box.call("get_health_status"))["redis"]["status"] == "ok"
            lone.kill()
            found = components(await box.call("get_health_status"))["redis"]
            assert found["status"] == "degraded"
            assert "calls are served without it" in found["reason"]
            assert parts.services.health.ready()[0] == 200
            assert parts.services.health.ready()[1]["cache"] == "local"
            assert (await box.call("cache_flush"))["fleet"] is False
