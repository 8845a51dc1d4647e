# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Module that reads the .env file of version 1."""

from __future__ import annotations

DOCUMENTATION = r"""
module: v1_settings
author: The trinitycore.mcp authors
version_added: 2.0.0
short_description: Read the .env file of version 1 as the server's own command does
description:
  - Runs on a host that has a release of the server, whose command C(migrate-config) knows every name of version 1.
  - Changes nothing. Nothing is left on the host.
  - The filter P(trinitycore.mcp.v1_variables#filter) makes variables of roles of the result.
    Set C(no_log) for a task that registers it, as it holds secrets.
options:
  env:
    description: The text of the file.
    type: str
    required: true
  command:
    description: The server's command.
    type: path
    default: /opt/trinitycore-mcp/current/bin/trinitycore-mcp
attributes:
  check_mode:
    description: Changes nothing in either mode.
    support: full
  diff_mode:
    description: There is no change to show.
    support: none
"""

EXAMPLES = r"""
- name: Translate the settings
  trinitycore.mcp.v1_settings:
    env: "{{ v1_env.content | b64decode }}"
  register: v1
  no_log: true
"""

RETURN = r"""
config:
  description: The server's configuration that the file stands for, as YAML.
  returned: success
  type: str
secrets:
  description: What the configuration has in files of their own, by the file's name.
  returned: success
  type: dict
notices:
  description: What has no counterpart, and why. No secret is in them.
  returned: success
  type: list
  elements: str
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.trinitycore.mcp.plugins.module_utils import v1_settings


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "env": {"type": "str", "required": True, "no_log": True},
            "command": {"type": "path", "default": "/opt/trinitycore-mcp/current/bin/trinitycore-mcp"},
        },
        supports_check_mode=True,
    )
    try:
        found = v1_settings.read(module.params["env"], module.params["command"])
    except v1_settings.V1SettingsError as error:
        module.fail_json(msg=str(error))
    module.exit_json(changed=False, **found)


if __name__ == "__main__":
    main()
