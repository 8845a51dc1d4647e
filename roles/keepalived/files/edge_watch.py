#!/usr/bin/python3
"""Tell keepalived whether this load balancer may hold the floating address.

Several times a second a request goes through the NGINX of this host, as a client's does. The address is given up when
NGINX does not answer twice in a row, or knows no instance that is ready for some time - but only while another load
balancer does better: two that are both slow must not both let go. Writes 0 (may hold it) or 1 into a file that
keepalived watches; until the first good answer it is 1.
"""

from __future__ import annotations

import argparse
import asyncio
import ipaddress
import json
import os
import socket
import ssl
import sys
import time
from dataclasses import dataclass
from typing import NamedTuple

FALLS = 2
RISES = 3
NOTHING_READY = 2.0
"""Seconds for which the instances may be out of reach before that counts; NGINX itself needs one to find out."""
FROZEN = 1.0
"""A pause of ours from which on another load balancer has the address by now."""


class Word(NamedTuple):
    """What a load balancer says of itself."""

    serves: bool
    """NGINX answers."""
    ready: bool
    """It knows an instance that is ready."""


@dataclass(frozen=True)
class Settings:
    """What to ask, and how often."""

    name: str
    port: int
    peers: tuple[str, ...]
    interval: float
    timeout: float
    proxy_protocol: bool = False


async def ask(host: str, path: str, settings: Settings) -> Word:
    """Ask the NGINX of a host, by a connection of its own."""
    try:
        return await asyncio.wait_for(_answer(host, path, settings), settings.timeout)
    except (TimeoutError, OSError, ValueError):
        return Word(serves=False, ready=False)


async def _answer(host: str, path: str, settings: Settings) -> Word:
    # Which certificate it has is not the question.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    reader, writer = await _connect(host, settings, context)
    try:
        writer.write(f"GET {path} HTTP/1.0\r\nHost: {settings.name}\r\n\r\n".encode())
        answer = await reader.read()
    finally:
        writer.transport.abort()
    status = int(answer.split(b" ", 2)[1]) if answer.startswith(b"HTTP/") else 0
    if path == "/health/ready":
        return Word(serves=status in (200, 503), ready=status == 200)
    ready = status == 200 and json.loads(answer.partition(b"\r\n\r\n")[2] or b"{}").get("ready", 0)
    return Word(serves=status == 200, ready=bool(ready))


async def _connect(
    host: str, settings: Settings, context: ssl.SSLContext
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    loop = asyncio.get_running_loop()
    family = socket.AF_INET6 if ipaddress.ip_address(host).version == 6 else socket.AF_INET
    raw = socket.socket(family, socket.SOCK_STREAM)
    raw.setblocking(False)
    try:
        await loop.sock_connect(raw, (host, settings.port))
        if settings.proxy_protocol:
            await loop.sock_sendall(raw, b"PROXY UNKNOWN\r\n")
        return await asyncio.open_connection(sock=raw, ssl=context, server_hostname=settings.name)
    except BaseException:
        raw.close()
        raise


class Judge:
    """Decides from the words of all load balancers whether this one may hold the address."""

    NOT_YET = "NGINX has not answered yet"

    def __init__(self) -> None:
        self.fault = True
        self.why = self.NOT_YET
        self._silent = 0
        self._good = 0
        self._unready_since: float | None = None

    def doubts(self, own: Word) -> bool:
        """Return whether the others have to be asked."""
        return self.fault or not own.serves or not own.ready

    def hear(self, own: Word, peers: list[Word], now: float) -> bool:
        """Take in one round and return whether the verdict changed.

        :param peers: empty when they were not asked.
        """
        self._silent = 0 if own.serves else self._silent + 1
        if own.ready:
            self._unready_since = None
        elif self._unready_since is None:
            self._unready_since = now
        unready = self._unready_since is not None and now - self._unready_since >= NOTHING_READY
        complaint = ""
        if self._silent >= FALLS and any(peer.serves for peer in peers):
            complaint = "NGINX does not answer, another load balancer's does"
        elif unready and any(peer.serves and peer.ready for peer in peers):
            complaint = "no instance can be reached from here, but from another load balancer"
        before = self.fault
        if complaint:
            self.fault, self.why, self._good = True, complaint, 0
        elif self.fault:
            # Not at once, so that an NGINX that dies again and again does not get the address between two deaths. Where
            # nobody else answers there is nothing to wait for, except for NGINX at the very start.
            self._good = self._good + 1 if own.serves else 0
            alone = self.why != self.NOT_YET and not any(peer.serves for peer in peers)
            if self._good >= RISES or alone:
                self.fault, self.why = False, ""
        return before != self.fault

    def was_frozen(self) -> bool:
        """Take note that we did not run for a while; return whether the verdict changed."""
        before = self.fault
        self.fault, self.why, self._good = True, "this host was frozen", 0
        return not before


def say(path: str, judge: Judge) -> None:
    """Tell keepalived, and the log."""
    with open(path, "w", encoding="ascii") as stream:
        stream.write("1\n" if judge.fault else "0\n")
    sys.stdout.write(f"{judge.why or 'may hold the floating address'}\n")
    sys.stdout.flush()


def notify(text: str) -> None:
    """Tell systemd, where it wants to know."""
    address = os.environ.get("NOTIFY_SOCKET")
    if address:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
            channel.connect(address.replace("@", "\0", 1) if address.startswith("@") else address)
            channel.send(text.encode())


async def watch(path: str, settings: Settings) -> None:
    """Ask and tell, for ever."""
    judge = Judge()
    say(path, judge)
    notify("READY=1")
    last = time.monotonic()
    while True:
        began = time.monotonic()
        if began - last > FROZEN + settings.timeout and judge.was_frozen():
            say(path, judge)
        last = began
        own = await ask("127.0.0.1", "/health/edge", settings)
        peers: list[Word] = []
        if judge.doubts(own):
            peers = list(await asyncio.gather(*(ask(peer, "/health/ready", settings) for peer in settings.peers)))
        if judge.hear(own, peers, time.monotonic()):
            say(path, judge)
        notify("WATCHDOG=1")
        await asyncio.sleep(max(0.0, began + settings.interval - time.monotonic()))


def main(arguments: list[str]) -> None:
    """Run until ended."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("file", help="what keepalived watches")
    parser.add_argument("--name", required=True, help="domain that NGINX serves")
    parser.add_argument("--port", type=int, default=443)
    parser.add_argument("--peer", action="append", default=[], help="address of another load balancer")
    parser.add_argument("--interval", type=float, default=0.2, help="seconds")
    parser.add_argument("--timeout", type=float, default=0.4, help="seconds")
    parser.add_argument("--proxy-protocol", action="store_true")
    given = parser.parse_args(arguments)
    settings = Settings(given.name, given.port, tuple(given.peer), given.interval, given.timeout, given.proxy_protocol)
    asyncio.run(watch(given.file, settings))


if __name__ == "__main__":
    main(sys.argv[1:])
