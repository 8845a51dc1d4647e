#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Ansible module: the server's own tables are what a release works with."""

from __future__ import annotations

DOCUMENTATION = """
module: mcp_migrate
author: The trinitycore.mcp authors
version_added: 2.0.0
short_description: Bring the MCP server's own tables to what a release works with
description:
  - Runs C(trinitycore-mcp migrate-db) of a release on this host, as the service's user. Accounts and passwords come
    from the server's configuration and the files that it names; none is an option of this module.
  - Run it on one host, before instances run the release. Runs on several hosts at once wait for one another.
  - Tables that a newer release made are left as they are.
options:
  command:
    description: Program that runs the server's commands the way the service runs.
    type: path
    default: /usr/local/sbin/trinitycore-mcp
  release:
    description: Release whose tables are wanted. The current one by default.
    type: str
    default: ''
  wait:
    description: Seconds to wait for a writable database host, as during a failover, and for other runs.
    type: float
    default: 30.0
attributes:
  check_mode:
    support: full
    description: Asks the database. On a host that lacks the release or the configuration, the migration is foretold.
  diff_mode:
    support: full
    description: Shows the revisions.
"""

EXAMPLES = """
- name: Migrate our own tables
  trinitycore.mcp.mcp_migrate:
    release: 2.0.0-1a2b3c4d
  run_once: true
"""

RETURN = """
before:
  description: Revision of the tables before, V(base) for none. Empty in check mode.
  returned: success
  type: str
after:
  description: Revision afterwards. In check mode the last pending one, if any is.
  returned: success
  type: str
pending:
  description: In check mode, the revisions that would be applied.
  returned: success
  type: list
  elements: str
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.trinitycore.mcp.plugins.module_utils.mcp_migrate import Answer, MigrateError, look, migrate


def shown(answer: Answer) -> dict[str, str]:
    """Return the answer as a diff."""
    if answer.unknown:
        return {"prepared": f"migrate to the release's last revision (not known yet: {answer.unknown})\n"}
    if answer.pending:
        return {"prepared": f"apply {', '.join(answer.pending)}\n"}
    return {"before": f"{answer.before}\n", "after": f"{answer.after}\n"}


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "command": {"type": "path", "default": "/usr/local/sbin/trinitycore-mcp"},
            "release": {"type": "str", "default": ""},
            "wait": {"type": "float", "default": 30.0},
        },
        supports_check_mode=True,
    )
    options = module.params
    try:
        if module.check_mode:
            answer = look(options["command"], options["release"])
        else:
            answer = migrate(options["command"], options["release"], options["wait"])
    except MigrateError as error:
        module.fail_json(msg=f"our own tables were not migrated: {error}")
    for notice in answer.notices:
        module.warn(notice)
    module.exit_json(
        changed=answer.changed, before=answer.before, after=answer.after, pending=answer.pending, diff=shown(answer)
    )


if __name__ == "__main__":
    main()
