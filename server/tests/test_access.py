"""Who is let in: hostile credentials, tokens, the cache of verified ones, what the refused are told."""

from __future__ import annotations

import base64
import json
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from server.tests.access_support import (
    KEY,
    RESOURCE,
    SECRET,
    Headers,
    Signer,
    bearer,
    digest,
    let_in,
    loaded,
    recalled,
    refusal,
    rsa_signer,
    sign,
    write_keys,
)
from trinitycore_mcp import metrics
from trinitycore_mcp.access.authenticator import MAX_CACHED, Authenticator
from trinitycore_mcp.access.jwks import FileKeys
from trinitycore_mcp.access.metadata import challenge, metadata, metadata_paths
from trinitycore_mcp.access.principal import ANONYMOUS, SCOPES, Principal
from trinitycore_mcp.access.refused import Refused, require
from trinitycore_mcp.access.tokens import TokenRules, TokenVerifier
from trinitycore_mcp.config_error import ConfigError

JWKS = {"jwks_file": "jwks", "issuer": "https://login.example.org/", "algorithms": ["RS256", "PS256", "ES256", "ES384"]}
SHARED = {"secret_file": "secret", "issuer": "https://login.example.org/"}


def counted(result: str, method: str = "jwt") -> float:
    return metrics.REGISTRY.get_sample_value("mcp_auth_total", {"method": method, "result": result}) or 0.0


@pytest.fixture
def signer() -> Signer:
    return rsa_signer()


@pytest.fixture
def by_public_key(tmp_path: Path, signer: Signer) -> Authenticator:
    (tmp_path / "jwks").write_text(json.dumps({"keys": [signer.public()]}))
    return Authenticator(loaded(tmp_path, {"api_keys_file": "keys.yml", "jwt": JWKS}))


@pytest.fixture
def by_secret(tmp_path: Path) -> Authenticator:
    return Authenticator(loaded(tmp_path, {"api_keys_file": "keys.yml", "jwt": SHARED}))


def unsigned(**claims: object) -> str:
    def part(value: object) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()

    usual = {"iss": JWKS["issuer"], "aud": RESOURCE, "sub": "alice", "scope": "admin", "exp": time.time() + 300}
    return f"{part({'alg': 'none', 'typ': 'JWT'})}.{part(usual | claims)}."


def confused(signer: Signer) -> str:
    """Return a token signed with the public key as if it were a secret."""
    pem = signer.key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    head, body, _ = sign("x" * 32, "HS256", {"kid": signer.kid}).split(".")
    algorithm = jwt.get_algorithm_by_name("HS256")
    signature = algorithm.sign(f"{head}.{body}".encode(), pem)
    return f"{head}.{body}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"


def tampered(signer: Signer) -> str:
    head, _, signature = signer.token().split(".")
    body = base64.urlsafe_b64encode(json.dumps({"sub": "root", "scope": "admin"}).encode()).rstrip(b"=").decode()
    return f"{head}.{body}.{signature}"


