# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Module by which instances that the inventory has no more leave a load balancer without losing a call."""

from __future__ import annotations

DOCUMENTATION = r"""
module: lb_retire
author: The trinitycore.mcp authors
version_added: 2.0.0
short_description: Have instances that the inventory has no more leave a load balancer without losing a call
description:
  - C(site.yml) runs it on load balancers before it changes anything for an inventory with fewer app hosts or instances,
    with I(state=drained), and with I(state=gone) once NGINX has the new list.
  - Where NGINX does not run yet there is nobody to take out.
options:
  members:
    description: All that stay, each with its C(id) and C(host), as NGINX gets them (C(nginx_members.members)).
    type: list
    elements: dict
    required: true
  state:
    description:
      - With V(drained), all others get no new calls, and those under way are finished. Refused when nobody who answers
        would be left.
      - With V(gone), NGINX must know the others no more; what M(trinitycore.mcp.lb_member) was told of them is
        forgotten, so that a host which returns some day is as new.
    type: str
    choices: [drained, gone]
    required: true
  timeout:
    description: Seconds in which NGINX must do as told.
    type: float
    default: 15.0
  drain_timeout:
    description: Seconds that calls under way may take.
    type: float
    default: 40.0
extends_documentation_fragment: [trinitycore.mcp.edge_states, trinitycore.mcp.edge_control]
attributes:
  check_mode:
    description: Can run in check mode and say what it would do.
    support: full
  diff_mode:
    description: Shows the states before and after.
    support: full
"""

EXAMPLES = r"""
# In a play over the group loadbalancers.
- name: Nobody who leaves has calls under way
  trinitycore.mcp.lb_retire:
    members: "{{ nginx_members.members }}"
    state: drained
"""

RETURN = r"""
members:
  description: The instances that leave; with I(state=gone) the names of which something was forgotten.
  returned: success
  type: list
  elements: str
  sample: [app3-1, app3-2]
states:
  description: All states that differ from active.
  returned: success
  type: dict
  sample: {app3-1: drained, app3-2: drained}
seconds:
  description: How long it took until calls under way were finished.
  returned: when something was drained and check mode is off
  type: float
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.trinitycore.mcp.plugins.module_utils.edge.control import CONTROL, Control
from ansible_collections.trinitycore.mcp.plugins.module_utils.edge.retirement import Retirement
from ansible_collections.trinitycore.mcp.plugins.module_utils.edge.states import STATES_FILE, EdgeError


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "members": {"type": "list", "elements": "dict", "required": True},
            "state": {"type": "str", "required": True, "choices": ["drained", "gone"]},
            "timeout": {"type": "float", "default": 15.0},
            "drain_timeout": {"type": "float", "default": 40.0},
            **STATES_FILE,
            **CONTROL,
        },
        supports_check_mode=True,
    )
    given, dry = module.params, module.check_mode
    retirement = Retirement(Control(given["control_socket"]), given["members"], given["states_file"])
    try:
        if given["state"] == "drained":
            result = retirement.drain(given["timeout"], given["drain_timeout"], dry=dry)
        else:
            result = retirement.forget(given["timeout"], dry=dry)
    except EdgeError as error:
        module.fail_json(msg=str(error))
    module.exit_json(**result)


if __name__ == "__main__":
    main()
