#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Ansible module: keep space on a file system that is given back by deleting one file."""

from __future__ import annotations

DOCUMENTATION = """
module: disk_reserve
author:
  - The trinitycore.mcp authors (@trinitycore-mcp)
version_added: "2.0.0"
short_description: Keep space in reserve for the day a disk is full
description:
  - Makes a file that holds nothing but space. Where a disk is full, a server that stores its data there can't even be
    asked to delete some; deleting this file lets it go on.
options:
  path:
    description: The file. Its folder must be on the file system that matters, and exist.
    type: path
    required: true
  size_mb:
    description:
      - Its size in MiB; 0 removes it. As much again must be left free, else the module fails and changes nothing.
    type: int
    required: true
attributes:
  check_mode:
    description: Tells whether the file would be made, or made anew.
    support: full
  diff_mode:
    description: Shows the size before and after.
    support: full
"""

EXAMPLES = """
- name: Keep a quarter of a GiB for the day the disk is full
  trinitycore.mcp.disk_reserve:
    path: /var/lib/mysql/trinitycore.reserve
    size_mb: 256
"""

RETURN = """
size_mb:
  description: MiB that are reserved now.
  returned: success
  type: int
"""

from pathlib import Path

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.trinitycore.mcp.plugins.module_utils.disk_reserve import (
    MIB,
    NoRoomError,
    put,
    size_of,
    wrong_by,
)


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "path": {"type": "path", "required": True},
            "size_mb": {"type": "int", "required": True},
        },
        supports_check_mode=True,
    )
    path, size = Path(module.params["path"]), module.params["size_mb"] * MIB
    if size < 0:
        module.fail_json(msg=f"size_mb is {module.params['size_mb']}; it must not be below 0")
    if not path.parent.is_dir():
        if module.check_mode:  # nothing is installed yet
            module.exit_json(changed=bool(size), size_mb=size // MIB)
        module.fail_json(msg=f"{path.parent} is no folder")
    before = size_of(path)
    changed = wrong_by(path, size)
    if changed and not module.check_mode:
        try:
            put(path, size)
        except NoRoomError as error:
            module.fail_json(msg=str(error))
    told = [f"{path}: {amount // MIB} MiB\n" for amount in (before, size if changed else before)]
    module.exit_json(changed=changed, size_mb=size // MIB, diff={"before": told[0], "after": told[1]})


if __name__ == "__main__":
    main()
