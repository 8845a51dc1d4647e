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


class FilterModule:
    """Registers the filters under ``trinitycore.mcp``."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filters by name."""
        return {"lab_hosts": lab_hosts}
