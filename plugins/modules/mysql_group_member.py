#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Ansible module: make the MySQL server on this host a member of the group that runs."""

from __future__ import annotations

DOCUMENTATION = """
module: mysql_group_member
author: The trinitycore.mcp authors
version_added: 2.0.0
short_description: Make the MySQL server on this host a member of the group that runs
description:
  - Describes a wanted state - this server is an ONLINE member of the group that O(primary) leads, and has the account
    that members catch up by - and does what is missing. Waits until it is ONLINE.
  - Never begins a group, which is M(trinitycore.mcp.mysql_primary)'s.
  - Before it joins it asks the primary, and refuses a server that holds transactions that the primary lacks. What the
    primary's binary logs can't bring there is cloned by the group, which ends this server and starts it again.
options:
  name:
    description: This host. On the primary itself nothing is done.
    type: str
    required: true
  schema:
    description: Our own database, which holds what the primary knows of its history.
    type: str
    default: mcp
  replace:
    description:
      - Whether the server's data may be replaced by another member's though it holds transactions that the primary
        lacks.
    type: bool
    default: false
  timeout:
    description: Seconds to wait until it is ONLINE; it may have to clone the data and to apply what it missed.
    type: float
    default: 600.0
extends_documentation_fragment: [trinitycore.mcp.mysql_socket, trinitycore.mcp.mysql_followed]
attributes:
  check_mode:
    support: full
    description: On a host without a server, joining is reported as a change.
  diff_mode:
    support: full
    description: Lists what is done, without the password.
"""

EXAMPLES = """
- name: This server is a member
  trinitycore.mcp.mysql_group_member:
    name: "{{ inventory_hostname }}"
    primary: {name: db1, address: 192.0.2.31}
    password: "{{ mysql_replication_password }}"
    ca_file: /etc/trinitycore-pki/ca.crt
"""

RETURN = """
actions:
  description: What was done, or would be in check mode.
  returned: success
  type: list
  elements: str
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.trinitycore.mcp.plugins.module_utils.mysql.connection import SOCKET, open_local
from ansible_collections.trinitycore.mcp.plugins.module_utils.mysql.errors import DatabaseError, ServerUnavailableError
from ansible_collections.trinitycore.mcp.plugins.module_utils.mysql.group import JOIN, join
from ansible_collections.trinitycore.mcp.plugins.module_utils.mysql.reach import FOLLOWED, primary_of


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "name": {"type": "str", "required": True},
            **FOLLOWED,
            "schema": {"type": "str", "default": "mcp"},
            "replace": {"type": "bool", "default": False},
            **SOCKET,
            "timeout": {"type": "float", "default": 600.0},
        },
        supports_check_mode=True,
    )
    options = dict(module.params)
    primary = primary_of(options, options["schema"])
    actions = list[str]()
    try:
        if options["name"] != primary.name:
            actions = join(
                lambda: open_local(options["socket"]),
                options["name"],
                primary,
                replace=options["replace"],
                timeout=options["timeout"],
                dry=module.check_mode,
            )
    except ServerUnavailableError as error:
        if not module.check_mode:
            module.fail_json(msg=str(error))
        actions = [JOIN]
    except DatabaseError as error:
        module.fail_json(msg=str(error))
    diff = {"before": "", "after": "".join(f"{action}\n" for action in actions)}
    module.exit_json(changed=bool(actions), actions=actions, diff=diff)


if __name__ == "__main__":
    main()
