# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Action of preflight: every problem of inventory and variables at once, without touching a host."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ansible import __version__ as core_version
from ansible.errors import AnsibleError, AnsibleUndefinedVariable
from ansible.plugins.action import ActionBase
from ansible_collections.trinitycore.mcp.plugins.module_utils.preflight.cluster import PRIMARIES, ClusterChecks
from ansible_collections.trinitycore.mcp.plugins.module_utils.preflight.controller import controller_problems
from ansible_collections.trinitycore.mcp.plugins.module_utils.preflight.inventory import (
    HostVariables,
    Inventory,
    UnknownYetError,
    UnresolvedError,
)
from ansible_collections.trinitycore.mcp.plugins.module_utils.preflight.problems import Problems
from ansible_collections.trinitycore.mcp.plugins.module_utils.preflight.specs import load_specs
from ansible_collections.trinitycore.mcp.plugins.module_utils.preflight.variables import VariableChecks

try:
    # Where a value was written: for reading only, and other versions may keep it elsewhere.
    from ansible._internal._datatag._tags import Origin

    origin_tag: Callable[[Any], Any] = Origin.get_tag
except ImportError:

    def origin_tag(value: Any) -> Any:  # noqa: ARG001
        """Know of no origin."""
        return None


ROLES = Path(__file__).parents[2] / "roles"
IDENTIFIER = re.compile(r"[A-Za-z_]\w*")
FACTS = frozenset({"ansible_facts", "ansible_local"})


class ActionModule(ActionBase):
    """Checks the whole inventory, whatever host the task runs for."""

    TRANSFERS_FILES = False
    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Run the action; returns the task's result."""
        super().run(tmp, task_vars)
        self.validate_argument_spec({})
        variables = task_vars or {}
        specs = load_specs(ROLES)
        inventory = self._read_inventory(variables["hostvars"], variables["groups"], list(specs))
        secrets = _common_value(inventory, "cluster_secrets", [])
        problems = Problems()
        for problem in controller_problems(core_version):
            problems.add(problem)
        roles_of = {name: _roles_of(inventory, host) for name, host in inventory.hosts.items()}
        VariableChecks(specs, secrets, PRIMARIES.values()).run(inventory, roles_of, problems)
        ClusterChecks(inventory, problems, list(specs), secrets).run()
        lines = problems.lines(inventory)
        if not lines:
            return {"changed": False, "msg": f"{len(inventory.hosts)} hosts, no problem found", "problems": []}
        count = "1 problem" if len(lines) == 1 else f"{len(lines)} problems"
        return {
            "failed": True,
            "changed": False,
            "msg": f"{count} in inventory and variables; nothing was changed.",
            "problems": lines,
        }

    def _read_inventory(self, hostvars: Any, groups: Mapping[str, list[str]], roles: list[str]) -> Inventory:
        defaults: dict[str, Any] = {}
        for role in roles:
            path = ROLES / role / "defaults" / "main.yml"
            if path.exists():
                defaults.update(self._loader.load_from_file(str(path), trusted_as_template=True) or {})
        names = [str(name) for name in groups["all"]]
        return Inventory(
            groups={str(group): [str(name) for name in members] for group, members in groups.items()},
            hosts={name: self._host(name, hostvars, defaults) for name in names},
        )

    def _host(self, name: str, hostvars: Any, defaults: dict[str, Any]) -> HostVariables:
        own: dict[str, Any] = hostvars.raw_get(name)
        variables = {**defaults, **own, "hostvars": hostvars}
        templar = self._templar.copy_with_new_env(available_variables=variables)

        def resolve(variable: str) -> Any:
            try:
                return templar.template(variables[variable])
            except AnsibleUndefinedVariable as error:
                if _needs_facts(variables[variable], variables):
                    raise UnknownYetError(str(error)) from error
                raise UnresolvedError(_reason(error)) from error
            except AnsibleError as error:
                raise UnresolvedError(_reason(error)) from error

        return HostVariables(
            name=name,
            set_names=frozenset(map(str, own)) - _of_earlier_tasks(hostvars, name),
            resolve=resolve,
            origin=lambda variable: _origin(own.get(variable)),
        )


def _roles_of(inventory: Inventory, host: HostVariables) -> list[str]:
    try:
        components = host.resolve("cluster_components")
    except (KeyError, UnresolvedError):
        return []
    groups = inventory.groups_of(host.name)
    if not isinstance(components, Mapping):
        return []
    return [str(role) for group, roles in components.items() if group in groups for role in roles or []]


def _common_value(inventory: Inventory, variable: str, fallback: Any) -> Any:
    for host in inventory.hosts.values():
        try:
            return host.resolve(variable)
        except (KeyError, UnresolvedError):
            continue
    return fallback


def _of_earlier_tasks(hostvars: Any, host: str) -> set[str]:
    """Return the names that tasks of this run have registered or set, which are nobody's input."""
    # Ansible has no public way to ask which variables come from tasks.
    manager = getattr(hostvars, "_variable_manager", None)
    cache = getattr(manager, "_nonpersistent_fact_cache", {})
    return set(map(str, cache.get(host, {})))


def _needs_facts(raw: Any, variables: Mapping[str, Any], seen: frozenset[str] = frozenset()) -> bool:
    """Tell whether a template leads, also through other variables, to facts, which are not gathered yet."""
    names = set(IDENTIFIER.findall(str(raw)))
    if names & FACTS:
        return True
    following = {name for name in names if name in variables and name not in seen and name != "hostvars"}
    return any(_needs_facts(variables[name], variables, seen | following) for name in following)


def _reason(error: Exception) -> str:
    """Return an error's own sentence: the frame around it repeats what the problem says already."""
    cause = error.__cause__
    return " ".join(str(cause if isinstance(cause, AnsibleError) else error).split())


def _origin(value: Any) -> str:
    """Return ``file:line`` of a value, empty if Ansible does not tell."""
    tag = origin_tag(value)
    if tag is None or not tag.path:
        return ""
    path = Path(tag.path)
    shown = path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
    return f"{shown}:{tag.line_num}" if tag.line_num else str(shown)
