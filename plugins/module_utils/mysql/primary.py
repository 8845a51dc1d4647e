"""Make a server the primary it was decided to be: databases, accounts, and only then open for writes."""

from __future__ import annotations

from dataclasses import dataclass

from . import accounts, records
from .accounts import Account
from .connection import Connection, quoted
from .errors import TopologyError
from .flavor import Flavor


@dataclass(frozen=True)
class Wanted:
    """What a primary holds. `databases` are created when absent and never altered or dropped."""

    schema: str
    databases: list[str]
    accounts: list[Account]


def make_primary(server: Connection, flavor: Flavor, wanted: Wanted, dry: bool) -> list[str]:
    """Bring the server there and return what was (or, when `dry`, would be) done.

    :raises TopologyError: by now it follows another server.
    """
    state = flavor.state(server)
    if state.replication is not None:
        raise TopologyError(f"{server.target} follows {state.replication.host} by now; nothing was changed")
    done = []
    for database in dict.fromkeys([wanted.schema, *wanted.databases]):
        if database not in state.databases:
            done.append(f"create database {database}")
            if not dry:
                server.execute(f"CREATE DATABASE {quoted(database)} CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci")
    done += _remember_history(server, flavor, wanted.schema, state.databases, dry)
    for account in wanted.accounts:
        done += accounts.ensure(server, flavor, account, dry)
    if state.read_only:
        done.append("open for writes")
        if not dry:
            flavor.set_read_only(server, False)
    return done


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
