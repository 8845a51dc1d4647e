# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A Redis client for a handful of administrative commands, over TLS."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, BinaryIO, Self


class RedisError(Exception):
    """The server answered a command with an error."""


class RedisDenied(RedisError):
    """The server refused the user or the password."""


@dataclass(frozen=True)
class Login:
    """How to reach any server of a cluster: TLS files and an ACL user."""

    user: str
    password: str
    ca_file: str
    cert_file: str
    key_file: str
    timeout: float


# Options of a module that are a Login's; documented in the fragment redis_login.
LOGIN_OPTIONS: dict[str, dict[str, Any]] = {
    "user": {"type": "str", "default": "admin"},
    "password": {"type": "str", "required": True, "no_log": True},
    "ca_file": {"type": "path", "required": True},
    "cert_file": {"type": "path", "required": True},
    "key_file": {"type": "path", "required": True, "no_log": False},
    "timeout": {"type": "float", "default": 3.0},
}


def login_of(options: Mapping[str, Any]) -> Login:
    """Return the login that a module's options are."""
    return Login(**{name: options[name] for name in LOGIN_OPTIONS})


class Redis:
    """One connection, already authenticated. Use as a context manager."""

    def __init__(self, address: str, port: int, login: Login) -> None:
        """Connect and authenticate.

        :raises ConnectionRefusedError: nothing listens there.
        :raises OSError: the host did not answer in time, or TLS failed (ssl.SSLError is one).
        :raises RedisDenied: user or password are wrong.
        """
        context = ssl.create_default_context(cafile=login.ca_file)
        context.load_cert_chain(login.cert_file, login.key_file)
        plain = socket.create_connection((address, port), timeout=login.timeout)
        try:
            self._socket = context.wrap_socket(plain, server_hostname=address)
        except BaseException:
            plain.close()
            raise
        self._stream: BinaryIO = self._socket.makefile("rb")
        try:
            self.call("AUTH", login.user, login.password)
        except RedisError as error:
            self.close()
            raise RedisDenied(str(error)) from error
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        """Return the connection itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the connection."""
        self.close()

    def close(self) -> None:
        """Close the connection; closing twice is harmless."""
        self._stream.close()
        self._socket.close()

    def call(self, *words: str) -> Any:
        """Send one command and return its reply: text, number, None or a list of these.

        :raises RedisError: the server answered with an error.
        :raises OSError: the connection broke.
        """
        encoded = [word.encode() for word in words]
        request = b"*%d\r\n" % len(encoded) + b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in encoded)
        self._socket.sendall(request)
        return self._reply()

    def info(self, section: str) -> dict[str, str]:
        """Return one section of INFO as a dictionary of texts."""
        text = self.call("INFO", section)
        lines = str(text).splitlines()
        return dict(line.split(":", 1) for line in lines if ":" in line and not line.startswith("#"))

    def _reply(self) -> Any:
        line = self._stream.readline()
        if not line.endswith(b"\r\n"):
            raise ConnectionError("the server closed the connection")
        kind, rest = line[:1], line[1:-2].decode(errors="replace")
        if kind == b"+":
            return rest
        if kind == b"-":
            raise RedisError(rest)
        if kind == b":":
            return int(rest)
        if kind == b"$":
            length = int(rest)
            if length < 0:
                return None
            return self._stream.read(length + 2)[:-2].decode(errors="replace")
        if kind == b"*":
            return None if int(rest) < 0 else [self._reply() for _ in range(int(rest))]
        raise ConnectionError(f"not a Redis reply: {line[:40]!r}")
