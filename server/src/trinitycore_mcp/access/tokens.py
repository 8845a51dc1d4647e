"""Tokens (JWT, RFC 7519) that an authorization server signed, checked as RFC 8725 (best practices) asks."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Protocol

import jwt
from jwt.exceptions import (
    ExpiredSignatureError,
    ImmatureSignatureError,
    InvalidAudienceError,
    InvalidIssuerError,
    InvalidSignatureError,
    InvalidTokenError,
    MissingRequiredClaimError,
    PyJWTError,
)

from trinitycore_mcp.access.jwks import SigningKey
from trinitycore_mcp.access.principal import SCOPES, Principal
from trinitycore_mcp.access.refused import Refused, invalid, unavailable
from trinitycore_mcp.config_error import ConfigError

# Shared secrets need as many bytes as their hash has (RFC 7518 section 3.2).
_SECRET_SIZE = {"HS256": 32, "HS384": 48, "HS512": 64}
_TYPES = frozenset({"jwt", "at+jwt", "application/at+jwt"})
_MAX_NAME = 128
_LATEST = 2**53  # the last second that a float, and JavaScript, counts exactly
# What we say for what the library found; its own messages may quote the token.
_REASONS: tuple[tuple[type[PyJWTError], str], ...] = (
    (ExpiredSignatureError, "the token has expired"),
    (ImmatureSignatureError, "the token is not valid yet"),
    (InvalidIssuerError, "the token is from another issuer"),
    (InvalidAudienceError, "the token is for another resource"),
    (InvalidSignatureError, "the token's signature is wrong"),
)


class PublicKeys(Protocol):
    """Where signers' keys come from: jwks.FileKeys, jwks.UrlKeys."""

    @property
    def ready(self) -> bool:
        """Whether there are keys to look among."""
        ...

    def find(self, kid: str | None, algorithm: str) -> SigningKey | None:
        """Return the key for a token's header."""
        ...

    async def look_again(self, kid: str | None, algorithm: str) -> SigningKey | None:
        """Return the key for a token's header, which `find` did not know."""
        ...

    def has(self, digest: bytes) -> bool:
        """Return whether a key is still among them."""
        ...


@dataclass(frozen=True, slots=True)
class TokenRules:
    """What a token must be.

    :param algorithms: signatures that are accepted.
    :param issuer: what `iss` must be; None: not looked at.
    :param audience: what `aud` must hold; None: not looked at.
    :param leeway: seconds that the signer's clock may differ from ours.
    """

    algorithms: frozenset[str]
    issuer: str | None
    audience: str | None
    leeway: float = 30.0
    scope_claim: str = "scope"
    name_claim: str = "sub"

    def digest(self) -> bytes:
        """Return what tells these rules from others."""
        rules = (sorted(self.algorithms), self.issuer, self.audience, self.leeway, self.scope_claim, self.name_claim)
        return hashlib.sha256(repr(rules).encode()).digest()


def checked_secret(secret: bytes, algorithms: Iterable[str]) -> bytes:
    """Return the shared secret.

    :raises ConfigError: it is too short for the algorithms, or no secret at all.
    """
    needed = max((_SECRET_SIZE.get(algorithm, 0) for algorithm in algorithms), default=0)
    if len(secret) < needed:
        raise ConfigError(
            f"auth.jwt.secret_file: the secret has {len(secret)} bytes, "
            f"{', '.join(algorithms)} needs {needed} at least (RFC 7518 section 3.2)"
        )
    if b"-----BEGIN" in secret:
        raise ConfigError("auth.jwt.secret_file: is a PEM file; public keys go into auth.jwt.jwks_file")
    return secret


def looks_like_token(raw: bytes) -> bool:
    """Return whether the credential has a token's three parts."""
    return raw.count(b".") == 2


