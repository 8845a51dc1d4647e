#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Base images of lab hosts."""

from __future__ import annotations

DOCUMENTATION = r"""
module: nspawn_image
short_description: Base images of lab hosts, built once by mmdebstrap
version_added: "2.0.0"
description:
  - Builds a Debian tree that systemd, SSH and Python run in, and keeps it in a cache that all labs share.
  - The package sources are the controller's own, turned to the image's release.
  - An image is named after a hash of its recipe, so a changed recipe builds a new one.
  - A killed build leaves nothing that is taken for an image.
author:
  - The trinitycore.mcp authors (@trinitycore-mcp)
options:
  names:
    description: Which images. C(mysql) is Debian sid with Oracle's MySQL server installed.
    type: list
    elements: str
    choices: [bookworm, trixie, mysql]
    required: true
  state:
    description: Whether they are wanted.
    type: str
    choices: [present, absent]
    default: present
  cache:
    description:
      - Directory of the images.
      - C($XDG_CACHE_HOME/trinitycore-mcp/images) by default, with C(~/.cache) for an unset variable.
    type: path
attributes:
  check_mode:
    description: Says what would be built or removed.
    support: full
  diff_mode:
    description: Lists images before and after.
    support: full
requirements:
  - mmdebstrap on the controller
notes:
  - Runs on the controller, as root.
"""

EXAMPLES = r"""
- name: Have the image of Debian 12
  trinitycore.mcp.nspawn_image:
    names: [bookworm]
"""

RETURN = r"""
images:
  description: Per image the directory of its tree, whether it was built now, and the seconds it took.
  type: dict
  returned: success
  sample: {"bookworm": {"tree": "/root/.cache/trinitycore-mcp/images/bookworm-0123456789ab/tree", "seconds": 20.1}}
"""

import time
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.trinitycore.mcp.plugins.module_utils.nspawn import image
from ansible_collections.trinitycore.mcp.plugins.module_utils.nspawn.commands import LabError


def main() -> None:
    """Entry point."""
    module = AnsibleModule(
        argument_spec={
            "names": {
                "type": "list",
                "elements": "str",
                "choices": ["bookworm", "trixie", "mysql"],
                "required": True,
            },
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "cache": {"type": "path"},
        },
        supports_check_mode=True,
    )
    cache = Path(module.params["cache"]) if module.params["cache"] else image.default_cache()
    wanted = module.params["state"] == "present"
    images: dict[str, Any] = {}
    before: list[str] = []
    after: list[str] = []
    changed = False
    try:
        for name in dict.fromkeys(module.params["names"]):
            recipe = image.recipe(name)
            here = image.is_built(recipe, cache)
            before += [recipe.identity] if here else []
            after += [recipe.identity] if wanted else []
            began = time.monotonic()
            if here != wanted:
                changed = True
                if not module.check_mode and wanted:
                    image.build(recipe, cache)
                elif not module.check_mode:
                    image.remove(recipe, cache)
            images[name] = {
                "tree": str(image.tree(recipe, cache)),
                "changed": here != wanted,
                "seconds": round(time.monotonic() - began, 1),
            }
    except (LabError, OSError) as error:
        module.fail_json(msg=str(error), images=images)
    module.exit_json(
        changed=changed,
        images=images,
        diff={"before": "".join(f"{line}\n" for line in before), "after": "".join(f"{line}\n" for line in after)},
    )


if __name__ == "__main__":
    main()
