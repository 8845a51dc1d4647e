# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the lab's playbooks read from an inventory."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ansible.errors import AnsibleFilterError

# Inventory variable of a lab host: option of the nspawn_host module.
OPTIONS = {"lab_release": "image", "lab_memory": "memory", "lab_cpus": "cpus"}


def lab_hosts(names: Iterable[str], hostvars: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Turn inventory hosts into the ``hosts`` of ``trinitycore.mcp.nspawn_host``.

    :raises AnsibleFilterError: a host has no ``ansible_host``.
    """
    hosts = []
    for name in names:
        variables = hostvars[name]
        if not variables.get("ansible_host"):
            raise AnsibleFilterError(f"host {name!r} has no ansible_host: the lab gives it that address")
        host = {"name": str(name), "address": str(variables["ansible_host"]), "image": "bookworm"}
        for variable, option in OPTIONS.items():
            if variables.get(variable):
                host[option] = variables[variable]
        hosts.append(host)
    return hosts


def lab_platforms(platforms: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Turn Molecule's platforms (name, address, release, memory, cpus) into the module's ``hosts``."""
    known = {"name": "name", "address": "address", "release": "image", "memory": "memory", "cpus": "cpus"}
    return [{option: item[key] for key, option in known.items() if key in item} for item in platforms]


def lab_instances(platforms: Iterable[Mapping[str, Any]], directory: str) -> list[dict[str, Any]]:
    """Turn Molecule's platforms into its instance configuration: how each host is reached.

    :param directory: the lab's directory, where its SSH key lies
    """
    return [
        {
            "instance": str(item["name"]),
            "address": str(item["address"]),
            "user": "root",
            "port": 22,
            "identity_file": f"{directory}/ssh_key",
        }
        for item in platforms
    ]


class FilterModule:
    """Registers the filters under ``trinitycore.mcp``."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filters by name."""
        return {"lab_hosts": lab_hosts, "lab_platforms": lab_platforms, "lab_instances": lab_instances}
