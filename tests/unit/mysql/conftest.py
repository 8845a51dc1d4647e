"""Real servers on loopback addresses of their own, with TLS, that start read-only as ours do."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.trinitycore.mcp.plugins.module_utils.mysql.accounts import Account
from ansible_collections.trinitycore.mcp.plugins.module_utils.mysql.connection import (
    Connection,
    open_local,
    open_remote,
)
from ansible_collections.trinitycore.mcp.plugins.module_utils.mysql.flavor import Flavor
from ansible_collections.trinitycore.mcp.plugins.module_utils.mysql.flavors import FLAVORS
from ansible_collections.trinitycore.mcp.plugins.module_utils.mysql.primary import (
    Wanted,
    make_primary,
    wait_for_replicas,
)
from ansible_collections.trinitycore.mcp.plugins.module_utils.mysql.reach import login_of
from ansible_collections.trinitycore.mcp.plugins.module_utils.mysql.replica import Primary, make_replica
from ansible_collections.trinitycore.mcp.plugins.module_utils.mysql.switchover import Server
from ansible_collections.trinitycore.mcp.plugins.module_utils.mysql.topology import Member

from tests.support.certificates import Authority
from tests.support.database_server import DatabaseServer
from tests.support.database_servers import SERVERS

OPTIONS = {
    "mariadb": {
        "read-only": "ON",
        "rpl-semi-sync-slave-enabled": "ON",
        "loose-init-rpl-role": "SLAVE",
        "rpl-semi-sync-master-wait-point": "AFTER_SYNC",
        "rpl-semi-sync-master-timeout": "31536000000",
    },
    "mysql": {
        "super-read-only": "ON",
        "rpl-semi-sync-replica-enabled": "ON",
        "rpl-semi-sync-source-wait-point": "AFTER_SYNC",
        "rpl-semi-sync-source-timeout": "4294967295",
    },
}
ROOT = Path(__file__).parents[3]


@dataclass
class Node:
    """A database host: its server, name and address."""

    name: str
    address: str
    server: DatabaseServer
    ca: str
    flavor: Flavor

    @property
    def socket(self) -> str:
        """Return the server's socket."""
        return self.server.socket

    def connect(self) -> Connection:
        """Open a session as root."""
        return open_local(self.socket)

    def member(self) -> Member:
        """Return what the topology is decided from."""
        with self.connect() as server:
            return Member(self.name, self.address, self.flavor.state(server))

    def as_primary(self, password: str = "secret-r", ca: str = "") -> Primary:
        """Return how replicas reach it."""
        return Primary(self.name, self.address, self.server.port, "replication", password, ca or self.ca, "mcp")

    def bootstrap(
        self,
        password: str = "secret-r",
        *,
        semi_sync: bool = False,
        dry: bool = False,
        first: bool = False,
        takes_over: bool = False,
        others: Iterable[Node] = (),
    ) -> list[str]:
        """Make it a primary with the accounts that tests need."""
        with self.connect() as server:
            return make_primary(
                server,
                self.flavor,
                replace(wanted(password), semi_sync=semi_sync),
                dry,
                first=first,
                takes_over=takes_over,
                others={each.name: each.as_server(timeout=2).open for each in others},
            )

    def await_replicas(self, timeout: float = 15.0, *, dry: bool = False) -> list[str]:
        """Have its writes wait for replicas."""
        with self.connect() as server:
            return wait_for_replicas(server, self.flavor, timeout, dry)

    def follow(self, primary: Node, *, dry: bool = False, password: str = "secret-r", ca: str = "") -> list[str]:
        """Make it a replica."""
        with self.connect() as server:
            return make_replica(server, self.flavor, self.name, primary.as_primary(password, ca), 15, dry)

    def as_server(self, timeout: float = 10.0) -> Server:
        """Return it as a switchover reaches it: over the network, by the account for that."""
        return Server(
            self.name,
            lambda: open_remote(self.address, self.server.port, "admin", "secret-s", self.ca, timeout),
            self.as_primary(),
        )

    def wait_for(self, primary: Node) -> None:
        """Wait until it has all that the primary has."""
        with self.connect() as server:
            assert self.flavor.wait_for(server, primary.server.position(), 20)

    def aside(self, sql: str) -> None:
        """Have root write into it though it is closed."""
        self.server.sql(f"SET GLOBAL read_only = 0; {sql}; SET GLOBAL read_only = 1")

    def transactions(self, last: int) -> str:
        """Return its own first transactions up to that number, as messages name them."""
        if self.flavor.name == "mariadb":
            return f"0-{self.name[-1]}-{last}"
        uuid = self.server.sql("SELECT @@server_uuid")[0][0]
        return f"{uuid}:1-{last}" if last > 1 else f"{uuid}:1"

    def set_semi_sync(self, *, on: bool) -> None:
        """Have its writes wait for a replica, or not."""
        with self.connect() as server:
            self.flavor.set_semi_sync(server, on)


