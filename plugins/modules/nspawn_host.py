#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Hosts of a lab."""

from __future__ import annotations

DOCUMENTATION = r"""
module: nspawn_host
short_description: Lab hosts as systemd-nspawn containers that behave like machines
version_added: "2.0.0"
description:
  - Creates, starts, stops, freezes, cuts off, kills and removes hosts, any number in one call, side by side.
  - A host has a network namespace, an address and control groups of its own, real systemd and real SSH.
  - Its files are an overlay over a shared image; its mounts live in a mount namespace of its own, so nothing of
    them is left when it ends, whatever ended it.
  - Leftovers of a killed run or a reboot of the machine are found by their control groups and mended.
author:
  - The trinitycore.mcp authors (@trinitycore-mcp)
options:
  directory:
    description: Directory of the lab's state, as given to M(trinitycore.mcp.nspawn_network).
    type: path
    required: true
  lab:
    description:
      - Name of the lab. Read from its directory when left out.
      - Given together with O(subnet), hosts are found even when the directory is gone.
    type: str
  subnet:
    description: First three numbers of the lab's network. Read from its directory when left out.
    type: str
  hosts:
    description:
      - The hosts. All hosts that exist when left out (not for C(present) and C(started) of new ones).
    type: list
    elements: dict
    suboptions:
      name:
        description: Host name.
        type: str
        required: true
      address:
        description: Address in the lab's network. May be left out for a host that exists.
        type: str
      image:
        description: Image it is made of. C(mysql) is Debian sid with Oracle's MySQL.
        type: str
        aliases: [release]
        choices: [bookworm, trixie, mysql]
        default: bookworm
      memory:
        description: Most memory it may use, such as C(512M); no limit when left out.
        type: str
      cpus:
        description: Most processors it may use, such as C(0.5); no limit when left out.
        type: float
  state:
    description:
      - C(present) has it, running or not; C(started) has it running and answering on SSH.
      - C(stopped) powers it off; C(killed) cuts its power, with no warning to anything in it.
      - C(frozen) stops all its processes where they are; C(started) lets them go on.
      - C(absent) removes it with all its files.
    type: str
    choices: [present, started, stopped, killed, frozen, absent]
    default: started
  network:
    description: Whether the network cable of a running host is plugged in. Left as it is when left out.
    type: str
    choices: [up, cut]
  domain:
    description: Domain of the hosts' full names.
    type: str
    default: ""
  cache:
    description: Directory of the images, as in M(trinitycore.mcp.nspawn_image).
    type: path
  timeout:
    description: Seconds a host may take to boot or to power off.
    type: float
    default: 180
attributes:
  check_mode:
    description: Says what would be done.
    support: full
  diff_mode:
    description: Shows state and network of each changed host before and after.
    support: full
requirements:
  - systemd-container, iproute2 and openssh-client on the controller
notes:
  - Runs on the controller, as root.
"""

EXAMPLES = r"""
- name: Two hosts, up and answering
  trinitycore.mcp.nspawn_host:
    directory: /srv/mcp/.lab
    hosts:
      - {name: db1, address: 10.77.0.31}
      - {name: db2, address: 10.77.0.32, image: trixie, memory: 2G}

- name: Pull the cable of db1
  trinitycore.mcp.nspawn_host:
    directory: /srv/mcp/.lab
    hosts: [{name: db1}]
    network: cut

- name: Remove all hosts
  trinitycore.mcp.nspawn_host:
    directory: /srv/mcp/.lab
    state: absent
"""

RETURN = r"""
hosts:
  description:
    - Per host what was done, how it is now, its PID 1 seen from the controller, its interface on the controller.
  type: dict
  returned: success
  sample:
    db1: {steps: [unplug], state: running, network: cut, pid: 4711, port: vb-lab-db1, address: 10.77.0.31}
"""

from contextlib import nullcontext
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.common.text.formatters import human_to_bytes
from ansible_collections.trinitycore.mcp.plugins.module_utils.nspawn import fleet, image, network
from ansible_collections.trinitycore.mcp.plugins.module_utils.nspawn import lab as labs
from ansible_collections.trinitycore.mcp.plugins.module_utils.nspawn.commands import LabError
from ansible_collections.trinitycore.mcp.plugins.module_utils.nspawn.files import locked
from ansible_collections.trinitycore.mcp.plugins.module_utils.nspawn.host import Spec, as_yaml


