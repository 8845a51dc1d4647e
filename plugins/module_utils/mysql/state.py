"""What one server says about itself: plain data that travels between hosts through Ansible."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass, field
from typing import Any

from .errors import DatabaseError


@dataclass(frozen=True)
class Replication:
    """How a server follows another one."""

    host: str
    port: int
    user: str
    io_running: str
    sql_running: bool
    uses_gtid: bool
    tls: bool
    verifies_certificate: bool
    ca_file: str
    retry: int
    lag: int | None
    error: str

    @property
    def healthy(self) -> bool:
        """Both threads run and the connection stands."""
        return self.io_running == "Yes" and self.sql_running

    @property
    def retrying(self) -> bool:
        """The connection is lost and made again and again."""
        return self.io_running not in ("Yes", "No")

    @property
    def stopped(self) -> bool:
        """Neither thread runs."""
        return self.io_running == "No" and not self.sql_running


@dataclass(frozen=True)
class SemiSync:
    """How a server's commits wait for replicas just now."""

    wanted: bool
    """Whether they are to wait."""
    works: bool
    """Whether they do; not where the server waited for too long and goes on without any replica."""
    timeout: float
    """Seconds after which it goes on without."""
    replicas: int
    """Replicas that say what they have."""
    waiting: int
    """Commits that wait now; one may stand for all that are behind it."""
    longest_wait: float
    """Seconds for which the first of them has waited."""
    confirms: bool
    """Whether it tells the server that it follows what it has."""


@dataclass(frozen=True)
class Group:
    """How a server stands in the group that it is set up to be a member of, as far as it knows."""

    name: str
    state: str
    """Its own: C(ONLINE), C(RECOVERING), C(OFFLINE), C(ERROR); empty where that is not ours to read."""
    members: dict[str, str] = field(default_factory=dict)
    """States of all members by address, its own among them; C(UNREACHABLE) are those that it does not hear."""
    primary: str = ""
    """Address of the member that takes writes."""
    received: str = ""
    """Transactions that it was sent by the group; what is not in its `gtid_state` it has yet to apply."""

    @property
    def runs(self) -> bool:
        """Whether it belongs to a group that can confirm writes: it hears more than half of the members."""
        heard = [state for state in self.members.values() if state in ("ONLINE", "RECOVERING")]
        return self.state in ("ONLINE", "RECOVERING") and 2 * len(heard) > len(self.members)


@dataclass(frozen=True)
class ServerState:
    """State of one server; `running` False means that none answered and the rest holds nothing."""

    running: bool
    flavor: str = ""
    version: str = ""
    server_id: int = 0
    read_only: bool = True
    binlog: bool = False
    gtid_position: str = ""
    """Last transaction of each domain that this server has, replicated or its own."""
    gtid_state: str = ""
    """Last transaction of each domain and origin in its binary log."""
    replication: Replication | None = None
    followers: list[str] = field(default_factory=list)
    """Addresses of the servers that read its binary log now."""
    semi_sync: bool = False
    """Whether a commit waits until a replica has it."""
    semi_sync_replicas: int = 0
    """Replicas that say so."""
    databases: dict[str, int] = field(default_factory=dict)
    """Number of tables by database, the server's own databases left out."""
    group: Group | None = None
    """The group of servers that it is set up for, which chooses the primary by itself."""

    @property
    def holds_data(self) -> bool:
        """Whether anything was ever written here that a bootstrap elsewhere would lose sight of."""
        return bool(self.gtid_state) or any(self.databases.values())

    def as_dict(self) -> dict[str, Any]:
        """Return plain data, the reverse of `from_dict`."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> ServerState:
        """Build a state from what `as_dict` returned."""
        values = dict(data)
        replication, group = values.pop("replication", None), values.pop("group", None)
        return cls(
            **values,
            replication=Replication(**replication) if replication else None,
            group=Group(**group) if group else None,
        )


def release(version: str) -> tuple[int, ...]:
    """Return the release series of a version: (10, 11) for ``10.11.6-MariaDB``.

    :raises DatabaseError: it is no version.
    """
    found = re.match(r"(\d+)\.(\d+)", version)
    if not found:
        raise DatabaseError(f"{version!r} is no version of a database server")
    return tuple(int(number) for number in found.groups())


@dataclass(frozen=True)
class OwnTransactions:
    """What a server holds and another one lacks."""

    transactions: list[str] = field(default_factory=list)
    """Those that its binary logs hold."""
    purged: list[str] = field(default_factory=list)
    """Those that its binary logs no longer hold; a range is `<first> to <last>`, both included."""
    fingerprint: str = ""
    """A hash over all that they do: a transaction may be named like another one."""
    decoders: list[list[str]] = field(default_factory=list)
    """Commands that print them, one after the other."""
