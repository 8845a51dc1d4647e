#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Ansible module: which release one instance of a Python program is started with."""

from __future__ import annotations

DOCUMENTATION = """
module: python_release_instance
author: The trinitycore.mcp authors
version_added: 2.0.0
short_description: Say which release one instance of a Python program is started with
description:
  - Sets the link C(<path>/instances/<instance>), which the instance's unit starts. Whoever runs goes on with what it
    was started with until it is restarted.
  - M(trinitycore.mcp.python_release) installs releases, and keeps the links of all instances.
options:
  path:
    description: Folder of the program.
    type: path
    required: true
  instance:
    description: Name of the instance.
    type: str
    required: true
  version:
    description: Release, which must be installed.
    type: str
    required: true
attributes:
  check_mode:
    support: full
    description: Says what it would do, also for a release that is yet to be installed.
  diff_mode:
    support: full
    description: Shows the release before and after.
"""

EXAMPLES = """
- name: Have the first instance started with the new release
  trinitycore.mcp.python_release_instance:
    path: /opt/trinitycore-mcp
    instance: '1'
    version: 2.1.0-1a2b3c4d
"""

RETURN = """
before:
  description: Release of before, empty if there was none.
  returned: always
  type: str
"""

from pathlib import Path

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.trinitycore.mcp.plugins.module_utils.python_release import ReleaseError, Releases


def main() -> None:
    """Set the link."""
    module = AnsibleModule(
        argument_spec={
            "path": {"type": "path", "required": True},
            "instance": {"type": "str", "required": True},
            "version": {"type": "str", "required": True},
        },
        supports_check_mode=True,
    )
    options = module.params
    releases = Releases(Path(options["path"]))
    before = releases.linked(f"instances/{options['instance']}") or ""
    changed = before != options["version"]
    if changed and not module.check_mode:
        try:
            releases.switch(options["instance"], options["version"])
        except ReleaseError as error:
            module.fail_json(msg=str(error))
    header = f"{options['path']}/instances/{options['instance']}"
    module.exit_json(
        changed=changed,
        before=before,
        diff={
            "before": f"{before}\n" if before else "",
            "after": f"{options['version']}\n",
            "before_header": header,
            "after_header": header,
        },
    )


if __name__ == "__main__":
    main()
