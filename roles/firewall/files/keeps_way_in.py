#!/usr/bin/python3
"""Fail if the SSH session that this runs in comes from none of the networks given as arguments.

Run before new rules are loaded, so that the one who loads them is not locked out. Outside of an SSH session
(console, container entry) there is nobody to lock out.
"""

import ipaddress
import os
import sys


def client() -> str | None:
    """Address of the SSH client of this process or of the nearest ancestor that has one (sudo hides it)."""
    process = os.getpid()
    while process > 1:
        try:
            with open(f"/proc/{process}/environ", "rb") as stream:
                settings = stream.read().split(b"\0")
            with open(f"/proc/{process}/stat", encoding="utf-8", errors="replace") as stream:
                parent = int(stream.read().rpartition(")")[2].split()[1])
        except OSError:
            return None
        for setting in settings:
            name, _, value = setting.partition(b"=")
            if name == b"SSH_CONNECTION" and value:
                return value.split()[0].decode().partition("%")[0]
        process = parent
    return None


def main() -> str | None:
    """Why the way in would close, None when it stays open."""
    address = client()
    if address is None:
        return None
    came_from = ipaddress.ip_address(address)
    mapped = getattr(came_from, "ipv4_mapped", None)
    networks = [ipaddress.ip_network(argument) for argument in sys.argv[1:]]
    if any((mapped or came_from) in network for network in networks):
        return None
    allowed = ", ".join(sys.argv[1:]) or "nobody"
    return (
        f"you are connected from {address}, but the new rules let only {allowed} in by SSH: "
        "add your network to cluster_admin_sources"
    )


if __name__ == "__main__":
    sys.exit(main())
