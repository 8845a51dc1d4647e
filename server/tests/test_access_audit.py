"""Audit records: what is written down of a call, and that none is lost by an absent database."""

from __future__ import annotations

import asyncio
import json
import logging
import re
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from server.tests.access_support import OwnDatabase, own_database
from server.tests.redis_link_support import until
from tests.support.mariadb import MariaDb
from trinitycore_mcp import metrics
from trinitycore_mcp.access import audit
from trinitycore_mcp.access.audit import AuditLog
from trinitycore_mcp.access.masking import masked, recorded
from trinitycore_mcp.access.principal import Principal

SCHEMA = "mcp_audit"
ADMIN = Principal("ops", frozenset({"admin"}), "jwt")
TRACE = "0af7651916cd43dd8448eb211c80319c"


@pytest.fixture(scope="module")
def own(mariadb: MariaDb, tmp_path_factory: pytest.TempPathFactory) -> OwnDatabase:
    return own_database(mariadb, tmp_path_factory.mktemp("own"), SCHEMA)


@pytest.fixture
def database(own: OwnDatabase, monkeypatch: pytest.MonkeyPatch) -> OwnDatabase:
    monkeypatch.setattr(audit, "_FIRST_DELAY", 0.02)
    own.server.sql("DELETE FROM audit", SCHEMA)
    own.away = False
    return own


async def rows(database: OwnDatabase) -> list[dict[str, Any]]:
    return await database.fetch("test", f"SELECT * FROM `{SCHEMA}`.audit ORDER BY id")


def record(log: AuditLog, number: int = 0, **arguments: Any) -> None:
    log.record(ADMIN, "trigger_backup", {"number": number} | arguments, "ok", 0.25, TRACE)


def dropped() -> float:
    return metrics.REGISTRY.get_sample_value("mcp_audit_dropped_total") or 0.0


