#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Ansible module: find the primary among the database hosts and bring it to its wanted state."""

from __future__ import annotations

DOCUMENTATION = """
module: mysql_primary
author: The trinitycore.mcp authors
version_added: 2.0.0
short_description: Find the primary among the database hosts and bring it to its wanted state
description:
  - Run on all database hosts at once. Each decides from the same states which host is the primary; only that one
    acts, so nothing changes anywhere when the states contradict each other.
  - The primary is the writable server. If none is writable (all were restarted, servers start read-only), it is the
    one that the others follow, and it is opened again. Only where nothing was ever replicated it is
    O(bootstrap_primary).
  - On the primary, databases are created when absent (never altered or dropped), accounts get exactly the wanted
    password and privileges, and it is opened for writes last. Accounts that aren't listed are left alone.
  - Before a server is opened, its role is claimed and the others are asked again, as they may have changed since
    their state was read. Refused then is one that another server has replaced, and one that another run works at.
  - Refused are two writable servers, a writable server that follows another one, a silent server while none is
    writable, and a bootstrap beside servers that hold data.
options:
  name:
    description: This host, as named in O(members).
    type: str
    required: true
  members:
    description: All database hosts of the inventory.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: Name of the host.
        type: str
        required: true
      address:
        description: Address by which the others follow it.
        type: str
        required: true
      state:
        description: What M(trinitycore.mcp.mysql_server_state) returned there. Left out when it couldn't be asked.
        type: dict
  bootstrap_primary:
    description: The host that becomes primary where nothing was ever replicated.
    type: str
    required: true
  schema:
    description: Our own database.
    type: str
    default: mcp
  databases:
    description: Other databases that must exist.
    type: list
    elements: str
    default: []
  semi_sync:
    description:
      - Whether a write counts as done only when a replica has it too (semi-synchronous, after the binary log was
        synchronised). A new cluster's primary begins without, see M(trinitycore.mcp.mysql_replica).
    type: bool
    default: false
  postpone:
    description:
      - Whether to leave to RV(postponed) what would wait for ever, since writes wait for a replica and none is there.
        Otherwise that is an error.
    type: bool
    default: false
  group:
    description:
      - Whether the servers form a group, which chooses the primary by itself. Where there never was one, the primary
        begins it. Where no member of it runs any more, that is refused unless O(recover) says who begins it anew.
    type: bool
    default: false
  recover:
    description: The host that begins a group anew of which no member runs any more. It must hold all that any holds.
    type: str
    default: ""
  give_up:
    description: Hosts that do not answer then, and are known not to run the group. What only they hold is lost.
    type: list
    elements: str
    default: []
  recovery_user:
    description: Account that members of a group catch up by.
    type: str
    default: replication
  recovery_password:
    description: Its password; needed with O(group).
    type: str
extends_documentation_fragment:
  - trinitycore.mcp.mysql_socket
  - trinitycore.mcp.mysql_accounts
  - trinitycore.mcp.mysql_servers
attributes:
  check_mode:
    support: full
    description: On a host without a server, all that a primary needs is reported as a change.
  diff_mode:
    support: full
    description: Lists what is done, without passwords.
"""

EXAMPLES = """
- name: The primary is open and has the accounts
  trinitycore.mcp.mysql_primary:
    name: "{{ inventory_hostname }}"
    members: "{{ groups['database'] | trinitycore.mcp.mysql_members(hostvars) }}"
    bootstrap_primary: db1
    admin_password: "{{ mysql_admin_password }}"
    ca_file: /etc/trinitycore-pki/ca.crt
    databases: [world]
    accounts:
      - user: app_ro
        password: "{{ mysql_app_ro_password }}"
        privileges: {'world.*': [SELECT]}
"""

