# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Checks across hosts and groups: what no single role's argument spec can tell."""

from __future__ import annotations

import re
import zoneinfo
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.trinitycore.mcp.plugins.module_utils.secrets.store import LONGEST

from .certificates import check_certificates
from .inventory import HostVariables, Inventory, UnresolvedError
from .names import is_domain, is_host_name, network_mistake, parse_address
from .problems import Problem, Problems, one_of, shown

GROUPS = ("loadbalancers", "app", "database", "redis", "monitoring", "backup")
NEVER_EMPTY = ("loadbalancers", "app", "database", "redis")
SAME_WITHIN = {"database": ("mysql_flavor", "mysql_ha"), "redis": ("redis_flavor",)}
PRIMARIES = {"database": "mysql_bootstrap_primary", "redis": "redis_bootstrap_primary"}
# Database servers of a group: fewer can't outvote a lost one, more it does not take.
MEMBERS = (3, 9)
SHORTEST_SECRET = 12
SAFE_SECRET = re.compile(r"[!-~]+")
UNSAFE_IN_SECRET = frozenset("\"'\\#`$")
IDENTIFIER = re.compile(r"[A-Za-z0-9_]{1,64}")
DOMAIN = "must be a domain name such as mcp.example.com, without scheme, port or path"
NAME = "must be letters, digits, hyphens and dots"
CIDR = "must be networks in CIDR form, such as 10.0.0.0/24"