@pytest.mark.anyio
async def test_a_call_is_written_to_the_log_and_the_database(
    database: OwnDatabase, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    log = AuditLog("app1-1", database, schema=SCHEMA)
    async with log.running():
        log.record(ADMIN, "trigger_backup", b'{"kind": "full", "password": "hunter2"}', "timeout", 1.5, TRACE)
        log.record(ADMIN, "cache_flush", b"not JSON", "invalid_arguments", 0.0, None)
        await until(lambda: not log.waiting)
    first, second = await rows(database)
    assert abs(first["at"].replace(tzinfo=UTC).timestamp() - time.time()) < 60
    values = {"kind": "full", "password": "***"}
    assert json.loads(first["arguments"])["values"] == values
    del first["at"], first["id"], first["arguments"]
    assert first == {
        "instance": "app1-1",
        "principal": "ops",
        "auth_method": "jwt",
        "tool": "trigger_backup",
        "outcome": "timeout",
        "duration_ms": 1500.0,
        "trace_id": TRACE,
    }
    assert (second["tool"], second["trace_id"], json.loads(second["arguments"])["values"]) == ("cache_flush", None, {})
    [line, _] = [entry for entry in caplog.records if entry.message == "audit"]
    fields = line.fields  # type: ignore[attr-defined]  # what JsonFormatter writes
    assert fields["arguments"]["values"] == values
    assert {name: fields[name] for name in first} == first
    assert "hunter2" not in caplog.text + str(fields)


@pytest.mark.anyio
async def test_records_wait_for_the_database_and_keep_their_order(database: OwnDatabase) -> None:
    log = AuditLog("app1-1", database, schema=SCHEMA)
    database.away = True
    async with log.running():
        for number in range(120):
            record(log, number)
        await asyncio.sleep(0.1)
        assert log.waiting == 120
        database.away = False
        await until(lambda: not log.waiting)
    found = [json.loads(row["arguments"])["values"]["number"] for row in await rows(database)]
    assert found == list(range(120))


@pytest.mark.anyio
async def test_when_too_many_wait_the_oldest_are_given_up_and_that_is_said(
    database: OwnDatabase, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    monkeypatch.setattr(audit, "MAX_WAITING", 10)
    log, before = AuditLog("app1-1", database, schema=SCHEMA), dropped()
    for number in range(13):
        record(log, number)
    assert (log.waiting, dropped()) == (10, before + 3)
    messages = [entry.message for entry in caplog.records]
    assert messages.count("audit record dropped before it reached the database") == 3
    assert messages.count("audit") == 13
    assert await log.flush()
    found = [json.loads(row["arguments"])["values"]["number"] for row in await rows(database)]
    assert found == list(range(3, 13))


@pytest.mark.anyio
async def test_flush_writes_all_or_says_that_it_could_not(
    database: OwnDatabase, caplog: pytest.LogCaptureFixture
) -> None:
    log = AuditLog("app1-1", database, schema=SCHEMA)
    for number in range(130):
        record(log, number)
    database.away = True
    assert not await log.flush(0.1)
    assert "audit records did not reach the database; the log has them" in caplog.text
    database.away = False
    assert await log.flush()
    assert len(await rows(database)) == 130
    assert await log.flush()


class LostAnswers:
    """A writer whose first answers are lost on their way, after the rows were committed."""

    def __init__(self, database: OwnDatabase) -> None:
        self.database = database
        self.lost = 2

    async def execute(self, kind: str, sql: str, parameters: Sequence[object] = ()) -> int:
        changed = await self.database.execute(kind, sql, parameters)
        if self.lost:
            self.lost -= 1
            raise TimeoutError
        return changed


@pytest.mark.anyio
async def test_a_write_whose_answer_was_lost_is_not_written_twice(database: OwnDatabase) -> None:
    log = AuditLog("app1-1", LostAnswers(database), schema=SCHEMA)
    for number in range(3):
        record(log, number)
    assert await log.flush()
    assert len(await rows(database)) == 3


@pytest.mark.anyio
async def test_without_database_the_log_has_the_records(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    log = AuditLog("app1-1", None)
    async with log.running():
        record(log)
    assert [entry.message for entry in caplog.records] == ["audit"]
    assert await log.flush()


@pytest.mark.anyio
@pytest.mark.parametrize("text", ["\ud800", "\x00", "'; DROP TABLE audit; --", "😀" * 3000, "%s %(x)s"])
async def test_no_argument_is_too_strange_to_be_recorded(text: str, database: OwnDatabase) -> None:
    log = AuditLog("app1-1", database, schema=SCHEMA)
    log.record(Principal(text[:200], frozenset(), "jwt"), "t", {text[:20]: text, "list": [text] * 500}, "ok", 0.0, None)
    assert await log.flush()
    [row] = await rows(database)
    assert len(row["arguments"]) < 16_000
    assert re.fullmatch(r"[0-9a-f]{64}", json.loads(row["arguments"])["sha256"])


TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJl"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (
            {"password": "x", "DB_PASSWORD": "x", "passphrase": "x"},
            dict.fromkeys(("password", "DB_PASSWORD", "passphrase"), "***"),
        ),
        (
            {"api_key": "x", "accessToken": "x", "clientSecret": 5},
            dict.fromkeys(("api_key", "accessToken", "clientSecret"), "***"),
        ),
        (
            {"sessionkey_auth": "x", "verifier": b"x", "salt": ["x"]},
            dict.fromkeys(("sessionkey_auth", "verifier", "salt"), "***"),
        ),
        ({"nested": [{"token": {"a": 1}}]}, {"nested": [{"token": "***"}]}),
        ({"monkey": "x", "compass": "y", "path": "/p"}, {"monkey": "x", "compass": "y", "path": "/p"}),
        ({"password": None}, {"password": None}),
        ("use tcmcp_abcdefghijklmnop1234 now", "use *** now"),
        (f"it is {TOKEN}.", "it is ***."),
        ("Authorization: Bearer abcdefghijk", "Authorization: ***"),
        ("mysql://root:pw@db/world", "mysql://***@db/world"),
        ("ALTER USER x IDENTIFIED BY 'pw'", "ALTER USER x IDENTIFIED BY ***"),
        ("-----BEGIN PRIVATE KEY-----\nabc\n", "***"),
        (["a", 1, 2.5, True, None], ["a", 1, 2.5, True, None]),
        ("x" * 600, "x" * 512 + "... (600 characters)"),
        (list(range(60)), [*range(50), "... (60 in all)"]),
        ([[[[[[[1]]]]]]], [[[[[["..."]]]]]]),
        (datetime(2026, 1, 1, tzinfo=UTC), "datetime"),
    ],
)
def test_secrets_are_masked_and_long_parts_cut(value: Any, shown: Any) -> None:
    assert masked(value) == shown


def test_the_digest_tells_the_same_arguments_apart_from_others_but_no_secret(tmp_path: Path) -> None:
    digests = [
        recorded(arguments)["sha256"]
        for arguments in (
            {"a": 1, "b": 2},
            {"b": 2, "a": 1},
            {"a": 1, "b": 3},
            {"pin": "1234"},
            {"pin": "5678"},
        )
    ]
    assert digests[0] == digests[1] != digests[2]
    assert digests[3] == digests[4]
    large = recorded({"a": ["x" * 500] * 50})
    assert large["values"] == {"a": "..."}
