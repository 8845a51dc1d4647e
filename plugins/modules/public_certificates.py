#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Ansible module: this host serves the public certificates that it should."""

from __future__ import annotations

DOCUMENTATION = """
module: public_certificates
author: The trinitycore.mcp authors
version_added: 2.0.0
short_description: This host serves the public certificates that it should
description:
  - Runs C(trinitycore-certificates), which the role P(trinitycore.mcp.letsencrypt#role) installs, on the host. What
    certificates there should be stands in its configuration.
  - With O(state=prepared), the host's own certificate of the internal CA stands in for each that is not there yet, so
    that a server can start.
  - With O(state=current), newer certificates of other hosts are taken, and those that are due are renewed if it is this
    host's turn. When a renewal fails and the certificate is still valid, that is a warning; without a valid public
    certificate it is an error.
options:
  state:
    description: What should be.
    type: str
    choices: [prepared, current]
    default: current
  command:
    description: The program.
    type: path
    default: /usr/local/sbin/trinitycore-certificates
attributes:
  check_mode:
    support: full
    description: Foretells from what the host knows by itself, asking neither peers nor the authority.
  diff_mode:
    support: full
"""

EXAMPLES = """
- name: Have a certificate, whichever host gets it
  trinitycore.mcp.public_certificates:
    state: current
  throttle: 1
"""

RETURN = """
certificates:
  description: With O(state=current), what became of each certificate.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: Name of the certificate.
      type: str
    source:
      description: Where a new one came from, this host or another; empty if there is no new one.
      type: str
    why:
      description: Why it was renewed, or was not.
      type: str
    not_after:
      description: End of the validity, ISO 8601; empty while a stand-in is served.
      type: str
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.trinitycore.mcp.plugins.module_utils.public_certificates import (
    PublicCertificatesError,
    current,
    prepared,
)


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "state": {"type": "str", "choices": ["prepared", "current"], "default": "current"},
            "command": {"type": "path", "default": "/usr/local/sbin/trinitycore-certificates"},
        },
        supports_check_mode=True,
    )
    act = prepared if module.params["state"] == "prepared" else current
    try:
        answer = act(module.params["command"], module.check_mode)
    except PublicCertificatesError as error:
        module.fail_json(msg=f"public certificates: {error}")
    for warning in answer.warnings:
        module.warn(warning)
    diff = {"prepared": "".join(f"{line}\n" for line in answer.changes)}
    module.exit_json(changed=bool(answer.changes), certificates=answer.certificates, diff=diff)


if __name__ == "__main__":
    main()
