"""Accounts and their privileges: the difference between wanted and present, and the statements that close it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from . import readable
from .connection import Connection
from .flavor import Flavor
from .grants import grant_level
from .readable import Rule

OPTIONS: dict[str, Any] = {
    "user": {"type": "str", "required": True},
    "host": {"type": "str", "default": "%"},
    "password": {"type": "str", "required": True, "no_log": True},
    "tls": {"type": "bool", "default": True},
    "privileges": {"type": "dict", "default": {}},
    "readable": {"type": "dict", "default": {}},
}
"""How modules take an account; documented in the fragment `mysql_accounts`."""


@dataclass(frozen=True)
class Account:
    """A wanted account. `privileges` maps a level (`*.*`, `world.*`, `mcp.table`) to privileges in upper case.

    `readable` adds what rules open in databases of which it may read a part.
    """

    user: str
    host: str
    password: str
    tls: bool
    privileges: dict[str, frozenset[str]]
    readable: tuple[Rule, ...] = ()

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Account:
        """Build an account from the module's option.

        :raises DatabaseError: a rule of `readable` is wrong.
        """
        return cls(
            user=data["user"],
            host=data["host"],
            password=data["password"],
            tls=bool(data["tls"]),
            privileges={
                grant_level(level): frozenset(one.upper() for one in wanted)
                for level, wanted in data["privileges"].items()
                if wanted
            },
            readable=tuple(Rule.from_dict(*entry) for entry in (data.get("readable") or {}).items()),
        )

    def __str__(self) -> str:
        return f"{self.user}@{self.host}"


def ensure(server: Connection, flavor: Flavor, account: Account, dry: bool) -> list[str]:
    """Bring one account to its wanted state and return what was (or, when `dry`, would be) done, without secrets."""
    present = flavor.account(server, account.user, account.host)
    wanted_hash = flavor.password_hash(account.password, present["hash"] if present else "")
    done: list[str] = []
    if present is None:
        done.append(f"create account {account}, TLS {'required' if account.tls else 'not required'}")
        if not dry:
            flavor.create_account(server, account.user, account.host, wanted_hash, account.tls)
        present = {"hash": wanted_hash, "tls": account.tls, "grants": {}}
    if present["hash"] != wanted_hash:
        done.append(f"set the password of {account}")
    if present["tls"] != account.tls:
        done.append(f"{'require' if account.tls else 'do not require'} TLS of {account}")
    if not dry and (present["hash"], present["tls"]) != (wanted_hash, account.tls):
        flavor.alter_account(server, account.user, account.host, wanted_hash, account.tls)

    has: dict[str, set[str]] = present["grants"]
    wanted = {**account.privileges, **readable.grants(server, account.readable)}
    should = flavor.grants({level: set(privileges) for level, privileges in wanted.items()})
    changes = {level: _difference(has.get(level, set()), should.get(level, set())) for level in sorted({*should, *has})}
    # What is only granted goes first, so that rights which move from a database to its tables are never gone.
    for level, (surplus, missing) in sorted(changes.items(), key=lambda change: bool(change[1][0])):
        for verb, link, privileges in (("REVOKE", "FROM", surplus), ("GRANT", "TO", missing)):
            if not privileges:
                continue
            listed = _listed(privileges)
            done.append(f"{verb.lower()} {listed} on {level} {link.lower()} {account}")
            if not dry:
                # The level holds % (as an escaped wildcard at times), which is the driver's placeholder sign.
                statement = f"{verb} {listed} ON {level} {link} ".replace("%", "%%") + "%s@%s"
                server.execute(statement, [account.user, account.host])
    return done


def _difference(has: set[str], should: set[str]) -> tuple[set[str], set[str]]:
    """Return what to revoke on a level, and what to grant after that."""
    surplus = has - should
    # A revocation for the whole table takes those for its columns along.
    taken_along = {one for one in should if one.partition(" (")[0] in surplus}
    return surplus, (should - has) | taken_along


def _listed(privileges: set[str] | frozenset[str]) -> str:
    """Return privileges as GRANT takes them: those on columns of the same kind together."""
    columns: dict[str, list[str]] = {}
    plain = []
    for one in sorted(privileges):
        name, bracket, column = one.partition(" (")
        if bracket:
            columns.setdefault(name, []).append(column[:-1])
        else:
            plain.append(one)
    return ", ".join([*plain, *(f"{name} ({', '.join(names)})" for name, names in columns.items())])
