"""Make a server the primary it was decided to be: databases, accounts, and only then open for writes."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from . import accounts, group, records
from .accounts import Account
from .connection import Connection, quoted
from .errors import DatabaseError, LoginRefusedError, NoReplicaError, ServerUnavailableError, TopologyError
from .flavor import Flavor
from .flavors import detect
from .state import ServerState

WAIT = "let writes wait until a replica has them"
NO_WAIT = "let writes wait for no replica"

# By name, what logs in to the other database hosts.
Others = Mapping[str, Callable[[], Connection]]


@dataclass(frozen=True)
class Wanted:
    """What a primary holds. `databases` are created when absent and never altered or dropped."""

    schema: str
    databases: list[str]
    accounts: list[Account]
    semi_sync: bool = False
    """Whether a write counts as done only when a replica has it too."""
    group_account: tuple[str, str] | None = None
    """User and password that members of its group catch up by; none where servers form no group."""
    group_timeout: float = 60.0
    """Seconds that the group has to begin."""


def make_primary(
    server: Connection,
    flavor: Flavor,
    wanted: Wanted,
    dry: bool,
    *,
    first: bool = False,
    takes_over: bool = False,
    begins_group: bool = False,
    others: Others | None = None,
) -> list[str]:
    """Bring the server there and return what was (or, when `dry`, would be) done.

    :param first: it is the primary of a new cluster, which has no replica yet that writes could wait for.
    :param takes_over: it stops following the one that was the primary before.
    :param begins_group: no group runs yet, and it is the one to begin it.
    :param others: are asked, before it is opened, whether one of them is the primary by now.
    :raises TopologyError: by now it follows another server, another takes writes, or somebody changes roles.
    :raises NoReplicaError: a write would wait for ever; nothing was changed.
    """
    others = others or {}
    if wanted.group_account is not None:
        return _make_leader(server, flavor, wanted, dry, begins_group=begins_group, others=others)
    state = flavor.state(server)
    if not dry and (state.read_only or takes_over):
        _claim(server, flavor, others)
        state = flavor.state(server)
    if state.replication is not None and takes_over:
        done = [f"follow {state.replication.host} no more"]
        if dry:
            return [*done, *_open(server, flavor, state, wanted.semi_sync, dry, others)]
        flavor.forget_source(server)
        return done + make_primary(server, flavor, wanted, dry, others=others)
    if state.replication is not None:
        raise TopologyError(f"{server.target} follows {state.replication.host} by now; nothing was changed")
    # A write would wait for ever; replicas come after this, where there is nothing to write.
    if not dry and state.semi_sync and not state.read_only and state.semi_sync_replicas == 0:
        if pending := make_primary(server, flavor, wanted, True, first=first):
            raise NoReplicaError(
                f"{server.target} takes writes, but each waits until a replica has it, and none is there. Left to do: "
                f"{', '.join(pending)}. Start replication on a replica, or, to go on with one server, "
                "SET GLOBAL rpl_semi_sync_master_enabled = 0",
                pending,
            )
        return []
    if state.read_only and not dry:
        flavor.let_root_write(server)
    done = _create_databases(server, state, wanted, dry)
    done += _remember_history(server, flavor, wanted.schema, state.databases, dry)
    for account in wanted.accounts:
        done += accounts.ensure(server, flavor, account, dry)
    return done + _open(server, flavor, state, wanted.semi_sync and not first, dry, others)


def _make_leader(
    server: Connection, flavor: Flavor, wanted: Wanted, dry: bool, *, begins_group: bool, others: Others
) -> list[str]:
    """Bring the server there that leads the group, or begins it."""
    user, password = wanted.group_account or ("", "")
    done = list[str]()
    if begins_group:
        if not dry:
            group.claim(server, flavor)
            _no_other_writes(others)
        done += group.begin(server, flavor, user, password, wanted.group_timeout, dry)
    else:
        done += group.set_account(server, user, password, dry)
    state = flavor.state(server)
    if state.read_only and not dry:
        raise TopologyError(f"{server.target} leads the group no more; nothing was changed. Run again")
    done += _create_databases(server, state, wanted, dry)
    done += _remember_history(server, flavor, wanted.schema, state.databases, dry)
    for account in wanted.accounts:
        done += accounts.ensure(server, flavor, account, dry)
    return done


def _create_databases(server: Connection, state: ServerState, wanted: Wanted, dry: bool) -> list[str]:
    absent = [name for name in dict.fromkeys([wanted.schema, *wanted.databases]) if name not in state.databases]
    for database in absent if not dry else ():
        server.execute(f"CREATE DATABASE {quoted(database)} CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci")
    return [f"create database {database}" for database in absent]


def _claim(server: Connection, flavor: Flavor, others: Others) -> None:
    """Be the only one that changes this server's role, and see that no other became the primary meanwhile.

    What was decided is old by now: a switchover may have opened another one, or be about to.
    """
    if not flavor.claim(server):
        raise TopologyError(f"another run is changing the role of {server.target} now; nothing was changed")
    _no_other_writes(others)


def _no_other_writes(others: Others) -> None:
    """:raises TopologyError: one of them takes writes, or can't be asked; nothing was opened."""

    def ask(name: str) -> str:
        try:
            with others[name]() as session:
                state = detect(session).state(session)
        except LoginRefusedError:  # it is new, and nobody's primary: it has none of the accounts yet
            return ""
        except ServerUnavailableError as error:
            return f"{name} can't be asked over the network ({error}), and may take writes"
        if state.group is not None and state.group.runs:
            return f"{name} is in a group that runs by now"
        return "" if state.read_only else f"{name} takes writes by now"

    if others:
        with ThreadPoolExecutor(len(others)) as pool:
            if found := list(filter(None, pool.map(ask, others))):
                raise TopologyError(f"{'; '.join(found)}. Nothing was opened; run again")