# Each makes its credential when the test runs, so that none is old by then.
HOSTILE: dict[str, tuple[Callable[[Signer], str], str]] = {
    "expired": (lambda s: s.token(exp=int(time.time()) - 60), "has expired"),
    "expires never": (lambda s: s.token(exp=None), "has no exp"),
    "expiry is no number": (lambda s: s.token(exp="soon"), "malformed"),
    "expiry is a boolean": (lambda s: s.token(exp=True), "has expired"),
    "expiry is infinite": (lambda s: s.token(exp=float("inf")), "malformed"),
    "expiry is beyond all numbers": (lambda s: s.token(exp=10**400), "exp is not a time"),
    "expiry is a text": (lambda s: s.token(exp=str(int(time.time()) + 300)), "exp is not a time"),
    "not yet valid": (lambda s: s.token(nbf=int(time.time()) + 120), "not valid yet"),
    "issued in the future": (lambda s: s.token(iat=int(time.time()) + 120), "not valid yet"),
    "no signature": (lambda s: unsigned(), "algorithm is not allowed"),
    "public key as secret": (confused, "algorithm is not allowed"),
    "shared secret": (lambda s: sign(SECRET, "HS256", {"kid": s.kid}), "algorithm is not allowed"),
    "another hash than the key's": (lambda s: sign(s.key, "RS512", {"kid": s.kid}), "algorithm is not allowed"),
    "another padding than the key's": (lambda s: sign(s.key, "PS256", {"kid": s.kid}), "unknown key"),
    "foreign issuer": (lambda s: s.token(iss="https://login.example.com/"), "another issuer"),
    "no issuer": (lambda s: s.token(iss=None), "no iss"),
    "foreign audience": (lambda s: s.token(aud="https://other.example.org/mcp"), "another resource"),
    "audience begins alike": (lambda s: s.token(aud=RESOURCE + "/evil"), "another resource"),
    "no audience": (lambda s: s.token(aud=None), "no aud"),
    "unknown key id": (lambda s: s.token({"kid": "rsa-2"}), "unknown key"),
    "key id is a path": (lambda s: s.token({"kid": "../../dev/null"}), "unknown key"),
    "foreign key, known id": (lambda s: Signer(s.kid).token(), "signature is wrong"),
    "brings its own key": (lambda s: Signer("x").token({"jwk": Signer("y").public(), "kid": s.kid}), "signature"),
    "critical extension": (lambda s: s.token({"crit": ["exp"]}), "malformed|critical"),
    "an identity token": (lambda s: s.token({"typ": "logout+jwt"}), "another kind"),
    "no name": (lambda s: s.token(sub=None), "no sub"),
    "a name with a line break": (lambda s: s.token(sub="a\nlevel: FATAL"), "not a name"),
    "a long name": (lambda s: s.token(sub="a" * 129), "not a name"),
    "tampered": (tampered, "signature is wrong"),
    "truncated": (lambda s: s.token()[:-20], "signature is wrong|malformed"),
    "without signature part": (lambda s: s.token().rpartition(".")[0], "unknown"),
    "two parts more": (lambda s: s.token() + ".a.b", "unknown"),
    "junk": (lambda s: "a.b.c", "malformed"),
    "not base64": (lambda s: "!!!.???.***", "malformed"),
    "100 KB": (lambda s: s.token(extra="x" * 75_000), "102|100|bytes, allowed are 8192"),
    "deeply nested": (lambda s: f"{'W' * 2000}.{'W' * 2000}.{'W' * 200}", "malformed"),
    "unknown API key": (lambda s: "tcmcp_" + "x" * 43, "unknown or has ended"),
    "digest of an API key": (lambda s: digest(KEY), "unknown or has ended"),
    "an API key with a blank": (lambda s: KEY[:8] + " " + KEY[8:], "blanks"),
    "an API key, half": (lambda s: KEY[:-1], "unknown or has ended"),
    "control characters": (lambda s: "abc\x00def", "printable ASCII"),
    "not ASCII": (lambda s: "schlüssel", "printable ASCII"),
    "SQL": (lambda s: "'/**/OR/**/1=1--", "unknown or has ended"),
}


@pytest.mark.anyio
@pytest.mark.parametrize("name", HOSTILE)
async def test_a_hostile_credential_is_refused_and_nothing_of_it_is_repeated(
    name: str, by_public_key: Authenticator, signer: Signer, caplog: pytest.LogCaptureFixture
) -> None:
    make, reason = HOSTILE[name]
    credential = make(signer)
    refused = await refusal(by_public_key, bearer(credential))
    assert refused.status in (400, 401)
    assert refused.error == ("invalid_token" if refused.status == 401 else "invalid_request")
    assert re.search(reason, refused.description), refused.description
    told = refused.description + caplog.text
    parts = [part for part in credential.split(".") if len(part) > 5]
    assert not [part for part in parts if part in told]
    assert "evil" not in told
    assert "FATAL" not in told
    assert refused.__cause__ is None


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ([], 401),
        ([(b"authorization", b"Basic dXNlcjpwYXNz")], 401),
        ([(b"authorization", b"")], 401),
        ([(b"authorization", b"Bearer")], 400),
        ([(b"authorization", b"Bearer  ")], 400),
        ([(b"x-api-key", b"")], 400),
        ([*bearer(KEY), *bearer(KEY)], 400),
        ([*bearer(KEY), (b"x-api-key", KEY.encode())], 400),
        ([(b"x-api-key", KEY.encode()), (b"x-api-key", b"other")], 400),
        ([(b"authorization", b"Basic dXNlcjpwYXNz"), (b"x-api-key", KEY.encode())], 400),
        ([(b"cookie", b"access_token=" + KEY.encode())], 401),
        ([(b"access_token", KEY.encode())], 401),
    ],
)
async def test_exactly_one_credential_by_header_is_needed(
    headers: Headers, status: int, by_public_key: Authenticator
) -> None:
    await let_in(by_public_key, KEY)
    refused = await refusal(by_public_key, headers)
    assert refused.status == status
    assert refused.error == (None if status == 401 else "invalid_request")


