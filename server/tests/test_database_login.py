"""Logging in: to a server that accepts connections and then says nothing, and by TLS as the role demands it."""

from __future__ import annotations

import asyncio
import socket
import ssl
import time
from pathlib import Path

import pytest
import yaml
from ansible_collections.trinitycore.mcp.plugins.module_utils.mysql.connection import open_local
from ansible_collections.trinitycore.mcp.plugins.module_utils.mysql.flavors import FLAVORS

from server.tests.database_support import PORT, database_over, everywhere
from tests.support.certificates import Authority
from tests.support.database_server import DatabaseServer
from tests.support.database_servers import SERVERS, both_kinds
from trinitycore_mcp import store
from trinitycore_mcp.config import DatabaseHost
from trinitycore_mcp.config_load import load
from trinitycore_mcp.database.errors import Unavailable
from trinitycore_mcp.database.session import Session, SessionSettings, connect

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("steps", range(12))
@pytest.mark.parametrize("given_up", [False, True])
async def test_a_login_ends_in_time_even_if_the_connection_comes_at_that_very_moment(
    steps: int, given_up: bool
) -> None:
    """Before CPython 3.12, asyncio.wait_for swallows such a timeout, and a caller's cancellation too."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        host = DatabaseHost(host="127.0.0.1", port=silent.getsockname()[1])
        attempt: asyncio.Task[Session] = asyncio.create_task(
            connect(host, SessionSettings("app_ro", "secret", None, 5 if given_up else 0.02, 1))
        )
        for _ in range(steps):
            await asyncio.sleep(0)
        time.sleep(0.03)  # noqa: ASYNC251 (the connection and the end of the time are found together afterwards)
        if given_up:
            attempt.cancel()
        ended, _ = await asyncio.wait({attempt}, timeout=0.5)
        assert ended
        assert attempt.cancelled() if given_up else isinstance(attempt.exception(), TimeoutError)


@pytest.mark.parametrize("kind", both_kinds("login"))
async def test_the_roles_accounts_log_in_by_tls_also_when_the_server_has_forgotten_them(
    kind: str, tmp_path: Path
) -> None:
    """Oracle MySQL keeps whom it has let in, and asks for the whole password by TLS of everybody else."""
    authority = Authority(tmp_path / "ca")
    pair = authority.issue("db1")
    options = {"ssl_cert": str(pair.certificate), "ssl_key": str(pair.key)}
    trusting = ssl.create_default_context(cafile=authority.ca)
    flavor = FLAVORS[kind]
    with SERVERS[kind].start(tmp_path / "db", options=options) as server:
        with open_local(server.socket) as root:
            for user, password in (("app_ro", "app_ro"), ("app_rw", "app_rw"), ("changed", "another")):
                flavor.create_account(root, user, "%", flavor.password_hash(password), tls=True)
        server.sql(f"GRANT {everywhere(server, 'SELECT', 'SLAVE MONITOR')} TO app_ro")
        if kind == "mysql":
            plugins = "SELECT DISTINCT plugin FROM mysql.user WHERE User IN ('app_ro', 'app_rw', 'changed')"
            assert server.sql(plugins) == [["caching_sha2_password"]]
        for forgotten in (False, True):
            if forgotten:
                server.stop()
                server.restart()
            async with database_over(server, tls=trusting) as database:
                assert (await database.fetch("test", "SHOW STATUS LIKE 'Ssl_cipher'"))[0]["Value"]
            async with database_over(server, tls=trusting, user="changed", acquire_timeout=0.2) as database:
                with pytest.raises(Unavailable, match="Access denied for user 'changed'"):
                    await database.fetch("test", PORT)
            async with database_over(server, user="app_ro", acquire_timeout=0.2) as database:
                with pytest.raises(Unavailable, match="Access denied for user 'app_ro'"):
                    await database.fetch("test", PORT)
            config = write_config(tmp_path, server, authority)
            writable = store.connect(load(config, {}, auth_needed=False))
            assert writable.fetch("SHOW STATUS LIKE 'Ssl_cipher'")[0]["Value"]
            writable.close()


def write_config(folder: Path, server: DatabaseServer, authority: Authority) -> Path:
    """Write what migrate-db connects by."""
    (folder / "password").write_text("app_rw")
    section = {
        "hosts": [{"host": "127.0.0.1", "port": server.port}],
        "writer": {"user": "app_rw", "password_file": "password"},
        "tls": {"ca_file": str(authority.ca)},
    }
    (folder / "config.yml").write_text(yaml.safe_dump({"database": section}))
    return folder / "config.yml"
