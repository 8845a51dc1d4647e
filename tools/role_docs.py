"""Writes each role's README.md from its argument specs; with ``--check`` it compares instead.

Both also compare ``defaults/main.yml`` with the argument specs: each variable in both places, with one default.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROLES = Path(__file__).parents[1] / "roles"
COLLECTION = "trinitycore.mcp"
MISSING = object()
LONGEST_DEFAULT = 60
MARKUP = re.compile(r"\b([BCEIMOVP])\(([^)]+)\)")
HEADER = """\
<!-- Made from meta/ by `python -m tools.role_docs`; edit meta/argument_specs.yml instead. -->
"""


@dataclass(frozen=True)
class Role:
    """One role's own description, as its files hold it."""

    name: str
    description: str
    entry_points: Mapping[str, Mapping[str, Any]]
    defaults: Mapping[str, Any]
    tags: tuple[str, ...] = ()

    @classmethod
    def read(cls, folder: Path) -> Role:
        """Read a role's folder.

        :raises FileNotFoundError: it lacks ``meta/main.yml`` or ``meta/argument_specs.yml``.
        """
        meta = yaml.safe_load((folder / "meta/main.yml").read_text())
        specs = yaml.safe_load((folder / "meta/argument_specs.yml").read_text())
        defaults = folder / "defaults/main.yml"
        return cls(
            name=folder.name,
            description=str(meta["galaxy_info"]["description"]),
            entry_points=specs["argument_specs"],
            defaults=(yaml.safe_load(defaults.read_text()) or {}) if defaults.exists() else {},
            tags=_tags(folder / "tasks/main.yml"),
        )

    @property
    def options(self) -> dict[str, Mapping[str, Any]]:
        """Variables of all entry points, by name."""
        found: dict[str, Mapping[str, Any]] = {}
        for entry_point in self.entry_points.values():
            found.update(entry_point.get("options") or {})
        return found


def disagreements(role: Role, roles: Collection[str]) -> Iterator[str]:
    """Yield where a role's defaults and argument specs differ, one sentence each.

    :param roles: names of all roles: a role may use a variable of another one, such as a shared password.
    """
    options = role.options
    for name, option in options.items():
        documented, real = option.get("default", MISSING), role.defaults.get(name, MISSING)
        if not name.startswith(tuple(f"{owner}_" for owner in roles)):
            yield f"{name}: does not begin with the name of a role"
        if not option.get("description"):
            yield f"{name}: has no description in argument_specs.yml"
        if real is MISSING and documented is not MISSING:
            yield f"{name}: has a default in argument_specs.yml and none in defaults/main.yml"
        elif real is not MISSING and option.get("required"):
            yield f"{name}: is required in argument_specs.yml and has a default in defaults/main.yml"
        elif real is not MISSING and documented is MISSING:
            yield f"{name}: has a default in defaults/main.yml and none in argument_specs.yml"
        elif _comparable(documented) != _comparable(real):
            yield f"{name}: default {documented!r} in argument_specs.yml, {real!r} in defaults/main.yml"
    for name in role.defaults.keys() - options.keys():
        yield f"{name}: in defaults/main.yml, not in argument_specs.yml"


def readme(role: Role) -> str:
    """Return the text of a role's README.md."""
    lines = [HEADER, f"# {COLLECTION}.{role.name}", "", f"{_markdown(role.description)}.", ""]
    for name, entry_point in role.entry_points.items():
        if len(role.entry_points) > 1:
            lines += [f"## Entry point `{name}`", "", f"{_markdown(entry_point['short_description'])}.", ""]
        lines += [line for text in _texts(entry_point.get("description")) for line in (_markdown(text), "")]
        if entry_point.get("options"):
            lines += ["| Variable | Type | Default | Meaning |", "|---|---|---|---|"]
            lines += _rows(entry_point["options"], "")
            lines += [""]
    if role.tags:
        lines += [f"Tags: {', '.join(f'`{tag}`' for tag in role.tags)}.", ""]
    return "\n".join(lines)


def _tags(tasks: Path) -> tuple[str, ...]:
    """Return the tags of a role's main tasks, in their order."""
    found = (yaml.safe_load(tasks.read_text()) or []) if tasks.exists() else []
    return tuple(dict.fromkeys(tag for task in found for tag in task.get("tags", [])))


def _rows(options: Mapping[str, Any], parent: str) -> Iterator[str]:
    for name, option in options.items():
        meaning = " ".join(_markdown(text) for text in _texts(option.get("description")))
        if option.get("choices"):
            meaning += " One of " + ", ".join(f"`{choice}`" for choice in option["choices"]) + "."
        kind = option.get("type", "str")
        if "elements" in option:
            kind += f" of {option['elements']}"
        yield f"| `{parent}{name}` | {kind} | {_default(option)} | {meaning} |".replace("  ", " ")
        suffix = "[]." if option.get("type") == "list" else "."
        yield from _rows(option.get("options") or {}, f"{parent}{name}{suffix}")


def _default(option: Mapping[str, Any]) -> str:
    if option.get("required"):
        return "**required**"
    default = option.get("default", MISSING)
    if default is MISSING or default is None:
        return ""
    text = default if isinstance(default, str) else json.dumps(default, ensure_ascii=False)
    if text == "":
        return "empty"
    text = " ".join(text.split())
    if len(text) > LONGEST_DEFAULT:
        return "see [defaults](defaults/main.yml)"
    return "`" + text.replace("|", "\\|") + "`"


def _texts(description: object) -> list[str]:
    if description is None:
        return []
    return [str(text) for text in description] if isinstance(description, list) else [str(description)]


def _markdown(text: str) -> str:
    """Turn Ansible's markup into Markdown, fit for a table's cell."""
    plain = " ".join(text.split()).replace("|", "\\|")
    return MARKUP.sub(lambda found: f"**{found[2]}**" if found[1] == "B" else f"`{found[2]}`", plain)


def _comparable(value: object) -> object:
    """Return a value without what YAML's ways of writing make different."""
    if isinstance(value, str):
        return " ".join(value.split())
    if isinstance(value, Mapping):
        return {key: _comparable(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_comparable(part) for part in value]
    return value


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; returns its exit code, 1 if anything disagrees or, with ``--check``, is out of date."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing, fail if a README.md is out of date")
    parser.add_argument("--roles", type=Path, default=ROLES, help="folder of the roles")
    parser.add_argument("names", nargs="*", help="roles, default all")
    options = parser.parse_args(arguments)
    complaints = []
    folders = sorted(path for path in options.roles.iterdir() if path.is_dir())
    for folder in folders:
        if options.names and folder.name not in options.names:
            continue
        try:
            role = Role.read(folder)
        except FileNotFoundError as error:
            complaints.append(f"{folder.name}: {Path(error.filename).relative_to(folder)} is missing")
            continue
        complaints += [
            f"{role.name}: {complaint}" for complaint in disagreements(role, [path.name for path in folders])
        ]
        path, wanted = folder / "README.md", readme(role)
        if path.exists() and path.read_text() == wanted:
            continue
        if options.check:
            complaints.append(f"{role.name}: README.md is out of date, run python -m tools.role_docs")
        else:
            path.write_text(wanted)
            print(f"wrote {path}")
    for complaint in complaints:
        print(complaint, file=sys.stderr)
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