@pytest.mark.anyio
@pytest.mark.parametrize("scheme", [b"Bearer ", b"bearer ", b"BEARER  "])
async def test_a_key_is_known_by_either_header(scheme: bytes, by_public_key: Authenticator) -> None:
    for headers in ([(b"authorization", scheme + KEY.encode())], [(b"x-api-key", KEY.encode())]):
        principal = await by_public_key.verify(headers)
        assert (principal.name, principal.method) == ("file", "api_key")
        assert principal.scopes == {"read", "players"}
        assert recalled(by_public_key, KEY) is principal


@pytest.mark.anyio
async def test_a_token_does_not_go_as_api_key(by_public_key: Authenticator, signer: Signer) -> None:
    token = signer.token()
    headers = [(b"x-api-key", token.encode())]
    assert (await refusal(by_public_key, headers)).description == "the API key is unknown or has ended"
    await let_in(by_public_key, token)
    await refusal(by_public_key, headers)


@pytest.mark.anyio
@pytest.mark.parametrize("algorithm", ["RS256", "ES256", "ES384"])
async def test_a_token_by_public_key_is_let_in(algorithm: str, tmp_path: Path) -> None:
    signer = rsa_signer() if algorithm == "RS256" else Signer("ec-1", algorithm)
    (tmp_path / "jwks").write_text(json.dumps({"keys": [Signer("other", "ES256").public(), signer.public()]}))
    authenticator = Authenticator(loaded(tmp_path, {"jwt": JWKS}))
    before = counted("ok")
    principal = await let_in(authenticator, signer.token(scope="players admin openid"))
    assert (principal.name, principal.method) == ("alice", "jwt")
    assert principal.scopes == {"players", "admin"}
    assert principal.may("read")
    assert recalled(authenticator, signer.token(sub="bob")) is None
    assert counted("ok") == before + 1


@pytest.mark.anyio
async def test_a_token_by_secret_is_let_in_and_one_by_public_key_is_not(
    by_secret: Authenticator, signer: Signer
) -> None:
    assert (await let_in(by_secret, sign(SECRET, "HS256"))).name == "alice"
    refused = await refusal(by_secret, bearer(signer.token()))
    assert refused.description == "the token's algorithm is not allowed, allowed are HS256"
    refused = await refusal(by_secret, bearer(sign("another secret of thirty-two bytes!!", "HS256")))
    assert refused.description == "the token's signature is wrong"


@pytest.mark.anyio
async def test_a_kind_of_key_is_never_used_with_the_other_kinds_algorithms(tmp_path: Path, signer: Signer) -> None:
    """Whatever is configured: the configuration refuses such a mixture, too."""
    rules = TokenRules(frozenset({"HS256", "RS256"}), None, RESOURCE)
    (tmp_path / "jwks").write_text(json.dumps({"keys": [signer.public()]}))
    by_public_key = TokenVerifier(rules, FileKeys(tmp_path / "jwks", rules.algorithms))
    by_secret = TokenVerifier(rules, SECRET.encode())
    mine, theirs = signer.token(), sign(SECRET, "HS256")
    assert (await by_public_key.verify(mine.encode())).name == "alice"
    assert (await by_secret.verify(theirs.encode())).name == "alice"
    for verifier, token in ((by_public_key, theirs), (by_public_key, confused(signer)), (by_secret, mine)):
        with pytest.raises(Refused, match="algorithm is not allowed"):
            await verifier.verify(token.encode())


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("claims", "scopes"),
    [
        ({"scope": "read players"}, {"read", "players"}),
        ({"scope": None, "scp": ["read", "admin"]}, {"read", "admin"}),
        ({"scope": None, "scp": "players"}, {"players"}),
        ({"scope": ["read", ["admin"], None]}, {"read"}),
        ({"scope": "openid READ players"}, {"players"}),
    ],
)
async def test_scopes_come_from_scope_or_scp(
    claims: dict[str, Any], scopes: set[str], by_secret: Authenticator
) -> None:
    assert (await let_in(by_secret, sign(SECRET, "HS256", **claims))).scopes == scopes


