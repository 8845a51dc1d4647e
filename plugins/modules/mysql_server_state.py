#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Ansible module: what the database server on this host says about itself."""

from __future__ import annotations

DOCUMENTATION = """
module: mysql_server_state
author: The trinitycore.mcp authors
version_added: 2.0.0
short_description: Read the live state of the database server on this host
description:
  - Returns whether the server is writable, whom it follows and who follows it, its transaction position and what
    it holds. Changes nothing.
  - The states of all database hosts together say which one is the primary, see M(trinitycore.mcp.mysql_primary).
  - Logs in as root over the Unix socket.
options:
  unit:
    description: systemd unit of the server, for RV(restart_due).
    type: str
    default: mariadb.service
  configuration:
    description: Files that the server reads at its start.
    type: list
    elements: path
    default: []
  wait_for:
    description: Wait until the server has applied this transaction position, as returned by RV(state.gtid_position).
    type: str
  healthy:
    description:
      - Fail when the server is a replica that doesn't replicate, or that is further behind than O(max_lag).
    type: bool
    default: false
  max_lag:
    description: Seconds a replica may be behind when it is to be O(healthy).
    type: int
    default: 30
  timeout:
    description: Seconds to wait for O(wait_for), and for a replica to become O(healthy).
    type: float
    default: 60.0
extends_documentation_fragment: [trinitycore.mcp.mysql_socket]
attributes:
  check_mode:
    support: full
    description: Reads only. In check mode a server that isn't installed yet is reported as not running.
"""

EXAMPLES = """
- name: What the server is doing
  trinitycore.mcp.mysql_server_state:
  register: mysql_state

- name: This replica has everything that was loaded
  trinitycore.mcp.mysql_server_state:
    wait_for: "{{ loaded.gtid_position }}"
"""

RETURN = """
state:
  description:
    - C(running), C(flavor), C(version), C(server_id), C(read_only), C(binlog), C(gtid_position), C(gtid_state),
      C(replication) (whom it follows and how, or none), C(followers) (addresses), C(databases) (tables by database),
      C(group) (how it stands in the group that it is set up for, or none).
  returned: success
  type: dict
restart_due:
  description: Whether one of O(configuration) changed after the server had started.
  returned: success
  type: bool
copy_unfinished:
  description: Whether M(trinitycore.mcp.mysql_copy) was interrupted here, or left something behind.
  returned: success
  type: bool
"""

import time

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.trinitycore.mcp.plugins.module_utils.component.systemd import Systemctl
from ansible_collections.trinitycore.mcp.plugins.module_utils.component.watch import changed_at
from ansible_collections.trinitycore.mcp.plugins.module_utils.mysql.connection import SOCKET, open_local
from ansible_collections.trinitycore.mcp.plugins.module_utils.mysql.copy_places import Places
from ansible_collections.trinitycore.mcp.plugins.module_utils.mysql.errors import DatabaseError, ServerUnavailableError
from ansible_collections.trinitycore.mcp.plugins.module_utils.mysql.flavors import detect
from ansible_collections.trinitycore.mcp.plugins.module_utils.mysql.state import ServerState


def read_state(socket: str, wait_for: str | None, healthy: bool, max_lag: int, timeout: float) -> ServerState:
    """Read the server's state, after waiting for what is asked.

    :raises DatabaseError: it can't be read, or what was waited for didn't come.
    """
    until = time.monotonic() + timeout
    with open_local(socket) as server:
        flavor = detect(server)
        if wait_for and not flavor.wait_for(server, wait_for, timeout):
            raise DatabaseError(f"{server.target} has not applied {wait_for} after {timeout:g} s")
        while True:
            state = flavor.state(server)
            fault = what_is_wrong(state, max_lag) if healthy else ""
            if not fault:
                return state
            if time.monotonic() > until:
                raise DatabaseError(f"{server.target} {fault}")
            time.sleep(0.5)


def what_is_wrong(state: ServerState, max_lag: int) -> str:
    """Return why a server does not keep up with the others; empty: it does, or follows nobody."""
    group, replication = state.group, state.replication
    if group is not None and replication is None:
        seen = f"is {group.state} in its group, and sees {group.members or 'nobody'}"
        return "" if group.state == "ONLINE" and group.runs else seen
    if replication is None or (replication.healthy and replication.lag is not None and replication.lag <= max_lag):
        return ""
    what = f"is {replication.lag} s behind" if replication.healthy else "does not replicate"
    return f"{what}: {replication.error or 'no error given'}"


def copy_unfinished(socket: str) -> bool:
    """Whether a copy of the primary's data was begun here and not brought to its end."""
    with open_local(socket) as server:
        return Places.beside(str(server.value("SELECT @@datadir"))).unfinished


def restart_due(unit: str, configuration: list[str]) -> bool:
    """Whether a file changed after the unit had come up."""
    if not configuration:
        return False
    since = Systemctl().show([unit])[unit].active_since
    return since is not None and any(changed_at(path) > since for path in configuration)


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            **SOCKET,
            "unit": {"type": "str", "default": "mariadb.service"},
            "configuration": {"type": "list", "elements": "path", "default": []},
            "wait_for": {"type": "str"},
            "healthy": {"type": "bool", "default": False},
            "max_lag": {"type": "int", "default": 30},
            "timeout": {"type": "float", "default": 60.0},
        },
        supports_check_mode=True,
    )
    options = dict(module.params)
    unit, configuration = options.pop("unit"), options.pop("configuration")
    try:
        state = read_state(**options)
        due = restart_due(unit, configuration)
        unfinished = copy_unfinished(options["socket"])
    except ServerUnavailableError as error:
        if not module.check_mode:
            module.fail_json(msg=str(error))
        state, due, unfinished = ServerState(running=False), False, False
    except DatabaseError as error:
        module.fail_json(msg=str(error))
    module.exit_json(changed=False, state=state.as_dict(), restart_due=due, copy_unfinished=unfinished)


if __name__ == "__main__":
    main()