class TokenVerifier:
    """Checks tokens. Either by one shared secret or by public keys, never both: so a public key can't be taken for
    a secret, whatever a token's header says.
    """

    def __init__(self, rules: TokenRules, keys: bytes | PublicKeys) -> None:
        """:param keys: the shared secret, or where public keys come from."""
        shared = isinstance(keys, bytes)
        self._rules = rules
        self._keys = keys
        self._rules_digest = rules.digest()
        self._algorithms = frozenset(name for name in rules.algorithms if name.startswith("HS") == shared)

    async def verify(self, raw: bytes) -> Principal:
        """Return whom the token stands for.

        :raises Refused: it is no good (401) or can't be checked now (503); the reason holds nothing of the token.
        """
        token = raw.decode("ascii", "replace")
        algorithm, kid = self._header(token)
        key, digest = await self._key(kid, algorithm)
        try:
            claims = jwt.decode(
                token,
                key,
                algorithms=[algorithm],
                audience=self._rules.audience,
                issuer=self._rules.issuer,
                leeway=self._rules.leeway,
                options={
                    "require": ["exp", self._rules.name_claim],
                    "verify_aud": self._rules.audience is not None,
                    "verify_iss": self._rules.issuer is not None,
                    "enforce_minimum_key_length": True,
                },
            )
        except MissingRequiredClaimError as error:
            raise invalid(f"the token has no {_ascii(error.claim)}") from None
        except PyJWTError as error:
            for kind, reason in _REASONS:
                if isinstance(error, kind):
                    raise invalid(reason) from None
            raise invalid("the token is malformed") from None
        return self._principal(claims, self._rules_digest + digest)

    def still_checks(self, proof: bytes) -> bool:
        """Return whether a token is still checked by what a principal's `proof` says: these rules and that key."""
        rules, key = proof[: len(self._rules_digest)], proof[len(self._rules_digest) :]
        if rules != self._rules_digest:
            return False
        return key == _digest(self._keys) if isinstance(self._keys, bytes) else self._keys.has(key)

    def _header(self, token: str) -> tuple[str, str | None]:
        """Return algorithm and key id. What else a header may hold (jku, jwk, x5u ...) is not looked at."""
        try:
            header = jwt.get_unverified_header(token)
        except InvalidTokenError:
            raise invalid("the token is malformed") from None
        algorithm, kid, kind = header.get("alg"), header.get("kid"), header.get("typ", "JWT")
        if not isinstance(algorithm, str) or algorithm not in self._algorithms:
            raise invalid(f"the token's algorithm is not allowed, allowed are {', '.join(sorted(self._algorithms))}")
        if "crit" in header:  # RFC 7515 section 4.1.11: extensions that we don't know must be refused
            raise invalid("the token has critical extensions, which are not supported")
        if not isinstance(kind, str) or kind.lower() not in _TYPES:
            raise invalid("the token is of another kind than an access token")
        return algorithm, kid if isinstance(kid, str) else None

    async def _key(self, kid: str | None, algorithm: str) -> tuple[Any, bytes]:
        """Return what the signature is checked with, as the library takes it, and its digest."""
        if isinstance(self._keys, bytes):
            return self._keys, _digest(self._keys)
        found = self._keys.find(kid, algorithm) or await self._keys.look_again(kid, algorithm)
        if found is not None:
            return found.key, found.digest
        raise self._no_key()

    def _no_key(self) -> Refused:
        if isinstance(self._keys, bytes) or self._keys.ready:
            return invalid("the token is signed with an unknown key")
        return unavailable("the keys that tokens are signed with could not be fetched yet")

    def _principal(self, claims: dict[str, Any], proof: bytes) -> Principal:
        name, expires = claims[self._rules.name_claim], claims["exp"]
        if not isinstance(name, str) or not name.isprintable() or not 0 < len(name) <= _MAX_NAME:
            raise invalid(f"the token's {_ascii(self._rules.name_claim)} is not a name of 1 to {_MAX_NAME} characters")
        if isinstance(expires, bool) or not isinstance(expires, int | float) or not 0 < expires < _LATEST:
            raise invalid("the token's exp is not a time")
        granted = claims.get(self._rules.scope_claim)
        if granted is None:
            granted = claims.get("scp")
        words = granted.split() if isinstance(granted, str) else granted if isinstance(granted, list) else []
        scopes = frozenset(scope for scope in SCOPES if scope in words)
        return Principal(name, scopes, "jwt", None, float(expires) + self._rules.leeway, proof)


def _digest(secret: bytes) -> bytes:
    return hashlib.sha256(secret).digest()


def _ascii(text: str) -> str:
    return "".join(c for c in text if (c.isalnum() and c.isascii()) or c in "_-:/.")[:64]
