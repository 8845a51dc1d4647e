"""Programs of Debian's packages that tests start, and free ports for them."""

from __future__ import annotations

import os
import shutil
import socket

_PACKAGES = {
    "mariadbd": "mariadb-server",
    "mariadb-install-db": "mariadb-server",
    "mariadb": "mariadb-client",
    "nginx": "nginx libnginx-mod-http-lua lua-cjson",
    "redis-server": "redis-server",
    "redis-cli": "redis-tools",
}


def binary(name: str) -> str:
    """Return the path of a server's binary.

    :raises FileNotFoundError: naming the Debian package that has it.
    """
    found = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if found is None:
        raise FileNotFoundError(f"{name} is not installed: apt-get install {_PACKAGES.get(name, name)}")
    return found


def free_port(without: str = "") -> int:
    """Return a TCP port of 127.0.0.1 that nothing listens on.

    :param without: digits that may not follow each other in it.
    """
    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port: int = probe.getsockname()[1]
        if not without or without not in str(port):
            return port