@pytest.mark.anyio
@pytest.mark.parametrize("scope", [None, "", "READ mcp:read readonly", {"read": True}, [], ["openid"]])
async def test_a_token_with_none_of_our_scopes_is_refused_and_told_which_there_are(
    scope: Any, by_secret: Authenticator
) -> None:
    before = counted("refused")
    refused = await refusal(by_secret, bearer(sign(SECRET, "HS256", scope=scope)))
    assert (refused.status, refused.error, refused.scope) == (403, "insufficient_scope", "read")
    assert refused.description == "the API key or token has none of the scopes that there are: read, players, admin"
    assert counted("refused") == before + 1


@pytest.mark.anyio
async def test_a_key_with_no_scope_is_refused(tmp_path: Path) -> None:
    write_keys(tmp_path, {"name": "none", "sha256": digest(KEY), "scopes": []})
    authenticator = Authenticator(loaded(tmp_path, {"api_keys_file": "keys.yml"}))
    for headers in (bearer(KEY), [(b"x-api-key", KEY.encode())]):
        assert (await refusal(authenticator, headers)).error == "insufficient_scope"


@pytest.mark.anyio
async def test_a_token_without_key_id_is_checked_when_one_key_alone_can_be_meant(tmp_path: Path) -> None:
    signer, other = rsa_signer(), Signer("ec-1", "ES256")
    (tmp_path / "jwks").write_text(json.dumps({"keys": [signer.public(), other.public()]}))
    authenticator = Authenticator(loaded(tmp_path, {"jwt": JWKS}))
    assert (await let_in(authenticator, sign(signer.key, "RS256"))).name == "alice"
    (tmp_path / "jwks").write_text(json.dumps({"keys": [signer.public(), signer.public(kid="rsa-0")]}))
    authenticator.reload(loaded(tmp_path, {"jwt": JWKS}))
    assert (await refusal(authenticator, bearer(sign(signer.key, "RS256")))).status == 401


@pytest.mark.anyio
async def test_a_verified_token_is_remembered_no_longer_than_it_lives(
    by_secret: Authenticator, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = sign(SECRET, "HS256", exp=int(time.time()) + 5)  # 35 s with the leeway
    await let_in(by_secret, token)
    assert recalled(by_secret, token) is not None
    later = time.monotonic() + 36
    monkeypatch.setattr(time, "monotonic", lambda: later)
    assert recalled(by_secret, token) is None
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 36)
    assert recalled(by_secret, token) is None


@pytest.mark.anyio
async def test_a_verified_credential_is_remembered_for_cache_ttl(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authenticator = Authenticator(loaded(tmp_path, {"api_keys_file": "keys.yml", "cache_ttl": 10}))
    await let_in(authenticator, KEY)
    start = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: start + 9)
    assert recalled(authenticator, KEY) is not None
    monkeypatch.setattr(time, "monotonic", lambda: start + 11)
    assert recalled(authenticator, KEY) is None


@pytest.mark.anyio
async def test_the_memory_of_verified_credentials_is_bounded(by_secret: Authenticator) -> None:
    await let_in(by_secret, KEY)
    for number in range(MAX_CACHED):
        by_secret._cache.put(number.to_bytes(32), ANONYMOUS, by_secret._cache.generation)
    assert len(by_secret._cache._entries) == MAX_CACHED
    assert recalled(by_secret, KEY) is None
    assert (await let_in(by_secret, KEY)).name == "file"


@pytest.mark.anyio
async def test_a_reload_takes_a_key_away_from_the_cache_too(tmp_path: Path) -> None:
    auth = {"api_keys_file": "keys.yml"}
    authenticator = Authenticator(loaded(tmp_path, auth))
    await let_in(authenticator, KEY)
    assert recalled(authenticator, KEY) is not None
    write_keys(tmp_path, {"name": "other", "sha256": digest("other")})
    authenticator.reload(loaded(tmp_path, auth))
    assert (await refusal(authenticator, bearer(KEY))).error == "invalid_token"
    assert (await let_in(authenticator, "other")).scopes == {"read"}


@pytest.mark.anyio
async def test_a_reload_that_fails_changes_nothing(tmp_path: Path) -> None:
    settings = loaded(tmp_path, {"api_keys_file": "keys.yml"})
    authenticator = Authenticator(settings)
    (tmp_path / "keys.yml").write_text("- {name: x}")
    with pytest.raises(ConfigError):
        authenticator.reload(settings)
    assert (await let_in(authenticator, KEY)).name == "file"


