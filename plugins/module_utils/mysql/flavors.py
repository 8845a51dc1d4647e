"""Which kind of server one speaks with."""

from __future__ import annotations

from .connection import Connection
from .errors import DatabaseError
from .flavor import Flavor
from .mariadb import MariaDB

FLAVORS: dict[str, Flavor] = {flavor.name: flavor for flavor in (MariaDB(),)}


def detect(server: Connection) -> Flavor:
    """Return the flavour of a server.

    :raises DatabaseError: we don't support it.
    """
    version = str(server.value("SELECT @@version"))
    if "mariadb" in version.lower():
        return FLAVORS["mariadb"]
    raise DatabaseError(f"{server.target} is {version}; supported is {', '.join(FLAVORS)}")
