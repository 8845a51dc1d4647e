"""The caller: a name, what it may do, how it proved who it is."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from ipaddress import IPv4Address, ip_address, ip_network
from typing import Literal

from trinitycore_mcp import config

Scope = Literal["read", "players", "admin"]
SCOPES: tuple[Scope, ...] = ("read", "players", "admin")
"""`read` sees the world, `players` sees accounts and characters, `admin` acts on the server and includes both.

`players` does not include `read`: whoever gives out a key says all that it opens.
"""
Method = Literal["api_key", "jwt", "none", "stdio"]


@dataclass(frozen=True, slots=True)
class Rate:
    """A rate limit.

    :param requests: allowed in each period.
    :param period: seconds.
    :param burst: requests that may come at once after a quiet time.
    """

    requests: int
    period: float
    burst: int

    @classmethod
    def of(cls, section: config.Rate) -> Rate:
        """Return the limit that a section of the configuration stands for."""
        return cls(section.requests, section.period, section.burst)

    @property
    def per_second(self) -> float:
        """Requests a second in the long run."""
        return self.requests / self.period


@dataclass(frozen=True, slots=True)
class Principal:
    """Who calls.

    :param name: from the key's entry or the token's name claim.
    :param scopes: what was granted, as written there.
    :param rate: its own limit; None: the configuration's.
    :param expires: when the key or token ends, in seconds since 1970; None: it does not.
    :param proof: the API key's SHA-256, or what a token was checked by (see tokens); nothing that opens anything.
    """

    name: str
    scopes: frozenset[str]
    method: Method
    rate: Rate | None = None
    expires: float | None = None
    proof: bytes = field(default=b"", repr=False)

    def may(self, scope: Scope) -> bool:
        """Return whether the caller has the scope; `admin` includes all."""
        return scope in self.scopes or "admin" in self.scopes


ANONYMOUS = Principal("anonymous", frozenset({"read"}), "none")
"""Everybody, while authentication is switched off."""
STDIO = Principal("stdio", frozenset({"read", "players"}), "stdio")
"""Whoever started the process with --stdio; what acts on a fleet wants a key that names its user."""


@lru_cache(maxsize=4096)
def anonymous(address: str) -> Principal:
    """Return the caller at this network address, while authentication is switched off: one limit for each address.

    Of IPv6 the first 64 bits count, since whoever has one address has 2**64 of them (RFC 6177).
    """
    return Principal(f"anonymous@{_network(address)[:64]}", ANONYMOUS.scopes, "none")


def _network(address: str) -> str:
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(found, IPv4Address):
        return str(found)
    return str(found.ipv4_mapped or ip_network((int(found) >> 64 << 64, 64)))
