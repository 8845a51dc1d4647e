#!/usr/bin/python3
"""End NGINX's connections to app hosts that are gone.

A host without power says nothing, so that a call which it was given would wait as long as one that takes its time.
Where NGINX's checks say that nothing of a host is up, and for some seconds not even its kernel takes or refuses a
connection, while another app host is up, the connections to it are ended here. NGINX takes that for what it is: calls
that only read go to another instance, other callers are told.
"""

from __future__ import annotations

import argparse
import http.client
import ipaddress
import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

INTERVAL = 1.0
PATIENCE = 1.0
"""Seconds for a kernel to answer to a new connection."""
GONE_AFTER = 3
"""Rounds in a row in which it does not."""


class Port(NamedTuple):
    """Where an instance listens."""

    host: str
    address: str
    port: int


def members(control: str) -> list[dict[str, Any]]:
    """Return how NGINX has its members.

    :raises OSError: it does not say.
    :raises ValueError: it says something else.
    """
    connection = http.client.HTTPConnection("edge")
    connection.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connection.sock.settimeout(PATIENCE)
        connection.sock.connect(control)
        connection.request("GET", "/status")
        found: list[dict[str, Any]] = json.loads(connection.getresponse().read()).get("members", [])
    except http.client.HTTPException as error:
        raise ValueError(repr(error)) from error
    finally:
        connection.close()
    return found


def suspects(known: Iterable[Mapping[str, Any]]) -> list[Port]:
    """Return the instances of hosts of which none is up, while one of another host is."""
    asked = [one for one in known if one["state"] != "removed"]
    alive = {one["host"] for one in asked if one["health"] == "up"}
    return (
        [Port(one["host"], one["address"], one["port"]) for one in asked if one["host"] not in alive] if alive else []
    )


def answers(at: Port) -> bool:
    """Return whether a kernel takes or refuses a connection there."""
    try:
        socket.create_connection((at.address, at.port), PATIENCE).close()
    except ConnectionRefusedError:
        return True
    except OSError:
        return False
    return True


def cut(at: Port) -> int:
    """End this host's connections to an instance; return how many there were."""
    address = f"[{at.address}]" if ipaddress.ip_address(at.address).version == 6 else at.address
    command = ["ss", "-K", "-H", "-t", "-n", "state", "established", "dst", address, "dport", "=", str(at.port)]
    return len(subprocess.run(command, capture_output=True, text=True, timeout=10, check=False).stdout.splitlines())


class Judge:
    """Decides which hosts are gone."""

    def __init__(self) -> None:
        """Nothing was seen yet."""
        self._silent: dict[str, int] = {}

    def gone(self, ports: Sequence[Port], answered: Sequence[bool]) -> set[str]:
        """Take in one round and return the hosts that are gone.

        :param ports: instances of the hosts of which none is up.
        :param answered: whether a kernel answered at each.
        """
        hosts = {one.host for one in ports}
        alive = {one.host for one, did in zip(ports, answered, strict=True) if did}
        self._silent = {host: self._silent.get(host, 0) + 1 for host in hosts - alive}
        return {host for host, rounds in self._silent.items() if rounds >= GONE_AFTER}


def say(text: str) -> None:
    """Write a line to the log."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def watch(control: str) -> None:
    """Look and cut, for ever."""
    judge, known = Judge(), set[str]()
    with ThreadPoolExecutor(max_workers=32) as pool:
        while True:
            began = time.monotonic()
            try:
                ports = suspects(members(control))
            except (OSError, ValueError):
                ports = []  # without NGINX there is no call
            gone = judge.gone(ports, list(pool.map(answers, ports)))
            ended = sum(pool.map(cut, [one for one in ports if one.host in gone]))
            if gone != known or ended:
                say(f"gone: {', '.join(sorted(gone)) or 'nobody'}; {ended} connections ended")
            known = gone
            time.sleep(max(0.0, began + INTERVAL - time.monotonic()))


def main(arguments: list[str]) -> None:
    """Run until ended."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("control", help="NGINX's control socket")
    watch(parser.parse_args(arguments).control)


if __name__ == "__main__":
    main(sys.argv[1:])
