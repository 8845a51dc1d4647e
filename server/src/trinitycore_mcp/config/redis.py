"""What the instances share: cache, limits, the leader's lease, change notices."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, StringConstraints, model_validator

from trinitycore_mcp.config.types import Account, FileName, HostName, Port, Seconds, SecretFile, Section


class RedisHost(Section):
    """One Redis server."""

    host: HostName
    """Name or address."""
    port: Port = 6379
    """TCP port."""


class SentinelHost(Section):
    """One Sentinel."""

    host: HostName
    """Name or address."""
    port: Port = 26379
    """TCP port."""


class Sentinel(Section):
    """The Sentinels that know which Redis server is the primary."""

    master_name: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._-]{1,64}$")]
    """What they call the group of servers."""
    hosts: list[SentinelHost] = Field(min_length=1)
    """The Sentinels, in any order."""
    username: Account | None = None
    """ACL user at the Sentinels; None: their default user."""
    password_file: SecretFile | None = None
    """File with that user's password; None: it has none."""


class RedisTls(Section):
    """TLS to the Redis servers and the Sentinels."""

    ca_file: FileName
    """PEM: the CA that must have signed their certificates, for the name we connect to."""
    certificate_file: FileName | None = None
    """PEM: the certificate that we show, when they ask for one."""
    key_file: SecretFile | None = None
    """PEM: its private key, without passphrase."""

    @model_validator(mode="after")
    def _pair(self) -> Self:
        if (self.certificate_file is None) != (self.key_file is None):
            raise ValueError("certificate_file and key_file go together: give both or neither")
        return self


class Redis(Section):
    """Redis, found by `sentinel`, by `hosts`, or by both."""

    hosts: list[RedisHost] = Field(default=[])
    """The Redis servers, in any order: each is asked for its role. With sentinel they matter only while no Sentinel
    answers."""
    sentinel: Sentinel | None = None
    """Ask Sentinels for the primary."""
    username: Account | None = None
    """ACL user; None: the default user."""
    password_file: SecretFile | None = None
    """File with that user's password; None: it has none."""
    tls: RedisTls | None = None
    """TLS to the servers and the Sentinels."""
    database: Annotated[int, Field(ge=0, le=1023)] = 0
    """Number of the database (SELECT)."""
    key_prefix: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.:-]{0,64}$")] = "mcp:"
    """What the names of all our keys and channels begin with."""
    timeout: Seconds = 0.25
    """Seconds to wait for an answer before going on without Redis."""
    connect_timeout: Seconds = 1.0
    """Seconds to connect, TLS and login included."""

    @model_validator(mode="after")
    def _hosts_given(self) -> Self:
        if not self.hosts and self.sentinel is None:
            raise ValueError("hosts or sentinel is needed")
        for hosts in (self.hosts, self.sentinel.hosts if self.sentinel else []):
            seen = [f"{host.host}:{host.port}" for host in hosts]
            if len(set(seen)) != len(seen):
                raise ValueError(f"the same host stands twice in {', '.join(seen)}")
        return self
