"""Where the rows come from, and how much may be asked of it."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator

from trinitycore_mcp.config.types import Account, DatabaseName, FileName, HostName, Port, Seconds, SecretFile, Section


class DatabaseHost(Section):
    """One database server, primary or replica: the server finds out which."""

    host: HostName
    """Name or address."""
    port: Port = 3306
    """TCP port."""


class DatabaseTls(Section):
    """TLS to the database servers."""

    ca_file: FileName
    """PEM: the CA that must have signed their certificates, for the name we connect to."""


class DatabaseNames(Section):
    """What the databases are called here: the game's, which we only read, and our own."""

    world: DatabaseName = "world"
    """The game's content: creatures, items, quests ..."""
    characters: DatabaseName = "characters"
    """The players' characters, guilds, auctions, mails."""
    auth: DatabaseName = "auth"
    """Accounts, bans, realms."""
    hotfixes: DatabaseName = "hotfixes"
    """The game's client data (later expansions); may be absent from the servers."""
    mcp: DatabaseName = "mcp"
    """Our own: API keys, audit records, backup runs. `trinitycore-mcp migrate-db` makes its tables."""

    @model_validator(mode="after")
    def _ours_is_ours(self) -> Self:
        for name in ("world", "characters", "auth", "hotfixes"):
            if getattr(self, name) == self.mcp:
                raise ValueError(f"{name} and mcp are both {self.mcp!r}: our own tables need a database of their own")
        return self


class Pool(Section):
    """Connections to each database host and their patience."""

    size: Annotated[int, Field(ge=1, le=200)] = 10
    """Connections to each host, at most."""
    acquire_timeout: Seconds = 2.0
    """Seconds to wait for a free connection or for a host to come back."""
    connect_timeout: Seconds = 2.0
    """Seconds to connect, TLS and login included."""
    query_timeout: Seconds = 5.0
    """Seconds after which the database stops a statement."""


class Writer(Section):
    """The account that writes our own database; it needs no right on the game's."""

    user: Account = "app_rw"
    """Account name."""
    password_file: SecretFile
    """File with its password."""


class Breaker(Section):
    """When a host fails again and again, it is left alone for a while."""

    failures: Annotated[int, Field(ge=1, le=1000)] = 5
    """Failures in a row that open the breaker."""
    open_for: Seconds = 2.0
    """Seconds until the host is tried again."""


class Database(Section):
    """Where the rows come from."""

    hosts: list[DatabaseHost] = Field(default=[DatabaseHost(host="127.0.0.1")], min_length=1)
    """All servers of the cluster, in any order."""
    user: Account = "app_ro"
    """Account that reads: SELECT (column by column for auth.account, and nothing personal of auth and characters) and
    SHOW VIEW on the game's databases, nothing on our own; SLAVE MONITOR (MariaDB) or REPLICATION CLIENT (MySQL) lets it
    see replication lag."""
    password_file: SecretFile | None = None
    """File with its password; None: it has none."""
    writer: Writer | None = None
    """Account for our own database; without it there is no audit table and there are no API keys in the database."""
    tls: DatabaseTls | None = None
    """TLS to every host, for every account."""
    databases: DatabaseNames = DatabaseNames()
    """What the databases are called here."""
    pool: Pool = Pool()
    """Connections to each host."""
    breaker: Breaker = Breaker()
    """When to leave a failing host alone."""
    max_replica_lag: Annotated[float, Field(ge=0, le=86400)] = 10.0
    """Seconds that a replica may be behind to be read from."""
    max_scan_rows: Annotated[int, Field(ge=1, le=10**12)] = 2_000_000
    """Rows that a statement of the SQL tool may look at, as EXPLAIN estimates them; more is refused."""
    max_rows: Annotated[int, Field(ge=1, le=100_000)] = 1000
    """Rows that one result may have; the rest is a page further."""
    max_result_bytes: Annotated[int, Field(ge=4096, le=64 * 1024 * 1024)] = 1024 * 1024
    """Bytes that the rows of one result may have as JSON."""

    @model_validator(mode="after")
    def _hosts_differ(self) -> Self:
        seen = [f"{host.host}:{host.port}" for host in self.hosts]
        if len(set(seen)) != len(seen):
            raise ValueError(f"the same host stands twice in {', '.join(seen)}")
        return self
