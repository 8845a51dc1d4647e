"""The whole of config.yml."""

from __future__ import annotations

from typing import Self

from pydantic import model_validator

from trinitycore_mcp.config.access import Auth, Limits
from trinitycore_mcp.config.cache import Cache
from trinitycore_mcp.config.database import Database
from trinitycore_mcp.config.listeners import Metrics, Server
from trinitycore_mcp.config.observability import Logging, Sentry, Tracing
from trinitycore_mcp.config.operations import Backup, Leader, Players, Retention, State, Tools
from trinitycore_mcp.config.redis import Redis
from trinitycore_mcp.config.types import Section


class Config(Section):
    """The whole of config.yml."""

    server: Server = Server()
    metrics: Metrics = Metrics()
    logging: Logging = Logging()
    database: Database = Database()
    redis: Redis | None = None
    """None: each instance is on its own."""
    cache: Cache = Cache()
    auth: Auth
    limits: Limits = Limits()
    leader: Leader = Leader()
    retention: Retention = Retention()
    tracing: Tracing = Tracing()
    sentry: Sentry = Sentry()
    backup: Backup = Backup()
    state: State = State()
    players: Players = Players()
    tools: Tools = Tools()

    @property
    def token_audience(self) -> str | None:
        """What the audience of a token must be; None: not looked at."""
        return (self.auth.jwt.audience if self.auth.jwt else None) or self.server.public_url

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        wrong = []
        if self.metrics.enabled and (self.server.host, self.server.port) == (self.metrics.host, self.metrics.port):
            wrong.append("server and metrics listen on the same host and port")
        if self.auth.api_keys_in_database and self.database.writer is None:
            wrong.append("auth.api_keys_in_database needs database.writer")
        jwt = self.auth.jwt
        if jwt and jwt.secret_file is None and self.token_audience is None:
            wrong.append("auth.jwt needs an audience: set server.public_url or auth.jwt.audience")
        if self.auth.authorization_servers and self.server.public_url is None:
            wrong.append("auth.authorization_servers needs server.public_url, which clients ask a token for")
        if wrong:
            raise ValueError("\n".join(wrong))
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
