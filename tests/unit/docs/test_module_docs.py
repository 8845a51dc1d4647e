"""Documentation of modules says what they take."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

from tests.support.playbooks import ROOT

PLUGINS = ROOT / "plugins"
MODULES = sorted(path.stem for path in (PLUGINS / "modules").glob("*.py"))
# What only a module's own action plugin passes to it.
INTERNAL = {"game_database": {"dumps", "directory"}, "python_release": {"_sent"}}
PACKAGE = "ansible_collections.trinitycore.mcp.plugins"


class SpecFound(Exception):
    """Carries the argument spec out of a module's main."""


def argument_spec(name: str) -> Mapping[str, Any] | None:
    """Return the argument spec of a module, or of the action plugin that it documents; None if it takes none."""
    module = importlib.import_module(f"{PACKAGE}.modules.{name}")
    if hasattr(module, "main"):
        return captured(module)
    action = importlib.import_module(f"{PACKAGE}.action.{name}")
    arguments: Mapping[str, Any] | None = getattr(action, "ARGUMENTS", None)
    return arguments


def captured(module: ModuleType) -> Mapping[str, Any]:
    def capture(*_: Any, argument_spec: Mapping[str, Any], **__: Any) -> None:
        raise SpecFound(argument_spec)

    with pytest.MonkeyPatch.context() as patch, pytest.raises(SpecFound) as found:
        patch.setattr(module, "AnsibleModule", capture)
        module.main()
    spec: Mapping[str, Any] = found.value.args[0]
    return spec


def differences(documented: Mapping[str, Any], real: Mapping[str, Any], where: str = "") -> Iterator[str]:
    documented = documented or {}
    for name in sorted(documented.keys() ^ real.keys()):
        yield f"{where}{name}: only {'documented' if name in documented else 'in the argument spec'}"
    for name in documented.keys() & real.keys():
        for key, missing in (
            ("type", "str"),
            ("required", False),
            ("default", None),
            ("choices", None),
            ("elements", None),
        ):
            said, is_so = documented[name].get(key, missing), real[name].get(key, missing)
            if (list(is_so) if key == "choices" and is_so else is_so) != said:
                yield f"{where}{name}: {key} is documented as {said!r} and is {is_so!r}"
        yield from differences(
            documented[name].get("suboptions") or {}, real[name].get("options") or {}, f"{where}{name}."
        )


def documented_options(name: str) -> dict[str, Any]:
    """Return the options that a module documents, those of its fragments too; its own win, as they do for Ansible."""
    documentation = yaml.safe_load(importlib.import_module(f"{PACKAGE}.modules.{name}").DOCUMENTATION)
    options: dict[str, Any] = {}
    for fragment in documentation.get("extends_documentation_fragment") or []:
        shared = importlib.import_module(f"{PACKAGE}.doc_fragments.{fragment.rpartition('.')[2]}").ModuleDocFragment
        options |= yaml.safe_load(shared.DOCUMENTATION)["options"]
    return options | (documentation.get("options") or {})


@pytest.mark.parametrize("name", MODULES)
def test_documented_options_are_the_real_ones(name: str) -> None:
    spec, documented = argument_spec(name), documented_options(name)
    if spec is not None or documented:
        public = {option: part for option, part in (spec or {}).items() if option not in INTERNAL.get(name, ())}
        assert list(differences(documented, public)) == []


@pytest.mark.parametrize("name", MODULES)
def test_examples_use_the_module_with_options_that_it_has(name: str) -> None:
    module = importlib.import_module(f"{PACKAGE}.modules.{name}")
    known = documented_options(name)
    used = [
        task[f"trinitycore.mcp.{name}"] for task in yaml.safe_load(module.EXAMPLES) if f"trinitycore.mcp.{name}" in task
    ]
    assert used, "at least one example shows the module itself"
    for options in used:
        assert set(options or {}) <= set(known)


def test_ansible_doc_reads_everything() -> None:
    program = Path(sys.executable).with_name("ansible-doc")
    for kind, folder in (("module", "modules"), ("lookup", "lookup"), ("callback", "callback")):
        names = [f"trinitycore.mcp.{path.stem}" for path in sorted((PLUGINS / folder).glob("*.py"))]
        done = subprocess.run(
            [program, "-t", kind, "--json", *names], cwd=ROOT, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout).keys() == set(names)
