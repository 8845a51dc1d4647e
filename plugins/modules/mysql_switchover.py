#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Ansible module: make another database server the primary, on purpose."""

from __future__ import annotations

DOCUMENTATION = """
module: mysql_switchover
author: The trinitycore.mcp authors
version_added: 2.0.0
short_description: Make another database server the primary, without losing a write
description:
  - Describes a wanted state - that server is the primary and takes writes, all others follow it - and does what is
    missing, for all database hosts from one of them, since nobody can write while the roles change.
  - The old primary is closed, the target applies what it lacks, and is opened; then the others follow it. No two
    servers are writable at any time. Where the target can't catch up in time, the old primary is opened again.
  - May be interrupted anywhere. Run again, it finishes; M(trinitycore.mcp.mysql_primary) and
    M(trinitycore.mcp.mysql_replica) (C(site.yml)) either finish it or open the old primary again.
  - Refused, with nothing changed, are an unreachable server, two writable ones, a target that doesn't replicate, lags,
    or is of a newer release than a server that would follow it, and transactions that the primary lacks.
options:
  target:
    description: The host whose server is to be the primary.
    type: str
    required: true
  semi_sync:
    description:
      - Whether writes wait until a replica has them. The first ones then wait until one follows the target.
    type: bool
    default: false
  max_lag:
    description: Seconds that the target may be behind when it begins.
    type: int
    default: 10
  patience:
    description: Seconds that statements of the old primary have to end.
    type: float
    default: 5.0
  catch_up:
    description: Seconds that the target has to apply what it lacks, while nobody can write.
    type: float
    default: 10.0
extends_documentation_fragment: [trinitycore.mcp.mysql_servers, trinitycore.mcp.mysql_roles]
attributes:
  check_mode:
    support: full
    description: All is checked and foretold, and nothing is closed.
  diff_mode:
    support: full
    description: Lists what is done.
"""

EXAMPLES = """
- name: The database on db2 takes over
  trinitycore.mcp.mysql_switchover:
    target: db2
    members: "{{ groups['database'] | trinitycore.mcp.cluster_hosts(hostvars) }}"
    admin_password: "{{ mysql_admin_password }}"
    replication_password: "{{ mysql_replication_password }}"
    ca_file: /etc/trinitycore-pki/ca.crt
  delegate_to: db2
  run_once: true
"""

RETURN = """
old_primary:
  description: The primary before.
  returned: success
  type: str
write_pause:
  description: Seconds during which no server took writes; 0 when the target was the primary already.
  returned: success
  type: float
actions:
  description: What was done, or would be in check mode.
  returned: success
  type: list
  elements: str
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.trinitycore.mcp.plugins.module_utils.mysql.errors import DatabaseError
from ansible_collections.trinitycore.mcp.plugins.module_utils.mysql.reach import OPTIONS, below_zero, server_of
from ansible_collections.trinitycore.mcp.plugins.module_utils.mysql.switchover import Limits, switch_over


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "target": {"type": "str", "required": True},
            **OPTIONS,
            "semi_sync": {"type": "bool", "default": False},
            "max_lag": {"type": "int", "default": 10},
            "patience": {"type": "float", "default": 5.0},
            "catch_up": {"type": "float", "default": 10.0},
        },
        supports_check_mode=True,
    )
    options = dict(module.params)
    if fault := below_zero(options):
        module.fail_json(msg=fault)
    limits = Limits(
        lag=options["max_lag"],
        patience=options["patience"],
        catch_up=options["catch_up"],
        settle=options["timeout"],
    )
    servers = [server_of(member, options, answer=options["catch_up"] + 20) for member in options["members"]]
    try:
        result = switch_over(
            servers,
            options["target"],
            limits,
            dry=module.check_mode,
            semi_sync=options["semi_sync"],
            progress=module.log,
        )
    except DatabaseError as error:
        module.fail_json(msg=str(error))
    diff = {"before": "", "after": "".join(f"{action}\n" for action in result.actions)}
    module.exit_json(
        changed=bool(result.actions),
        old_primary=result.old,
        write_pause=round(result.pause, 3),
        actions=result.actions,
        diff=diff,
    )


if __name__ == "__main__":
    main()
