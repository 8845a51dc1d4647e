#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Ansible module: the few facts that the collection's roles use."""

from __future__ import annotations

DOCUMENTATION = """
module: host_facts
author: The trinitycore.mcp authors
version_added: 2.0.0
short_description: Gather the few facts that this collection's roles use
description:
  - Sets distribution, memory, processors, the default route's interface, architecture and Python's version, named as
    M(ansible.builtin.setup) names them, so that either can be used.
  - Reads a few files and starts no program, which takes about a third of the time.
options: {}
attributes:
  check_mode:
    support: full
    description: Reads only.
"""

EXAMPLES = """
- name: Gather the few facts that the roles use
  trinitycore.mcp.host_facts:
"""

RETURN = """
ansible_facts:
  description:
    - C(distribution), C(distribution_major_version), C(os_family), C(memtotal_mb), C(processor_nproc),
      C(processor_vcpus), C(architecture), C(python), and of C(default_ipv4) the C(interface) of the default route.
  returned: always
  type: dict
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.trinitycore.mcp.plugins.module_utils.host_facts import gather


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec={}, supports_check_mode=True)
    try:
        facts = gather()
    except (OSError, ValueError) as error:
        module.fail_json(msg=f"can't gather the facts of this host: {error}")
    module.exit_json(ansible_facts=facts)


if __name__ == "__main__":
    main()
