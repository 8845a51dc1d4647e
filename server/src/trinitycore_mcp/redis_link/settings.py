"""Where Redis is and how to log in, ready to use: passwords read, TLS files loaded."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple


class Address(NamedTuple):
    """A server's host name or IP address, and its TCP port."""

    host: str
    port: int

    def __str__(self) -> str:
        """Return host:port, for people and logs."""
        return f"{self.host}:{self.port}"


@dataclass(frozen=True)
class SentinelSettings:
    """Redis Sentinel: who they are and what they call our primary."""

    master_name: str
    hosts: tuple[Address, ...]
    username: str | None = None
    password: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class RedisSettings:
    """One Redis: a primary and any replicas. Times are in seconds.

    `hosts` are the servers known beforehand. With `sentinel`, the Sentinels' word on who is primary counts and `hosts`
    matter only while no Sentinel answers.
    """

    hosts: tuple[Address, ...]
    sentinel: SentinelSettings | None = None
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    tls: ssl.SSLContext | None = None
    database: int = 0
    key_prefix: str = "mcp:"
    timeout: float = 0.25
    """What any command may take, waiting for a connection and connecting included."""
    connect_timeout: float = 1.0
    """What the watcher grants a server to accept a connection and log us in."""


def tls_context(ca_file: Path, certificate_file: Path | None = None, key_file: Path | None = None) -> ssl.SSLContext:
    """Return the TLS context for Redis: servers must show a certificate of this CA for the name we connect to.

    :param certificate_file: our own certificate, when the servers want one.
    :raises OSError: a file is missing or is no certificate or key (`ssl.SSLError` is one).
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_verify_locations(ca_file)
    if certificate_file is not None:
        context.load_cert_chain(certificate_file, key_file)
    return context
