"""What the configuration keeps in files, read: how to log in to the databases, what seals a request's state."""

from __future__ import annotations

import ssl
from dataclasses import replace

from trinitycore_mcp.config_load import ConfigError, Loaded
from trinitycore_mcp.database.session import SessionSettings


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


def request_state_keys(loaded: Loaded) -> list[str]:
    """Return the keys that seal a request's state between its rounds, the first one for sealing.

    :raises ConfigError: the file can't be read.
    """
    name = loaded.config.state.request_state_key_file
    if name is None:
        return []
    text = loaded.secret("state.request_state_key_file", name)
    return [line.strip() for line in text.splitlines() if line.strip()]
