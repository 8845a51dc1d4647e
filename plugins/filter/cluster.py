# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Filters that turn inventory groups into what a component needs to know of the others."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from ansible.errors import AnsibleFilterError

ROLES = Path(__file__).parents[2] / "roles"


@cache
def role_defaults(role: str) -> dict[str, Any]:
    """Return the defaults of a role of this collection, so that a default is written down once."""
    loaded: dict[str, Any] = yaml.safe_load((ROLES / role / "defaults" / "main.yml").read_text())
    return loaded


def cluster_hosts(names: Iterable[str], hostvars: Mapping[str, Any]) -> list[dict[str, str]]:
    """Turn host names into ``[{name, address}]``, in the given order.

    The address is ``cluster_address`` where the inventory sets it, else ``ansible_host``.

    :raises AnsibleFilterError: a host has neither.
    """
    hosts = []
    for name in names:
        variables = hostvars[name]
        address = variables.get("cluster_address") or variables.get("ansible_host")
        if not address:
            raise AnsibleFilterError(f"host {name!r} has no address: set ansible_host or cluster_address")
        hosts.append({"name": str(name), "address": str(address)})
    return hosts


def app_instances(names: Iterable[str], hostvars: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Turn app hosts into ``[{host, address, instance, port, metrics_port}]``, one per server instance.

    :raises AnsibleFilterError: a host's number of instances follows from its CPUs and its facts are unknown.
    """
    defaults = role_defaults("mcp_server")

    def setting(variables: Mapping[str, Any], name: str) -> int:
        return int(variables.get(name, defaults[name]))

    instances = []
    for host in cluster_hosts(names, hostvars):
        variables = hostvars[host["name"]]
        count = setting(variables, "mcp_server_instances")
        if count == 0:
            facts = variables.get("ansible_facts", {})
            count = int(facts.get("processor_nproc") or facts.get("processor_vcpus") or 0)
        if count == 0:
            raise AnsibleFilterError(
                f"the number of server instances on {host['name']!r} is unknown: gather its facts first, "
                "or set mcp_server_instances"
            )
        port, metrics_port = setting(variables, "mcp_server_port"), setting(variables, "mcp_server_metrics_port")
        instances += [
            {
                "host": host["name"],
                "address": host["address"],
                "instance": number + 1,
                "port": port + number,
                "metrics_port": metrics_port + number,
            }
            for number in range(count)
        ]
    return instances


def host_components(components: Mapping[str, list[str]], group_names: Iterable[str]) -> list[str]:
    """Return the roles of a host that is in these groups, in the order of ``cluster_components``."""
    groups = {"all", *group_names}
    found = [role for group, roles in components.items() if group in groups for role in roles]
    return list(dict.fromkeys(found))


class FilterModule:
    """Registers the filters under ``trinitycore.mcp``."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filters by name."""
        return {"cluster_hosts": cluster_hosts, "app_instances": app_instances, "host_components": host_components}
