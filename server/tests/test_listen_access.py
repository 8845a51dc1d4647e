"""Streams of change notices end with the key or token that opened them, and nobody takes all the places."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from server.tests.access_support import (
    ISSUER,
    RESOURCE,
    OwnDatabase,
    Signer,
    digest,
    own_database,
    rsa_signer,
)
from server.tests.lifecycle_support import Events, in_background, listen, until
from server.tests.test_lifecycle_reload import Reloads
from server.tests.wire_support import Wire, serving
from tests.support.mariadb import MariaDb
from tests.support.mcp_server import McpServer
from trinitycore_mcp.access.key_store import create_key, revoke_key

SCHEMA = "mcp_listen"
ALICE, BOB = "tcmcp_the-key-of-alice", "tcmcp_the-key-of-bob"
SHARE = 128


@pytest.fixture(scope="module")
def own(mariadb: MariaDb, tmp_path_factory: pytest.TempPathFactory) -> OwnDatabase:
    return own_database(mariadb, tmp_path_factory.mktemp("own"), SCHEMA)


@pytest.fixture(scope="module")
def running(mariadb: MariaDb, own: OwnDatabase, tmp_path_factory: pytest.TempPathFactory) -> Iterator[McpServer]:
    """A server that knows keys of a file and of the database, and tokens by public key."""
    directory = tmp_path_factory.mktemp("server")
    (directory / "writer").write_text(SCHEMA)
    write_signers(directory, rsa_signer())
    write_keys(directory, alice=ALICE)
    auth = {
        "api_keys_file": "keys",
        "api_keys_in_database": True,
        "jwt": {"jwks_file": "jwks", "issuer": ISSUER, "audience": RESOURCE, "leeway": 0, "algorithms": ["RS256"]},
    }
    database = {"writer": {"user": SCHEMA, "password_file": "writer"}, "databases": {"mcp": SCHEMA}}
    with serving(directory, mariadb, auth=auth, database=database) as server:
        yield server


@pytest.fixture
def reloads(running: McpServer) -> Iterator[Reloads]:
    """The server with Alice's and Bob's keys in its file, and nobody listening."""
    write_keys(running.directory, alice=ALICE, bob=BOB)
    write_signers(running.directory, rsa_signer())
    made = Reloads(running)
    made.signal()
    yield made
    until(lambda: listening(running) == 0)


def write_keys(directory: Path, changes: Mapping[str, Any] | None = None, **keys: str) -> None:
    """Write the file of API keys.

    :param changes: of the first one's entry.
    """
    entries: list[dict[str, Any]] = [{"name": name, "sha256": digest(key)} for name, key in keys.items()]
    entries[0] |= changes or {}
    (directory / "keys").write_text(yaml.safe_dump(entries))


def write_signers(directory: Path, *signers: Signer) -> None:
    (directory / "jwks").write_text(json.dumps({"keys": [signer.public() for signer in signers]}))


def listening(server: McpServer) -> float:
    return server.metrics()["mcp_server_requests_in_flight"]


def ends_cleanly(stream: Events) -> bool:
    """Return whether the stream ends next, with the result that says so."""
    last = in_background(stream.next).result(10)
    subscription = last["result"]["_meta"]["io.modelcontextprotocol/subscriptionId"]
    return last["id"] == subscription == "a-stream" and stream.next() is None


def refused(server: McpServer, key: str) -> bool:
    """Return whether the key opens nothing any more."""
    return Wire(server).request("tools/list", key=key).status == 401


def test_a_stream_ends_when_its_key_does(reloads: Reloads) -> None:
    server = reloads.server
    ends = datetime.now(UTC) + timedelta(seconds=2)
    write_keys(server.directory, {"expires": ends.isoformat()}, alice=ALICE, bob=BOB)
    reloads.signal()
    short, long = listen(server, ALICE, toolsListChanged=True), listen(server, BOB, toolsListChanged=True)
    assert ends_cleanly(short)
    assert 0 <= time.time() - ends.timestamp() < 3
    assert refused(server, ALICE)
    assert listening(server) == 1
    long.close()


def test_a_stream_ends_when_its_token_does(reloads: Reloads) -> None:
    server, ends = reloads.server, int(time.time()) + 3
    long = listen(server, rsa_signer().token(exp=2**50), toolsListChanged=True)
    short = listen(server, token := rsa_signer().token(exp=ends), toolsListChanged=True)
    assert ends_cleanly(short)
    assert 0 <= time.time() - ends < 3
    assert refused(server, token)
    assert listening(server) == 1
    long.close()


@pytest.mark.parametrize("changes", [None, {"scopes": ["players"]}])
def test_a_stream_ends_when_its_key_is_taken_from_the_file_or_stands_for_something_else(
    reloads: Reloads, changes: dict[str, Any] | None
) -> None:
    server = reloads.server
    gone, kept = listen(server, ALICE, toolsListChanged=True), listen(server, BOB, toolsListChanged=True)
    if changes is None:
        write_keys(server.directory, bob=BOB)
    else:
        write_keys(server.directory, changes, alice=ALICE, bob=BOB)
    reloads.signal()
    assert ends_cleanly(gone)
    assert refused(server, ALICE) is (changes is None)
    assert listening(server) == 1
    kept.close()


def test_a_reload_that_changes_no_key_ends_no_stream(reloads: Reloads) -> None:
    server = reloads.server
    streams = [listen(server, key, toolsListChanged=True) for key in (ALICE, rsa_signer().token())]
    write_keys(server.directory, carol="tcmcp_another", alice=ALICE)
    write_signers(server.directory, Signer("another"), rsa_signer())
    reloads.signal()
    time.sleep(0.3)
    assert listening(server) == 2
    for stream in streams:
        stream.close()


def test_a_stream_ends_when_its_tokens_signer_is_no_longer_trusted(reloads: Reloads) -> None:
    server, token = reloads.server, rsa_signer().token()
    stream, kept = listen(server, token, toolsListChanged=True), listen(server, ALICE, toolsListChanged=True)
    write_signers(server.directory, Signer("another"))
    reloads.signal()
    assert ends_cleanly(stream)
    assert refused(server, token)
    assert listening(server) == 1
    kept.close()


def test_a_stream_ends_when_its_key_is_revoked_in_the_database(reloads: Reloads, own: OwnDatabase) -> None:
    server = reloads.server
    key, other = [asyncio.run(create_key(own, name, ["read"], schema=SCHEMA)) for name in ("dave", "erin")]
    time.sleep(0.6)  # an unknown key makes the table read at most twice a second
    gone, kept = listen(server, key, toolsListChanged=True), listen(server, other, toolsListChanged=True)
    assert listening(server) == 2
    asyncio.run(revoke_key(own, "dave", schema=SCHEMA))
    assert ends_cleanly(gone)
    assert refused(server, key)
    assert listening(server) == 1
    kept.close()


def test_one_caller_has_its_share_of_the_places_and_no_more(reloads: Reloads) -> None:
    server = reloads.server
    streams = [listen(server, ALICE, toolsListChanged=True) for _ in range(SHARE)]
    answer = Wire(server).request("subscriptions/listen", {"notifications": {"toolsListChanged": True}}, key=ALICE)
    assert '"code":-32029' in answer.body
    assert "listens on 128 streams already, as many as one caller may of this instance's 1024: end one" in answer.body
    other = listen(server, BOB, toolsListChanged=True)
    streams.pop().close()
    until(lambda: listening(server) == SHARE)
    streams.append(listen(server, ALICE, toolsListChanged=True))
    for stream in [*streams, other]:
        stream.close()
