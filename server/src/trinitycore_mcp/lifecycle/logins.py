"""How to log in to the databases and to Redis: passwords and CA files, read."""

from __future__ import annotations

import ssl
from dataclasses import replace

from trinitycore_mcp.config_load import ConfigError, Loaded
from trinitycore_mcp.database.session import SessionSettings
from trinitycore_mcp.redis_link.settings import Address, RedisSettings, SentinelSettings, tls_context


def reader_settings(loaded: Loaded) -> SessionSettings:
    """Return how to log in to read the game's databases.

    :raises ConfigError: the password or CA file can't be used.
    """
    options = loaded.config.database
    password = loaded.secret("database.password_file", options.password_file) if options.password_file else ""
    return _settings(loaded, options.user, password)


def writer_settings(loaded: Loaded) -> SessionSettings | None:
    """Return how to log in to write our own records; None: nothing is recorded.

    :raises ConfigError: the password or CA file can't be used.
    """
    writer = loaded.config.database.writer
    if writer is None:
        return None
    password = loaded.secret("database.writer.password_file", writer.password_file) if writer.password_file else ""
    return replace(_settings(loaded, writer.user, password), schema=loaded.config.database.databases.mcp)


def _settings(loaded: Loaded, user: str, password: str) -> SessionSettings:
    options = loaded.config.database
    tls = None
    if options.tls:
        path = loaded.path(options.tls.ca_file)
        try:
            tls = ssl.create_default_context(cafile=path)
        except (OSError, ssl.SSLError) as error:
            raise ConfigError(f"database.tls.ca_file: {path}: {error}") from None
    return SessionSettings(user, password, tls, options.pool.connect_timeout, options.pool.query_timeout)


def redis_settings(loaded: Loaded) -> RedisSettings | None:
    """Return how to reach Redis; None: there is none.

    :raises ConfigError: a password or TLS file can't be used.
    """
    options = loaded.config.redis
    if options is None:
        return None
    tls = None
    if options.tls:
        files = [options.tls.ca_file, options.tls.certificate_file, options.tls.key_file]
        try:
            certificate, key = (loaded.path(name) if name else None for name in files[1:])
            tls = tls_context(loaded.path(options.tls.ca_file), certificate, key)
        except (OSError, ssl.SSLError) as error:
            raise ConfigError(f"redis.tls: {', '.join(str(name) for name in files if name)}: {error}") from None
    sentinel = None
    if options.sentinel:
        given = options.sentinel
        sentinel = SentinelSettings(
            given.master_name,
            tuple(Address(host.host, host.port) for host in given.hosts),
            given.username,
            loaded.secret("redis.sentinel.password_file", given.password_file) if given.password_file else None,
        )
    return RedisSettings(
        hosts=tuple(Address(host.host, host.port) for host in options.hosts),
        sentinel=sentinel,
        username=options.username,
        password=loaded.secret("redis.password_file", options.password_file) if options.password_file else None,
        tls=tls,
        database=options.database,
        key_prefix=options.key_prefix,
        timeout=options.timeout,
        connect_timeout=options.connect_timeout,
    )


def request_state_keys(loaded: Loaded) -> list[str]:
    """Return the keys that seal a request's state between its rounds, the first one for sealing.

    :raises ConfigError: the file can't be read.
    """
    name = loaded.config.state.request_state_key_file
    if name is None:
        return []
    text = loaded.secret("state.request_state_key_file", name)
    return [line.strip() for line in text.splitlines() if line.strip()]
