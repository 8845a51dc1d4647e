#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Module of the files behind a host's certificate; the action plugin host_certificate calls it."""

from __future__ import annotations

DOCUMENTATION = """
module: host_certificate_files
author: The trinitycore.mcp authors
version_added: 2.0.0
short_description: Private key, certificate and authority of a host, as files
description:
  - The host's half of M(trinitycore.mcp.host_certificate), which calls it and is what playbooks should use.
  - Makes the private key where it is missing. The key never leaves the host.
  - Reports what is there and, if given, puts certificates in place atomically.
options:
  directory:
    description: Folder of C(ca.crt), C(host.crt) and C(host.key).
    type: path
    required: true
  group:
    description: Group that may read the private key; made as a system group if missing.
    type: str
    required: true
  authority:
    description: The internal CA's certificate, as PEM, to put in place.
    type: str
    default: ''
  certificate:
    description: The host's certificate, as PEM, to put in place.
    type: str
    default: ''
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
"""

EXAMPLES = """
- name: Make the private key and see which certificate the host has
  trinitycore.mcp.host_certificate_files:
    directory: /etc/trinitycore-pki
    group: trinitycore-tls
  register: files
"""

RETURN = """
authority:
  description: The authority that the host trusts, as PEM; empty if none.
  returned: success
  type: str
certificate:
  description: The host's certificate, as PEM; empty if none.
  returned: success
  type: str
public_key:
  description: Public half of the host's key, as PEM; empty if there is no key yet, as in check mode on a new host.
  returned: success
  type: str
"""

from pathlib import Path

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.trinitycore.mcp.plugins.module_utils.pki.host_files import (
    AUTHORITY,
    CERTIFICATE,
    HostFiles,
    HostFilesError,
)


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "directory": {"type": "path", "required": True},
            "group": {"type": "str", "required": True},
            "authority": {"type": "str", "default": ""},
            "certificate": {"type": "str", "default": ""},
        },
        supports_check_mode=True,
    )
    files = HostFiles(Path(module.params["directory"]), module.params["group"], module.check_mode)
    try:
        files.prepare()
        files.install(module.params["authority"], module.params["certificate"])
    except (HostFilesError, OSError) as error:
        module.fail_json(msg=f"host certificate in {files.directory}: {error}")
    module.exit_json(
        changed=bool(files.changes),
        diff=files.changes,
        authority=files.read(AUTHORITY),
        certificate=files.read(CERTIFICATE),
        public_key=files.public_key(),
    )


if __name__ == "__main__":
    main()
