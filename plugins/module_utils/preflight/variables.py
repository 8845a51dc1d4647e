# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Checks of each host's variables against the argument specs of its roles."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from .inventory import HostVariables, Inventory, UnknownYetError, UnresolvedError
from .problems import Problem, Problems, one_of, shown
from .specs import RoleSpec, owner_of

SHARED_ROLE = "cluster"
TYPE_NAMES = {
    "str": "a string",
    "path": "a path",
    "int": "an integer",
    "float": "a number",
    "bool": "true or false",
    "list": "a list",
    "dict": "a mapping",
}


@dataclass(frozen=True)
class VariableChecks:
    """Checks every variable of every host that has the prefix of one of the collection's roles.

    :ivar secrets: names of variables that another check looks at.
    :ivar required_elsewhere: names of variables whose absence another check tells of.
    """

    specs: Mapping[str, RoleSpec]
    secrets: Collection[str]
    required_elsewhere: Collection[str] = ()

    def run(self, inventory: Inventory, roles_of: Mapping[str, Collection[str]], problems: Problems) -> None:
        """Add the problems of all hosts.

        :param roles_of: roles that a host gets, by host.
        """
        known = set(self.secrets).union(*(spec.options for spec in self.specs.values()))
        for host in inventory.hosts.values():
            for name in sorted(host.set_names):
                self._check_set(host, name, known, problems)
            for role in (SHARED_ROLE, *roles_of[host.name]):
                self._check_required(host, role, problems)

    def _check_set(self, host: HostVariables, name: str, known: Collection[str], problems: Problems) -> None:
        role = owner_of(name, self.specs)
        if role is None:
            return
        if name not in known:
            problems.add(Problem(name, *self._unknown(name, role, known), host.origin(name)), [host.name])
            return
        option = self.specs[role].options.get(name)
        if option is None or name in self.secrets:
            return
        try:
            value = host.resolve(name)
        except UnknownYetError:
            return
        except UnresolvedError as error:
            problems.add(Problem(name, f"can't be worked out, {error}", "", host.origin(name)), [host.name])
            return
        for what, allowed in check_value(name, option, value, bool(option.get("no_log"))):
            problems.add(Problem(name, what, allowed, host.origin(name)), [host.name])

    def _unknown(self, name: str, role: str, known: Collection[str]) -> tuple[str, str]:
        close = difflib.get_close_matches(name, sorted(known), n=1, cutoff=0.75)
        what = f"no role knows this variable{f', did you mean {close[0]}?' if close else ''}"
        return what, "" if close else f"role {role} knows {', '.join(sorted(self.specs[role].options))}"

    def _check_required(self, host: HostVariables, role: str, problems: Problems) -> None:
        spec = self.specs.get(role)
        for name, option in spec.options.items() if spec else ():
            elsewhere = name in self.secrets or name in self.required_elsewhere
            if not option.get("required") or name in host.set_names or elsewhere:
                continue
            problems.add(Problem(name, f"is not set, and role {role} needs it", _kind(option)), [host.name])


def check_value(name: str, option: Mapping[str, Any], value: Any, secret: bool) -> Iterator[tuple[str, str]]:
    """Yield ``(what is wrong, what is allowed)`` of a variable's value.

    :param option: the variable's part of the argument spec.
    :param secret: whether the value must not be shown.
    """
    kind = option.get("type", "str")
    if value is None:
        if option.get("required") or option.get("default") is not None:
            yield "is empty; remove the line to use the default", _kind(option)
        return
    # The validator would turn these into something of the right type, but roles use the value as it is.
    of_wrong_shape = (
        (kind == "list" and not isinstance(value, (list, tuple)))
        or (kind == "dict" and not isinstance(value, Mapping))
        or (kind not in ("list", "dict", "raw", "json") and isinstance(value, (list, tuple, Mapping)))
    )
    if of_wrong_shape:
        yield f"{shown(value, secret)} is not {TYPE_NAMES.get(kind, kind)}", _kind(option)
        return
    validator = ArgumentSpecValidator({name: _without_defaults(option)})
    for error in validator.validate({name: value}).errors:
        if kind in ("list", "dict") and not secret:
            yield str(error), "" if option.get("options") else _kind(option)
        elif option.get("choices") and str(value) not in map(str, option["choices"]):
            yield f"{shown(value, secret)} is not one of the choices", _kind(option)
        else:
            yield f"{shown(value, secret)} is not {TYPE_NAMES.get(kind, kind)}", _kind(option)


def _kind(option: Mapping[str, Any]) -> str:
    if option.get("choices"):
        return one_of(option["choices"])
    kind = option.get("type", "str")
    name = TYPE_NAMES.get(kind, kind)
    if kind == "list" and "elements" in option:
        name = f"a list, each of it {TYPE_NAMES.get(option['elements'], option['elements'])}"
    return f"must be {name}"


def _without_defaults(option: Mapping[str, Any]) -> dict[str, Any]:
    """Copy an option without what the validator must not see: defaults may be templates of another type."""
    copy = {key: value for key, value in option.items() if key in ("type", "elements", "choices")}
    if isinstance(option.get("options"), Mapping):
        copy["options"] = {
            name: {**_without_defaults(suboption), "required": bool(suboption.get("required"))}
            for name, suboption in option["options"].items()
        }
    return copy
