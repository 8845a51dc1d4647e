# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Module that gives a host its part in a Redis replication."""

from __future__ import annotations

DOCUMENTATION = r"""
module: redis_replication
author: The trinitycore.mcp authors
version_added: 2.0.0
short_description: Give this host its part in a Redis replication
description:
  - Asks every member over TLS which server it replicates from, and makes this host follow the primary found.
    What runs beats what the inventory says, so a switch made by hand or by Sentinel stays.
  - Only where no server replicates and none holds data does O(bootstrap_primary) become primary.
  - Before the first start of Redis it writes the replication line into O(state_file), so that a server never runs
    in the wrong part. A stopped server whose part was taken over is made a replica in the same way.
  - A running server is changed by C(REPLICAOF) and C(CONFIG REWRITE).
  - Refuses to drop data that is on this host only, except where O(discard) names the host.
  - The user needs C(INFO), C(REPLICAOF) and C(CONFIG REWRITE). Runs on the Redis host itself.
options:
  name:
    description: Name of this host among the members.
    type: str
    required: true
  members:
    description: All servers.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: Name of the server.
        type: str
        required: true
      address:
        description: Address by which the servers know each other.
        type: str
        required: true
  port:
    description: TLS port of all servers.
    type: int
    default: 6379
  bootstrap_primary:
    description: Member that becomes primary where nothing exists yet.
    type: str
    required: true
  state_file:
    description: Configuration file that Redis is started with and rewrites itself.
    type: path
    default: /var/lib/redis/redis.conf
  owner:
    description: User that Redis runs as.
    type: str
    default: redis
  discard:
    description: Members whose own data may be dropped when they become replicas.
    type: list
    elements: str
    default: []
  patience:
    description: Seconds for which servers may contradict each other, as they do while Sentinel changes the primary.
    type: float
    default: 0.0
extends_documentation_fragment: [trinitycore.mcp.redis_login]
attributes:
  check_mode:
    description: Can run in check mode and say what it would do.
    support: full
  diff_mode:
    description: Shows this host's primary before and after.
    support: full
"""

EXAMPLES = r"""
- name: Follow the primary
  trinitycore.mcp.redis_replication:
    name: "{{ inventory_hostname }}"
    members: "{{ groups['redis'] | trinitycore.mcp.cluster_hosts(hostvars) }}"
    bootstrap_primary: redis1
    password: "{{ redis_admin_password }}"
    ca_file: /etc/trinitycore-pki/ca.crt
    cert_file: /etc/trinitycore-pki/host.crt
    key_file: /etc/trinitycore-pki/host.key
"""

RETURN = r"""
primary:
  description: Name of the primary; empty when too little is known to say and this host keeps its part.
  returned: always
  type: str
primary_address:
  description: Address of the primary; empty when C(primary) is.
  returned: always
  type: str
running:
  description: Whether this host's server answered.
  returned: always
  type: bool
role:
  description: Part of this host, C(primary) or C(replica); empty when C(primary) is.
  returned: always
  type: str
nodes:
  description: What each member said.
  returned: always
  type: list
  elements: dict
"""

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.trinitycore.mcp.plugins.module_utils.redis.client import (
    LOGIN_OPTIONS,
    Redis,
    RedisError,
    login_of,
)
from ansible_collections.trinitycore.mcp.plugins.module_utils.redis.state_file import (
    stated_primary,
    with_primary,
    write,
)
from ansible_collections.trinitycore.mcp.plugins.module_utils.redis.topology import (
    Choice,
    Member,
    Node,
    TopologyError,
    choose_primary,
    look,
    look_at_all,
)


@dataclass(frozen=True)
class Host:
    """This host: what its server says and what its state file holds (None without one)."""

    node: Node
    state: str | None

    @property
    def initialised(self) -> bool:
        """Whether the host has been part of the replication before."""
        return self.state is not None or self.node.state == "answered"

    @property
    def follows(self) -> str | None:
        """The address that it replicates from, None for a primary: as its server says, else as its file says."""
        return self.node.upstream if self.node.state == "answered" else stated_primary(self.state or "")