def specs(module: AnsibleModule, lab: labs.Lab) -> list[Spec]:
    """The wanted hosts of the module's parameters."""
    wanted = []
    if module.params["hosts"] is None:
        return [host.spec or Spec(host.name, "") for host in fleet.all_hosts(lab)]
    for item in module.params["hosts"]:
        try:
            memory = int(human_to_bytes(item["memory"])) if item["memory"] else None
        except ValueError as error:
            raise LabError(f"{item['name']}: memory {item['memory']!r}: a size such as 512M wanted") from error
        wanted.append(
            Spec(
                name=item["name"],
                address=item["address"] or "",
                image=item["image"],
                domain=module.params["domain"],
                memory=memory,
                cpus=item["cpus"],
            )
        )
    return wanted


def converge(module: AnsibleModule) -> dict[str, Any]:
    """Bring the hosts where they are wanted; return what the module returns."""
    directory = Path(module.params["directory"])
    if module.params["lab"]:
        lab = labs.Lab(module.params["lab"], directory, module.params["subnet"])
    else:
        lab = labs.load(directory)
    network.refuse_others(lab)
    cache = Path(module.params["cache"]) if module.params["cache"] else image.default_cache()
    wanted = specs(module, lab)
    state = module.params["state"]
    if state != "absent":
        fleet.check_specs(lab, wanted)
    plans = [fleet.plan_host(lab, spec, state, module.params["network"]) for spec in wanted]
    if not module.check_mode:
        key = fleet.ensure_key(lab) if state != "absent" else ""
        fleet.clear_unfinished(lab)
        try:
            fleet.carry_out(plans, key, cache, module.params["timeout"])
        finally:
            if directory.is_dir():
                fleet.write_ssh_files(lab)
    hosts, before, after = {}, {}, {}
    for plan in plans:
        now = plan.after if module.check_mode else plan.host.observe()
        hosts[plan.host.name] = {
            "steps": list(plan.steps),
            "state": now.state,
            "network": now.network,
            "pid": now.pid,
            "port": plan.host.port,
            "address": plan.spec.address if plan.spec else "",
        }
        if plan.steps:
            before[plan.host.name] = _shown(plan, plan.before)
            after[plan.host.name] = {**_shown(plan, plan.after), "limits": _limits(plan.spec)}
    return {
        "changed": bool(before),
        "hosts": hosts,
        "diff": {"before": as_yaml(before), "after": as_yaml(after)},
    }


def _shown(plan: fleet.Plan, seen: Any) -> dict[str, Any]:
    known = plan.host.spec if seen is plan.before else plan.spec
    return {"state": seen.state, "network": seen.network, "limits": _limits(known)}


def _limits(spec: Spec | None) -> str:
    return f"memory {spec.memory or 'any'}, cpus {spec.cpus or 'any'}" if spec else ""


def main() -> None:
    """Entry point."""
    module = AnsibleModule(
        argument_spec={
            "directory": {"type": "path", "required": True},
            "lab": {"type": "str"},
            "subnet": {"type": "str"},
            "hosts": {
                "type": "list",
                "elements": "dict",
                "options": {
                    "name": {"type": "str", "required": True},
                    "address": {"type": "str"},
                    "image": {
                        "type": "str",
                        "aliases": ["release"],
                        "choices": ["bookworm", "trixie", "mysql"],
                        "default": "bookworm",
                    },
                    "memory": {"type": "str"},
                    "cpus": {"type": "float"},
                },
            },
            "state": {"type": "str", "choices": list(fleet.STATES), "default": "started"},
            "network": {"type": "str", "choices": ["up", "cut"]},
            "domain": {"type": "str", "default": ""},
            "cache": {"type": "path"},
            "timeout": {"type": "float", "default": 180},
        },
        required_together=[("lab", "subnet")],
        supports_check_mode=True,
    )
    try:
        directory = Path(module.params["directory"])
        alone = locked(directory / "lock") if directory.is_dir() and not module.check_mode else nullcontext()
        with alone:
            result = converge(module)
    except (LabError, OSError) as error:
        module.fail_json(msg=str(error))
    module.exit_json(**result)


if __name__ == "__main__":
    main()
