"""The client against a real Redis that speaks TLS only."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from ansible_collections.trinitycore.mcp.plugins.module_utils.redis.client import Login, RedisError
from ansible_collections.trinitycore.mcp.plugins.module_utils.redis.client import Redis as Client
from ansible_collections.trinitycore.mcp.plugins.module_utils.redis.topology import Member, look, look_at_all

from tests.support.binaries import free_port
from tests.support.certificates import Authority
from tests.support.redis import Redis

HERE = Member("redis1", "127.0.0.1")


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """The cluster's authority."""
    return Authority(tmp_path_factory.mktemp("pki"))


@pytest.fixture(scope="module")
def server(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Redis]:
    """A server with the user admin and no other."""
    folder = tmp_path_factory.mktemp("redis")
    acl = ["user default off", "user admin on >secret ~* &* +@all", "user poor on >secret ~* +ping"]
    with Redis.start(folder, tls=authority.issue("redis1"), ca=authority.ca, acl=acl) as started:
        yield started


@pytest.fixture
def login(authority: Authority) -> Login:
    """How this host logs in."""
    pair = authority.issue("client")
    return Login("admin", "secret", str(authority.ca), str(pair.certificate), str(pair.key), 3.0)


def test_every_kind_of_reply(server: Redis, login: Login) -> None:
    with Client("127.0.0.1", server.port, login) as client:
        assert client.call("SET", "a", "ä\r\n b") == "OK"
        assert client.call("GET", "a") == "ä\r\n b"
        assert client.call("GET", "nothing") is None
        assert client.call("RPUSH", "list", "1", "2") == 2
        assert client.call("LRANGE", "list", "0", "-1") == ["1", "2"]
        with pytest.raises(RedisError, match="WRONGTYPE"):
            client.call("GET", "list")
        assert client.call("PING") == "PONG"


def test_role_and_size_of_a_server(server: Redis, login: Login) -> None:
    with Client("127.0.0.1", server.port, login) as client:
        client.call("FLUSHALL")
        client.call("MSET", "a", "1", "b", "2")
        primary = look(HERE, server.port, login)
        assert (primary.state, primary.upstream, primary.keys) == ("answered", None, 2)
        client.call("REPLICAOF", "127.0.0.9", "6379")
        try:
            replica = look(HERE, server.port, login)
            assert (replica.state, replica.upstream, replica.linked) == ("answered", "127.0.0.9", False)
        finally:
            client.call("REPLICAOF", "NO", "ONE")


def test_why_a_server_does_not_answer(server: Redis, login: Login, tmp_path: Path) -> None:
    stranger = Authority(tmp_path, "stranger")
    assert look(HERE, server.port, replace(login, password="wrong")).state == "denied"
    assert look(HERE, server.port, replace(login, user="nobody")).state == "denied"
    assert look(HERE, server.port, replace(login, ca_file=str(stranger.ca))).state == "silent"
    assert look(HERE, server.port, replace(login, user="poor")).state == "silent"
    assert look(HERE, free_port(), login).state == "refused"


def test_members_are_asked_at_once_and_answer_in_order(server: Redis, login: Login) -> None:
    members = [Member("redis2", "127.0.0.2"), HERE]
    nodes = look_at_all(members, lambda member: look(member, server.port, login))
    assert [(node.name, node.state) for node in nodes] == [("redis2", "refused"), ("redis1", "answered")]
