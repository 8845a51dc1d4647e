#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Ansible module: who does what among the database servers."""

from __future__ import annotations

DOCUMENTATION = """
module: mysql_topology_info
author: The trinitycore.mcp authors
version_added: 2.0.0
short_description: Say who is the primary, who follows whom, and what is wrong, from whichever servers answer
description:
  - Asks all database servers at once over the network, from wherever it runs, and says what they are to one another.
  - Needs none of them in particular. What could not be seen is said, and what might be otherwise because of it.
  - Changes nothing, and decides nothing. Which server C(site.yml) would make the primary is said by
    M(trinitycore.mcp.mysql_primary), which needs all of them.
options:
  timeout:
    description: Seconds for all of it; a server that has not answered by then counts as silent.
    type: float
    default: 5.0
extends_documentation_fragment: [trinitycore.mcp.mysql_servers]
attributes:
  check_mode:
    support: full
    description: Reads only.
  diff_mode:
    support: none
"""

EXAMPLES = """
- name: Who does what?
  trinitycore.mcp.mysql_topology_info:
    members: "{{ groups['database'] | trinitycore.mcp.cluster_hosts(hostvars) }}"
    admin_password: "{{ mysql_admin_password }}"
    ca_file: /etc/trinitycore-pki/ca.crt
  register: topology

- name: Stop unless there is a primary for certain
  ansible.builtin.assert:
    that: topology.primary and topology.certain
    fail_msg: "{{ topology.conclusion }}"
"""

RETURN = """
primary:
  description: The server that takes writes; empty when none does, several do, or that can't be known.
  returned: success
  type: str
certain:
  description:
    - Whether no silent server could make RV(primary) wrong. One to which the primary sends its binary log could not.
  returned: success
  type: bool
conclusion:
  description: Who the primary is, or why that can't be said, in a sentence.
  returned: success
  type: str
  sample: "The primary is unknown: db1 did not answer and may be it (db2 and db3 follow(s) db1)."
reference:
  description:
    - The server with which positions and errant transactions were compared - the primary, else the most advanced of
      those that answer.
  returned: success
  type: str
problems:
  description: What is not as it should be, with the name of the host.
  returned: success
  type: list
  elements: str
doubts:
  description: What could not be seen, and what that means.
  returned: success
  type: list
  elements: str
servers:
  description: One for each of O(members), in their order.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: Name of the host.
      type: str
    address:
      description: Its address.
      type: str
    role:
      description:
        - V(primary); V(writable) where that does not make it the primary; V(replica); V(secondary), a member of a group
          that another one leads; V(alone), read-only and following nobody; V(silent).
      type: str
    silence:
      description: Why nothing is known of a V(silent) one.
      type: str
    version:
      description: Version of the server.
      type: str
    flavor:
      description: Kind of the server.
      type: str
    server_id:
      description: Its replication id.
      type: int
    writable:
      description: Whether it takes writes.
      type: bool
    follows:
      description: Name of the host that it follows, or its address where it is none of O(members).
      type: str
    followers:
      description: Addresses of the servers that read its binary log now.
      type: list
      elements: str
    receives:
      description: Whether it receives what RV(servers[].follows) writes.
      type: bool
    applies:
      description: Whether it applies that.
      type: bool
    error:
      description: Why not, as the server says it.
      type: str
    lag:
      description: Seconds that it is behind; none when the server can't tell.
      type: int
    gtid_position:
      description: Last transactions that it has.
      type: str
    gtid_state:
      description: Last transactions of each origin in its binary log.
      type: str
    lacks:
      description: What RV(reference) has and it has not applied yet.
      type: list
      elements: str
    errant:
      description:
        - The last transaction of each origin that it holds and RV(reference) does not; where several servers take
          writes, what all others of those lack.
      type: list
      elements: str
    semi_sync:
      description:
        - C(wanted), whether its commits are to wait for a replica; C(works), whether they do (not after C(timeout)
          seconds without a replica); C(replicas) that confirm; C(waiting), commits that wait now, C(longest_wait) of
          them in seconds; C(confirms), whether it confirms to the server that it follows.
      type: dict
    group:
      description:
        - How it stands in the group that it is set up for, which chooses the primary by itself - C(name); its own
          C(state); the C(members)' states by address, as it sees them; the address of the C(primary); whether the group
          C(runs), that is, it hears most of the members. None where servers form no group.
      type: dict
    problems:
      description: What is not as it should be.
      type: list
      elements: str
summary:
  description: All of it as lines for people, a table among them.
  returned: success
  type: list
  elements: str
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.trinitycore.mcp.plugins.module_utils.mysql.connection import PYMYSQL_MISSING
from ansible_collections.trinitycore.mcp.plugins.module_utils.mysql.reach import SERVERS, login_of
from ansible_collections.trinitycore.mcp.plugins.module_utils.mysql.survey import (
    Finding,
    ask_all,
    describe,
    summary,
)


def as_result(found: Finding) -> dict[str, Any]:
    """Return what is known of a server as documented."""
    result: dict[str, Any] = {
        "name": found.name,
        "address": found.address,
        "role": found.role,
        "silence": found.silence,
        "problems": found.problems,
    }
    state, semi_sync = found.state, found.semi_sync
    if state is None or semi_sync is None:
        return result
    there = state.replication
    return result | {
        "version": state.version,
        "flavor": state.flavor,
        "server_id": state.server_id,
        "writable": not state.read_only,
        "follows": found.follows,
        "followers": state.followers,
        "receives": there is not None and there.io_running == "Yes",
        "applies": there is not None and there.sql_running,
        "error": there.error if there is not None else "",
        "lag": there.lag if there is not None else None,
        "gtid_position": state.gtid_position,
        "gtid_state": state.gtid_state,
        "lacks": found.lacks,
        "errant": found.errant,
        "semi_sync": vars(semi_sync),
        "group": None
        if state.group is None
        else {
            "name": state.group.name,
            "state": state.group.state,
            "members": state.group.members,
            "primary": state.group.primary,
            "runs": state.group.runs,
        },
    }


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={**SERVERS, "timeout": {"type": "float", "default": 5.0}}, supports_check_mode=True
    )
    options = dict(module.params)
    timeout = options["timeout"]
    if timeout <= 0:
        module.fail_json(msg=f"timeout is {timeout:g}; it must be above 0")
    if PYMYSQL_MISSING:
        module.fail_json(msg=PYMYSQL_MISSING)
    servers = {
        member["name"]: (member["address"], login_of(member, options, timeout=timeout, answer=timeout))
        for member in options["members"]
    }
    survey = describe(ask_all(servers, timeout))
    module.exit_json(
        changed=False,
        primary=survey.primary,
        certain=survey.certain,
        conclusion=survey.conclusion,
        reference=survey.reference,
        problems=survey.problems,
        doubts=survey.doubts,
        servers=[as_result(found) for found in survey.servers],
        summary=summary(survey),
    )


if __name__ == "__main__":
    main()
