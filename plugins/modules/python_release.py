# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Module that keeps releases of a Python program on a host."""

from __future__ import annotations

DOCUMENTATION = r"""
module: python_release
author: The trinitycore.mcp authors
version_added: 2.0.0
short_description: Install releases of a Python program beside each other and say which one is current
description:
  - Installs a release from an archive that M(trinitycore.mcp.wheelhouse) made, as a virtual environment in
    C(<path>/releases/<version>), without any network.
  - The archive is sent to the host only when the release is not there yet.
  - Keeps the links C(current) and C(previous) and drops old releases, never one of these two.
  - An installation that was interrupted does not count and is made again.
options:
  path:
    description: Folder of the program. C(releases), C(current) and C(previous) are made in it.
    type: path
    required: true
  version:
    description: Name of the release.
    type: str
    required: true
  archive:
    description:
      - Archive on the controller. Without it the release has to be installed already.
    type: path
  archive_sha256:
    description: Checksum of the archive. What arrives on the host is compared with it.
    type: str
    default: ''
  interpreter:
    description: Python of the host that the virtual environment is made with.
    type: path
    default: /usr/bin/python3
  activate:
    description:
      - V(always) points C(current) to this release.
      - V(first) does so only while there is no current release.
      - V(never) leaves the links alone.
    type: str
    choices: [always, first, never]
    default: first
  instances:
    description:
      - Names of all instances of the program on this host. Each has a link C(instances/<name>) to the release that it
        is started with. New ones get the current release; with O(activate=always) all do. Links of others are removed.
      - While a set of them stands by (M(trinitycore.mcp.python_release_sets)), all keep theirs, and no other release
        becomes current.
      - M(trinitycore.mcp.python_release_instance) changes one of them.
    type: list
    elements: str
  keep:
    description: How many releases stay on the host, those that the links lead to among them.
    type: int
    default: 3
attributes:
  check_mode:
    description: Can run in check mode and say what it would do.
    support: full
  diff_mode:
    description: Shows the releases and links before and after.
    support: full
  action:
    description: Runs partly on the controller, which sends the archive.
    support: full
"""

EXAMPLES = r"""
- name: Install the release on the host
  trinitycore.mcp.python_release:
    path: /opt/trinitycore-mcp
    version: "{{ wheelhouse.version }}"
    archive: "{{ wheelhouse.archives['cp311-glibc2.36-x86_64'].path }}"

- name: Make it the current one
  trinitycore.mcp.python_release:
    path: /opt/trinitycore-mcp
    version: "{{ wheelhouse.version }}"
    activate: always
"""

RETURN = r"""
installed:
  description: Whether the release was installed by this run.
  returned: always
  type: bool
current:
  description: The current release afterwards.
  returned: always
  type: str
previous:
  description: The release that was current before, if any.
  returned: always
  type: str
removed:
  description: Releases that were deleted.
  returned: always
  type: list
  elements: str
archive_needed:
  description: Whether the archive has to be sent first. Only seen by the controller's half of this module.
  returned: always
  type: bool
"""

from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.trinitycore.mcp.plugins.module_utils.python_release import (
    Plan,
    ReleaseError,
    Releases,
    Wanted,
)


def picture(releases: Releases, planned: Plan | None = None, version: str = "") -> str:
    """Return the releases and links as text for a diff, with a plan applied if one is given."""
    complete = {name for name in releases.installed() if releases.marker(name) is not None}
    current, previous, standby = (releases.linked(name) for name in ("current", "previous", "standby"))
    instances = releases.instances()
    if planned is not None:
        instances = {name: to for name, to in (instances | planned.switch).items() if name not in planned.drop}
        complete -= set(planned.remove)
        if planned.install:
            complete.add(version)
        if planned.activate:
            current, previous = version, current or previous
    lines = [f"releases/{name}" for name in sorted(complete)]
    links = {"current": current, "previous": previous, "standby": standby}
    lines += [f"{name} -> releases/{to}" for name, to in links.items() if to]
    lines += [f"instances/{name} -> releases/{to}" for name, to in sorted(instances.items())]
    return "".join(f"{line}\n" for line in lines)


def main() -> None:
    """Bring the releases of a host to the wanted state."""
    module = AnsibleModule(
        argument_spec={
            "path": {"type": "path", "required": True},
            "version": {"type": "str", "required": True},
            "archive": {"type": "path"},
            "archive_sha256": {"type": "str", "default": ""},
            "interpreter": {"type": "path", "default": "/usr/bin/python3"},
            "activate": {"type": "str", "choices": ["always", "first", "never"], "default": "first"},
            "instances": {"type": "list", "elements": "str"},
            "keep": {"type": "int", "default": 3},
            # Set by the action plugin: where the archive lies on the host, once it was sent.
            "_sent": {"type": "path"},
        },
        supports_check_mode=True,
    )
    options: dict[str, Any] = module.params
    releases = Releases(Path(options["path"]))
    wanted = Wanted(
        options["version"], options["interpreter"], options["keep"], options["activate"], options["instances"]
    )
    try:
        planned = releases.plan(wanted)
    except ReleaseError as error:
        module.fail_json(msg=str(error))
    before, after = picture(releases), picture(releases, planned, wanted.version)
    result = {
        "changed": bool(planned),
        "installed": planned.install,
        "archive_needed": planned.install and not options["_sent"] and not module.check_mode,
        "removed": planned.remove,
        "diff": {"before": before, "after": after, "before_header": options["path"], "after_header": options["path"]},
    }
    if not module.check_mode and not result["archive_needed"]:
        try:
            if planned.install:
                archive = Path(options["_sent"])
                if options["archive_sha256"] and module.sha256(str(archive)) != options["archive_sha256"]:
                    raise ReleaseError(f"{archive} is not what was sent: its checksum differs")
                releases.install(wanted, archive, options["archive_sha256"])
            if planned.activate:
                releases.activate(wanted.version)
            for name, version in planned.switch.items():
                releases.switch(name, version)
            releases.drop(planned.drop)
            releases.remove(planned.remove)
        except ReleaseError as error:
            module.fail_json(msg=str(error))
    applied = planned.activate and module.check_mode
    result["current"] = (wanted.version if applied else releases.linked("current")) or ""
    result["previous"] = (releases.linked("current") if applied else releases.linked("previous")) or ""
    module.exit_json(**result)


if __name__ == "__main__":
    main()
