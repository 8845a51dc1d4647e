# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the checks see of an inventory, free of Ansible's own classes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any


class UnresolvedError(Exception):
    """A variable can't be worked out; the message says why."""


class UnknownYetError(UnresolvedError):
    """A variable depends on facts of a host, which nobody has gathered before preflight."""


@dataclass(frozen=True)
class HostVariables:
    """Variables of one host.

    :ivar set_names: names that the inventory or the command line sets, not counting role defaults.
    :ivar resolve: returns a variable's templated value, from the inventory or else from role defaults;
        raises KeyError if neither sets it and UnresolvedError if its template fails.
    :ivar origin: returns where a variable was written, such as ``group_vars/all/main.yml:3``, or an empty string.
    """

    name: str
    set_names: frozenset[str]
    resolve: Callable[[str], Any]
    origin: Callable[[str], str] = lambda _: ""

    def known(self, variable: str) -> Any:
        """Return a variable's value; None if it is not set or not known yet, which is checked elsewhere."""
        try:
            return self.resolve(variable)
        except (KeyError, UnresolvedError):
            return None


@dataclass(frozen=True)
class Inventory:
    """Groups and hosts of a run."""

    groups: Mapping[str, list[str]]
    hosts: Mapping[str, HostVariables]

    def members(self, group: str) -> list[str]:
        """Return a group's hosts in inventory order; none if there is no such group."""
        return list(self.groups.get(group, []))

    def groups_of(self, host: str) -> set[str]:
        """Return the groups that a host is in, ``all`` among them."""
        return {"all"} | {group for group, names in self.groups.items() if host in names}

    def describe(self, names: Iterable[str]) -> str:
        """Name a set of hosts in the shortest way: all hosts, a group, or one by one."""
        wanted = set(names)
        if not wanted:
            return ""
        if len(wanted) > 1:
            if wanted == set(self.hosts):
                return "all hosts"
            for group, members in self.groups.items():
                if group not in ("all", "ungrouped") and set(members) == wanted:
                    return f"group {group}"
        return ", ".join(name for name in self.hosts if name in wanted)
