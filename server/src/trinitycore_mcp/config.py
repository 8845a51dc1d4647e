"""The configuration's shape: what may stand in config.yml, of which type, with which default.

Reading it (file, environment, error messages) is config_load's part.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

Port = Annotated[int, Field(ge=1, le=65535)]
Seconds = Annotated[float, Field(gt=0, le=3600)]
HostName = Annotated[str, StringConstraints(min_length=1, max_length=253, pattern=r"^[A-Za-z0-9_.:\[\]-]+$")]
# Goes into SQL between backquotes, so nothing that could end the quotation.
DatabaseName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_$-]{1,64}$")]
FileName = Annotated[str, StringConstraints(min_length=1)]


class Section(BaseModel):
    """A part of the configuration: unknown keys are refused, values don't change after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ListenerTls(Section):
    """TLS of one of our listeners."""

    certificate_file: FileName
    key_file: FileName
    client_ca_file: FileName | None = None
    """When set, a client must show a certificate signed by this CA."""


class Server(Section):
    """The listener that serves /mcp and /health."""

    host: HostName = "127.0.0.1"
    port: Port = 8001
    allowed_hosts: list[HostName] = Field(default=["localhost", "127.0.0.1", "[::1]"], min_length=1)
    """Names a request to /mcp may carry in its Host header, with any port."""
    drain_delay: Annotated[float, Field(ge=0, le=300)] = 2.0
    """Seconds between "not ready" and the closed door, for load balancers to notice."""
    shutdown_timeout: Seconds = 30.0
    """Seconds that calls in flight get to finish once the door is closed."""
    max_body_size: Annotated[int, Field(ge=1024, le=64 * 1024 * 1024)] = 1024 * 1024
    """Bytes a request's body may have."""
    instance_name: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.-]{1,64}$")] | None = None
    """Answered in X-MCP-Instance; default: this host's name."""
    tls: ListenerTls | None = None


class Metrics(Section):
    """The listener that serves /metrics."""

    enabled: bool = True
    host: HostName = "127.0.0.1"
    port: Port = 9464
    tls: ListenerTls | None = None


class Logging(Section):
    """Logs: one JSON object a line on standard error."""

    level: Literal["DEBUG", "INFO", "WARNING", "ERROR", "FATAL"] = "INFO"


class DatabaseHost(Section):
    """One database server, primary or replica: the server finds out which."""

    host: HostName
    port: Port = 3306


class DatabaseTls(Section):
    """TLS to the database servers: their certificates must be signed by this CA for the name we connect to."""

    ca_file: FileName


class DatabaseNames(Section):
    """What the game's databases are called here."""

    world: DatabaseName = "world"
    characters: DatabaseName = "characters"
    auth: DatabaseName = "auth"


class Pool(Section):
    """Connections to each database host and their patience, in seconds."""

    size: Annotated[int, Field(ge=1, le=200)] = 10
    acquire_timeout: Seconds = 2.0
    connect_timeout: Seconds = 2.0
    query_timeout: Seconds = 5.0


class Database(Section):
    """Where the rows come from."""

    hosts: list[DatabaseHost] = Field(default=[DatabaseHost(host="127.0.0.1")], min_length=1)
    user: Annotated[str, StringConstraints(min_length=1, max_length=80)] = "app_ro"
    password_file: FileName | None = None
    tls: DatabaseTls | None = None
    databases: DatabaseNames = DatabaseNames()
    pool: Pool = Pool()

    @model_validator(mode="after")
    def _hosts_differ(self) -> Self:
        seen = [f"{host.host}:{host.port}" for host in self.hosts]
        if len(set(seen)) != len(seen):
            raise ValueError(f"the same host stands twice in {', '.join(seen)}")
        return self


class Auth(Section):
    """Who may call tools."""

    enabled: bool = True
    api_keys_file: FileName | None = None

    @model_validator(mode="after")
    def _keys_given(self) -> Self:
        if self.enabled and self.api_keys_file is None:
            raise ValueError("api_keys_file is needed unless auth.enabled is false")
        return self


class Config(Section):
    """The whole of config.yml."""

    server: Server = Server()
    metrics: Metrics = Metrics()
    logging: Logging = Logging()
    database: Database = Database()
    auth: Auth

    @model_validator(mode="after")
    def _listeners_differ(self) -> Self:
        if self.metrics.enabled and (self.server.host, self.server.port) == (
            self.metrics.host,
            self.metrics.port,
        ):
            raise ValueError("server and metrics listen on the same host and port")
        return self

    def for_instance(self, number: int, default_name: str) -> Config:
        """Return this host's n-th instance: ports counted up from the first, its own name.

        :param number: from 1.
        :param default_name: used when no instance_name is configured.
        :raises ValueError: a port would pass 65535.
        """
        step = number - 1
        if number < 1 or max(self.server.port, self.metrics.port) + step > 65535:
            raise ValueError(f"instance {number}: allowed are numbers from 1 whose ports stay below 65536")
        name = f"{self.server.instance_name or default_name}-{number}"
        return self.model_copy(
            update={
                "server": self.server.model_copy(update={"port": self.server.port + step, "instance_name": name}),
                "metrics": self.metrics.model_copy(update={"port": self.metrics.port + step}),
            }
        )
