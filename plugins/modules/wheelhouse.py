# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Module that makes wheelhouses on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: wheelhouse
author: The trinitycore.mcp authors
version_added: 2.0.0
short_description: Package a Python project with all its dependencies, for hosts that install offline
description:
  - Builds the wheel of a Python project, downloads the wheels of its pinned requirements for each target, and packs
    both with an installer into one archive per target.
  - Archives are kept in a cache and named after the content of sources and requirements. A second run finds them.
  - Runs on the controller; use C(delegate_to=localhost) and C(run_once=true).
options:
  source:
    description: Folder of the project, with C(pyproject.toml), pinned C(requirements.txt) and C(src/).
    type: path
    required: true
  targets:
    description: What the wheels must run on. Repetitions are ignored.
    type: list
    elements: dict
    required: true
    suboptions:
      python:
        description: Version of Python, for example C(3.11).
        type: str
        required: true
      machine:
        description: Machine as C(uname -m) names it.
        type: str
        default: x86_64
      glibc:
        description: Version of the C library.
        type: str
        required: true
  version:
    description: >-
      Release that is wanted. When the sources make another one, only archives of it that the cache has are returned.
      Empty for the release that the sources make.
    type: str
    default: ''
  cache:
    description: Folder that keeps archives and downloads. C($XDG_CACHE_HOME/trinitycore-mcp/wheelhouse) by default.
    type: path
  keep:
    description: How many archives of each target stay in the cache.
    type: int
    default: 5
  installer:
    description: Requirement of PyPA's C(installer), by which hosts put the wheels in place; they need no pip.
    type: str
    default: installer==1.1.0
attributes:
  check_mode:
    description: Can run in check mode and say what it would do.
    support: full
  diff_mode:
    description: Says which archives are made.
    support: full
requirements:
  - Python 3.11 or newer with pip, on the controller
"""

EXAMPLES = r"""
- name: Package the server for every kind of app host
  trinitycore.mcp.wheelhouse:
    source: "{{ playbook_dir }}/../server"
    targets:
      - {python: '3.11', glibc: '2.36'}
      - {python: '3.13', glibc: '2.41'}
  delegate_to: localhost
  run_once: true
"""

RETURN = r"""
version:
  description: Name of the release, the project's version and a hash of its content; or O(version).
  returned: always
  type: str
  sample: 2.0.0-1a2b3c4d
archives:
  description: Archive of each target by key C(cp<python>-glibc<version>-<machine>), with its path and SHA-256.
  returned: always
  type: dict
  sample: {cp311-glibc2.36-x86_64: {path: /root/.cache/x.tar, sha256: 9f86d0...}}
built:
  description: Keys of the targets for which an archive was made now.
  returned: always
  type: list
  elements: str
"""

from pathlib import Path

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.trinitycore.mcp.plugins.module_utils.wheelhouse import (
    Target,
    Wheelhouse,
    WheelhouseError,
    default_cache,
    file_sha256,
)


def main() -> None:
    """Make the archives that are missing."""
    module = AnsibleModule(
        argument_spec={
            "source": {"type": "path", "required": True},
            "targets": {
                "type": "list",
                "elements": "dict",
                "required": True,
                "options": {
                    "python": {"type": "str", "required": True},
                    "machine": {"type": "str", "default": "x86_64"},
                    "glibc": {"type": "str", "required": True},
                },
            },
            "version": {"type": "str", "default": ""},
            "cache": {"type": "path"},
            "keep": {"type": "int", "default": 5},
            "installer": {"type": "str", "default": "installer==1.1.0"},
        },
        supports_check_mode=True,
    )
    options = module.params
    targets = list(dict.fromkeys(Target(**target) for target in options["targets"]))
    cache = Path(options["cache"]) if options["cache"] else default_cache()
    try:
        house = Wheelhouse(Path(options["source"]), cache, options["installer"], options["version"])
        missing = [target for target in targets if house.can_build and not house.archive(target).is_file()]
        built = missing if module.check_mode else house.build(targets, options["keep"])
    except WheelhouseError as error:
        module.fail_json(msg=str(error))
    archives = {
        target.key: {
            "path": str(house.archive(target)),
            "sha256": file_sha256(house.archive(target)) if house.archive(target).is_file() else "",
        }
        for target in targets
        if house.can_build or house.archive(target).is_file()
    }
    module.exit_json(
        changed=bool(built),
        version=house.version,
        archives=archives,
        built=[target.key for target in built],
        diff=[
            {"before": "", "after": f"{house.version}\n", "after_header": archives[target.key]["path"]}
            for target in built
        ],
    )


if __name__ == "__main__":
    main()
