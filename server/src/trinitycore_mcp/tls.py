"""Certificates and keys of TLS: loaded from files, and loaded anew when these were renewed."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from typing import Any

from trinitycore_mcp.config_error import ConfigError
from trinitycore_mcp.config_load import Loaded


class RenewableTls(ssl.SSLContext):
    """A context that hands each new connection to the context that was read last.

    Whoever listens or connects holds one context as long as the process runs. Loading renewed files into that one would
    not do: a CA can be added to a context but not taken away, and who once showed a certificate of the old one could go
    on by its session ticket. This one itself has no certificate and trusts nobody.
    """

    def __init__(self, protocol: int, read: Callable[[Loaded], ssl.SSLContext], loaded: Loaded) -> None:
        """:param protocol: which side we are, e.g. ``ssl.PROTOCOL_TLS_SERVER``; the class's own constructor reads it.
        :param read: makes a context from the files that a configuration names; raises ConfigError.
        :raises ConfigError: a file can't be used.
        """
        self._read = read
        self._current = read(loaded)

    def renewed(self, loaded: Loaded) -> Callable[[], None]:
        """Read the files anew; return what makes it hold for new connections.

        :raises ConfigError: a file can't be used.
        """
        fresh = self._read(loaded)

        def hold() -> None:
            self._current = fresh

        return hold

    def wrap_bio(self, *args: Any, **options: Any) -> ssl.SSLObject:
        """Begin a connection; this is where event loops get theirs from."""
        return self._current.wrap_bio(*args, **options)


def load_certificate(context: ssl.SSLContext, section: str, loaded: Loaded, certificate: str, key: str) -> None:
    """Load our certificate and its key into a context.

    :param section: where the configuration names them, for the message, e.g. ``server.tls``.
    :raises ConfigError: they can't be used.
    """
    paths = loaded.path(certificate), loaded.path(key)
    try:
        # An empty passphrase: OpenSSL would ask the terminal for one otherwise.
        context.load_cert_chain(*paths, password="")
    except OSError as error:
        raise ConfigError(
            f"{section}: {paths[0]} and {paths[1]} are no certificate and its key in PEM without passphrase: "
            f"{_reason(error)}"
        ) from None


def load_ca(context: ssl.SSLContext, key: str, loaded: Loaded, name: str) -> None:
    """Have a context trust a CA.

    :param key: that names the file in the configuration, for the message, e.g. ``server.tls.client_ca_file``.
    :raises ConfigError: it can't be used.
    """
    try:
        context.load_verify_locations(loaded.path(name))
    except OSError as error:
        raise ConfigError(f"{key}: {loaded.path(name)}: no certificate in PEM: {_reason(error)}") from None


def _reason(error: OSError) -> str:
    return getattr(error, "reason", None) or error.strerror or str(error)
