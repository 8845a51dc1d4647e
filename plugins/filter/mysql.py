# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Filters of the database tier."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible_collections.trinitycore.mcp.plugins.filter.cluster import cluster_hosts
from ansible_collections.trinitycore.mcp.plugins.module_utils.mysql.errors import TopologyError
from ansible_collections.trinitycore.mcp.plugins.module_utils.mysql.topology import Member, decide, lost_by_restart


def mysql_members(
    names: Iterable[str], hostvars: Mapping[str, Any], elsewhere: Iterable[Mapping[str, Any]] = ()
) -> list[dict[str, Any]]:
    """Turn database hosts into ``[{name, address, state}]``, as M(trinitycore.mcp.mysql_primary) takes them.

    The state is what the host registered as ``mysql_state`` in this play; `elsewhere` are loop results
    (`item` is the host's name) for hosts that are not part of the play. Without either it is left out.
    """
    asked = {str(result["item"]): result.get("state") for result in elsewhere}
    members = []
    for host in cluster_hosts(names, hostvars):
        registered = hostvars[host["name"]].get("mysql_state") or {}
        state = registered.get("state") or asked.get(host["name"])
        members.append({**host, "state": state} if state else dict(host))
    return members


def mysql_follows(state: Mapping[str, Any], address: str) -> bool:
    """Whether a server's state says that it replicates from `address`, be it that the connection is lost just now.

    A member of a group does, whoever leads it.
    """
    if (state.get("group") or {}).get("state") in ("ONLINE", "RECOVERING"):
        return True
    there = state.get("replication") or {"host": ""}
    return bool(there["host"] == address and there["io_running"] != "No" and there["sql_running"])


def mysql_server_id(address: str) -> int:
    """Return the server id that belongs to an IPv4 address: unique as long as addresses are.

    :raises AnsibleFilterError: it is no IPv4 address.
    """
    try:
        return int(ipaddress.IPv4Address(address))
    except ValueError as error:
        raise AnsibleFilterError(f"{address!r} is no IPv4 address; set mysql_server_id") from error


def mysql_primary(members: Iterable[Mapping[str, Any]], bootstrap_primary: str) -> str:
    """Return the name of the primary among `members`, see `mysql_members`.

    :raises AnsibleFilterError: their states contradict each other.
    """
    try:
        return decide([Member.from_dict(dict(member)) for member in members], bootstrap_primary).primary
    except TopologyError as error:
        raise AnsibleFilterError(str(error)) from error


def mysql_lost_by_restart(members: Iterable[Mapping[str, Any]], name: str, bootstrap_primary: str) -> str:
    """Return why `name`, if it is the primary, would not be opened again after a restart; empty: nothing is in the way.

    :param members: see `mysql_members`; the state of `name` must have been read last.
    """
    return lost_by_restart([Member.from_dict(dict(member)) for member in members], name, bootstrap_primary)


class FilterModule:
    """Registers the filters under ``trinitycore.mcp``."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filters by name."""
        return {
            "mysql_follows": mysql_follows,
            "mysql_lost_by_restart": mysql_lost_by_restart,
            "mysql_members": mysql_members,
            "mysql_primary": mysql_primary,
            "mysql_server_id": mysql_server_id,
        }
