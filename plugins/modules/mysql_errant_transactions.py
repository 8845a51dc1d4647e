#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Ansible module: save what the database server on this host holds and the primary lacks."""

from __future__ import annotations

DOCUMENTATION = """
module: mysql_errant_transactions
author: The trinitycore.mcp authors
version_added: 2.0.0
short_description: Save the transactions that the database server on this host holds and the primary lacks
description:
  - Names each of them, and writes exactly those from the server's binary logs to a file, as SQL that the server's
    client sends and people can read. The file says which transactions it holds and ends in a hash, and was read back.
  - Nothing else is changed, and nothing is overwritten. A file that is there already and whole is left as it is; one
    that was changed is an error.
  - Logs in as root over the Unix socket, and works also while the server's commits wait for a replica.
options:
  name:
    description: This host.
    type: str
    required: true
  primary:
    description: The primary.
    type: dict
    required: true
    suboptions:
      name:
        description: Name of the host.
        type: str
        required: true
      address:
        description: Its address; its certificate must be made out to it.
        type: str
        required: true
      state:
        description:
          - What M(trinitycore.mcp.mysql_server_state) returned there, where this host can't ask it. Left out, it is
            asked.
        type: dict
  directory:
    description: Where the file is written, of which only root may read. Made when it is absent.
    type: path
    default: /var/backups/trinitycore/errant
extends_documentation_fragment: [trinitycore.mcp.mysql_socket, trinitycore.mcp.mysql_followed]
attributes:
  check_mode:
    support: full
    description: Names them, and the file that would be written.
  diff_mode:
    support: none
"""

EXAMPLES = """
- name: What only this server holds is saved
  trinitycore.mcp.mysql_errant_transactions:
    name: "{{ inventory_hostname }}"
    primary: {name: db2, address: 192.0.2.32}
    password: "{{ mysql_replication_password }}"
    ca_file: /etc/trinitycore-pki/ca.crt
  register: errant
"""

RETURN = """
transactions:
  description: Those that are in the file, in the order in which they were written.
  returned: success
  type: list
  elements: str
purged:
  description: Those that the binary logs no longer hold, so that they can't be saved; as V(0-2-11 to 0-2-17).
  returned: success
  type: list
  elements: str
last:
  description: The last one of each origin, as M(trinitycore.mcp.mysql_replica) names them when it refuses.
  returned: success
  type: list
  elements: str
file:
  description: The file; empty when there is nothing to save.
  returned: success
  type: str
"""

from pathlib import Path

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.trinitycore.mcp.plugins.module_utils.mysql.connection import SOCKET, open_local
from ansible_collections.trinitycore.mcp.plugins.module_utils.mysql.errant import save
from ansible_collections.trinitycore.mcp.plugins.module_utils.mysql.errors import DatabaseError, ServerUnavailableError
from ansible_collections.trinitycore.mcp.plugins.module_utils.mysql.reach import FOLLOWED, HOST, primary_of
from ansible_collections.trinitycore.mcp.plugins.module_utils.mysql.state import ServerState


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "name": {"type": "str", "required": True},
            **FOLLOWED,
            "primary": {**FOLLOWED["primary"], "options": {**HOST, "state": {"type": "dict"}}},
            "directory": {"type": "path", "default": "/var/backups/trinitycore/errant"},
            **SOCKET,
        },
        supports_check_mode=True,
    )
    options = dict(module.params)
    primary = primary_of(options)
    state = options["primary"]["state"]
    there = ServerState.from_dict(state) if state else None
    try:
        with open_local(options["socket"]) as server:
            saved = save(server, options["name"], primary, Path(options["directory"]), module.check_mode, there=there)
    except ServerUnavailableError as error:
        if not module.check_mode:
            module.fail_json(msg=str(error))
        module.exit_json(changed=False, transactions=[], purged=[], last=[], file="")  # nothing is known of it yet
    except (DatabaseError, OSError) as error:
        module.fail_json(msg=str(error))
    module.exit_json(
        changed=saved.written, transactions=saved.transactions, purged=saved.purged, last=saved.last, file=saved.file
    )


if __name__ == "__main__":
    main()
