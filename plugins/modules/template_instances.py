# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Module that says which instances of a systemd template unit belong to a target."""

from __future__ import annotations

DOCUMENTATION = r"""
module: template_instances
author: The trinitycore.mcp authors
version_added: 2.0.0
short_description: Say which instances of a systemd template unit belong to a target
description:
  - Makes a target want exactly the given instances of a template unit, so that they start and stop with it.
  - Instances that no longer belong to it are stopped, one after the other. Nothing is started.
  - The unit files need not exist yet.
options:
  template:
    description: Template unit, such as C(example@.service).
    type: str
    required: true
  target:
    description: Unit that wants the instances, such as C(example.target).
    type: str
    required: true
  instances:
    description: Names of the instances.
    type: list
    elements: str
    required: true
attributes:
  check_mode:
    description: Can run in check mode and say what it would do.
    support: full
  diff_mode:
    description: Shows the instances before and after.
    support: full
"""

EXAMPLES = r"""
- name: Two instances
  trinitycore.mcp.template_instances:
    template: trinitycore-mcp@.service
    target: trinitycore-mcp.target
    instances: ['1', '2']
"""

RETURN = r"""
stopped:
  description: Instances that ran and no longer belong to the target.
  returned: always
  type: list
  elements: str
"""

from pathlib import Path

from ansible.module_utils.basic import AnsibleModule

UNITS = Path("/etc/systemd/system")


def wanted_by(target: str, template: str, units: Path = UNITS) -> dict[str, Path]:
    """Return the instances of a template that a target wants, with the links that say so."""
    start, end = template.split("@", 1)
    links = (units / f"{target}.wants").glob(f"{start}@*{end}")
    return {link.name[len(start) + 1 : -len(end)]: link for link in links}


def running(module: AnsibleModule, template: str) -> list[str]:
    """Return the instances of a template that are not stopped."""
    start, end = template.split("@", 1)
    states = "active,activating,reloading,deactivating,failed"
    command = ["systemctl", "list-units", "--plain", "--no-legend", f"--state={states}", f"{start}@*{end}"]
    _code, listed, _said = module.run_command(command, check_rc=True)
    return [line.split()[0][len(start) + 1 : -len(end)] for line in listed.splitlines() if line.strip()]


def main() -> None:
    """Link the wanted instances, unlink and stop the others."""
    module = AnsibleModule(
        argument_spec={
            "template": {"type": "str", "required": True},
            "target": {"type": "str", "required": True},
            "instances": {"type": "list", "elements": "str", "required": True},
        },
        supports_check_mode=True,
    )
    template, target = module.params["template"], module.params["target"]
    start, at, end = template.partition("@")
    if not at or not end.startswith("."):
        module.fail_json(msg=f"{template!r} is no template unit: a name such as example@.service is expected")
    instances = list(dict.fromkeys(module.params["instances"]))
    links = wanted_by(target, template)
    missing = [name for name in instances if name not in links]
    surplus = sorted(set(links) - set(instances))
    to_stop = sorted(set(running(module, template)) - set(instances))
    if not module.check_mode:
        folder = UNITS / f"{target}.wants"
        for name in missing:
            folder.mkdir(mode=0o755, exist_ok=True)
            (folder / f"{start}@{name}{end}").symlink_to(UNITS / template)
        for name in surplus:
            links[name].unlink()
        if missing or surplus:
            module.run_command(["systemctl", "daemon-reload"], check_rc=True)
        for name in to_stop:
            module.run_command(["systemctl", "stop", f"{start}@{name}{end}"], check_rc=True)
            # A stopped unit that had failed would stay in sight as failed.
            module.run_command(["systemctl", "reset-failed", f"{start}@{name}{end}"])
    before, after = sorted(set(links)), sorted(set(links) - set(surplus) | set(missing))
    module.exit_json(
        changed=bool(missing or surplus or to_stop),
        stopped=to_stop,
        diff={
            "before_header": target,
            "after_header": target,
            "before": "".join(f"{start}@{name}{end}\n" for name in before),
            "after": "".join(f"{start}@{name}{end}\n" for name in after),
        },
    )


if __name__ == "__main__":
    main()
