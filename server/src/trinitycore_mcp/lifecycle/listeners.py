"""Listeners: sockets, TLS, uvicorn."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Generator
from functools import partial
from typing import cast

import uvicorn
from starlette.types import ASGIApp

from trinitycore_mcp import config
from trinitycore_mcp.config_load import ConfigError, Loaded
from trinitycore_mcp.tls import RenewableTls, load_ca, load_certificate
from trinitycore_mcp.web.connection import CallServer, Connection

# Longer than NGINX keeps an idle upstream connection (60 s): the side that sends requests should close first.
_KEEP_ALIVE = 75


class Listener(uvicorn.Server):
    """uvicorn without hands on the signals: the lifecycle decides when it stops."""

    def __init__(self, settings: uvicorn.Config) -> None:
        super().__init__(settings)
        self.accepting = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Open the door, and say so."""
        await super().startup(sockets)
        self.accepting.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Leave the signals alone."""
        yield


def listener(app: ASGIApp, tls: ssl.SSLContext | None, grace: float, calls: CallServer | None = None) -> Listener:
    """Return a listener, not yet open.

    :param tls: see `listeners_tls`; None: plain HTTP.
    :param grace: seconds that requests have to finish once it closes.
    :param calls: answers plain calls before they become the application's.
    """
    settings = uvicorn.Config(
        app,
        http=cast(type[asyncio.Protocol], partial(Connection, calls=calls)),  # uvicorn only ever calls it
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=_KEEP_ALIVE,
        timeout_graceful_shutdown=max(1, round(grace)),
        ssl_context_factory=(lambda _config, _default: tls) if tls else None,
    )
    return Listener(settings)


def listeners_tls(loaded: Loaded) -> dict[str, RenewableTls]:
    """Return the TLS contexts of the listeners that have TLS, by the section that describes the listener.

    :raises ConfigError: a file is missing or no good.
    """
    server, metrics = loaded.config.server, loaded.config.metrics
    sections = {"server": server.tls, "metrics": metrics.tls if metrics.enabled else None}
    return {
        section: RenewableTls(ssl.PROTOCOL_TLS_SERVER, partial(_read, section), loaded)
        for section, options in sections.items()
        if options is not None
    }


def _read(section: str, loaded: Loaded) -> ssl.SSLContext:
    described: config.Server | config.Metrics = getattr(loaded.config, section)
    options = described.tls
    assert options is not None  # else there is no context to read for, and a reload does not change that
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    load_certificate(context, f"{section}.tls", loaded, options.certificate_file, options.key_file)
    if options.client_ca_file:
        load_ca(context, f"{section}.tls.client_ca_file", loaded, options.client_ca_file)
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def bind(options: config.Server | config.Metrics) -> socket.socket:
    """Return a listening socket: bound before anything starts, so that a taken port is a clear error.

    :raises ConfigError: the address can't be listened on.
    """
    host = options.host.strip("[]")
    try:
        family = socket.getaddrinfo(host, options.port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((host, options.port), family=family, backlog=2048)
    except OSError as error:
        raise ConfigError(f"can't listen on {options.host} port {options.port}: {error.strerror}") from None
