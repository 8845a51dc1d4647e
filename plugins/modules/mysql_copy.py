#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Ansible module: give the replica on this host a copy of the primary's data if it can't follow otherwise."""

from __future__ import annotations

DOCUMENTATION = """
module: mysql_copy
author: The trinitycore.mcp authors
version_added: 2.0.0
short_description: Give the replica on this host a copy of the primary's data
description:
  - Describes a wanted state - this server holds data from which it can follow the primary, and follows it - and copies
    the primary's data where transactions alone can't bring it there. The primary's binary logs may not reach back far
    enough, or it held data before it was taken over.
  - The copy comes from M(trinitycore.mcp.mysql_copy_sender), which must run on the primary meanwhile, by one TLS
    connection that both ends prove themselves on by their certificates. The primary takes writes all the time.
  - This server goes on until the copy is whole. Then the copy takes the place of its data directory, which is kept
    beside it as C(.before-copy) until the server replicates. One that doesn't come up gets its own data back.
  - May be interrupted anywhere. Run again, it finishes.
  - A server that holds transactions the primary lacks, or tables that never were replicated, is left alone unless it is
    named in O(replace_data). A primary of a newer release than this server is refused, and so is a data directory that
    is a mount point.
options:
  name:
    description: This host.
    type: str
    required: true
  address:
    description: Its address, at which it waits for the primary; its certificate must be made out to it.
    type: str
    required: true
  copy_port:
    description: Port that this host waits for the primary at. Nothing listens there otherwise.
    type: int
    default: 3307
  certificate:
    description: This host's certificate.
    type: path
    required: true
  private_key:
    description: Its key.
    type: path
    required: true
  schema:
    description: Our own database, which holds what the primary knows of its history.
    type: str
    default: mcp
  replace_data:
    description: Hosts whose own transactions and tables may be lost. One that needs no copy is left alone all the same.
    type: list
    elements: str
    default: []
  saved:
    description:
      - Of such transactions, those that are kept elsewhere, as M(trinitycore.mcp.mysql_errant_transactions) returns
        them in C(last). Others are not lost then, O(replace_data) or not. Left out, all may be.
    type: list
    elements: str
  unit:
    description: systemd unit of the server.
    type: str
    default: mariadb.service
  timeout:
    description: Seconds for the primary to begin, for the server to answer again, and for replication to run.
    type: float
    default: 60.0
extends_documentation_fragment: [trinitycore.mcp.mysql_socket, trinitycore.mcp.mysql_followed]
attributes:
  check_mode:
    support: full
    description: Says whether, and why, a copy is needed. How large it is, and whether there is room, shows only later.
  diff_mode:
    support: full
    description: Lists what is done.
"""

EXAMPLES = """
- name: Does this server need a copy?
  trinitycore.mcp.mysql_copy: &copy
    name: "{{ inventory_hostname }}"
    address: "{{ cluster_address }}"
    primary: {name: db1, address: 192.0.2.31}
    password: "{{ mysql_replication_password }}"
    ca_file: /etc/trinitycore-pki/ca.crt
    certificate: /etc/trinitycore-pki/host.crt
    private_key: /etc/trinitycore-pki/host.key
  check_mode: true
  register: copy

- name: The primary sends one
  trinitycore.mcp.mysql_copy_sender:
    to: "{{ cluster_address }}"
    ca_file: /etc/trinitycore-pki/ca.crt
    certificate: /etc/trinitycore-pki/host.crt
    private_key: /etc/trinitycore-pki/host.key
  delegate_to: db1
  async: 86400
  poll: 0
  when: copy.sender_needed

- name: This server has it
  trinitycore.mcp.mysql_copy: *copy
"""

RETURN = """
actions:
  description: What was done, or would be in check mode.
  returned: success
  type: list
  elements: str
sender_needed:
  description: Whether M(trinitycore.mcp.mysql_copy_sender) must run on the primary for this.
  returned: success
  type: bool
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.trinitycore.mcp.plugins.module_utils.component.errors import ComponentError
from ansible_collections.trinitycore.mcp.plugins.module_utils.component.systemd import Systemctl
from ansible_collections.trinitycore.mcp.plugins.module_utils.mysql.connection import SOCKET
from ansible_collections.trinitycore.mcp.plugins.module_utils.mysql.copy import FINISH, Host, provide_copy
from ansible_collections.trinitycore.mcp.plugins.module_utils.mysql.copy_stream import Identity
from ansible_collections.trinitycore.mcp.plugins.module_utils.mysql.errors import DatabaseError, ServerUnavailableError
from ansible_collections.trinitycore.mcp.plugins.module_utils.mysql.reach import FOLLOWED, primary_of


class Unit:
    """The server as a systemd unit."""

    def __init__(self, name: str) -> None:
        self._name = name

    def stop(self) -> None:
        """Stop it and wait until it has ended."""
        self._act("stop")

    def start(self) -> None:
        """Start it and wait until it has come up."""
        self._act("start")

    def _act(self, verb: str) -> None:
        try:
            Systemctl().act(verb, self._name)
        except ComponentError as error:
            raise DatabaseError(str(error)) from error


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "name": {"type": "str", "required": True},
            "address": {"type": "str", "required": True},
            **FOLLOWED,
            "copy_port": {"type": "int", "default": 3307},
            "certificate": {"type": "path", "required": True},
            "private_key": {"type": "path", "required": True, "no_log": False},
            "schema": {"type": "str", "default": "mcp"},
            "replace_data": {"type": "list", "elements": "str", "default": []},
            "saved": {"type": "list", "elements": "str"},
            **SOCKET,
            "unit": {"type": "str", "default": "mariadb.service"},
            "timeout": {"type": "float", "default": 60.0},
        },
        supports_check_mode=True,
    )
    options = dict(module.params)
    primary = primary_of(options, options["schema"])
    host = Host(
        name=options["name"],
        address=options["address"],
        port=options["copy_port"],
        socket=options["socket"],
        service=Unit(options["unit"]),
        identity=Identity(options["ca_file"], options["certificate"], options["private_key"]),
    )
    try:
        actions = provide_copy(
            host,
            primary,
            options["replace_data"],
            options["timeout"],
            dry=module.check_mode,
            progress=module.log,
            saved=options["saved"],
        )
    except ServerUnavailableError as error:
        if not module.check_mode:
            module.fail_json(msg=str(error))
        actions = []  # nothing is known of a server that isn't there yet
    except DatabaseError as error:
        module.fail_json(msg=str(error))
    diff = {"before": "", "after": "".join(f"{action}\n" for action in actions)}
    module.exit_json(
        changed=bool(actions), actions=actions, sender_needed=bool(actions) and actions != [FINISH], diff=diff
    )


if __name__ == "__main__":
    main()
