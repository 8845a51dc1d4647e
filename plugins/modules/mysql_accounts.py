#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Ansible module: accounts of a writable database server have their password and exactly their privileges."""

from __future__ import annotations

DOCUMENTATION = """
module: mysql_accounts
author: The trinitycore.mcp authors
version_added: 2.0.0
short_description: Bring accounts of a writable database server to their privileges
description:
  - Does for the primary on this host what M(trinitycore.mcp.mysql_primary) does about accounts, once tables have come
    that accounts may read a part of.
  - Replicas get accounts by replication. A read-only server is refused.
extends_documentation_fragment: [trinitycore.mcp.mysql_socket, trinitycore.mcp.mysql_accounts]
attributes:
  check_mode:
    support: full
    description: On a host without a server, nothing is foretold.
  diff_mode:
    support: full
    description: Lists what is done, without passwords.
"""

EXAMPLES = """
- name: Reads realms and names of accounts, and nothing else of that database
  trinitycore.mcp.mysql_accounts:
    accounts:
      - user: app_ro
        password: "{{ mysql_app_ro_password }}"
        readable:
          auth: {only: [realmlist.*, account.id, account.username]}
"""

RETURN = """
actions:
  description: What was done, or would be in check mode.
  returned: success
  type: list
  elements: str
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.trinitycore.mcp.plugins.module_utils.mysql import accounts
from ansible_collections.trinitycore.mcp.plugins.module_utils.mysql.connection import SOCKET, open_local
from ansible_collections.trinitycore.mcp.plugins.module_utils.mysql.errors import DatabaseError, ServerUnavailableError
from ansible_collections.trinitycore.mcp.plugins.module_utils.mysql.flavors import detect
from ansible_collections.trinitycore.mcp.plugins.module_utils.mysql.game_data import must_be_open


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "accounts": {"type": "list", "elements": "dict", "default": [], "options": accounts.OPTIONS},
            **SOCKET,
        },
        supports_check_mode=True,
    )
    actions: list[str] = []
    try:
        wanted = [accounts.Account.from_dict(account) for account in module.params["accounts"]]
        with open_local(module.params["socket"]) as server:
            flavor = detect(server)
            must_be_open(server, flavor)
            for account in wanted:
                actions += accounts.ensure(server, flavor, account, module.check_mode)
    except ServerUnavailableError as error:
        if not module.check_mode:
            module.fail_json(msg=str(error))
    except DatabaseError as error:
        module.fail_json(msg=str(error))
    diff = {"before": "", "after": "".join(f"{action}\n" for action in actions)}
    module.exit_json(changed=bool(actions), actions=actions, diff=diff)


if __name__ == "__main__":
    main()
