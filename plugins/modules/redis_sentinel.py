# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Module that tells a host's Sentinel once what to watch, and its quorum."""

from __future__ import annotations

DOCUMENTATION = r"""
module: redis_sentinel
author: The trinitycore.mcp authors
version_added: 2.0.0
short_description: Tell this host's Sentinel what to watch
description:
  - Before the first start of Sentinel it writes the primary into O(state_file). From then on the file is Sentinel's,
    and which server is primary is never changed.
  - Another O(quorum) is set in the running Sentinel, or in the file while it is stopped.
  - The Sentinel's user needs C(SENTINEL MASTER) and C(SENTINEL SET). Runs on the Sentinel's host itself.
options:
  name:
    description: What the Sentinels call the group of servers.
    type: str
    required: true
  primary:
    description: Address of the primary as it was found out; counts before the first start only.
    type: str
    required: true
  redis_port:
    description: TLS port of the servers.
    type: int
    default: 6379
  quorum:
    description: How many Sentinels must hold the primary for dead.
    type: int
    required: true
  address:
    description: Address of this host's Sentinel.
    type: str
    required: true
  port:
    description: TLS port of the Sentinel.
    type: int
    default: 26379
  state_file:
    description: Configuration file that Sentinel is started with and rewrites itself.
    type: path
    default: /var/lib/redis/sentinel.conf
  owner:
    description: User that Sentinel runs as.
    type: str
    default: redis
extends_documentation_fragment: [trinitycore.mcp.redis_login]
attributes:
  check_mode:
    description: Can run in check mode and say what it would do.
    support: full
  diff_mode:
    description: Shows primary and quorum before and after.
    support: full
"""

EXAMPLES = r"""
- name: Have Sentinel watch the primary
  trinitycore.mcp.redis_sentinel:
    name: trinitycore-mcp
    primary: "{{ redis_part.primary_address }}"
    quorum: 2
    address: "{{ ansible_host }}"
    password: "{{ redis_admin_password }}"
    ca_file: /etc/trinitycore-pki/ca.crt
    cert_file: /etc/trinitycore-pki/host.crt
    key_file: /etc/trinitycore-pki/host.key
"""

RETURN = r"""
primary:
  description: Address of the primary that the Sentinel watches.
  returned: always
  type: str
"""

from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.trinitycore.mcp.plugins.module_utils.redis.client import (
    LOGIN_OPTIONS,
    Login,
    Redis,
    RedisError,
    login_of,
)
from ansible_collections.trinitycore.mcp.plugins.module_utils.redis.sentinel import Sentinel
from ansible_collections.trinitycore.mcp.plugins.module_utils.redis.sentinel_file import (
    Monitor,
    monitored,
    with_monitor,
)
from ansible_collections.trinitycore.mcp.plugins.module_utils.redis.state_file import write


def main() -> None:
    """Write the file once, keep the quorum right."""
    module = AnsibleModule(
        argument_spec={
            "name": {"type": "str", "required": True},
            "primary": {"type": "str", "required": True},
            "redis_port": {"type": "int", "default": 6379},
            "quorum": {"type": "int", "required": True},
            "address": {"type": "str", "required": True},
            "port": {"type": "int", "default": 26379},
            **LOGIN_OPTIONS,
            "state_file": {"type": "path", "default": "/var/lib/redis/sentinel.conf"},
            "owner": {"type": "str", "default": "redis"},
        },
        supports_check_mode=True,
    )
    options: dict[str, Any] = module.params
    name: str = options["name"]
    login = login_of(options)
    path = Path(options["state_file"])
    text = path.read_text() if path.is_file() else None
    before = monitored(text or "", name)
    if before is None and not options["primary"]:
        module.fail_json(msg=f"which server is primary is not known, so Sentinel can't be told; nothing is in {path}")
    after = Monitor(
        before.address if before else options["primary"],
        before.port if before else options["redis_port"],
        options["quorum"],
    )
    if after != before and not module.check_mode:
        try:
            if before is None:
                write(path, with_monitor(text, name, after), options["owner"])
            else:
                _change_quorum(options, login, path, after)
        except (RedisError, OSError) as error:
            module.fail_json(msg=f"Sentinel at {options['address']}:{options['port']}: {error}")
    module.exit_json(
        changed=after != before,
        primary=after.address,
        diff={
            "before_header": str(path),
            "after_header": str(path),
            "before": f"{before}\n" if before else "",
            "after": f"{after}\n",
        },
    )


def _change_quorum(options: dict[str, Any], login: Login, path: Path, wanted: Monitor) -> None:
    try:
        with Redis(options["address"], options["port"], login) as server:
            Sentinel(server, options["name"]).set_quorum(wanted.quorum)
    except ConnectionRefusedError:
        write(path, with_monitor(path.read_text(), options["name"], wanted), options["owner"])


if __name__ == "__main__":
    main()