RETURN = """
postponed:
  description: What could not be done yet, see O(postpone).
  returned: success
  type: list
  elements: str
primary:
  description: The primary.
  returned: success
  type: str
reason:
  description: How that is known.
  returned: success
  type: str
actions:
  description: What was done on this host, or would be in check mode.
  returned: success
  type: list
  elements: str
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.trinitycore.mcp.plugins.module_utils.mysql import accounts
from ansible_collections.trinitycore.mcp.plugins.module_utils.mysql.accounts import Account
from ansible_collections.trinitycore.mcp.plugins.module_utils.mysql.connection import SOCKET, open_local
from ansible_collections.trinitycore.mcp.plugins.module_utils.mysql.errors import (
    DatabaseError,
    NoReplicaError,
    ServerUnavailableError,
)
from ansible_collections.trinitycore.mcp.plugins.module_utils.mysql.flavors import detect
from ansible_collections.trinitycore.mcp.plugins.module_utils.mysql.primary import Wanted, make_primary
from ansible_collections.trinitycore.mcp.plugins.module_utils.mysql.reach import HOST, SERVERS, login_of
from ansible_collections.trinitycore.mcp.plugins.module_utils.mysql.topology import Decision, Member, decide

# Seconds that another host has to say whether it takes writes.
_PATIENCE = 10.0


def act(options: dict[str, Any], wanted: Wanted, decision: Decision, dry: bool) -> list[str]:
    """Bring the server on this host to the primary's state; see `make_primary`."""
    try:
        with open_local(options["socket"]) as server:
            return make_primary(
                server,
                detect(server),
                wanted,
                dry,
                first=decision.bootstrap,
                takes_over=decision.takes_over,
                begins_group=decision.begins_group,
                others={
                    member["name"]: login_of(member, options, timeout=_PATIENCE, answer=_PATIENCE)
                    for member in options["members"]
                    if member["name"] not in (options["name"], *options["give_up"])
                },
            )
    except ServerUnavailableError:
        if not dry:
            raise
        return [f"create database {database}" for database in (wanted.schema, *wanted.databases)] + [
            f"create account {account}" for account in wanted.accounts
        ]


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "name": {"type": "str", "required": True},
            **SERVERS,
            "members": {**SERVERS["members"], "options": {**HOST, "state": {"type": "dict"}}},
            "bootstrap_primary": {"type": "str", "required": True},
            "schema": {"type": "str", "default": "mcp"},
            "databases": {"type": "list", "elements": "str", "default": []},
            "accounts": {"type": "list", "elements": "dict", "default": [], "options": accounts.OPTIONS},
            "semi_sync": {"type": "bool", "default": False},
            "postpone": {"type": "bool", "default": False},
            "group": {"type": "bool", "default": False},
            "recover": {"type": "str", "default": ""},
            "give_up": {"type": "list", "elements": "str", "default": []},
            "recovery_user": {"type": "str", "default": "replication"},
            "recovery_password": {"type": "str", "no_log": True},
            **SOCKET,
        },
        required_if=[("group", True, ("recovery_password",))],
        supports_check_mode=True,
    )
    options = dict(module.params)
    postponed = list[str]()
    try:
        wanted = Wanted(
            schema=options["schema"],
            databases=options["databases"],
            accounts=[Account.from_dict(account) for account in options["accounts"]],
            semi_sync=options["semi_sync"],
            group_account=(options["recovery_user"], options["recovery_password"]) if options["group"] else None,
        )
        decision = decide(
            [Member.from_dict(member) for member in options["members"]],
            options["bootstrap_primary"],
            recover=options["recover"],
            give_up=options["give_up"],
        )
        actions = act(options, wanted, decision, module.check_mode) if decision.primary == options["name"] else []
    except NoReplicaError as error:
        if not options["postpone"]:
            module.fail_json(msg=str(error))
        actions, postponed = [], error.pending
    except DatabaseError as error:
        module.fail_json(msg=str(error))
    diff = {"before": "", "after": "".join(f"{action}\n" for action in actions)}
    module.exit_json(
        changed=bool(actions),
        primary=decision.primary,
        reason=decision.reason,
        actions=actions,
        postponed=postponed,
        diff=diff,
    )


if __name__ == "__main__":
    main()
