# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Module by which an app host or one of its instances is taken out of a load balancer, and put back."""

from __future__ import annotations

DOCUMENTATION = r"""
module: lb_member
author: The trinitycore.mcp authors
version_added: 2.0.0
short_description: Take an app host or a server instance out of a load balancer, or put it back
description:
  - Runs on a load balancer; a play over the group C(loadbalancers) does it on all of them.
  - Nothing is reloaded, so no client loses a connection. Calls under way are finished.
  - Asks NGINX itself whether it does as told, and watches that no more calls arrive. Fails when it doesn't.
  - What was taken out stays out over reloads, restarts, reboots and runs of C(site.yml), until it is put back.
options:
  name:
    description: >-
      An app host such as V(app1), which stands for all its instances, also for those it gets later; or one instance
      such as V(app1-2), whose own state goes before its host's.
    type: str
    required: true
  state:
    description:
      - V(active) gets calls while the checks say that it is ready.
      - V(drained) gets no new calls; it is still asked whether it is ready.
      - V(removed) is not asked either.
    type: str
    choices: [active, drained, removed]
    required: true
  force:
    description: Take out the last instance that is active and up too. Without it that is refused.
    type: bool
    default: false
  timeout:
    description: >-
      Seconds in which NGINX must do as told. For V(active) that includes that every instance is ready.
    type: float
    default: 15.0
  drain_timeout:
    description: >-
      Seconds to wait for calls under way to finish when something is taken out; V(0) waits for none. Streams that
      clients listen on are not waited for - they end when the instance stops, and clients open them again.
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
# In plays over the group loadbalancers.
- name: Take app1 out and wait for its calls to finish
  trinitycore.mcp.lb_member:
    name: app1
    state: drained

- name: Put its second instance back, once it is ready
  trinitycore.mcp.lb_member:
    name: app1-2
    state: active
"""

RETURN = r"""
members:
  description: The instances, as NGINX has them afterwards.
  returned: success
  type: list
  elements: dict
  sample: [{id: app1-1, state: drained, health: up, calls_under_way: 0, streams_under_way: 0}]
states:
  description: All states that differ from active.
  returned: success
  type: dict
  sample: {app1: drained}
seconds:
  description: How long it took until NGINX did as told and calls under way were finished.
  returned: when something changed and check mode is off
  type: float
"""

import time
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.trinitycore.mcp.plugins.module_utils.edge import states as edge_states
from ansible_collections.trinitycore.mcp.plugins.module_utils.edge.control import CONTROL, Control
from ansible_collections.trinitycore.mcp.plugins.module_utils.edge.states import EdgeError


def bring(options: dict[str, Any], *, dry: bool) -> dict[str, Any]:
    """Bring a member to its state and return the module's result.

    :param dry: say what would change, and change nothing.
    :raises EdgeError: it can't be done, or NGINX does not do it.
    """
    name, state = options["name"], options["state"]
    control = Control(options["control_socket"])
    began = time.monotonic()
    with edge_states.locked(options["states_file"]):
        before = edge_states.read(options["states_file"])
        everybody = control.status()["members"]
        after = edge_states.changed_to(before, name, state, everybody)
        if not options["force"]:
            edge_states.refuse_last(name, everybody, before, after, "force does it anyway")
        if after != before and not dry:
            edge_states.write(options["states_file"], after)
    names = edge_states.members_of(name, everybody)
    result = edge_states.change(before, after)
    if dry:
        return {**result, "members": [member for member in everybody if member["id"] in names]}
    result["members"] = control.wait_until(dict.fromkeys(names, state), options["timeout"])
    if state != "active" and options["drain_timeout"] > 0:
        result["members"] = control.wait_for_idle(names, options["drain_timeout"])
    if result["changed"]:
        result["seconds"] = round(time.monotonic() - began, 2)
    return result


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "name": {"type": "str", "required": True},
            "state": {"type": "str", "required": True, "choices": list(edge_states.STATES)},
            "force": {"type": "bool", "default": False},
            "timeout": {"type": "float", "default": 15.0},
            "drain_timeout": {"type": "float", "default": 40.0},
            **edge_states.STATES_FILE,
            **CONTROL,
        },
        supports_check_mode=True,
    )
    try:
        result = bring(module.params, dry=module.check_mode)
    except EdgeError as error:
        module.fail_json(msg=str(error))
    module.exit_json(**result)


if __name__ == "__main__":
    main()
