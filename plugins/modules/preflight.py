# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation of the action plugin preflight."""

from __future__ import annotations

DOCUMENTATION = """
module: preflight
author: The trinitycore.mcp authors
version_added: 2.0.0
short_description: Every problem of an inventory and its variables, at once
description:
  - Checks the whole inventory, also hosts outside C(--limit), and reports every problem in one answer.
    Contacts no host and changes nothing.
  - Variables that begin with the name of a role of this collection are checked against the argument specs of the
    roles - known names, types, choices, and those that are required on a host by the roles that it gets.
  - Across hosts it checks the groups, addresses, names, networks, where databases start, and secrets, and on the
    controller the versions of Python and ansible-core.
  - A value that depends on facts is passed over, since facts are not gathered yet.
  - Values of secrets are never shown.
attributes:
  action:
    support: full
  check_mode:
    support: full
"""

EXAMPLES = """
- name: Inventory and variables
  trinitycore.mcp.preflight:
  run_once: true
"""

RETURN = """
problems:
  description: One line per problem - the variable or group, the hosts, what is wrong, what is allowed, and the file.
  returned: always
  type: list
  elements: str
  sample:
    - mysql_bootstrap_primary (group database) - 'db9' is not in group database - allowed values are db1, db2
"""
