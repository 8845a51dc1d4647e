# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Module by which a load balancer gives its calls to other instances, in one step."""

from __future__ import annotations

DOCUMENTATION = r"""
module: lb_switch
author: The trinitycore.mcp authors
version_added: 2.0.0
short_description: Have a load balancer give calls to some instances and no more to others, in one step
description:
  - Runs on a load balancer, like M(trinitycore.mcp.lb_member), which does it to one host or instance.
  - All states change at the same moment, without a reload. Calls under way are finished by whoever has them.
  - Waits first until those that shall get calls are up, and asks NGINX afterwards whether it does as told.
  - Leaves nobody without an answer - while somebody is active and up, somebody is afterwards.
options:
  active:
    description: App hosts or instances, such as V(app1-2), that get calls.
    type: list
    elements: str
    default: []
  drained:
    description: Those that get no new calls. They are still asked whether they are ready.
    type: list
    elements: str
    default: []
  force:
    description: Do it although some of O(active) are not up.
    type: bool
    default: false
  timeout:
    description: Seconds in which O(active) must be up, and then in which NGINX must do as told.
    type: float
    default: 15.0
  drain_timeout:
    description: Seconds to wait for calls that O(drained) work on; V(0) waits for none.
    type: float
    default: 0.0
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
- name: Give calls to the second instances instead of the first ones
  trinitycore.mcp.lb_switch:
    active: [app1-2, app2-2]
    drained: [app1-1, app2-1]
"""

RETURN = r"""
states:
  description: All states that differ from active.
  returned: success
  type: dict
  sample: {app1-1: drained, app2-1: drained}
seconds:
  description: How long it took from the change until NGINX was seen to do as told.
  returned: when check mode is off
  type: float
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.trinitycore.mcp.plugins.module_utils.edge.control import CONTROL, Control
from ansible_collections.trinitycore.mcp.plugins.module_utils.edge.states import STATES_FILE, EdgeError
from ansible_collections.trinitycore.mcp.plugins.module_utils.edge.switch import Wish, switch


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "active": {"type": "list", "elements": "str", "default": []},
            "drained": {"type": "list", "elements": "str", "default": []},
            "force": {"type": "bool", "default": False},
            "timeout": {"type": "float", "default": 15.0},
            "drain_timeout": {"type": "float", "default": 0.0},
            **STATES_FILE,
            **CONTROL,
        },
        required_one_of=[("active", "drained")],
        supports_check_mode=True,
    )
    options = module.params
    try:
        result = switch(
            options["states_file"],
            Control(options["control_socket"]),
            Wish(options["active"], options["drained"], options["force"]),
            options["timeout"],
            options["drain_timeout"],
            dry=module.check_mode,
        )
    except EdgeError as error:
        module.fail_json(msg=str(error))
    module.exit_json(**result)


if __name__ == "__main__":
    main()
