"""/health/detailed is a call of scope admin: recorded, and counted for its caller's limit."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from server.tests.access_support import own_database
from server.tests.lifecycle_support import until
from server.tests.wire_support import ADMIN, READ, Wire, serving
from tests.support.mariadb import MariaDb
from tests.support.mcp_server import Answer, McpServer

SCHEMA = "mcp_detailed"
TRACE = "0af7651916cd43dd8448eb211c80319c"


@pytest.fixture
def server(mariadb: MariaDb, tmp_path: Path) -> Iterator[McpServer]:
    """A server whose callers may ask three times in an hour."""
    own_database(mariadb, tmp_path, SCHEMA)
    mariadb.sql("DELETE FROM audit", SCHEMA)
    database = {"writer": {"user": SCHEMA, "password_file": "password"}, "databases": {"mcp": SCHEMA}}
    limits = {"enabled": True, "default": {"requests": 3, "period": 3600}}
    with serving(tmp_path, mariadb, database=database, limits=limits) as running:
        yield running


def look(server: McpServer, key: str | None = ADMIN) -> Answer:
    headers = {"traceparent": f"00-{TRACE}-b7ad6b7169203331-01"}
    if key is not None:
        headers["x-api-key"] = key
    return server.request("GET", "/health/detailed", headers=headers)


def audited(server: McpServer) -> list[dict[str, Any]]:
    return [line for line in server.log() if line["message"] == "audit"]


def test_each_look_is_recorded_and_counts_with_the_callers_tool_calls(server: McpServer, mariadb: MariaDb) -> None:
    first = look(server)
    assert (first.status, first.headers["ratelimit"].partition(";t=")[0]) == (200, '"key";r=2')
    assert first.headers["ratelimit-policy"] == '"key";q=3;w=3600'
    assert "retry-after" not in first.headers
    assert {"database", "redis"} <= {each["name"] for each in first.json()["components"]}
    assert not Wire(server).call("cache_flush", {})["isError"]
    assert look(server).status == 200

    refused = look(server)
    assert refused.status == 429
    assert refused.json()["error"].startswith("the rate limit of this caller is reached (3 requests in 3600 s)")
    assert refused.headers["ratelimit"].startswith('"key";r=0')
    assert 0 < int(refused.headers["retry-after"]) <= 1200
    assert Wire(server).call("cache_flush", {})["isError"]
    assert [server.get(path).status for path in ("/health/live", "/health/ready")] == [200, 200]

    sql = "SELECT tool, outcome, principal, auth_method, trace_id, arguments FROM audit ORDER BY id"
    until(lambda: len(mariadb.sql(sql, SCHEMA)) == 5)
    rows = mariadb.sql(sql, SCHEMA)
    assert [(row[0], row[1]) for row in rows] == [
        ("health/detailed", "ok"),
        ("cache_flush", "ok"),
        ("health/detailed", "ok"),
        ("health/detailed", "rate_limited"),
        ("cache_flush", "rate_limited"),
    ]
    assert rows[0][2:5] == ["read-players-admin", "api_key", TRACE]
    assert json.loads(rows[0][5])["values"] == {}
    assert [(line["tool"], line["outcome"]) for line in audited(server)] == [(row[0], row[1]) for row in rows]
    assert audited(server)[0]["duration_ms"] > 0


def test_who_is_not_let_in_is_neither_recorded_nor_counted_as_where_tools_are_called(server: McpServer) -> None:
    assert [look(server, key).status for key in (READ, READ, READ, READ, "wrong", None)] == [403] * 4 + [401] * 2
    told = look(server, READ)
    assert 'scope="admin"' in told.headers["www-authenticate"]
    assert "ratelimit" not in told.headers
    assert audited(server) == []
    refused = [line for line in server.log() if line["message"] == "request refused"]
    assert [line.get("principal") for line in refused] == ["read"] * 4 + [None, None, "read"]
    assert refused[0]["tool"] == "health/detailed"
    assert look(server).headers["ratelimit"].startswith('"key";r=2')


def test_load_balancers_learn_which_tools_only_read(server: McpServer) -> None:
    """What they may ask a second instance for: just those whose annotation says so, whatever the caller's scope."""
    told = server.get("/health/tools").json()["read_only"]
    assert {"creature_get", "sql_select", "query_logs"} <= set(told)
    assert not {"cache_flush", "trigger_backup"} & set(told)
    assert told == sorted(told)
