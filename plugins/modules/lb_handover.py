# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Module by which a load balancer leaves, for maintenance, and comes back."""

from __future__ import annotations

DOCUMENTATION = r"""
module: lb_handover
author: The trinitycore.mcp authors
version_added: 2.0.0
short_description: Have a load balancer give its floating addresses away and stop, or serve again
description:
  - Runs on a load balancer, one at a time. Another one has to serve, or nobody does afterwards.
  - With V(away), connections end with their answer, calls under way are finished while new connections wait for
    the load balancer that takes over, and only then do the addresses move. Clients notice a second's delay.
  - Streams that clients listen on are ended; clients open them again.
  - A host that is V(away) comes back by itself when it boots.
options:
  state:
    description: V(away) stops NGINX and keepalived, V(back) starts what is stopped and waits until it serves.
    type: str
    choices: [away, back]
    required: true
  addresses:
    description: Floating addresses of the load balancers.
    type: list
    elements: str
    default: []
  ports:
    description: Ports at which clients come.
    type: list
    elements: int
    default: [80, 443]
  grace:
    description: Seconds in which connections end with their answer, before new ones have to wait.
    type: float
    default: 2.0
  patience:
    description:
      - For V(away), seconds that calls under way have while new connections wait. Longer ones are cut, and counted.
      - For V(back), seconds in which it must serve.
    type: float
    default: 10.0
extends_documentation_fragment: [trinitycore.mcp.edge_control]
attributes:
  check_mode:
    description: Can run in check mode and say what it would do.
    support: full
  diff_mode:
    description: Does not show differences.
    support: none
"""

EXAMPLES = r"""
- name: Leave, for maintenance
  trinitycore.mcp.lb_handover:
    state: away
    addresses: "{{ cluster_floating_addresses }}"

- name: Serve again
  trinitycore.mcp.lb_handover:
    state: back
    addresses: "{{ cluster_floating_addresses }}"
    patience: 60
"""

RETURN = r"""
held:
  description: Floating addresses that this host had before.
  returned: success
  type: list
  elements: str
cut:
  description: Calls that were cut, as they took too long.
  returned: when it went away and check mode is off
  type: int
pause:
  description: Seconds in which new connections had to wait.
  returned: when it went away and check mode is off
  type: float
"""

from pathlib import Path

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.trinitycore.mcp.plugins.module_utils.edge.control import CONTROL, Control
from ansible_collections.trinitycore.mcp.plugins.module_utils.edge.handover import Edge, Handover
from ansible_collections.trinitycore.mcp.plugins.module_utils.edge.states import EdgeError


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "state": {"type": "str", "required": True, "choices": ["away", "back"]},
            "addresses": {"type": "list", "elements": "str", "default": []},
            "ports": {"type": "list", "elements": "int", "default": [80, 443]},
            "grace": {"type": "float", "default": 2.0},
            "patience": {"type": "float", "default": 10.0},
            **CONTROL,
        },
        supports_check_mode=True,
    )
    options = module.params
    socket = Path(options["control_socket"])
    edge = Edge(options["addresses"], options["ports"], Control(str(socket)), socket.parent / "closing")
    handover = Handover(module.run_command, edge)
    try:
        held, runs = handover.held(), handover.runs()
        if module.check_mode:
            module.exit_json(changed=runs if options["state"] == "away" else bool(handover.stopped()), held=held)
        if options["state"] == "back":
            module.exit_json(changed=handover.come_back(options["patience"]), held=held)
        if not runs:
            module.exit_json(changed=False, held=held)
        module.exit_json(changed=True, **handover.leave(options["grace"], options["patience"]))
    except EdgeError as error:
        module.fail_json(msg=str(error))


if __name__ == "__main__":
    main()
