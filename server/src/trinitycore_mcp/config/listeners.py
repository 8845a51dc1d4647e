"""Where we listen, and what a request may be."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints

from trinitycore_mcp.config.types import FileName, HostName, Origin, Port, ResourceUrl, Seconds, SecretFile, Section


class ListenerTls(Section):
    """TLS of one of our listeners."""

    certificate_file: FileName
    """PEM: our certificate, then those between it and the CA."""
    key_file: SecretFile
    """PEM: the certificate's private key, without passphrase."""
    client_ca_file: FileName | None = None
    """When set, a client must show a certificate signed by this CA."""


class Server(Section):
    """The listener that serves /mcp and /health."""

    host: HostName = "127.0.0.1"
    """Address to listen on."""
    port: Port = 8001
    """TCP port; of several instances on a host, the first one's."""
    public_url: ResourceUrl | None = None
    """/mcp as clients see it, e.g. https://mcp.example.org/mcp: the OAuth resource identifier, and the audience that
    tokens must be for unless auth.jwt.audience says otherwise."""
    allowed_hosts: list[HostName] = Field(default=["localhost", "127.0.0.1", "[::1]"], min_length=1)
    """Names a request to /mcp may carry in its Host header, with any port."""
    allowed_origins: list[Origin] = Field(default=[])
    """Origins a browser's request to /mcp may come from, and whose pages may read the answers (CORS), e.g.
    https://chat.example.org or http://localhost:*; none given: allowed_hosts, by http and https, with any port, and no
    other pages."""
    drain_delay: Annotated[float, Field(ge=0, le=300)] = 2.0
    """Seconds between "not ready" and the closed door, for load balancers to notice."""
    shutdown_timeout: Seconds = 30.0
    """Seconds that calls in flight get to finish once the door is closed."""
    tool_timeout: Seconds = 30.0
    """Seconds after which a tool call is ended, its statements in the database included."""
    max_body_size: Annotated[int, Field(ge=1024, le=64 * 1024 * 1024)] = 1024 * 1024
    """Bytes a request's body may have."""
    max_nesting: Annotated[int, Field(ge=8, le=512)] = 32
    """Levels of objects and lists inside one another that a request's JSON may have."""
    instance_name: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.-]{1,64}$")] | None = None
    """Answered in X-MCP-Instance; default: this host's name."""
    tls: ListenerTls | None = None
    """HTTPS instead of HTTP."""


class Metrics(Section):
    """The listener that serves /metrics."""

    enabled: bool = True
    """Whether it listens; metrics are counted either way."""
    host: HostName = "127.0.0.1"
    """Address to listen on."""
    port: Port = 9464
    """TCP port; of several instances on a host, the first one's."""
    tls: ListenerTls | None = None
    """HTTPS instead of HTTP."""
