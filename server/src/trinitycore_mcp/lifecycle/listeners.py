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


def listener(
    app: ASGIApp,
    options: config.Server | config.Metrics,
    loaded: Loaded,
    grace: float,
    calls: CallServer | None = None,
) -> Listener:
    """Return a listener, not yet open.

    :param grace: seconds that requests have to finish once it closes.
    :param calls: answers plain calls before they become the application's.
    :raises ConfigError: its TLS files can't be used.
    """
    tls = server_tls(options.tls, loaded)
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


def server_tls(options: config.ListenerTls | None, loaded: Loaded) -> ssl.SSLContext | None:
    """Return the TLS context of a listener, or None for plain HTTP.

    :raises ConfigError: a file is missing or no good.
    """
    if options is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(loaded.path(options.certificate_file), loaded.path(options.key_file))
        if options.client_ca_file:
            context.load_verify_locations(loaded.path(options.client_ca_file))
            context.verify_mode = ssl.CERT_REQUIRED
    except (OSError, ssl.SSLError) as error:
        names = [name for name in (options.certificate_file, options.key_file, options.client_ca_file) if name]
        raise ConfigError(f"tls: {', '.join(str(loaded.path(name)) for name in names)}: {error}") from None
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
