#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The lab's switch."""

from __future__ import annotations

DOCUMENTATION = r"""
module: nspawn_network
short_description: The lab's switch, with NAT through the controller
version_added: "2.0.0"
description:
  - Makes a bridge with the controller's address, an nftables table of the lab's own, IPv4 forwarding and room for many
    hosts' inotify instances.
  - Hosts reach the outside by NAT; nothing outside reaches a host.
  - Records the lab's name and network in its directory, where M(trinitycore.mcp.nspawn_host) reads them.
  - C(absent) puts kernel settings back to what they were when the last lab of the machine goes.
author:
  - The trinitycore.mcp authors (@trinitycore-mcp)
options:
  directory:
    description: Directory of the lab's state.
    type: path
    required: true
  lab:
    description: Name of the lab, up to 12 characters; one machine can run several.
    type: str
    required: true
  subnet:
    description: First three numbers of the lab's network.
    type: str
    default: 10.77.0
  state:
    description: Whether it is wanted.
    type: str
    choices: [present, absent]
    default: present
attributes:
  check_mode:
    description: Says what would change.
    support: full
  diff_mode:
    description: Shows the switch before and after.
    support: full
requirements:
  - iproute2 and nftables on the controller
notes:
  - Runs on the controller, as root.
"""

EXAMPLES = r"""
- name: Switch on the lab's network
  trinitycore.mcp.nspawn_network:
    directory: /srv/mcp/.lab
    lab: lab
    subnet: 10.77.0
"""

RETURN = r"""
bridge:
  description: Interface name of the switch.
  type: str
  returned: success
  sample: br-lab
gateway:
  description: The controller's address in the lab.
  type: str
  returned: success
  sample: 10.77.0.1
control_directory:
  description: Where shared SSH connections keep their sockets.
  type: str
  returned: success
  sample: /run/trinitycore-lab/lab.ssh
"""

import json
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.trinitycore.mcp.plugins.module_utils.nspawn import network
from ansible_collections.trinitycore.mcp.plugins.module_utils.nspawn.commands import LabError
from ansible_collections.trinitycore.mcp.plugins.module_utils.nspawn.lab import Lab


def main() -> None:
    """Entry point."""
    module = AnsibleModule(
        argument_spec={
            "directory": {"type": "path", "required": True},
            "lab": {"type": "str", "required": True},
            "subnet": {"type": "str", "default": "10.77.0"},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        },
        supports_check_mode=True,
    )
    before: dict[str, Any] = {}
    after: dict[str, Any] = {}
    try:
        lab = Lab(module.params["lab"], Path(module.params["directory"]), module.params["subnet"])
        before = network.observe(lab)
        if module.params["state"] == "present":
            after = network.wanted(lab)
            network.refuse_conflicts(lab)
            changed = before != after
            if not module.check_mode:
                # Without a change too: the register that labs share may have gone with a clean-up of /run.
                network.bring_up(lab)
        else:
            network.refuse_others(lab)
            after = {**before, "bridge": "absent", "address": "", "table": ""}
            changed = network.left_overs(lab)
            if changed and not module.check_mode:
                network.take_down(lab)
    except (LabError, OSError) as error:
        module.fail_json(msg=str(error))
    module.exit_json(
        changed=changed,
        bridge=lab.bridge,
        gateway=lab.gateway,
        control_directory=str(lab.control_directory),
        diff={
            "before": json.dumps(before, indent=2, sort_keys=True) + "\n",
            "after": json.dumps(after, indent=2, sort_keys=True) + "\n",
        },
    )


if __name__ == "__main__":
    main()
