"""API keys: the file's entries, and the database's, which every instance follows."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from server.tests.access_support import (
    KEY,
    OwnDatabase,
    bearer,
    digest,
    let_in,
    loaded,
    own_database,
    recalled,
    refusal,
    write_keys,
)
from server.tests.redis_link_support import until
from tests.support.mariadb import MariaDb
from trinitycore_mcp.access import key_store
from trinitycore_mcp.access.authenticator import Authenticator
from trinitycore_mcp.access.key_store import create_key, generate_key, list_keys, revoke_key
from trinitycore_mcp.access.keys import digest_of, load_keys
from trinitycore_mcp.access.principal import Rate
from trinitycore_mcp.config_error import ConfigError

SCHEMA = "mcp_access"


@pytest.mark.parametrize(
    ("expires", "ends"),
    [
        ("2040-01-31", datetime(2040, 2, 1, tzinfo=UTC)),
        ("2040-01-31 10:00:00", datetime(2040, 1, 31, 10, tzinfo=UTC)),
        ("2040-01-31T10:00:00+02:00", datetime(2040, 1, 31, 8, tzinfo=UTC)),
        ('"2040-01-31"', datetime(2040, 2, 1, tzinfo=UTC)),
    ],
)
def test_a_key_ends_with_its_day_or_at_its_time(expires: str, ends: datetime, tmp_path: Path) -> None:
    (tmp_path / "keys").write_text(f"- {{name: a, sha256: {digest('k')}, expires: {expires}}}\n")
    principal = load_keys(tmp_path / "keys").find(digest_of(b"k"))
    assert principal is not None
    assert principal.expires == ends.timestamp()


def test_a_key_may_have_a_limit_of_its_own(tmp_path: Path) -> None:
    rate = {"requests": 600, "period": 30}
    write_keys(tmp_path, {"name": "a", "sha256": digest("k").upper(), "rate": rate}, {"name": "b", "sha256": "0" * 64})
    keys = load_keys(tmp_path / "keys.yml")
    first, second = keys.find(digest_of(b"k")), keys.find(bytes(32))
    assert first is not None
    assert second is not None
    assert (first.rate, second.rate) == (Rate(600, 30, 600), None)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("- {name: a, sha256: zz}", "0.sha256: String should match"),
        ("- {name: 'a b', sha256: %s}", "0.name: String should match"),
        ("- {name: a, sha256: %s, scopes: [root]}", "0.scopes.0: Input should be 'read', 'players' or 'admin'"),
        ("- {name: a, sha256: %s, expires: soon}", "0.expires"),
        ("- {name: a, sha256: %s, rate: {requests: 0}}", "0.rate.requests"),
        ("- {name: a, sha256: %s, key: x}", "0.key: Extra inputs are not permitted"),
        ("- {name: a, sha256: %s}\n- {name: b, sha256: %s}", "two names have the same sha256"),
        ("[]", "needs at least one key"),
    ],
)
def test_a_wrong_file_is_refused_without_telling_a_digest(text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "keys").write_text(text.replace("%s", digest("k")))
    with pytest.raises(ConfigError) as caught:
        load_keys(tmp_path / "keys")
    assert message in str(caught.value)
    assert digest("k") not in str(caught.value)


@pytest.mark.anyio
async def test_an_ended_key_opens_nothing(tmp_path: Path) -> None:
    past, soon = (datetime.now(UTC) + timedelta(seconds=seconds) for seconds in (-1, 0.3))
    entry = {"sha256": digest(KEY), "expires": past.isoformat()}
    other = {"name": "soon", "sha256": digest("soon"), "expires": soon.isoformat()}
    write_keys(tmp_path, {"name": "past", **entry}, other)
    authenticator = Authenticator(loaded(tmp_path, {"api_keys_file": "keys.yml"}))
    assert (await refusal(authenticator, bearer(KEY))).description == "the API key is unknown or has ended"
    assert (await let_in(authenticator, "soon")).name == "soon"
    assert recalled(authenticator, "soon") is not None
    await asyncio.sleep(max(0.0, soon.timestamp() - time.time()) + 0.01)
    assert recalled(authenticator, "soon") is None
    await refusal(authenticator, bearer("soon"))


def test_keys_that_we_make_are_long_and_known_by_their_beginning() -> None:
    keys = [generate_key() for _ in range(100)]
    assert len({plain for plain, _ in keys}) == 100
    for plain, sha256 in keys:
        assert plain.startswith("tcmcp_")
        assert len(plain) == len("tcmcp_") + 43
        assert sha256 == digest(plain)


@pytest.fixture(scope="module")
def own(mariadb: MariaDb, tmp_path_factory: pytest.TempPathFactory) -> OwnDatabase:
    return own_database(mariadb, tmp_path_factory.mktemp("own"), SCHEMA)


@pytest.fixture
def database(own: OwnDatabase) -> OwnDatabase:
    own.server.sql("DELETE FROM api_keys", SCHEMA)
    own.away = False
    return own


@asynccontextmanager
async def following(
    directory: Path, database: OwnDatabase, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Authenticator]:
    monkeypatch.setattr(key_store, "POLL_INTERVAL", 0.05)
    auth = {"api_keys_in_database": True, "api_keys_file": "keys.yml"}
    (directory / "password").write_text("x")
    sections = {"databases": {"mcp": SCHEMA}, "writer": {"user": "app_own", "password_file": "password"}}
    authenticator = Authenticator(loaded(directory, auth, database=sections), database, database)
    async with authenticator.running():
        yield authenticator


async def made(database: OwnDatabase, name: str = "alice", **options: object) -> str:
    return await create_key(database, name, ["players", "read"], schema=SCHEMA, **options)  # type: ignore[arg-type]  # passed through


async def until_refused(authenticator: Authenticator, key: str) -> None:
    await until(lambda: recalled(authenticator, key) is None)
    await refusal(authenticator, bearer(key))


@pytest.mark.anyio
async def test_a_new_key_is_known_at_once_and_a_revoked_one_soon_unknown(
    tmp_path: Path, database: OwnDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with following(tmp_path, database, monkeypatch) as authenticator:
        monkeypatch.setattr(key_store, "MIN_INTERVAL", 0.0)
        key = await made(database, rate=Rate(10, 1.5, 20))
        principal = await let_in(authenticator, key)
        assert (principal.name, principal.method, principal.rate) == ("alice", "api_key", Rate(10, 1.5, 20))
        assert principal.scopes == {"read", "players"}
        assert (await let_in(authenticator, KEY)).name == "file"
        assert await revoke_key(database, "alice", schema=SCHEMA) == 1
        assert await revoke_key(database, "alice", schema=SCHEMA) == 0
        await until_refused(authenticator, key)
        assert (await let_in(authenticator, KEY)).name == "file"


@pytest.mark.anyio
async def test_made_up_keys_do_not_make_the_table_read_each_time(
    tmp_path: Path, database: OwnDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with following(tmp_path, database, monkeypatch) as authenticator:
        monkeypatch.setattr(key_store, "POLL_INTERVAL", 60.0)
        await asyncio.sleep(0.1)
        before = database.statements
        monkeypatch.setattr(key_store, "MIN_INTERVAL", 60.0)
        for number in range(100):
            await refusal(authenticator, bearer(f"tcmcp_made-up-{number}"))
        assert database.statements == before
        monkeypatch.setattr(key_store, "MIN_INTERVAL", 0.0)
        await asyncio.gather(*(refusal(authenticator, bearer(f"tcmcp_more-{number}")) for number in range(100)))
        assert database.statements <= before + 3


@pytest.mark.anyio
async def test_a_key_of_the_database_ends_by_itself(
    tmp_path: Path, database: OwnDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(key_store, "MIN_INTERVAL", 0.0)
    ends = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=60)
    async with following(tmp_path, database, monkeypatch) as authenticator:
        key = await made(database, expires=ends)
        assert (await let_in(authenticator, key)).expires == ends.timestamp()
        now = time.time
        monkeypatch.setattr(time, "time", lambda: now() + 61)
        authenticator.forget()
        await refusal(authenticator, bearer(key))


@pytest.mark.anyio
async def test_known_keys_stay_good_while_the_database_is_away(
    tmp_path: Path, database: OwnDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(key_store, "MIN_INTERVAL", 0.0)
    key = await made(database)
    async with following(tmp_path, database, monkeypatch) as authenticator:
        await let_in(authenticator, key)
        database.away = True
        authenticator.forget()
        await asyncio.sleep(0.15)
        assert (await let_in(authenticator, key)).name == "alice"
        assert (await refusal(authenticator, bearer("tcmcp_unknown"))).status == 401
        database.away = False
        await revoke_key(database, "alice", schema=SCHEMA)
        await until_refused(authenticator, key)


@pytest.mark.anyio
async def test_before_the_first_read_an_unknown_key_may_be_good(
    tmp_path: Path, database: OwnDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    database.away = True
    async with following(tmp_path, database, monkeypatch) as authenticator:
        assert (await refusal(authenticator, bearer("tcmcp_perhaps"))).status == 503
        assert (await let_in(authenticator, KEY)).name == "file"


@pytest.mark.anyio
async def test_a_row_that_makes_no_sense_is_left_out(
    tmp_path: Path, database: OwnDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(key_store, "MIN_INTERVAL", 0.0)
    key, other = await made(database), await made(database, "bob")
    database.server.sql("UPDATE api_keys SET rate_requests = -5 WHERE name = 'bob'", SCHEMA)
    database.server.sql("UPDATE api_keys SET scopes = 'root,admin' WHERE name = 'alice'", SCHEMA)
    stranger = await made(database, "carol")
    database.server.sql("UPDATE api_keys SET scopes = 'root' WHERE name = 'carol'", SCHEMA)
    async with following(tmp_path, database, monkeypatch) as authenticator:
        assert (await let_in(authenticator, key)).scopes == {"admin"}
        assert (await refusal(authenticator, bearer(other))).error == "invalid_token"
        assert (await refusal(authenticator, bearer(stranger))).error == "insufficient_scope"


@pytest.mark.anyio
async def test_keys_are_listed_with_their_last_use(
    tmp_path: Path, database: OwnDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(key_store, "MIN_INTERVAL", 0.0)
    monkeypatch.setattr(key_store, "USED_INTERVAL", 0.0)
    key, _ = await made(database), await made(database, "bob", rate=Rate(5, 60, 7))
    async with following(tmp_path, database, monkeypatch) as authenticator:
        await let_in(authenticator, key)
        used = "SELECT COUNT(last_used_at) FROM api_keys"
        await until(lambda: database.server.sql(used, SCHEMA) == [["1"]])
    bob, alice = await list_keys(database, schema=SCHEMA)
    assert (bob.name, bob.rate, bob.last_used_at, bob.revoked_at) == ("bob", Rate(5, 60, 7), None, None)
    assert (alice.name, alice.scopes, alice.rate) == ("alice", ("read", "players"), None)
    assert alice.last_used_at is not None
    assert abs(alice.created_at.timestamp() - time.time()) < 60


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("name", "scopes", "expires", "message"),
    [
        ("a b", ["read"], None, "name 'a b': allowed are"),
        ("a'; --", ["read"], None, "allowed are"),
        ("a", [], None, "scopes none: allowed are read, players, admin"),
        ("a", ["root"], None, "scopes root: allowed are"),
        ("a", ["read"], datetime(2040, 1, 1), "has no time zone"),  # what is refused
    ],
)
async def test_a_key_that_can_not_be_is_not_made(
    name: str, scopes: list[str], expires: datetime | None, message: str, database: OwnDatabase
) -> None:
    with pytest.raises(ValueError, match=message):
        await create_key(database, name, scopes, expires, schema=SCHEMA)  # type: ignore[arg-type]  # what is refused
    assert await list_keys(database, schema=SCHEMA) == []
