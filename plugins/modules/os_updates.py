# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Module that tells what a host's operating system has to bring up to date."""

from __future__ import annotations

DOCUMENTATION = r"""
module: os_updates
author: The trinitycore.mcp authors
version_added: 2.0.0
short_description: Tell which packages of a host are out of date, and whether it should reboot
description:
  - Asks APT what an upgrade would do, by the index as it is. Nothing is changed.
  - A reboot is asked for by C(/run/reboot-required), by a newer kernel that is installed, and by processes whose
    program or libraries were replaced while they run.
attributes:
  check_mode:
    description: Changes nothing in either mode.
    support: full
  diff_mode:
    description: There is no change to show.
    support: none
"""

EXAMPLES = r"""
- name: What is there to do?
  trinitycore.mcp.os_updates:
  register: updates
"""

RETURN = r"""
packages:
  description: Packages that an upgrade would install, with the version before and after.
  returned: success
  type: list
  elements: str
  sample: ["openssl 3.0.14-1 -> 3.0.15-1"]
reboot:
  description: Why the host should reboot.
  returned: success
  type: list
  elements: str
  sample: ["kernel 6.1.0-28-amd64 is installed, 6.1.0-25-amd64 runs"]
"""

from pathlib import Path

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.trinitycore.mcp.plugins.module_utils import os_updates


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec={}, supports_check_mode=True)
    _, simulation, _ = module.run_command(
        ["apt-get", "--simulate", "--quiet", "upgrade", "--with-new-pkgs"],
        check_rc=True,
        environ_update={"LC_ALL": "C", "DEBIAN_FRONTEND": "noninteractive"},
    )
    module.exit_json(
        changed=False, packages=os_updates.planned(simulation), reboot=os_updates.reboot_reasons(Path("/"))
    )


if __name__ == "__main__":
    main()