@pytest.mark.anyio
async def test_with_authentication_off_everybody_may_read(tmp_path: Path) -> None:
    authenticator = Authenticator(loaded(tmp_path, {"enabled": False}))
    for headers in ([], bearer("junk")):
        assert (await authenticator.verify(headers)) is ANONYMOUS
        assert recalled(authenticator, headers) is ANONYMOUS
    assert [scope for scope in SCOPES if ANONYMOUS.may(scope)] == ["read"]


@pytest.mark.parametrize(
    ("scopes", "allowed"),
    [
        (["read"], ["read"]),
        (["players"], ["players"]),
        (["admin"], ["read", "players", "admin"]),
        ([], []),
    ],
)
def test_only_admin_includes_other_scopes(scopes: list[str], allowed: list[str]) -> None:
    principal = Principal("x", frozenset(scopes), "api_key")
    assert [scope for scope in SCOPES if principal.may(scope)] == allowed
    for scope in SCOPES:
        if scope in allowed:
            require(principal, scope)
        else:
            with pytest.raises(Refused, match=f"scope {scope} is needed") as caught:
                require(principal, scope)
            assert (caught.value.status, caught.value.error) == (403, "insufficient_scope")
            assert caught.value.scope == scope


@pytest.mark.parametrize(
    ("secret", "message"),
    [
        ("short", "has 5 bytes, HS256 needs 32 at least"),
        ("-----BEGIN PUBLIC KEY-----\n" + "A" * 60, "is a PEM file"),
    ],
)
def test_a_secret_that_is_none_is_refused(secret: str, message: str, tmp_path: Path) -> None:
    settings = loaded(tmp_path, {"jwt": SHARED})
    (tmp_path / "secret").write_text(secret)
    with pytest.raises(ConfigError, match=message):
        Authenticator(settings)


PARAMETER = re.compile(r'([a-z_]+)="([ !#-\[\]-~]*)"')


def parsed(value: bytes) -> dict[str, str]:
    """Return a challenge's parameters; it must be well-formed (RFC 9110 section 11.6.1, RFC 6750 section 3)."""
    text = value.decode("ascii")
    assert text.startswith("Bearer ")
    parts = text.removeprefix("Bearer ").split(", ")
    matches = [PARAMETER.fullmatch(part) for part in re.findall(r'[a-z_]+="[^"]*"', text)]
    assert all(matches)
    assert len(matches) >= 2
    assert len(parts) >= len(matches)
    return {match[1]: match[2] for match in matches if match}


@pytest.mark.anyio
async def test_the_refused_are_told_where_to_get_a_token(tmp_path: Path) -> None:
    settings = loaded(tmp_path, {"jwt": SHARED, "authorization_servers": ["https://login.example.org/"]})
    authenticator, config = Authenticator(settings), settings.config
    document = {
        "resource": RESOURCE,
        "authorization_servers": ["https://login.example.org/"],
        "scopes_supported": ["read", "players", "admin"],
        "bearer_methods_supported": ["header"],
        "resource_name": "trinitycore-mcp",
    }
    assert metadata(config) == document
    assert metadata_paths(config) == (
        "/.well-known/oauth-protected-resource/mcp",
        "/.well-known/oauth-protected-resource",
    )
    where = {"resource_metadata": "https://mcp.example.org/.well-known/oauth-protected-resource/mcp"}
    assert parsed(challenge(await refusal(authenticator, []), config)) == {
        "realm": "trinitycore-mcp",
        "scope": "read",
        **where,
    }
    wrong = parsed(challenge(await refusal(authenticator, bearer("x")), config))
    assert wrong["error"] == "invalid_token"
    assert wrong | where == wrong
    with pytest.raises(Refused) as caught:
        require(Principal("x", frozenset({"read"}), "jwt"), "admin")
    assert parsed(challenge(caught.value, config)) == {
        "realm": "trinitycore-mcp",
        "error": "insufficient_scope",
        "error_description": "scope admin is needed",
        "scope": "admin",
        **where,
    }


def test_without_tokens_nobody_is_sent_to_an_authorization_server(tmp_path: Path) -> None:
    config = loaded(tmp_path, {"api_keys_file": "keys.yml"}).config
    assert metadata(config) is None
    assert "resource_metadata" not in parsed(challenge(Refused(401, None, "x"), config))


def test_a_challenge_can_not_be_broken_out_of(tmp_path: Path) -> None:
    config = loaded(tmp_path, {"api_keys_file": "keys.yml"}).config
    told = challenge(Refused(401, "invalid_token", 'a", realm="evil\r\nx: y\\'), config)
    assert parsed(told)["error_description"] == "a, realm=evilx: y"
    assert b"\n" not in told
