"""Signers' keys by URL: rotation, a signer that is down, late, or hostile; what is usable of a set."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jwt
import pytest

from server.tests.access_support import KeyServer, Signer, bearer, let_in, loaded, recalled, refusal, rsa_signer, sign
from server.tests.redis_link_support import until
from trinitycore_mcp.access import jwks
from trinitycore_mcp.access.authenticator import Authenticator
from trinitycore_mcp.config_error import ConfigError


@pytest.fixture
def key_server() -> Iterator[KeyServer]:
    with KeyServer([rsa_signer().public()]).running() as server:
        yield server


def by_url(directory: Path, server: KeyServer) -> Authenticator:
    return Authenticator(loaded(directory, {"jwt": {"jwks_url": server.url, "issuer": "https://login.example.org/"}}))


def keys_of(authenticator: Authenticator) -> jwks.UrlKeys:
    assert authenticator._published is not None
    return authenticator._published


@pytest.mark.anyio
async def test_a_rotated_key_is_found_and_the_old_one_forgotten(
    tmp_path: Path, key_server: KeyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = rsa_signer(), Signer("rsa-2")
    authenticator = by_url(tmp_path, key_server)
    async with authenticator.running():
        first = old.token()
        await let_in(authenticator, first)
        assert recalled(authenticator, first) is None  # the keys changed while it was verified
        await let_in(authenticator, first)
        assert recalled(authenticator, first) is not None
        assert key_server.requests == 1
        key_server.keys = [new.public()]
        refused = await refusal(authenticator, bearer(new.token()))  # asked less than 30 s ago
        assert refused.description == "the token is signed with an unknown key"
        assert key_server.requests == 1
        monkeypatch.setattr(jwks, "MIN_INTERVAL", 0.0)
        assert (await let_in(authenticator, new.token())).name == "alice"
        assert (await refusal(authenticator, bearer(first))).status == 401


@pytest.mark.anyio
async def test_unknown_key_ids_can_not_be_used_against_the_signer(tmp_path: Path, key_server: KeyServer) -> None:
    authenticator = by_url(tmp_path, key_server)
    async with authenticator.running():
        await let_in(authenticator, rsa_signer().token())
        for number in range(20):
            await refusal(authenticator, bearer(rsa_signer().token({"kid": f"made-up-{number}"})))
        keys_of(authenticator)._begun -= jwks.MIN_INTERVAL
        tokens = [rsa_signer().token({"kid": f"more-{number}"}) for number in range(20)]
        await asyncio.gather(*(refusal(authenticator, bearer(token)) for token in tokens))
    assert key_server.requests == 2


@pytest.mark.anyio
@pytest.mark.parametrize("failure", ["500", "redirect", "junk", "no set", "huge", "closed"])
async def test_known_keys_stay_good_while_the_signer_fails(
    failure: str, tmp_path: Path, key_server: KeyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    authenticator = by_url(tmp_path, key_server)
    async with authenticator.running():
        token = rsa_signer().token()
        await let_in(authenticator, token)
        key_server.status = {"500": 500, "redirect": 302}.get(failure, 200)
        bodies = {"junk": b"<html>", "no set": b"[]", "huge": b'{"keys": [' + b" " * jwks.MAX_SIZE + b"]}"}
        key_server.body = bodies.get(failure, b"")
        if failure == "closed":
            keys_of(authenticator)._url = "http://127.0.0.1:1/keys"
        assert not await keys_of(authenticator).refresh()
        authenticator.forget()
        assert (await let_in(authenticator, token)).name == "alice"
        monkeypatch.setattr(jwks, "MIN_INTERVAL", 0.0)
        assert (await refusal(authenticator, bearer(rsa_signer().token({"kid": "new"})))).status == 401


@pytest.mark.anyio
async def test_a_silent_signer_is_given_up(
    tmp_path: Path, key_server: KeyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jwks, "FETCH_TIMEOUT", 0.2)
    key_server.delay = 1.0
    authenticator = by_url(tmp_path, key_server)
    async with authenticator.running():
        started = time.monotonic()
        refused = await refusal(authenticator, bearer(rsa_signer().token()))
        assert time.monotonic() - started < 0.9
    assert refused.status == 503  # the token may be good: the client must not throw it away
    assert refused.description == "the keys that tokens are signed with could not be fetched yet"


@pytest.mark.anyio
async def test_a_signer_that_comes_up_late_is_found(
    tmp_path: Path, key_server: KeyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jwks, "_FIRST_RETRIES", (0.02,) * 200)
    key_server.status = 503
    authenticator = by_url(tmp_path, key_server)
    async with authenticator.running():
        await until(lambda: key_server.requests >= 2)
        key_server.status = 200
        await until(lambda: keys_of(authenticator).ready)
        assert (await let_in(authenticator, rsa_signer().token())).name == "alice"


def private(signer: Signer) -> dict[str, Any]:
    return dict(jwt.get_algorithm_by_name("RS256").to_jwk(signer.key, as_dict=True)) | {"kid": signer.kid}


UNUSABLE: dict[str, dict[str, Any]] = {
    "for encryption": {"use": "enc"},
    "to sign, not to verify": {"key_ops": ["sign"]},
    "of another algorithm": {"alg": "RSA-OAEP"},
    "of another kind": {"kty": "EC"},
    "a shared secret": {"kty": "oct", "k": "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0"},
    "an id that is no text": {"kid": ["rsa-1"]},
    "a short modulus": {"n": "AQAB"},
    "a modulus that is no text": {"n": 5},
    "no modulus": {"n": None},
}


@pytest.mark.parametrize("name", UNUSABLE)
def test_unusable_keys_of_a_set_are_left_out(name: str) -> None:
    entry = rsa_signer().public() | UNUSABLE[name]
    good = rsa_signer().public(kid="good")
    keys = jwks.parse(json.dumps({"keys": [entry, good]}).encode(), ["RS256", "HS256"])
    assert keys.find("good", "RS256") is not None
    assert len(keys) == 1


def test_a_key_that_comes_with_its_private_half_is_left_out() -> None:
    assert not len(jwks.parse(json.dumps({"keys": [private(rsa_signer())]}).encode(), ["RS256"]))


def test_a_curve_goes_with_its_algorithm_only() -> None:
    signer = Signer("ec", "ES256")
    document = json.dumps({"keys": [signer.public(alg="ES384"), signer.public(kid="plain")]}).encode()
    keys = jwks.parse(document, ["ES256", "ES384"])
    assert [keys.find("ec", "ES384"), keys.find("ec", "ES256")] == [None, None]
    assert keys.find("plain", "ES256") is not None


@pytest.mark.parametrize(
    ("document", "message"),
    [
        (b"", "is not JSON"),
        (b"[" * 10_000, "is not JSON"),
        (b'{"keys": {}}', "is not a JWK Set"),
        (b'{"keys": [1]}', "is not a JWK Set"),
        (json.dumps({"keys": [{}] * 101}).encode(), "has 101 keys, allowed are 100"),
        (b'{"keys": []}', "has no key for RS256, ES256"),
        (b" " * 300_000, "has more than 262144 bytes"),
    ],
)
def test_a_file_that_is_no_key_set_is_refused(document: bytes, message: str, tmp_path: Path) -> None:
    settings = loaded(tmp_path, {"jwt": {"jwks_file": "jwks", "issuer": "x"}})
    (tmp_path / "jwks").write_bytes(document)
    with pytest.raises(ConfigError, match=message):
        Authenticator(settings)


@pytest.mark.anyio
async def test_the_padding_that_a_key_does_not_name_is_the_operators_choice(tmp_path: Path) -> None:
    signer = rsa_signer()
    entry = signer.public()
    del entry["alg"]
    (tmp_path / "jwks").write_text(json.dumps({"keys": [entry]}))
    jwt_options = {"jwks_file": "jwks", "issuer": "https://login.example.org/"}
    for algorithms, allowed in ((["RS256"], False), (["PS256"], True)):
        settings = loaded(tmp_path, {"jwt": {**jwt_options, "algorithms": algorithms}})
        authenticator = Authenticator(settings)
        token = sign(signer.key, "PS256", {"kid": signer.kid})
        if allowed:
            assert (await let_in(authenticator, token)).name == "alice"
        else:
            await refusal(authenticator, bearer(token))