@dataclass(frozen=True)
class ClusterChecks:
    """The checks; each adds its problems to :attr:`problems` and goes on.

    :ivar roles: names of the collection's roles.
    :ivar secrets: names of the variables that must be set everywhere.
    """

    inventory: Inventory
    problems: Problems
    roles: Collection[str]
    secrets: Collection[str]

    def run(self) -> None:
        """Run every check."""
        self._groups()
        self._host_names()
        self._addresses()
        self._primaries()
        self._same_within_groups()
        self._automatic_failover()
        self._backup_host()
        self._secrets()
        self._components()
        check_certificates(self.inventory, self.problems)
        self._each("cluster_domain", _domain_mistake, DOMAIN)
        self._each("cluster_name", _name_mistake, NAME)
        self._each("cluster_admin_sources", _networks_mistake, CIDR)
        self._each("cluster_timezone", _timezone_mistake, "must be a name of the tz database, such as Europe/Berlin")
        self._each("cluster_schema", _identifier_mistake, "must be letters, digits and _")
        self._each("cluster_databases", _databases_mistake, "must be letters, digits and _, each name once")
        if self.inventory.members("loadbalancers"):
            self._each("cluster_edge_address", _address_mistake, "must be an IP address")
        self._floating_addresses()

    def _groups(self) -> None:
        for group in GROUPS:
            if group not in self.inventory.groups:
                wanted = "needs one host or more" if group in NEVER_EMPTY else "may be empty, but must be there"
                self.problems.add(Problem(f"group {group}", "is missing from the inventory", wanted))
            elif group in NEVER_EMPTY and not self.inventory.members(group):
                self.problems.add(Problem(f"group {group}", "has no hosts", "needs one host or more"))

    def _host_names(self) -> None:
        for name in self.inventory.hosts:
            if not is_host_name(name):
                self.problems.add(Problem(f"host {name}", "can't be a name in a certificate", NAME))

    def _addresses(self) -> None:
        holders: dict[str, dict[str, str]] = {}
        for host in self.inventory.hosts.values():
            variable = "cluster_address" if "cluster_address" in host.set_names else "ansible_host"
            if variable not in host.set_names:
                self.problems.add(Problem("ansible_host", "is not set", "must be the host's IP address"), [host.name])
                continue
            value = host.known(variable)
            if value is None:
                continue
            address = parse_address(str(value))
            if address is None:
                self.problems.add(
                    Problem(
                        variable,
                        f"{shown(value)} is not an IP address",
                        "must be an IP address; where ansible_host has to be a name, set cluster_address too",
                        host.origin(variable),
                    ),
                    [host.name],
                )
            elif address.is_unspecified or address.is_multicast:
                self.problems.add(
                    Problem(variable, f"{shown(value)} is no host's address", "", host.origin(variable)), [host.name]
                )
            elif address.is_loopback and len(self.inventory.hosts) > 1:
                self.problems.add(
                    Problem(
                        variable,
                        f"other hosts can't reach {shown(value)}",
                        "must not be a loopback address, except in a cluster of one host",
                        host.origin(variable),
                    ),
                    [host.name],
                )
            else:
                holders.setdefault(str(address), {})[host.name] = variable
        for text, variables in holders.items():
            if len(variables) > 1:
                subject = ", ".join(sorted(set(variables.values())))
                self.problems.add(
                    Problem(subject, f"{text} is the address of more than one host", "must be another on each host"),
                    variables,
                )

    def _floating_addresses(self) -> None:
        """Check the addresses that load balancers hold together; a host's own would be on two hosts at once."""
        own = {
            str(parse_address(str(host.known(variable)))): host.name
            for host in self.inventory.hosts.values()
            for variable in ("cluster_address", "ansible_host")
            if variable in host.set_names
        }

        def mistakes(value: Any) -> Iterator[str]:
            for address in value if isinstance(value, list) else []:
                parsed = parse_address(str(address))
                if parsed is None:
                    yield f"{shown(address)} is not an IP address"
                elif str(parsed) in own:
                    yield f"{shown(address)} is the address of host {own[str(parsed)]}"

        self._each("cluster_floating_addresses", mistakes, "must be free IP addresses of the load balancers' network")

    def _primaries(self) -> None:
        for group, variable in PRIMARIES.items():
            members = self.inventory.members(group)
            chosen: dict[str, list[str]] = {}
            for name in members:
                host = self.inventory.hosts[name]
                value = host.known(variable)
                if value in (None, ""):
                    self.problems.add(
                        Problem(variable, f"is not set, group {group} has no primary to start with", one_of(members)),
                        [name],
                    )
                elif str(value) not in members:
                    self.problems.add(
                        Problem(
                            variable,
                            f"{shown(value)} is not in group {group}",
                            one_of(members),
                            host.origin(variable),
                        ),
                        [name],
                    )
                else:
                    chosen.setdefault(str(value), []).append(name)
            if len(chosen) > 1:
                self.problems.add(
                    Problem(variable, f"differs within group {group}, {', '.join(chosen)}", "must be one value"),
                    members,
                )

    def _same_within_groups(self) -> None:
        for group, variables in SAME_WITHIN.items():
            members = self.inventory.members(group)
            for variable in variables:
                values = {str(self.inventory.hosts[name].known(variable)): None for name in members}
                if len(values) > 1:
                    what = f"differs within group {group}, {', '.join(values)}"
                    self.problems.add(Problem(variable, what, "must be one value"), members)

    def _automatic_failover(self) -> None:
        """Check what servers need to choose their primary by themselves."""
        members = self.inventory.members("database")
        hosts = [
            self.inventory.hosts[name] for name in members if self.inventory.hosts[name].known("mysql_ha") == "auto"
        ]
        if not hosts:
            return
        names, origin = [host.name for host in hosts], hosts[0].origin("mysql_ha")
        if any(host.known("mysql_flavor") != "mysql" for host in hosts):
            what = "'auto' is not to be had with mysql_flavor mariadb, see docs/decisions/database-ha.md"
            allowed = "set it to manual (failover.yml), or mysql_flavor to mysql in a new cluster"
            self.problems.add(Problem("mysql_ha", what, allowed, origin), names)
        if not MEMBERS[0] <= len(members) <= MEMBERS[1]:
            what = f"'auto' with {len(members)} database hosts, of which more than half must be there for a write"
            self.problems.add(Problem("mysql_ha", what, f"needs {MEMBERS[0]} to {MEMBERS[1]}", origin), names)

    def _backup_host(self) -> None:
        """A schedule on a host that is none of the database's would never run, and nobody would notice."""
        members = self.inventory.members("database")
        for name in members:
            host = self.inventory.hosts[name]
            value = host.known("backup_host")
            if value is not None and str(value) not in members:
                what = f"{shown(value)} is not in group database"
                self.problems.add(Problem("backup_host", what, one_of(members), host.origin("backup_host")), [name])

    def _secrets(self) -> None:
        """Check the secrets that are set; one that no host has is generated right after preflight."""
        missing: dict[tuple[str, ...], list[str]] = {}
        for name in self.secrets:
            lacking = tuple(host.name for host in self.inventory.hosts.values() if name not in host.set_names)
            if 0 < len(lacking) < len(self.inventory.hosts):
                missing.setdefault(lacking, []).append(name)
            for host in self.inventory.hosts.values():
                if host.name not in lacking:
                    for what, allowed in _secret_mistake(host, name):
                        self.problems.add(Problem(name, what, allowed, host.origin(name)), [host.name])
        for hosts, names in missing.items():
            allowed = "must be set for all hosts or for none"
            self.problems.add(Problem(", ".join(names), "not set, though other hosts have it", allowed), hosts)

    def _components(self) -> None:
        for host in self.inventory.hosts.values():
            value = host.known("cluster_components")
            if not isinstance(value, Mapping):
                continue
            for group, roles in value.items():
                for role in roles if isinstance(roles, list) else [roles]:
                    if role not in self.roles:
                        self.problems.add(
                            Problem(
                                "cluster_components",
                                f"{shown(role)} of group {group} is no role of this collection",
                                one_of(sorted(self.roles)),
                                host.origin("cluster_components"),
                            ),
                            [host.name],
                        )

    def _each(self, variable: str, mistakes: Any, allowed: str) -> None:
        """Check a variable's value on every host with a function that yields what is wrong with it."""
        for host in self.inventory.hosts.values():
            value = host.known(variable)
            if value is None:
                continue
            for mistake in mistakes(value):
                self.problems.add(Problem(variable, mistake, allowed, host.origin(variable)), [host.name])


