"""Which kind of server one speaks with."""

from __future__ import annotations

import re

from .connection import Connection
from .errors import DatabaseError
from .flavor import Flavor
from .mariadb import MariaDB
from .oracle import OLDEST, OracleMySQL

FLAVORS: dict[str, Flavor] = {flavor.name: flavor for flavor in (MariaDB(), OracleMySQL())}


def detect(server: Connection) -> Flavor:
    """Return the flavour of a server.

    :raises DatabaseError: we don't support it.
    """
    version = str(server.value("SELECT @@version"))
    if "mariadb" in version.lower():
        return FLAVORS[MariaDB.name]
    if tuple(int(number) for number in re.findall(r"\d+", version)[:3]) >= OLDEST:
        return FLAVORS[OracleMySQL.name]
    raise DatabaseError(f"{server.target} is {version}; supported are MariaDB and MySQL {'.'.join(map(str, OLDEST))}+")
