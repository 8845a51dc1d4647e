#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Ansible module: which releases of a Python program a host has."""

from __future__ import annotations

DOCUMENTATION = """
module: python_release_info
author: The trinitycore.mcp authors
version_added: 2.0.0
short_description: Say which releases of a Python program a host has, and which of them are in use
description:
  - Reads what M(trinitycore.mcp.python_release) made.
options:
  path:
    description: Folder of the program. It need not exist.
    type: path
    required: true
attributes:
  check_mode:
    support: full
    description: Reads only.
"""

EXAMPLES = """
- name: Look what the host has
  trinitycore.mcp.python_release_info:
    path: /opt/trinitycore-mcp
"""

RETURN = """
current:
  description: The current release, empty if there is none.
  returned: always
  type: str
previous:
  description: The one before, empty if there is none or it is no longer installed.
  returned: always
  type: str
standby:
  description: The release that a set of instances stands by with, empty if none does.
  returned: always
  type: str
installed:
  description: All releases that are installed whole.
  returned: always
  type: list
  elements: str
instances:
  description: The release that each instance is started with.
  returned: always
  type: dict
  sample: {'1': 2.0.0-1a2b3c4d}
"""

from pathlib import Path

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.trinitycore.mcp.plugins.module_utils.python_release import Releases


def main() -> None:
    """Read the folder."""
    module = AnsibleModule(argument_spec={"path": {"type": "path", "required": True}}, supports_check_mode=True)
    releases = Releases(Path(module.params["path"]))
    installed = [version for version in releases.installed() if releases.marker(version) is not None]
    previous = releases.linked("previous")
    module.exit_json(
        changed=False,
        current=releases.linked("current") or "",
        previous=previous if previous in installed else "",
        standby=releases.linked("standby") or "",
        installed=installed,
        instances=releases.instances(),
    )


if __name__ == "__main__":
    main()
