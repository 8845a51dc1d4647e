"""The throwaway Redis that other tests lean on does what it says."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.support.certificates import Authority
from tests.support.redis import Redis


def test_a_replica_follows_its_primary(tmp_path: Path) -> None:
    with Redis.start(tmp_path / "1") as primary, Redis.start(tmp_path / "2") as replica:
        replica.cli("REPLICAOF", "127.0.0.1", str(primary.port))
        deadline = time.monotonic() + 20
        while "master_link_status:up" not in replica.cli("INFO", "replication"):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        primary.cli("SET", "a", "1")
        assert primary.cli("WAIT", "1", "5000") == "1"
        # A replica acknowledges what it received; whoever reads it may come a moment early.
        while replica.cli("GET", "a") != "1":
            assert time.monotonic() < deadline
            time.sleep(0.05)


def test_tls_and_acl_are_enforced(tmp_path: Path) -> None:
    authority, stranger = Authority(tmp_path / "ca"), Authority(tmp_path / "other")
    acl = ["user default off", "user app on >secret ~app:* +@all"]
    with Redis.start(tmp_path / "r", tls=authority.issue("redis1"), ca=authority.ca, acl=acl) as server:
        assert server.cli("SET", "app:a", "1", user="app", password="secret") == "OK"
        with pytest.raises(RuntimeError, match="NOPERM"):
            server.cli("SET", "other", "1", user="app", password="secret")
        with pytest.raises(RuntimeError, match="NOAUTH"):
            server.cli("GET", "app:a")
        server.tls = stranger.issue("redis1")
        with pytest.raises(RuntimeError, match=r"(?i)connect"):
            server.cli("PING")
