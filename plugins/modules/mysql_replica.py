#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Ansible module: make the server on this host a replica of the primary."""

from __future__ import annotations

DOCUMENTATION = """
module: mysql_replica
author: The trinitycore.mcp authors
version_added: 2.0.0
short_description: Make the database server on this host a replica of the primary
description:
  - Describes a wanted state - this server follows that primary by GTID, over TLS with the certificate checked, and
    is read-only - and does what is missing. Waits until replication runs.
  - Before it points a server at a primary it logs in there the way replication will, and refuses with the reason when
    the primary is not writable, when this server holds transactions that the primary lacks, or when the
    primary's binary logs don't reach back far enough. Nothing is wiped or merged.
  - On the primary itself nothing is done, but that with O(semi_sync) its writes begin to wait for replicas once there
    is one.
options:
  name:
    description: This host.
    type: str
    required: true
  schema:
    description: Our own database, which holds what the primary knows of its history.
    type: str
    default: mcp
  semi_sync:
    description: Whether the primary's writes wait until a replica has them.
    type: bool
    default: false
  timeout:
    description: Seconds to wait until replication runs.
    type: float
    default: 30.0
extends_documentation_fragment: [trinitycore.mcp.mysql_socket, trinitycore.mcp.mysql_followed]
attributes:
  check_mode:
    support: full
    description: On a host without a server, following the primary is reported as a change.
  diff_mode:
    support: full
    description: Lists what is done, without the password.
"""

EXAMPLES = """
- name: This server follows the primary
  trinitycore.mcp.mysql_replica:
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
from ansible_collections.trinitycore.mcp.plugins.module_utils.mysql.flavors import detect
from ansible_collections.trinitycore.mcp.plugins.module_utils.mysql.primary import WAIT, wait_for_replicas
from ansible_collections.trinitycore.mcp.plugins.module_utils.mysql.reach import FOLLOWED, primary_of
from ansible_collections.trinitycore.mcp.plugins.module_utils.mysql.replica import Primary, make_replica


def act(socket: str, name: str, primary: Primary, timeout: float, dry: bool) -> list[str]:
    """Bring the server on this host to a replica's state; see `make_replica`."""
    try:
        with open_local(socket) as server:
            return make_replica(server, detect(server), name, primary, timeout, dry)
    except ServerUnavailableError:
        if not dry:
            raise
        return [f"follow {primary.name} ({primary.address}:{primary.port})"]


def act_on_primary(socket: str, timeout: float, dry: bool) -> list[str]:
    """Have its writes wait for replicas; see `wait_for_replicas`."""
    try:
        with open_local(socket) as server:
            return wait_for_replicas(server, detect(server), timeout, dry)
    except ServerUnavailableError:
        if not dry:
            raise
        return [WAIT]


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "name": {"type": "str", "required": True},
            **FOLLOWED,
            "schema": {"type": "str", "default": "mcp"},
            "semi_sync": {"type": "bool", "default": False},
            **SOCKET,
            "timeout": {"type": "float", "default": 30.0},
        },
        supports_check_mode=True,
    )
    options = dict(module.params)
    primary = primary_of(options, options["schema"])
    try:
        if options["name"] != primary.name:
            actions = act(options["socket"], options["name"], primary, options["timeout"], module.check_mode)
        elif options["semi_sync"]:
            actions = act_on_primary(options["socket"], options["timeout"], module.check_mode)
        else:
            actions = []
    except DatabaseError as error:
        module.fail_json(msg=str(error))
    diff = {"before": "", "after": "".join(f"{action}\n" for action in actions)}
    module.exit_json(changed=bool(actions), actions=actions, diff=diff)


if __name__ == "__main__":
    main()
