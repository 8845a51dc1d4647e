#!/usr/bin/python3
"""Tell keepalived whether this load balancer may hold the floating address.

Several times a second a request goes through the NGINX of this host, as a client's does. The address is given up when
NGINX refuses twice in a row, gives no answer for some time, or knows no instance that is ready for some time - but only
while another load balancer does better: two that are both slow must not both let go. Silence is given more time than
refusal, since a thousand clients that come at once keep NGINX from answering too, and would all lose their connection.
Writes 0 (may hold it) or 1 into a file that keepalived watches; until the first good answer it is 1.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import ssl
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import NamedTuple

EDGE, READY = "/health/edge", "/health/ready"
FALLS = 2
RISES = 3
NO_ANSWER = 3.0
"""Seconds for which NGINX may take connections and be silent."""
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
    refuses: bool = False
    """Nobody takes connections there, or whoever does ends them."""


@dataclass(frozen=True)
class Settings:
    """What to ask, and how often."""

    name: str
    port: int
    peers: tuple[str, ...]
    interval: float
    timeout: float
    proxy_protocol: bool = False


def ask(host: str, path: str, settings: Settings) -> Word:
    """Ask the NGINX of a host, by a connection of its own."""
    try:
        answer = _answer(host, path, settings)
        head, _, body = answer.partition(b"\r\n\r\n")
        status = int(head.split(b" ", 2)[1])
        if path == READY:
            return Word(serves=status in (200, 503), ready=status == 200)
        return Word(serves=status == 200, ready=status == 200 and json.loads(body)["ready"] > 0)
    except ConnectionError:
        return Word(serves=False, ready=False, refuses=True)
    except (OSError, ValueError, LookupError):
        return Word(serves=False, ready=False)


def _answer(host: str, path: str, settings: Settings) -> bytes:
    """Return the whole answer to a GET.

    :raises OSError: there was none in time.
    """
    end = time.monotonic() + settings.timeout
    # Which certificate it has is not the question.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with socket.create_connection((host, settings.port), settings.timeout) as raw:
        if settings.proxy_protocol:
            raw.sendall(b"PROXY UNKNOWN\r\n")
        raw.settimeout(max(end - time.monotonic(), 0.001))
        with context.wrap_socket(raw, server_hostname=settings.name, suppress_ragged_eofs=True) as secured:
            secured.sendall(f"GET {path} HTTP/1.0\r\nHost: {settings.name}\r\n\r\n".encode())
            answer = b""
            while True:
                secured.settimeout(max(end - time.monotonic(), 0.001))
                more = secured.recv(65536)
                if not more:
                    return answer
                answer += more


class Judge:
    """Decides from the words of all load balancers whether this one may hold the address."""

    NOT_YET = "NGINX has not answered yet"

    def __init__(self, *, fault: bool = True) -> None:
        """:param fault: the verdict to begin with."""
        self.fault = fault
        self.why = self.NOT_YET if fault else ""
        self._refused = 0
        self._silent_since: float | None = None
        self._good = 0
        self._unready_since: float | None = None

    def doubts(self, own: Word) -> bool:
        """Return whether the others have to be asked."""
        return self.fault or not own.ready

    def hear(self, own: Word, peers: list[Word], now: float) -> bool:
        """Take in one round and return whether the verdict changed.

        :param peers: empty when they were not asked.
        """
        self._refused = self._refused + 1 if own.refuses else 0
        if own.serves:
            self._silent_since = None
        elif self._silent_since is None:
            self._silent_since = now
        silent = self._silent_since is not None and now - self._silent_since >= NO_ANSWER
        if own.ready:
            self._unready_since = None
        elif own.serves and self._unready_since is None:
            self._unready_since = now
        unready = self._unready_since is not None and now - self._unready_since >= NOTHING_READY
        complaint = ""
        if (silent or self._refused >= FALLS) and any(peer.serves for peer in peers):
            complaint = "NGINX does not answer, another load balancer's does"
        elif unready and any(peer.ready for peer in peers):
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


def said_last(path: str) -> bool:
    """Return what was said last, since that is what holds: there is no reason to move the address if we died."""
    try:
        with open(path, encoding="ascii") as stream:
            return stream.read().strip() != "0"
    except FileNotFoundError:
        return True


def watch(path: str, settings: Settings) -> None:
    """Ask and tell, for ever."""
    judge = Judge(fault=said_last(path))
    say(path, judge)
    notify("READY=1")
    last = time.monotonic()
    with ThreadPoolExecutor(max_workers=max(len(settings.peers), 1)) as pool:
        while True:
            began = time.monotonic()
            if settings.peers and began - last > FROZEN + 3 * settings.timeout and judge.was_frozen():
                say(path, judge)
            last = began
            own = ask("127.0.0.1", EDGE, settings)
            peers: list[Word] = []
            if judge.doubts(own):
                peers = list(pool.map(lambda peer: ask(peer, READY, settings), settings.peers))
            if judge.hear(own, peers, time.monotonic()):
                say(path, judge)
            time.sleep(max(0.0, began + settings.interval - time.monotonic()))


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
    watch(given.file, settings)


if __name__ == "__main__":
    main(sys.argv[1:])
