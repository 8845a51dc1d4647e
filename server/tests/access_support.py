"""What the tests of access share: configurations, signing keys, tokens, a signer's web server, our own database."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import hashlib
import json
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import jwt
import pymysql
import yaml
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm
from pymysql.cursors import DictCursor

from tests.support.database_server import DatabaseServer
from trinitycore_mcp import store
from trinitycore_mcp.access.authenticator import Authenticator
from trinitycore_mcp.access.principal import Principal
from trinitycore_mcp.access.refused import Refused
from trinitycore_mcp.config_load import Loaded, load
from trinitycore_mcp.store import migrate

RESOURCE = "https://mcp.example.org/mcp"
ISSUER = "https://login.example.org/"
SECRET = "a secret of more than thirty-two bytes, shared"
KEY = "tcmcp_a-key-of-the-file"
Headers = list[tuple[bytes, bytes]]


def digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


def loaded(directory: Path, auth: Mapping[str, Any], **sections: Any) -> Loaded:
    """Return a configuration with these settings of section auth."""
    (directory / "secret").write_text(SECRET + "\n")
    if not (directory / "keys.yml").exists():
        write_keys(directory, {"name": "file", "sha256": digest(KEY), "scopes": ["read", "players"]})
    config = {"server": {"public_url": RESOURCE}, "auth": dict(auth), **sections}
    (directory / "config.yml").write_text(yaml.safe_dump(config))
    return load(directory / "config.yml", {})


def write_keys(directory: Path, *entries: Mapping[str, Any]) -> None:
    (directory / "keys.yml").write_text(yaml.safe_dump([dict(entry) for entry in entries]))


def bearer(credential: str | bytes) -> Headers:
    raw = credential.encode() if isinstance(credential, str) else credential
    return [(b"host", b"mcp.example.org"), (b"authorization", b"Bearer " + raw)]


def recalled(authenticator: Authenticator, headers: Headers | str) -> Principal | None:
    """Return whom a request with these headers, or with this bearer credential, is known to come from."""
    pairs = bearer(headers) if isinstance(headers, str) else headers
    return authenticator.recall(dict(pairs)) if len(dict(pairs)) == len(pairs) else None


async def refusal(authenticator: Authenticator, headers: Headers) -> Refused:
    """Return how a request is refused; it must be, now and from memory."""
    assert recalled(authenticator, headers) is None
    try:
        principal = await authenticator.verify(headers)
    except Refused as refused:
        assert recalled(authenticator, headers) is None
        return refused
    raise AssertionError(f"let in as {principal.name}")


async def let_in(authenticator: Authenticator, credential: str) -> Principal:
    return await authenticator.verify(bearer(credential))


class Signer:
    """An authorization server's key."""

    def __init__(self, kid: str, algorithm: str = "RS256") -> None:
        self.kid = kid
        self.algorithm = algorithm
        self.key: Any = (
            ec.generate_private_key({"ES256": ec.SECP256R1(), "ES384": ec.SECP384R1()}[algorithm])
            if algorithm.startswith("ES")
            else rsa.generate_private_key(65537, 2048)
        )

    def public(self, **changes: Any) -> dict[str, Any]:
        """Return the public half as an entry of a JWK Set."""
        kind: Any = ECAlgorithm if self.algorithm.startswith("ES") else RSAAlgorithm
        entry = dict(kind.to_jwk(self.key.public_key(), as_dict=True))
        entry.pop("key_ops", None)
        return entry | {"kid": self.kid, "use": "sig", "alg": self.algorithm} | changes

    def token(self, headers: Mapping[str, Any] | None = None, **claims: Any) -> str:
        """Return a token that is good now, with changes; a claim None is left out."""
        named = {"kid": self.kid} | dict(headers or {})
        return sign(self.key, self.algorithm, named, **claims)


def sign(key: Any, algorithm: str, headers: Mapping[str, Any] | None = None, **claims: Any) -> str:
    now = int(time.time())
    usual = {"iss": ISSUER, "aud": RESOURCE, "sub": "alice", "scope": "read", "iat": now, "exp": now + 300}
    kept = {name: value for name, value in (usual | claims).items() if value is not None}
    return jwt.encode(kept, key, algorithm, headers=dict(headers or {}))


@functools.cache
def rsa_signer() -> Signer:
    return Signer("rsa-1")


@dataclass
class KeyServer:
    """A signer's web server: what it answers can be changed while it runs."""

    keys: list[dict[str, Any]] = field(default_factory=list)
    status: int = 200
    body: bytes | None = None
    delay: float = 0.0
    requests: int = 0
    url: str = ""

    @contextlib.contextmanager
    def running(self) -> Iterator[KeyServer]:
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.requests += 1
                time.sleep(outer.delay)
                body = outer.body if outer.body is not None else json.dumps({"keys": outer.keys}).encode()
                with contextlib.suppress(OSError):
                    self.send_response(outer.status)
                    self.send_header("content-type", "application/jwk-set+json")
                    self.send_header("content-length", str(len(body)))
                    self.end_headers()
                    self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        self.url = f"http://127.0.0.1:{server.server_port}/keys"
        try:
            yield self
        finally:
            server.shutdown()
            server.server_close()


class OwnDatabase:
    """Reads and writes our own schema, as the database layer does, on a connection for each statement."""

    def __init__(self, server: DatabaseServer, user: str) -> None:
        self.server = server
        self.user = user
        self.away = False
        self.statements = 0

    async def fetch(self, kind: str, sql: str, parameters: Sequence[object] = ()) -> list[dict[str, Any]]:
        return await asyncio.to_thread(self._run, sql, parameters)

    async def execute(self, kind: str, sql: str, parameters: Sequence[object] = ()) -> int:
        rows = await asyncio.to_thread(self._run, sql, parameters, changes=True)
        return int(rows[0]["changed"])

    def _run(self, sql: str, parameters: Sequence[object], *, changes: bool = False) -> list[dict[str, Any]]:
        self.statements += 1
        if self.away:
            raise OSError("the database is away")
        connection = pymysql.connect(
            host="127.0.0.1",
            port=self.server.port,
            user=self.user,
            password=self.user,
            cursorclass=DictCursor,
            autocommit=True,
        )
        with contextlib.closing(connection):
            cursor = connection.cursor()
            changed = cursor.execute(sql, tuple(parameters))
            return [{"changed": changed}] if changes else list(cursor.fetchall())


def own_database(server: DatabaseServer, directory: Path, schema: str) -> OwnDatabase:
    """Return our own tables, as migrate-db makes them, under a name and with an account of their own."""
    server.account(schema, schema, grants=f"ALL ON `{schema}`.*")
    (directory / "password").write_text(schema)
    where = {"hosts": [{"host": "127.0.0.1", "port": server.port}], "databases": {"mcp": schema}}
    writer = {"user": schema, "password_file": "password"}
    settings = loaded(directory, {"enabled": False}, database={**where, "writer": writer})
    with contextlib.closing(store.connect(settings)) as connection:
        migrate.run(connection)
    return OwnDatabase(server, schema)
