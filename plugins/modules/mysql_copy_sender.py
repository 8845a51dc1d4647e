#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Ansible module: send a copy of the data of the primary on this host to a host that waits for it."""

from __future__ import annotations

DOCUMENTATION = """
module: mysql_copy_sender
author: The trinitycore.mcp authors
version_added: 2.0.0
short_description: Send a copy of the primary's data to a replica's host
description:
  - The other end of M(trinitycore.mcp.mysql_copy), to run on the primary while that waits. Waits until the other side
    listens, takes a backup with C(mariadb-backup) and sends it as it is written. Nothing is stored on this host.
  - Writes go on. Only while the last of them are collected do commits wait, for a fraction of a second.
  - Where writes wait for a replica and there is none, they would keep the backup waiting that is to make one. They
    then wait for none, and are on this host only, until any replica is there, or the copy failed; after the copy
    M(trinitycore.mcp.mysql_replica) has them wait again.
  - A server that is not the primary sends nothing.
options:
  to:
    description: Address of the replica's host; its certificate must be made out to it.
    type: str
    required: true
  copy_port:
    description: Port that it waits at.
    type: int
    default: 3307
  ca_file:
    description: Authority that signed the hosts' certificates.
    type: path
    required: true
  certificate:
    description: This host's certificate.
    type: path
    required: true
  private_key:
    description: Its key.
    type: path
    required: true
  patience:
    description: Seconds to wait until the other side listens.
    type: float
    default: 120.0
extends_documentation_fragment: [trinitycore.mcp.mysql_socket]
attributes:
  check_mode:
    support: none
  diff_mode:
    support: none
"""

EXAMPLES = """
- name: The primary sends its data to db3
  trinitycore.mcp.mysql_copy_sender:
    to: 192.0.2.33
    ca_file: /etc/trinitycore-pki/ca.crt
    certificate: /etc/trinitycore-pki/host.crt
    private_key: /etc/trinitycore-pki/host.key
  delegate_to: db1
  async: 86400
  poll: 0
"""

RETURN = """
bytes:
  description: How much was sent.
  returned: success
  type: int
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.trinitycore.mcp.plugins.module_utils.mysql.connection import SOCKET, open_local
from ansible_collections.trinitycore.mcp.plugins.module_utils.mysql.copy_send import send
from ansible_collections.trinitycore.mcp.plugins.module_utils.mysql.copy_stream import Identity
from ansible_collections.trinitycore.mcp.plugins.module_utils.mysql.errors import DatabaseError
from ansible_collections.trinitycore.mcp.plugins.module_utils.mysql.flavors import detect


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "to": {"type": "str", "required": True},
            "copy_port": {"type": "int", "default": 3307},
            "ca_file": {"type": "path", "required": True},
            "certificate": {"type": "path", "required": True},
            "private_key": {"type": "path", "required": True, "no_log": False},
            **SOCKET,
            "patience": {"type": "float", "default": 120.0},
        },
    )
    options = dict(module.params)
    identity = Identity(options["ca_file"], options["certificate"], options["private_key"])
    try:
        with open_local(options["socket"]) as server:
            to = (options["to"], options["copy_port"])
            sent = send(server, detect(server), options["socket"], to, identity, options["patience"])
    except DatabaseError as error:
        module.fail_json(msg=str(error))
    module.exit_json(changed=True, bytes=sent)


if __name__ == "__main__":
    main()
