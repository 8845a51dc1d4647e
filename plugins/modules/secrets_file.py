# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation of the action plugin secrets_file."""

from __future__ import annotations

DOCUMENTATION = """
module: secrets_file
author: The trinitycore.mcp authors
version_added: 2.0.0
short_description: A variables file on the controller that holds every secret of an inventory
description:
  - Generates the secrets that are missing and never changes one that is there.
  - A secret is 256 random bits, written in letters and digits.
  - The file is encrypted when it already was, or when the run has a vault password; otherwise it is plain, readable
    by its owner only, and a warning says so.
  - A name that is already defined elsewhere, in the inventory or on the command line, is left out of the file.
  - No secret is printed or returned, not in a diff either.
options:
  path:
    description: The file on the controller. Its folder is made if missing.
    type: path
    required: true
  names:
    description: Names of variables that the file must define.
    type: list
    elements: str
    required: true
attributes:
  action:
    support: full
  check_mode:
    support: full
  diff_mode:
    support: full
"""

EXAMPLES = """
- name: Secrets of this inventory
  trinitycore.mcp.secrets_file:
    path: "{{ inventory_dir }}/group_vars/all/secrets.yml"
    names: [mysql_admin_password, redis_admin_password]
  run_once: true
  register: secrets

- name: Use new secrets in this run already
  ansible.builtin.include_vars: "{{ secrets.vars_file }}"
  when: secrets.added | length > 0
  run_once: true
  no_log: true
"""

RETURN = """
path:
  description: The file.
  returned: success
  type: str
added:
  description: Names of the secrets that were, or in check mode would be, generated.
  returned: success
  type: list
  elements: str
vars_file:
  description: File to include so that new secrets work in the same run. In check mode it is a temporary file of
    placeholders, which Ansible removes at the end of the run.
  returned: success
  type: str
"""
