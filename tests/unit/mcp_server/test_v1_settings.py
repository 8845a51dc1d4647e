"""The .env file of version 1 as variables of roles, by the server's own command."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.trinitycore.mcp.plugins.filter.v1 import v1_variables
from ansible_collections.trinitycore.mcp.plugins.module_utils.v1_settings import V1SettingsError, read

COMMAND = str(Path(sys.executable).parent / "trinitycore-mcp")
TYPICAL = """
TRINITY_DB_HOST=10.0.0.9
TRINITY_DB_PORT=3307
TRINITY_DB_USER=trinity
TRINITY_DB_PASSWORD=secret-of-the-database
TRINITY_DB_WORLD=acore_world
DB_CONNECTION_LIMIT=20
MCP_PORT=3100
LOG_LEVEL=debug
GT_PATH=./data/gt
REDIS_HOST=10.0.0.9
PROMETHEUS_PORT=9999
CORS_ORIGIN=https://tools.example.net
"""


def translated(env: str) -> dict[str, Any]:
    """Return the variables, secrets and notices of a file."""
    return v1_variables(read(env, COMMAND))


def test_what_has_a_counterpart_is_carried_over() -> None:
    found = translated(TYPICAL)
    assert found["variables"] == {
        "cluster_databases": {"world": "acore_world", "characters": "characters", "auth": "auth"},
        "mcp_server_pool_size": 20,
        "mcp_server_allowed_origins": ["https://tools.example.net"],
        "mcp_server_log_level": "DEBUG",
        "nginx_v1_port": 3100,
        "nginx_v1_anonymous": True,
    }
    assert found["secrets"] == {}


def test_what_has_none_is_named() -> None:
    notices = "\n".join(translated(TYPICAL)["notices"])
    for words in (
        "database.hosts, database.user: not carried over: the cluster has its own database servers",
        "redis.hosts: not carried over: the cluster has its own Redis",
        "metrics.port: not carried over",
        "GT_PATH: not carried over",
    ):
        assert words in notices
    assert "secret-of-the-database" not in notices


def test_callers_of_a_guarded_version_1_keep_their_keys_and_tokens() -> None:
    secret = "s" * 40
    found = translated(f"AUTH_ENABLED=true\nAPI_KEY=key-of-a-caller\nJWT_SECRET={secret}\nJWT_ISSUER=me\n")
    assert found["variables"]["nginx_v1_anonymous"] is False
    assert found["variables"]["nginx_v1_port"] == 3000
    [caller] = found["variables"]["mcp_server_api_keys"]
    assert caller["sha256"] == hashlib.sha256(b"key-of-a-caller").hexdigest()
    assert found["variables"]["mcp_server_jwt"] == {"issuer": "me"}
    assert found["secrets"] == {"mcp_server_jwt_secret": secret}


def test_mistakes_are_named() -> None:
    with pytest.raises(V1SettingsError, match="MCP_PORT|server.port"):
        read("MCP_PORT=99999\n", COMMAND)
    with pytest.raises(V1SettingsError, match="/nowhere can't be run .*: roll site.yml out first"):
        read("", "/nowhere")
