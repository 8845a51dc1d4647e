# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Module by which clients of version 1 are moved to this cluster at a load balancer, and back."""

from __future__ import annotations

DOCUMENTATION = r"""
module: lb_v1_traffic
author: The trinitycore.mcp authors
version_added: 2.0.0
short_description: Say how many calls of version 1's clients this cluster answers
description:
  - Runs on a load balancer; a play over the group C(loadbalancers) does it on all of them.
  - Clients of version 1 call the load balancers at the port they know (C(nginx_v1_listen_port)). Version 1 answers
    them, or this cluster does.
  - Nothing is reloaded. Calls under way are finished where they are.
  - A client that has a session stays where it began while both sides take calls; at V(0) and V(100) all calls go to one
    side at once.
  - Asks NGINX itself whether it does as told. What was set holds over reboots and runs of C(site.yml).
options:
  share:
    description: Percent of new clients that this cluster answers, from V(0) (version 1 answers all) to V(100).
    type: float
    required: true
  timeout:
    description: Seconds in which NGINX must do as told.
    type: float
    default: 10.0
  file:
    description: Where the share is kept.
    type: path
    default: /var/lib/trinitycore-edge/v1.json
extends_documentation_fragment: [trinitycore.mcp.edge_control]
attributes:
  check_mode:
    description: Can run in check mode and say what it would do.
    support: full
  diff_mode:
    description: Shows the share before and after.
    support: full
"""

EXAMPLES = r"""
# In plays over the group loadbalancers.
- name: Every tenth client first
  trinitycore.mcp.lb_v1_traffic:
    share: 10

- name: All of them back to version 1
  trinitycore.mcp.lb_v1_traffic:
    share: 0
"""

RETURN = r"""
before:
  description: The share before.
  returned: success
  type: float
traffic:
  description: What NGINX does - C(share), and how many calls went to version 1 (C(kept)) and to us (C(moved)).
  returned: success
  type: dict
  sample: {listens: true, share: 100, kept: 1204, moved: 38}
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.trinitycore.mcp.plugins.module_utils.edge import v1_traffic
from ansible_collections.trinitycore.mcp.plugins.module_utils.edge.control import CONTROL, Control
from ansible_collections.trinitycore.mcp.plugins.module_utils.edge.states import EdgeError


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "share": {"type": "float", "required": True},
            "timeout": {"type": "float", "default": 10.0},
            "file": {"type": "path", "default": "/var/lib/trinitycore-edge/v1.json"},
            **CONTROL,
        },
        supports_check_mode=True,
    )
    share = module.params["share"]
    if not 0 <= share <= 100:
        module.fail_json(msg=f"share is {share:g}; allowed is 0 to 100 (percent)")
    try:
        result = v1_traffic.bring(
            module.params["file"],
            Control(module.params["control_socket"]),
            share,
            module.params["timeout"],
            dry=module.check_mode,
        )
    except EdgeError as error:
        module.fail_json(msg=str(error))
    module.exit_json(**result)


if __name__ == "__main__":
    main()
