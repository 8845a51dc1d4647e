"""Where Redis is and how to log in, ready to use: passwords read, TLS files loaded."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from trinitycore_mcp import config
from trinitycore_mcp.config_load import ConfigError, Loaded


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


def settings_from(loaded: Loaded) -> RedisSettings | None:
    """Return the settings that a configuration means, or None when it has no Redis.

    :raises ConfigError: a password or TLS file can't be used.
    """
    options = loaded.config.redis
    if options is None:
        return None
    sentinel = None
    if options.sentinel is not None:
        sentinel = SentinelSettings(
            options.sentinel.master_name,
            tuple(Address(each.host, each.port) for each in options.sentinel.hosts),
            options.sentinel.username,
            _secret(loaded, "redis.sentinel.password_file", options.sentinel.password_file),
        )
    return RedisSettings(
        hosts=tuple(Address(each.host, each.port) for each in options.hosts),
        sentinel=sentinel,
        username=options.username,
        password=_secret(loaded, "redis.password_file", options.password_file),
        tls=_tls(loaded, options.tls) if options.tls else None,
        database=options.database,
        key_prefix=options.key_prefix,
        timeout=options.timeout,
        connect_timeout=options.connect_timeout,
    )


def _secret(loaded: Loaded, key: str, name: str | None) -> str | None:
    return loaded.secret(key, name) if name else None


def _tls(loaded: Loaded, options: config.RedisTls) -> ssl.SSLContext:
    names = (options.ca_file, options.certificate_file, options.key_file)
    paths = [loaded.path(name) if name else None for name in names]
    try:
        return tls_context(loaded.path(options.ca_file), *paths[1:])
    except OSError as error:
        given = ", ".join(str(path) for path in paths if path)
        raise ConfigError(f"redis.tls: {given}: {error}") from None
