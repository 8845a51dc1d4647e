"""Checks of the certificates that load balancers are to share."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.trinitycore.mcp.plugins.module_utils.preflight.certificates import check_certificates
from ansible_collections.trinitycore.mcp.plugins.module_utils.preflight.inventory import Inventory
from ansible_collections.trinitycore.mcp.plugins.module_utils.preflight.problems import Problems

from .conftest import MakeInventory

EDGE = {"name": "edge", "names": ["mcp.example.com"]}
GOOD: dict[str, Any] = {
    "cluster_public_certificate": True,
    "letsencrypt_hosts": ["lb1"],
    "letsencrypt_challenge": "http-01",
    "letsencrypt_dns_plugin": "",
    "letsencrypt_renew_share": 0.3333,
    "letsencrypt_certificates": [EDGE],
}


def found(inventory: Inventory) -> list[str]:
    problems = Problems()
    check_certificates(inventory, problems)
    return problems.lines(inventory)


def test_nothing_wrong(inventory: MakeInventory) -> None:
    assert found(inventory(**GOOD)) == []
    wildcard = {"name": "edge", "names": ["*.example.com"], "challenge": "dns-01"}
    assert found(inventory(**{**GOOD, "letsencrypt_certificates": [wildcard], "letsencrypt_dns_plugin": "ovh"})) == []


def test_nothing_is_asked_where_there_are_none(inventory: MakeInventory) -> None:
    assert found(inventory(**{**GOOD, "cluster_public_certificate": False, "letsencrypt_certificates": []})) == []


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"letsencrypt_certificates": []}, "none is called edge and is for mcp.example.com"),
        (
            {"letsencrypt_certificates": [{"name": "edge", "names": ["www.example.com"]}]},
            "none is called edge and is for mcp.example.com",
        ),
        ({"letsencrypt_certificates": [EDGE, EDGE]}, "'edge' is the name of two certificates"),
        (
            {"letsencrypt_certificates": [EDGE, {"name": "x", "names": ["https://a.test"]}]},
            "'https://a.test' is not a domain name",
        ),
        (
            {"letsencrypt_certificates": [EDGE, {"name": "x", "names": ["*.a.test"]}]},
            "'x' has a wildcard, which http-01 can't prove - allowed values are dns-01",
        ),
        ({"letsencrypt_challenge": "dns-01"}, "letsencrypt_dns_plugin (lb1) - is not set, and dns-01 needs it"),
        ({"letsencrypt_hosts": ["lb1", "app1"]}, "['lb1', 'app1'] is not the group loadbalancers"),
        ({"letsencrypt_renew_share": 30}, "letsencrypt_renew_share (lb1) - 30 is no share - must be between 0 and 1"),
    ],
)
def test_mistakes_are_named(inventory: MakeInventory, changes: dict[str, Any], says: str) -> None:
    lines = found(inventory(**{**GOOD, **changes}))
    assert len(lines) == 1
    assert says in lines[0]
