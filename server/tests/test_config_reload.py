"""What a reload applies, and what it says needs a restart."""

from __future__ import annotations

from typing import Any

import pytest

from trinitycore_mcp.config import Config
from trinitycore_mcp.config.reload import APPLIED, NOT_APPLIED, reload_plan

TLS = {"certificate_file": "c", "key_file": "k"}


def config(**sections: Any) -> Config:
    return Config.model_validate({"auth": {"api_keys_file": "keys"}, **sections})


@pytest.mark.parametrize(
    ("before", "after", "apply", "restart"),
    [
        ({}, {}, [], []),
        ({}, {"logging": {"level": "DEBUG"}}, ["logging.level"], []),
        ({}, {"server": {"port": 9000}, "retention": {"audit_days": 1}}, ["retention.audit_days"], ["server.port"]),
        (
            {},
            {"cache": {"ttl": 1, "local_entries": 1, "local_bytes": 1, "tools": {"get_item": {"ttl": 5}}}},
            ["cache.tools.get_item", "cache.ttl"],
            ["cache.local_bytes", "cache.local_entries"],
        ),
        (
            {"limits": {"tools": {"search": {"requests": 5}}}},
            {"limits": {"tools": {"search": {"requests": 6}}}},
            ["limits.tools.search.burst", "limits.tools.search.requests"],
            [],
        ),
        ({}, {"database": {"hosts": [{"host": "db2"}]}}, [], ["database.hosts"]),
        ({}, {"redis": {"hosts": [{"host": "r"}], "username": "u"}}, [], ["redis"]),
        (
            {},
            {"auth": {"jwt": {"jwks_url": "https://a/b", "issuer": "i", "audience": "a"}}},
            ["auth.api_keys_file"],
            ["auth.jwt"],
        ),
        (
            {},
            {"auth": {"jwt": {"jwks_file": "f", "issuer": "i", "audience": "a"}}},
            ["auth.api_keys_file", "auth.jwt"],
            [],
        ),
        (
            {"auth": {"jwt": {"secret_file": "f", "audience": "a"}}},
            {"auth": {"jwt": {"secret_file": "f", "audience": "b"}}},
            ["auth.jwt.audience"],
            [],
        ),
        (
            {"server": {"tls": TLS}, "metrics": {"tls": TLS}},
            {"server": {"tls": TLS | {"key_file": "l"}}, "metrics": {"tls": TLS | {"client_ca_file": "a"}}},
            ["server.tls.key_file"],
            ["metrics.tls.client_ca_file"],
        ),
        ({}, {"server": {"tls": TLS}}, [], ["server.tls"]),
        ({"metrics": {"tls": TLS}}, {}, [], ["metrics.tls"]),
        ({}, {"auth": {"api_keys_file": "others", "enabled": False}}, [], ["auth.api_keys_file", "auth.enabled"]),
    ],
)
def test_each_change_is_on_its_list(
    before: dict[str, Any], after: dict[str, Any], apply: list[str], restart: list[str]
) -> None:
    plan = reload_plan(config(**before), config(**after))
    assert plan == (apply, restart)


def test_the_lists_name_keys_that_exist() -> None:
    jwt = {"jwks_url": "https://a/b", "issuer": "i", "audience": "a"}
    full = config(auth={"jwt": jwt}, server={"tls": TLS}, metrics={"tls": TLS}).model_dump()
    for place in (*APPLIED, *NOT_APPLIED):
        node: Any = full
        for part in place.split("."):
            node = node[part]
