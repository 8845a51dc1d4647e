#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Ansible module: have packages installed. The part that runs on the host only tells which are missing."""

from __future__ import annotations

DOCUMENTATION = """
module: packages
author:
  - The trinitycore.mcp authors (@trinitycore-mcp)
version_added: "2.0.0"
short_description: Have packages installed, at little cost when they are
description:
  - Asks dpkg which of the packages are missing, which takes a fraction of the second that opening APT's index takes,
    and installs the missing ones by M(ansible.builtin.apt) in one transaction.
  - Services of new packages are not started, those of upgraded ones not restarted; the role that configures a service
    does both.
options:
  name:
    description: Names of the packages.
    type: list
    elements: str
    required: true
  state:
    description: With V(latest) also installed packages are brought to the newest version, by a fresh index.
    type: str
    choices: [present, latest]
    default: present
attributes:
  check_mode:
    description: Tells which packages would be installed; an upgrade it foretells by the index as it is.
    support: full
  action:
    description: The work is shared between controller and host.
    support: full
seealso:
  - module: ansible.builtin.apt
"""

EXAMPLES = """
- name: Have a web server and its exporter
  trinitycore.mcp.packages:
    name: [nginx, prometheus-nginx-exporter]
"""

RETURN = """
missing:
  description: Packages that were not installed before.
  returned: success
  type: list
  elements: str
"""

from ansible.module_utils.basic import AnsibleModule

INSTALLED = "install ok installed"


def missing_packages(names: list[str], listed: str) -> list[str]:
    """Return the names that are not installed.

    :param listed: lines ``name|status`` of dpkg-query; a package unknown to dpkg has no line.
    """
    present = {line.partition("|")[0] for line in listed.splitlines() if line.endswith(f"|{INSTALLED}")}
    return [name for name in names if name not in present]


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "name": {"type": "list", "elements": "str", "required": True},
            "state": {"type": "str", "choices": ["present", "latest"], "default": "present"},
        },
        supports_check_mode=True,
    )
    names: list[str] = module.params["name"]
    # It fails when it does not know one of the packages, and lists the others all the same.
    _, listed, _ = module.run_command(["dpkg-query", "--show", "--showformat=${Package}|${Status}\n", *names])
    module.exit_json(changed=False, missing=missing_packages(names, listed))


if __name__ == "__main__":
    main()