def _role_vars() -> dict[str, Any]:
    """Return the role's own variables: the account that switches roles has just these privileges."""
    values: dict[str, Any] = yaml.safe_load((ROOT / "roles/mysql/vars/main.yml").read_text())
    return values


def wanted(replication_password: str = "secret-r") -> Wanted:
    """Return a primary's wanted state."""
    return Wanted(
        "mcp",
        ["world"],
        [
            Account.from_dict(
                {
                    "user": "replication",
                    "host": "%",
                    "password": replication_password,
                    "tls": True,
                    "privileges": {
                        "*.*": ["REPLICATION SLAVE", "BINLOG MONITOR", "SLAVE MONITOR"],
                        "mcp.deployment_record": ["SELECT"],
                    },
                }
            ),
            Account.from_dict(
                {
                    "user": "admin",
                    "host": "%",
                    "password": "secret-s",
                    "tls": True,
                    "privileges": {"*.*": _role_vars()["mysql_admin_privileges"]},
                }
            ),
            Account.from_dict(
                {
                    "user": "app_ro",
                    "host": "%",
                    "password": "secret-a",
                    "tls": True,
                    "privileges": {"world.*": ["SELECT"]},
                }
            ),
        ],
    )


def logins(nodes: Iterable[Node]) -> Callable[..., Callable[[], Connection]]:
    """Return what takes the place of `login_of` in a module: each server here has a port of its own."""
    ports = {each.address: each.server.port for each in nodes}

    def login(member: Mapping[str, str], options: Mapping[str, Any], **how: float) -> Callable[[], Connection]:
        return login_of(member, {**options, "port": ports[member["address"]]}, **how)

    return login


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("ca"))


only_mariadb = pytest.mark.parametrize("flavor", ["mariadb"], indirect=True)
only_mysql = pytest.mark.parametrize("flavor", ["mysql"], indirect=True)


@pytest.fixture(params=sorted(SERVERS))
def flavor(request: pytest.FixtureRequest) -> Flavor:
    """Give each kind of server in turn."""
    return FLAVORS[request.param]


@pytest.fixture
def node(
    tmp_path_factory: pytest.TempPathFactory, authority: Authority, flavor: Flavor
) -> Iterator[Callable[[int], Node]]:
    """Give a function that starts a fresh, read-only server: number 1 is db1 on 127.0.4.1."""
    with ExitStack() as stack:

        def start(number: int) -> Node:
            address = f"127.0.4.{number}"
            pair = authority.issue(f"db{number}", (address,))
            options = {
                "bind-address": address,
                "ssl-ca": str(authority.ca),
                "ssl-cert": str(pair.certificate),
                "ssl-key": str(pair.key),
                "innodb-flush-log-at-trx-commit": "1",  # tests kill servers, and rows must survive that
                "sync-binlog": "1",
                "relay-log-recovery": "ON",
                **OPTIONS[flavor.name],
            }
            folder: Path = tmp_path_factory.mktemp(f"m{number}")
            server = stack.enter_context(SERVERS[flavor.name].start(folder, server_id=number, options=options))
            return Node(f"db{number}", address, server, str(authority.ca), flavor)

        yield start


@pytest.fixture
def cluster(node: Callable[[int], Node]) -> list[Node]:
    """Give three servers: db1 is the primary, a table to write is there."""
    nodes = [node(number) for number in (1, 2, 3)]
    nodes[0].bootstrap(semi_sync=True, first=True)
    for other in nodes[1:]:
        other.follow(nodes[0])
    nodes[0].await_replicas()
    nodes[0].server.sql("CREATE TABLE world.t (id INT PRIMARY KEY) ENGINE=InnoDB; CREATE USER writer@'%'")
    nodes[0].server.sql("GRANT SELECT, INSERT ON world.* TO writer@'%'")
    for other in nodes[1:]:
        other.wait_for(nodes[0])
    return nodes