def _open(
    server: Connection, flavor: Flavor, state: ServerState, semi_sync: bool, dry: bool, others: Others
) -> list[str]:
    """Let it take writes, which wait for a replica where that is wanted; one that is open already begins later."""
    done = []
    if state.semi_sync is not semi_sync and (state.read_only or state.semi_sync):
        done.append(WAIT if semi_sync else NO_WAIT)
        if not dry:
            flavor.set_semi_sync(server, semi_sync)
    if state.read_only:
        done.append("open for writes")
        if not dry:
            try:
                _no_other_writes(others)
            except TopologyError:
                flavor.set_read_only(server, True)  # for root too, who was let in
                raise
            flavor.set_read_only(server, False)
    return done


def wait_for_replicas(server: Connection, flavor: Flavor, timeout: float, dry: bool) -> list[str]:
    """Have the primary's writes wait until a replica has them, now that there is one; return what was done.

    :raises DatabaseError: no replica says what it has.
    """
    if flavor.state(server).semi_sync:
        return []
    until = time.monotonic() + timeout
    while not dry and flavor.state(server).semi_sync_replicas == 0:
        if time.monotonic() > until:
            raise DatabaseError(
                f"no replica tells {server.target} what it has, after {timeout:g} s. Writes would wait for ever, so "
                "they do not wait yet: look at the replicas, and run again"
            )
        time.sleep(0.2)
    if not dry:
        flavor.set_semi_sync(server, True)
    return [WAIT]


def _remember_history(
    server: Connection, flavor: Flavor, schema: str, databases: dict[str, int], dry: bool
) -> list[str]:
    """Note, once, whether data was here before us: the binary log can't be trusted to tell of it."""
    if records.read(server, schema, records.HISTORY) is not None:
        return []
    if dry:
        return ["create the table of deployment records"]
    records.create_table(server, schema)
    older = any(tables for database, tables in databases.items() if database != schema)
    position = flavor.state(server).gtid_position if older else ""
    records.write(server, schema, records.HISTORY, {"incomplete_before": position})
    return ["create the table of deployment records"]