def wanted_upstream(host: Host, choice: Choice | None, nodes: Sequence[Node]) -> str | None:
    """Return the address that this host should replicate from, None for the primary itself.

    :raises TopologyError: data would be lost, or too little is known to let a new host in.
    """
    own = host.node
    if choice is None and not host.initialised:
        raise TopologyError(
            f"{own.name} is new, and whether there is a primary already cannot be told while other servers give no "
            "answer; start them or remove them from the inventory"
        )
    if choice is None or (host.initialised and not choice.live):
        return host.follows
    if choice.node.name == own.name:
        copies = [node for node in nodes if node.upstream is not None and node.keys]
        if copies and not host.initialised:
            raise TopologyError(
                f"{own.name} is new and empty, but {', '.join(node.name for node in copies)} hold a copy of the data "
                "and wait for it as their primary, and would copy the emptiness; promote one of them first "
                "(REPLICAOF NO ONE)"
            )
        return None
    if own.state == "answered" and own.upstream is None and own.keys:
        raise TopologyError(
            f"{own.name} holds {own.keys} keys and replicates from nobody, while {choice.node.name} is primary; its "
            f"data is dropped when it becomes a replica: if that is right, set redis_discard to [{own.name}]"
        )
    return choice.node.address


def main() -> None:
    """Find the primary and follow it."""
    module = AnsibleModule(
        argument_spec={
            "name": {"type": "str", "required": True},
            "members": {
                "type": "list",
                "elements": "dict",
                "required": True,
                "options": {
                    "name": {"type": "str", "required": True},
                    "address": {"type": "str", "required": True},
                },
            },
            "port": {"type": "int", "default": 6379},
            "bootstrap_primary": {"type": "str", "required": True},
            **LOGIN_OPTIONS,
            "state_file": {"type": "path", "default": "/var/lib/redis/redis.conf"},
            "owner": {"type": "str", "default": "redis"},
            "discard": {"type": "list", "elements": "str", "default": []},
            "patience": {"type": "float", "default": 0.0},
        },
        supports_check_mode=True,
    )
    options: dict[str, Any] = module.params
    port: int = options["port"]
    members = [Member(**member) for member in options["members"]]
    login = login_of(options)
    path = Path(options["state_file"])
    try:
        unborn = module.check_mode and not Path(options["cert_file"]).exists()
        end = time.monotonic() + options["patience"]
        while True:
            # A host without its certificate was never rolled out: nothing to ask with, nothing to find.
            nodes = (
                [Node(member.name, member.address, "refused") for member in members]
                if unborn
                else look_at_all(members, lambda member: look(member, port, login))
            )
            # Data that may be dropped counts as none.
            nodes = [replace(node, keys=0) if node.name in options["discard"] else node for node in nodes]
            own = next((node for node in nodes if node.name == options["name"]), None)
            if own is None:
                module.fail_json(msg=f"{options['name']!r} is none of the members")
            host = Host(own, path.read_text() if path.is_file() else None)
            try:
                choice = choose_primary(nodes, options["bootstrap_primary"])
                upstream = wanted_upstream(host, choice, nodes)
                break
            except TopologyError:
                if time.monotonic() > end:
                    raise
                time.sleep(1)
        stopped = own.state == "refused"
        changed = (own.state == "answered" or stopped) and (upstream != host.follows or not host.initialised)
        if changed and not module.check_mode:
            if stopped:
                write(path, with_primary(host.state, upstream, port), options["owner"])
            else:
                with Redis(own.address, port, login) as server:
                    server.call("REPLICAOF", *((upstream, str(port)) if upstream else ("NO", "ONE")))
                    server.call("CONFIG", "REWRITE")
    except (TopologyError, RedisError, OSError) as error:
        module.fail_json(msg=str(error))
    primary = choice.node.name if choice else ""
    module.exit_json(
        changed=changed,
        primary=primary,
        primary_address=choice.node.address if choice else "",
        running=own.state == "answered",
        role="" if choice is None else "replica" if upstream else "primary",
        nodes=[asdict(node) for node in nodes],
        diff={
            "before_header": str(path),
            "after_header": str(path),
            "before": f"primary: {host.follows or 'this host'}\n" if host.initialised else "",
            "after": f"primary: {upstream or 'this host'}\n",
        },
    )


if __name__ == "__main__":
    main()
