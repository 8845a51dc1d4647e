# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Lookup of the operating system packages that roles of this collection need on a host."""

from __future__ import annotations

DOCUMENTATION = """
name: role_packages
author: The trinitycore.mcp authors
version_added: 2.0.0
short_description: Packages that roles of this collection need on a host
description:
  - Reads C(vars/packages.yml) of each role and returns one sorted list without repetitions, so that a host's
    packages can be installed in one transaction.
  - The file maps an operating system to a list of packages. The most specific key wins, for example
    C(Ubuntu-22) over C(Ubuntu) over C(Debian) (the family). A role that comes in flavours has a list for each
    flavour there, and the variable C(<role>_flavor) chooses.
options:
  _terms:
    description: Names of roles of this collection.
    required: true
    type: list
    elements: str
"""

EXAMPLES = """
- name: Install what NGINX and the exporter need
  ansible.builtin.apt:
    name: "{{ lookup('trinitycore.mcp.role_packages', 'nginx', 'node_exporter') }}"
"""

RETURN = """
_raw:
  description: One list of package names.
  type: list
  elements: list
"""

from pathlib import Path
from typing import Any

import yaml
from ansible.errors import AnsibleError
from ansible.plugins.lookup import LookupBase
from ansible_collections.trinitycore.mcp.plugins.filter.cluster import role_defaults

ROLES = Path(__file__).parents[2] / "roles"


def os_keys(facts: dict[str, Any]) -> list[str]:
    """Return the keys that fit a host, most specific first.

    :param facts: ``distribution``, ``distribution_major_version`` and ``os_family``, as gathered by setup.
    """
    distribution = facts["distribution"]
    return [f"{distribution}-{facts['distribution_major_version']}", distribution, facts["os_family"]]


def packages_of(
    role: str, facts: dict[str, Any], roles_directory: Path = ROLES, flavor: str | None = None
) -> list[str]:
    """Return the packages that one role needs on a host with these facts.

    :param flavor: the role's flavour, for a role that has some; None: the one of the role's defaults.
    :raises AnsibleError: the role is unknown, or there is nothing for this operating system or this flavour on it.
    """
    path = roles_directory / role / "vars" / "packages.yml"
    if not path.is_file():
        raise AnsibleError(f"role {role!r} has no {path}")
    by_os: dict[str, list[str] | dict[str, list[str]]] = yaml.safe_load(path.read_text()) or {}
    key = next((key for key in os_keys(facts) if key in by_os), None)
    if key is None:
        raise AnsibleError(f"role {role!r} supports {', '.join(sorted(by_os))}, not {os_keys(facts)[0]}")
    packages = by_os[key]
    if isinstance(packages, list):
        return packages
    variable = f"{role}_flavor"
    if flavor is None:
        flavor = str(role_defaults(role)[variable])
    if flavor not in packages:
        raise AnsibleError(
            f"{variable} is {flavor!r}, which {os_keys(facts)[0]} has no packages of; there it can be "
            f"{', '.join(sorted(packages))}"
        )
    return packages[flavor]


class LookupModule(LookupBase):
    """``lookup('trinitycore.mcp.role_packages', role, ...)``."""

    def run(self, terms: list[str], variables: dict[str, Any] | None = None, **kwargs: Any) -> list[list[str]]:
        """Return a list that holds one sorted list of packages.

        :raises AnsibleError: as :func:`packages_of`, or when the host's facts were not gathered.
        """
        self.set_options(var_options=variables, direct=kwargs)
        variables = variables or {}
        facts = variables.get("ansible_facts") or {}
        if "os_family" not in facts:
            raise AnsibleError("role_packages needs the facts distribution and os_family; gather facts first")

        def flavor(role: str) -> str | None:
            value: str | None = variables.get(f"{role}_flavor")
            return self._templar.template(value) if self._templar is not None else value

        return [sorted({package for role in terms for package in packages_of(role, facts, flavor=flavor(role))})]
