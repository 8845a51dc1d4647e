#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Ansible module: make another database server the primary because the primary is gone."""

from __future__ import annotations

DOCUMENTATION = """
module: mysql_failover
author: The trinitycore.mcp authors
version_added: 2.0.0
short_description: Make another database server the primary because the primary is gone
description:
  - Run once, on a database host that is there. Finds out which server was the primary from those that follow it, has
    all of them receive no more from it - so that nobody confirms its writes, whatever it still does - and opens the
    one that has received the most, once that has applied it all. The others then follow it.
  - Refused, with nothing changed, are a primary that answers, and everything by which a confirmed write could be lost,
    unless it is given up by name (O(force)).
  - May be interrupted anywhere; run again, it goes on.
options:
  target:
    description: The host that takes over. The one that has received the most if left out.
    type: str
    default: ""
  force:
    description:
      - Replicas that can't be asked and may be missing, and the lost primary where its writes did not wait for
        replicas. Confirmed writes that only they have are given up.
    type: list
    elements: str
    default: []
  gone:
    description: The host that did not answer just before. It is asked again, but not waited for as long as the others.
    type: str
    default: ""
  semi_sync:
    description: Whether the lost primary's writes waited for a replica, however long, and so shall the new one's.
    type: bool
    required: true
  catch_up:
    description: Seconds that the new primary has to apply what it has received.
    type: float
    default: 60.0
extends_documentation_fragment: [trinitycore.mcp.mysql_servers, trinitycore.mcp.mysql_roles]
attributes:
  check_mode:
    support: full
    description: All is checked, and foretold by what the servers have applied by now.
  diff_mode:
    support: full
    description: Lists what is done.
"""

EXAMPLES = """
- name: Another server takes over
  trinitycore.mcp.mysql_failover:
    members: "{{ groups['database'] | trinitycore.mcp.cluster_hosts(hostvars) }}"
    semi_sync: true
    admin_password: "{{ mysql_admin_password }}"
    replication_password: "{{ mysql_replication_password }}"
    ca_file: /etc/trinitycore-pki/ca.crt
  run_once: true
"""

RETURN = """
lost:
  description: The primary that is gone.
  returned: success
  type: str
primary:
  description: The primary now, or, in check mode, the one that would take over.
  returned: success
  type: str
missing:
  description: Replicas that could not be asked.
  returned: success
  type: list
  elements: str
seconds:
  description: From the first question to the new primary's opening.
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
from ansible_collections.trinitycore.mcp.plugins.module_utils.mysql.failover import Limits, fail_over
from ansible_collections.trinitycore.mcp.plugins.module_utils.mysql.reach import OPTIONS, below_zero, server_of

# Seconds after which a server counts as silent, and one that was found so before.
_PATIENCE = 3.0
_SHORT_PATIENCE = 1.0


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            **OPTIONS,
            "target": {"type": "str", "default": ""},
            "force": {"type": "list", "elements": "str", "default": []},
            "gone": {"type": "str", "default": ""},
            "semi_sync": {"type": "bool", "required": True},
            "catch_up": {"type": "float", "default": 60.0},
        },
        supports_check_mode=True,
    )
    options = dict(module.params)
    if fault := below_zero(options):
        module.fail_json(msg=fault)
    servers = [
        server_of(
            member,
            options,
            timeout=_SHORT_PATIENCE if member["name"] == options["gone"] else _PATIENCE,
            answer=options["catch_up"] + 20,
        )
        for member in options["members"]
    ]
    try:
        result = fail_over(
            servers,
            Limits(catch_up=options["catch_up"], settle=options["timeout"]),
            target=options["target"],
            semi_sync=options["semi_sync"],
            force=options["force"],
            dry=module.check_mode,
            progress=module.log,
        )
    except DatabaseError as error:
        module.fail_json(msg=str(error))
    diff = {"before": "", "after": "".join(f"{action}\n" for action in result.actions)}
    module.exit_json(
        changed=bool(result.actions),
        lost=result.lost,
        primary=result.primary,
        missing=result.missing,
        seconds=round(result.seconds, 3),
        actions=result.actions,
        diff=diff,
    )


if __name__ == "__main__":
    main()
