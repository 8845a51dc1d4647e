"""Who may call tools, and how often."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from trinitycore_mcp.config.types import FileName, Lifetime, SecretFile, Section, SecureUrl, Share, ToolName

Algorithm = Literal[
    "HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"
]
ClaimName = Annotated[str, StringConstraints(min_length=1, max_length=128)]


def _usual_algorithms(data: dict[str, Any]) -> list[Algorithm]:
    return ["HS256"] if data.get("secret_file") else ["RS256", "ES256"]


class Jwt(Section):
    """Tokens (JWT, RFC 7519) that others signed: with one secret that both know, or with keys they publish."""

    secret_file: SecretFile | None = None
    """File with the shared secret; for HS256, HS384, HS512 only."""
    jwks_url: SecureUrl | None = None
    """Where the signer's public keys are (JWK Set, RFC 7517)."""
    jwks_file: FileName | None = None
    """The same as a file."""
    algorithms: list[Algorithm] = Field(default_factory=_usual_algorithms, min_length=1)
    """Signatures that are accepted; default: HS256 with secret_file, else RS256 and ES256."""
    issuer: Annotated[str, StringConstraints(min_length=1)] | None = None
    """What the claim `iss` must be; needed with jwks_url and jwks_file. None: not looked at."""
    audience: Annotated[str, StringConstraints(min_length=1)] | None = None
    """What the claim `aud` must hold; default: server.public_url."""
    leeway: Annotated[float, Field(ge=0, le=600)] = 30.0
    """Seconds that the signer's clock may differ from ours."""
    scope_claim: ClaimName = "scope"
    """Claim that holds the scopes, separated by blanks or as a list."""
    name_claim: ClaimName = "sub"
    """Claim that says who calls, for logs and limits."""

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        sources = {"secret_file": self.secret_file, "jwks_url": self.jwks_url, "jwks_file": self.jwks_file}
        given = [name for name, value in sources.items() if value is not None]
        if len(given) != 1:
            raise ValueError(f"exactly one of {', '.join(sources)} is needed, not {' and '.join(given) or 'none'}")
        # A public key taken for a shared secret would let anybody sign.
        shared = given == ["secret_file"]
        allowed = "HS256, HS384 and HS512" if shared else "those with public keys (RS, PS, ES, EdDSA)"
        for algorithm in self.algorithms:
            if algorithm.startswith("HS") != shared:
                raise ValueError(f"algorithm {algorithm} does not go with {given[0]}, allowed are {allowed}")
        if not shared and self.issuer is None:
            raise ValueError(f"issuer is needed with {given[0]}")
        return self


class Auth(Section):
    """Who may call tools."""

    enabled: bool = True
    """Off: everybody may call what scope read allows."""
    api_keys_file: FileName | None = None
    """YAML list of {name, sha256, scopes, ...}."""
    api_keys_in_database: bool = False
    """Whether keys are looked up in our own database too; needs database.writer."""
    jwt: Jwt | None = None
    """Tokens that an authorization server signed."""
    authorization_servers: list[SecureUrl] = Field(default=[])
    """Issuers that clients can get a token from, told to them by our resource metadata (RFC 9728)."""
    cache_ttl: Lifetime = 60.0
    """Seconds that a verified key or token is remembered; also how late a revocation is noticed, at most."""

    @model_validator(mode="after")
    def _source_given(self) -> Self:
        if self.enabled and not (self.api_keys_file or self.api_keys_in_database or self.jwt):
            raise ValueError(
                "api_keys_file, api_keys_in_database or jwt is needed unless auth.enabled is false (no caller could "
                "be let in)"
            )
        return self


def _all_at_once(data: dict[str, Any]) -> int:
    return int(data["requests"])


class Rate(Section):
    """So many requests in so much time."""

    requests: Annotated[int, Field(ge=1, le=10**9)]
    """Requests in each period."""
    period: Annotated[float, Field(gt=0, le=86400)] = 60.0
    """Seconds."""
    burst: Annotated[int, Field(ge=1, le=10**9)] = Field(default_factory=_all_at_once)
    """Requests that may come at once after a quiet time; default: as many as requests."""


class Limits(Section):
    """Rate limits, for the whole fleet when Redis is configured.

    The defaults stop a client that runs in a loop and are far above what people and their assistants do:
    100 requests a second for a caller that we know, 10 for one that we don't.
    """

    enabled: bool = True
    """Off: nobody is limited."""
    default: Rate = Rate(requests=6000, period=60, burst=1000)
    """For each caller (API key, or token's name)."""
    anonymous: Rate = Rate(requests=600, period=60, burst=120)
    """For each address that calls without key or token, when auth.enabled is false; of IPv6 each /64 is one caller."""
    tools: dict[ToolName, Rate] = Field(default={})
    """For each caller and this tool, beside the caller's own limit."""
    local_share: Annotated[Share, Field(gt=0)] = 1.0
    """While Redis is away each instance counts by itself: this share of every limit."""