def _secret_mistake(host: HostVariables, name: str) -> Iterator[tuple[str, str]]:
    try:
        value = host.resolve(name)
    except UnresolvedError as error:
        yield f"can't be worked out, {error}", ""
        return
    if not isinstance(value, str) or len(value) < SHORTEST_SECRET:
        yield "the value (hidden) is no string or too short", f"must be {SHORTEST_SECRET} characters or more, in quotes"
    elif not SAFE_SECRET.fullmatch(value) or UNSAFE_IN_SECRET & set(value):
        yield (
            "the value (hidden) has characters that can't stand in every configuration file",
            (f"must be ASCII letters, digits and signs, without spaces and {' '.join(sorted(UNSAFE_IN_SECRET))}"),
        )
    elif len(value) > LONGEST.get(name, len(value)) and _runs_mysql(host):
        yield f"the value (hidden) has {len(value)} characters", f"MySQL takes {LONGEST[name]} at most"


def _runs_mysql(host: HostVariables) -> bool:
    return "mysql_flavor" in host.set_names and host.resolve("mysql_flavor") == "mysql"


def _domain_mistake(value: Any) -> Iterator[str]:
    if not is_domain(str(value)):
        yield f"{shown(value)} is not a domain name"


def _name_mistake(value: Any) -> Iterator[str]:
    if not is_host_name(str(value)):
        yield f"{shown(value)} can't end the names of hosts"


def _address_mistake(value: Any) -> Iterator[str]:
    if parse_address(str(value)) is None:
        yield f"{shown(value)} is not an IP address"


def _networks_mistake(value: Any) -> Iterator[str]:
    for network in value if isinstance(value, list) else []:
        mistake = network_mistake(str(network))
        if mistake:
            yield f"{shown(network)} {mistake}"


def _timezone_mistake(value: Any) -> Iterator[str]:
    known = zoneinfo.available_timezones()
    if known and str(value) not in known:
        yield f"{shown(value)} is not a time zone"


def _identifier_mistake(value: Any) -> Iterator[str]:
    if not IDENTIFIER.fullmatch(str(value)):
        yield f"{shown(value)} is not a database name"


def _databases_mistake(value: Any) -> Iterator[str]:
    if not isinstance(value, Mapping):
        return
    for name in value.values():
        yield from _identifier_mistake(name)
    names = list(map(str, value.values()))
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"{shown(name)} is named twice"
