#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Ansible module: find the tables that a group of MySQL servers refuses writes to."""

from __future__ import annotations

DOCUMENTATION = """
module: mysql_group_tables
author: The trinitycore.mcp authors
version_added: 2.0.0
short_description: Find the tables that a group of MySQL servers refuses writes to
description:
  - Group Replication takes no write to a table without a primary key (or a unique key none of whose columns may be
    NULL), or of another engine than InnoDB. Fails with the name of each such table in every database, and the
    statements that mend them. Changes nothing.
  - On a host without a server there is nothing to find.
extends_documentation_fragment: [trinitycore.mcp.mysql_socket]
attributes:
  check_mode:
    support: full
    description: Changes nothing in any case.
  diff_mode:
    support: none
    description: Changes nothing.
"""

EXAMPLES = """
- name: No table is there that a group could not write to
  trinitycore.mcp.mysql_group_tables:
"""

RETURN = """
tables:
  description: Each with the reason.
  returned: always
  type: list
  elements: str
statements:
  description: SQL that makes them fit, in the same order. An invisible column does not show in SELECT *.
  returned: always
  type: list
  elements: str
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.trinitycore.mcp.plugins.module_utils.mysql.connection import SOCKET, open_local
from ansible_collections.trinitycore.mcp.plugins.module_utils.mysql.errors import DatabaseError, ServerUnavailableError
from ansible_collections.trinitycore.mcp.plugins.module_utils.mysql.group import mending, unfit_tables


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec=SOCKET, supports_check_mode=True)
    try:
        with open_local(module.params["socket"]) as server:
            tables = unfit_tables(server)
    except ServerUnavailableError:
        tables = []
    except DatabaseError as error:
        module.fail_json(msg=str(error))
    statements = mending(tables)
    if tables:
        module.fail_json(
            msg=f"mysql_ha is auto, and a group of MySQL servers refuses writes to tables without a primary key or not "
            f"of InnoDB. Found are {', '.join(tables)}. Nothing was changed. Make them fit, for example by: "
            f"{' '.join(statements)} Or set mysql_ha to manual",
            tables=tables,
            statements=statements,
        )
    module.exit_json(changed=False, tables=tables, statements=statements)


if __name__ == "__main__":
    main()
