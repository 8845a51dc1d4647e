#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Ansible module: two sets of instances of a Python program on a host, each with a release of its own."""

from __future__ import annotations

DOCUMENTATION = """
module: python_release_sets
author: The trinitycore.mcp authors
version_added: 2.0.0
short_description: Keep two releases of a Python program side by side, each run by some of the instances
description:
  - Sets links C(<path>/instances/<instance>), C(current) and C(previous), and C(standby), the release of instances that
    stand by. Whoever runs goes on with what it was started with until it is restarted.
  - While there is C(standby), M(trinitycore.mcp.python_release) leaves the links of instances alone.
  - Interrupted anywhere, it can be run again.
options:
  path:
    description: Folder of the program.
    type: path
    required: true
  current:
    description: Release that becomes the current one; C(previous) follows. Without it both stay.
    type: str
    default: ''
  standby:
    description: Release that some instances stand by with. Empty says that none do.
    type: str
    default: ''
  instances:
    description: Releases of instances, by name. Others stay as they are. All releases must be installed.
    type: dict
    default: {}
attributes:
  check_mode:
    support: full
    description: Says what it would do, also for a release that is yet to be installed.
  diff_mode:
    support: full
    description: Shows the links before and after.
"""

EXAMPLES = """
- name: The second instance gets the new release, beside the first one
  trinitycore.mcp.python_release_sets:
    path: /opt/trinitycore-mcp
    standby: 2.1.0-1a2b3c4d
    instances: {'2': 2.1.0-1a2b3c4d}

- name: The new release is the current one, and the first instance stands by with the old one
  trinitycore.mcp.python_release_sets:
    path: /opt/trinitycore-mcp
    current: 2.1.0-1a2b3c4d
    standby: 2.0.0-5e6f7a8b
"""

RETURN = """
links:
  description: All links afterwards.
  returned: success
  type: dict
  sample: {current: 2.1.0-1a2b3c4d, standby: 2.0.0-5e6f7a8b, instances/1: 2.0.0-5e6f7a8b, instances/2: 2.1.0-1a2b3c4d}
"""

from collections.abc import Mapping
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.trinitycore.mcp.plugins.module_utils.python_release import ReleaseError, Releases


def text(links: Mapping[str, str]) -> str:
    """Return links as text for a diff."""
    return "".join(f"{name} -> {version}\n" for name, version in sorted(links.items()))


def main() -> None:
    """Set the links."""
    module = AnsibleModule(
        argument_spec={
            "path": {"type": "path", "required": True},
            "current": {"type": "str", "default": ""},
            "standby": {"type": "str", "default": ""},
            "instances": {"type": "dict", "default": {}},
        },
        supports_check_mode=True,
    )
    options = module.params
    releases = Releases(Path(options["path"]))
    wanted = options["current"], options["standby"], options["instances"]
    before, after = releases.links(), releases.arranged(*wanted)
    if before != after and not module.check_mode:
        try:
            releases.arrange(*wanted)
        except ReleaseError as error:
            module.fail_json(msg=str(error))
    module.exit_json(
        changed=before != after,
        links=after,
        diff={
            "before": text(before),
            "after": text(after),
            "before_header": options["path"],
            "after_header": options["path"],
        },
    )


if __name__ == "__main__":
    main()
