# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Lookup of the release that a folder of Python sources makes."""

from __future__ import annotations

DOCUMENTATION = """
name: release_version
author: The trinitycore.mcp authors
version_added: 2.0.0
short_description: Release that a folder of Python sources makes
description:
  - Returns the project's version and a hash of its content, as M(trinitycore.mcp.wheelhouse) names the release.
options:
  _terms:
    description: Folders of projects.
    required: true
    type: list
    elements: path
"""

EXAMPLES = """
- name: Say which release would be installed
  ansible.builtin.debug:
    msg: "{{ lookup('trinitycore.mcp.release_version', playbook_dir ~ '/../server') }}"
"""

RETURN = """
_raw:
  description: One version per folder, for example C(2.0.0-1a2b3c4d).
  type: list
  elements: str
"""

from pathlib import Path
from typing import Any

from ansible.errors import AnsibleError
from ansible.plugins.lookup import LookupBase
from ansible_collections.trinitycore.mcp.plugins.module_utils.wheelhouse import (
    WheelhouseError,
    source_version,
)


class LookupModule(LookupBase):
    """``lookup('trinitycore.mcp.release_version', folder, ...)``."""

    def run(self, terms: list[str], variables: dict[str, Any] | None = None, **kwargs: Any) -> list[str]:
        """Return the release that each folder makes.

        :raises AnsibleError: a folder holds no project.
        """
        self.set_options(var_options=variables, direct=kwargs)
        try:
            return [source_version(Path(term)) for term in terms]
        except WheelhouseError as error:
            raise AnsibleError(str(error)) from error
