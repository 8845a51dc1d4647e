"""Tell systemd how far we are (Type=notify). Does nothing when systemd did not start us."""

from __future__ import annotations

import os
import socket


def notify(state: str) -> None:
    """Send one state such as ``READY=1`` or ``STOPPING=1`` to the service manager."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    if address.startswith("@"):  # abstract socket
        address = "\0" + address[1:]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as channel:
        channel.sendto(state.encode(), address)
