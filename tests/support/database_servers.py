"""Both kinds of database server, for tests that run on each in turn.

@pytest.fixture(scope="module", params=both_kinds("writer"))
def server(request, tmp_path_factory):
    with SERVERS[request.param].start(tmp_path_factory.mktemp("db")) as running:
        yield running
"""

from __future__ import annotations

import pytest

from tests.support.database_server import DatabaseServer
from tests.support.mariadb import MariaDb
from tests.support.mysql import MySql

SERVERS: dict[str, type[DatabaseServer]] = {"mariadb": MariaDb, "mysql": MySql}


def both_kinds(group: str) -> list[object]:
    """Return the names of SERVERS as a fixture's parameters.

    :param group: what shares the fixture; of each kind it runs on one worker, so that a server starts once.
    """
    return [one_kind(kind, group) for kind in SERVERS]


def one_kind(kind: str, group: str) -> object:
    """Return one of those parameters, for what is a matter of that kind alone."""
    return pytest.param(kind, marks=pytest.mark.xdist_group(f"{group}-{kind}"))


def kind_of(server: DatabaseServer) -> str:
    """Return a server's name in SERVERS."""
    return next(name for name, kind in SERVERS.items() if isinstance(server, kind))
