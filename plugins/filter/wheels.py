# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Filters that tell which wheels an app host needs."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible_collections.trinitycore.mcp.plugins.module_utils.wheelhouse import Target

# Where the system's own Python is too old and the distribution has a newer one beside it.
INTERPRETERS = {"Ubuntu-22": "/usr/bin/python3.11"}
OLDEST = (3, 11)


def server_interpreter(variables: Mapping[str, Any]) -> str:
    """Return the path of the Python that the server runs with, from a host's variables and facts."""
    chosen = variables.get("mcp_server_python")
    facts = variables["ansible_facts"]
    system = f"{facts['distribution']}-{facts['distribution_major_version']}"
    return str(chosen or INTERPRETERS.get(system, "/usr/bin/python3"))


def wheel_target(variables: Mapping[str, Any], glibc: str) -> dict[str, str]:
    """Return what wheels must fit on a host, as the module wheelhouse takes it.

    :param variables: the host's variables with its facts (distribution, python).
    :param glibc: version of the C library, for example ``2.35``.
    :raises AnsibleFilterError: facts are missing, or the host's Python is too old.
    """
    facts = variables.get("ansible_facts") or {}
    if "python" not in facts:
        raise AnsibleFilterError("the host's facts are unknown: gather distribution and python first")
    named = re.search(r"python3\.(\d+)$", server_interpreter(variables))
    version = facts["python"]["version"]
    minor = int(named[1]) if named else int(version["minor"])
    if (3, minor) < OLDEST:
        raise AnsibleFilterError(
            f"the server needs Python 3.{OLDEST[1]}, the host has 3.{minor}: install a newer one beside it "
            "and set mcp_server_python to its path, such as /usr/bin/python3.11"
        )
    return {"python": f"3.{minor}", "machine": str(facts.get("architecture", "x86_64")), "glibc": glibc}


def wheel_target_key(target: Mapping[str, str]) -> str:
    """Return the key under which the module wheelhouse returns the archive of a target."""
    return Target(**target).key


class FilterModule:
    """Registers the filters under ``trinitycore.mcp``."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filters by name."""
        return {
            "server_interpreter": server_interpreter,
            "wheel_target": wheel_target,
            "wheel_target_key": wheel_target_key,
        }
