#!/usr/bin/python3
"""Fail if the SSH session that this runs in comes from none of the networks given as arguments.

Run before new rules are loaded, so that the one who loads them is not locked out. Outside of an SSH session
(console, container entry) there is nobody to lock out.
"""

import ipaddress
import os
import sys

_ESTABLISHED = "01"


def parent_of(process: int) -> tuple[str, int]:
    """Name of the process and number of its parent."""
    with open(f"/proc/{process}/stat", encoding="utf-8", errors="replace") as stream:
        before, _, after = stream.read().rpartition(")")
    return before.partition("(")[2], int(after.split()[1])


def sockets_of(process: int) -> set[str]:
    """Inodes of the sockets that the process has open."""
    links = (os.readlink(entry.path) for entry in os.scandir(f"/proc/{process}/fd"))
    return {link[len("socket:[") : -1] for link in links if link.startswith("socket:[")}


def peer_of(sockets: set[str]) -> str | None:
    """Address at the other end of the first of the `sockets` that is an established TCP connection."""
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        with open(table, encoding="ascii") as stream:
            for line in list(stream)[1:]:
                columns = line.split()
                if columns[3] == _ESTABLISHED and columns[9] in sockets:
                    packed = bytes.fromhex(columns[2].partition(":")[0])
                    words = [packed[start : start + 4] for start in range(0, len(packed), 4)]
                    if sys.byteorder == "little":
                        words = [word[::-1] for word in words]
                    return str(ipaddress.ip_address(b"".join(words)))
    return None


def client() -> str | None:
    """Address of the SSH client behind this process: the peer of the sshd among its ancestors.

    Not from SSH_CONNECTION, which sudo takes away.
    """
    process = os.getpid()
    while process > 1:
        name, parent = parent_of(process)
        if name.startswith("sshd"):
            peer = peer_of(sockets_of(process))
            if peer is not None:
                return peer
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
