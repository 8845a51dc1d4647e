# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Argument specs of this collection's roles, read from their files."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True)
class RoleSpec:
    """Variables that one role documents, by name, as in its ``meta/argument_specs.yml``."""

    role: str
    options: Mapping[str, Mapping[str, Any]]

    @property
    def prefix(self) -> str:
        """Beginning of the names of the role's variables."""
        return f"{self.role}_"


def load_specs(roles: Path) -> dict[str, RoleSpec]:
    """Return the specs of all roles under a folder, by role; a role's entry points are taken together."""
    specs = {}
    for path in sorted(roles.glob("*/meta/argument_specs.yml")):
        role = path.parents[1].name
        loaded = yaml.load(path.read_text(encoding="utf-8"), Loader=LOADER)  # noqa: S506  # a safe loader, in C
        entry_points = loaded["argument_specs"]
        options: dict[str, Mapping[str, Any]] = {}
        for entry_point in entry_points.values():
            options.update(entry_point.get("options") or {})
        specs[role] = RoleSpec(role, options)
    return specs


def owner_of(variable: str, roles: Iterable[str]) -> str | None:
    """Return the role whose prefix a variable's name has; the longest one if several fit."""
    fitting = [role for role in roles if variable.startswith(f"{role}_")]
    return max(fitting, key=len, default=None)
