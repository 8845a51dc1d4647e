"""Waiting until a service answers: a port, a URL (with mutual TLS) or a command."""

from __future__ import annotations

import http.client
import socket
import ssl
import time
import urllib.parse
from collections.abc import Callable
from typing import Any

from . import commands
from .errors import ComponentError

_ATTEMPT = 3.0


class _Connection(http.client.HTTPSConnection):
    """HTTPS to one address while the certificate is checked against another name."""

    def __init__(self, host: str, port: int, name: str, tls: ssl.SSLContext) -> None:
        super().__init__(host, port, timeout=_ATTEMPT, context=tls)
        self._name = name
        self._tls = tls

    def connect(self) -> None:
        raw = socket.create_connection((self.host, self.port), self.timeout)
        self.sock = self._tls.wrap_socket(raw, server_hostname=self._name)


def _ask_port(ready: dict[str, Any]) -> str | None:
    try:
        with socket.create_connection((ready["host"], ready["port"]), _ATTEMPT):
            return None
    except OSError as error:
        return f"port {ready['port']} of {ready['host']}: {error}"


def _ask_url(ready: dict[str, Any]) -> str | None:
    url = urllib.parse.urlsplit(ready["url"])
    host = url.hostname or "127.0.0.1"
    connection: http.client.HTTPConnection
    try:
        if url.scheme == "https":
            tls = ssl.create_default_context(cafile=ready.get("ca_file"))
            if ready.get("cert_file"):
                tls.load_cert_chain(ready["cert_file"], ready["key_file"])
            connection = _Connection(host, url.port or 443, ready.get("server_name") or host, tls)
        else:
            connection = http.client.HTTPConnection(host, url.port or 80, timeout=_ATTEMPT)
        try:
            connection.request(
                "GET",
                urllib.parse.urlunsplit(("", "", url.path or "/", url.query, "")),
                headers={"Host": ready["server_name"]} if ready.get("server_name") else {},
            )
            answer = connection.getresponse()
            body = answer.read(300).decode("utf-8", "replace")
        finally:
            connection.close()
    except (OSError, http.client.HTTPException) as error:
        return f"{ready['url']}: {error}"
    wanted: list[int] | None = ready.get("status")
    if answer.status in wanted if wanted else http.HTTPStatus.OK <= answer.status < http.HTTPStatus.BAD_REQUEST:
        return None
    return f"{ready['url']} answers {answer.status}: {body}"


def _ask_command(ready: dict[str, Any]) -> str | None:
    try:
        done = commands.run(ready["command"], timeout=max(_ATTEMPT, ready["timeout"]))
    except FileNotFoundError:
        return f"'{ready['command'][0]}' is not installed"
    except ComponentError as error:
        return str(error)
    return None if done.code == 0 else f"'{ready['command'][0]}' ended with {done.code}: {done.text}"


def ask(ready: dict[str, Any]) -> str | None:
    """Ask once whether the service described by `ready` answers; None when it does, else why not."""
    if ready.get("port") is not None:
        return _ask_port(ready)
    if ready.get("url") is not None:
        return _ask_url(ready)
    return _ask_command(ready)


def wait(
    ready: dict[str, Any],
    has_failed: Callable[[], bool],
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> str | None:
    """Ask until it answers, `ready["timeout"]` seconds passed or `has_failed` says that waiting is vain.

    Returns None when it answered, else the last reason.
    """
    began = looked = clock()
    pause = 0.05
    while True:
        reason = ask(ready)
        now = clock()
        if reason is None:
            return None
        if now - began >= ready["timeout"]:
            return f"not ready within {ready['timeout']:g} s: {reason}"
        if now - looked >= 1.0:
            looked = now
            if has_failed():
                return f"it failed while we waited: {reason}"
        sleep(pause)
        pause = min(pause * 1.5, 0.5)
