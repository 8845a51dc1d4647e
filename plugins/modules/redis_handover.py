# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Module by which a Redis primary hands over to a replica, on purpose and without losing a write."""

from __future__ import annotations

DOCUMENTATION = r"""
module: redis_handover
author: The trinitycore.mcp authors
version_added: 2.0.0
short_description: Have a replica take over from this host's Redis, without losing a write
description:
  - Waits until every replica has all data, holds writes back, lets Sentinel promote a replica and makes this host's
    server its replica at once. Only then are writes let go, which are refused here from then on.
  - Does nothing where this host's server is a replica already, and nothing but warn where no Sentinel answers; the
    server then stays the primary.
  - When the Sentinels promote nobody in time, writes go on as before and the module fails.
  - Runs on the Redis host itself.
options:
  name:
    description: Name of this host among the members.
    type: str
    required: true
  members:
    description: All servers; each has a Sentinel too.
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
  sentinel_name:
    description: What the Sentinels call the group of servers.
    type: str
    required: true
  sentinel_port:
    description: TLS port of all Sentinels.
    type: int
    default: 26379
  patience:
    description: Seconds to wait for the replicas to have all data, and afterwards for the Sentinels to agree.
    type: float
    default: 60.0
  hold:
    description: Seconds for which writes are held back at most.
    type: float
    default: 3.0
extends_documentation_fragment: [trinitycore.mcp.redis_login]
attributes:
  check_mode:
    description: Can run in check mode and say what it would do.
    support: full
  diff_mode:
    description: Does not show differences.
    support: none
"""

EXAMPLES = r"""
- name: Have a replica take over
  trinitycore.mcp.redis_handover:
    name: "{{ inventory_hostname }}"
    members: "{{ groups['redis'] | trinitycore.mcp.cluster_hosts(hostvars) }}"
    sentinel_name: trinitycore-mcp
    password: "{{ redis_admin_password }}"
    ca_file: /etc/trinitycore-pki/ca.crt
    cert_file: /etc/trinitycore-pki/host.crt
    key_file: /etc/trinitycore-pki/host.key
"""

RETURN = r"""
primary:
  description: Address of the primary afterwards.
  returned: success
  type: str
seconds:
  description: How long writes were held back.
  returned: when a replica took over
  type: float
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.trinitycore.mcp.plugins.module_utils.redis.client import LOGIN_OPTIONS, RedisError, login_of
from ansible_collections.trinitycore.mcp.plugins.module_utils.redis.handover import Cluster, HandoverError, hand_over
from ansible_collections.trinitycore.mcp.plugins.module_utils.redis.topology import Member, TopologyError, look


def main() -> None:
    """Hand over, where this host's server is the primary and there are Sentinels."""
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
            "sentinel_name": {"type": "str", "required": True},
            "sentinel_port": {"type": "int", "default": 26379},
            **LOGIN_OPTIONS,
            "patience": {"type": "float", "default": 60.0},
            "hold": {"type": "float", "default": 3.0},
        },
        supports_check_mode=True,
    )
    options: dict[str, Any] = module.params
    members = [Member(**member) for member in options["members"]]
    own = next((member for member in members if member.name == options["name"]), None)
    if own is None:
        module.fail_json(msg=f"{options['name']!r} is none of the members")
    cluster = Cluster(
        members,
        options["port"],
        options["sentinel_port"],
        options["sentinel_name"],
        login_of(options),
    )
    try:
        node = look(own, cluster.port, cluster.login)
        if node.state != "answered":
            module.fail_json(msg=f"{own.name} gives no answer: {node.reason}")
        if node.upstream is not None:
            module.exit_json(changed=False, primary=node.upstream)
        if not cluster.words():
            module.warn(f"no Sentinel answers, so nobody takes over from {own.name}: it restarts as the primary")
            module.exit_json(changed=False, primary=own.address)
        if module.check_mode:
            module.exit_json(changed=True, primary="")
        primary, seconds = hand_over(own, cluster, patience=options["patience"], hold=options["hold"])
    except (HandoverError, TopologyError, RedisError, OSError) as error:
        module.fail_json(msg=str(error))
    module.exit_json(changed=True, primary=primary, seconds=round(seconds, 3))


if __name__ == "__main__":
    main()
