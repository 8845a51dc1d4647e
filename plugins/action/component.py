# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Controller's half of `trinitycore.mcp.component`: renders and reads the files, then calls the module once."""

from __future__ import annotations

import os
from typing import Any

from ansible.errors import AnsibleActionFail, AnsibleError
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.plugins.action import ActionBase
from ansible.template import trust_as_template
from ansible_collections.trinitycore.mcp.plugins.module_utils.component.payload import pack
from ansible_collections.trinitycore.mcp.plugins.module_utils.component.spec import ARGUMENT_SPEC

_SOURCES = ("template", "src", "content")
_MANAGED = "Managed by Ansible (trinitycore.mcp): changes made here are lost."


class ActionModule(ActionBase):
    """Takes the module's options, gives the module's answer."""

    TRANSFERS_FILES = True
    _requires_connection = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Check the options, render every file, and hand metadata and contents to the module."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        arguments = self._validated()
        contents: dict[str, bytes] = {}
        for entry in arguments["files"]:
            contents[entry["dest"]] = self._content(entry, task_vars or {})
        for entry in arguments["files"]:
            for key in (*_SOURCES, "vars"):
                entry.pop(key, None)
        arguments["payload"] = pack(contents)
        result.update(self._execute_module("trinitycore.mcp.component", module_args=arguments, task_vars=task_vars))
        return result

    def _validated(self) -> dict[str, Any]:
        """The task's options, complete and typed; AnsibleActionFail names every mistake."""
        given: dict[str, Any] = dict(self._task.args)
        problems = ["payload is not for use in playbooks"] if "payload" in given else []
        problems += [
            f"mode of {entry.get('dest') or entry.get('path')} must be a quoted string such as '0644'"
            for entry in [*(given.get("directories") or []), *(given.get("files") or [])]
            if isinstance(entry, dict) and isinstance(entry.get("mode"), int)
        ]
        problems += [problem for entry in given.get("files") or [] for problem in _source_problems(entry)]
        if problems:
            raise AnsibleActionFail("; ".join(problems))
        checked = ArgumentSpecValidator(ARGUMENT_SPEC).validate(given)
        if checked.error_messages:
            raise AnsibleActionFail("; ".join(checked.error_messages))
        arguments: dict[str, Any] = _without_nothing(checked.validated_parameters)
        return arguments

    def _content(self, entry: dict[str, Any], task_vars: dict[str, Any]) -> bytes:
        """Content of one file, from whichever source it names."""
        try:
            if entry.get("template") is not None:
                return self._rendered(entry, task_vars)
            if entry.get("src") is not None:
                path = self._loader.get_real_file(self._find_needle("files", entry["src"]))
                with open(path, "rb") as stream:
                    return stream.read()
        except AnsibleError as error:
            raise AnsibleActionFail(f"{entry['dest']}: {error}") from error
        content: str = entry["content"]
        return content.encode("utf-8", "surrogateescape")

    def _rendered(self, entry: dict[str, Any], task_vars: dict[str, Any]) -> bytes:
        """The template of `entry`, rendered as ansible.builtin.template renders it."""
        path: str = self._find_needle("templates", entry["template"])
        places = [
            *task_vars.get("ansible_search_path", []),
            self._loader.get_basedir(),
            os.path.dirname(path),
        ]
        variables = {
            "ansible_managed": _MANAGED,
            **task_vars,
            "template_path": entry["template"],
            "template_fullpath": path,
            "template_destpath": entry["dest"],
            **(entry.get("vars") or {}),
        }
        templar = self._templar.copy_with_new_env(
            searchpath=[room for place in places for room in (os.path.join(place, "templates"), place)],
            available_variables=variables,
        )
        text = templar.template(
            trust_as_template(self._loader.get_text_file_contents(path)),
            escape_backslashes=False,
            overrides={"trim_blocks": True},
        )
        return ("" if text is None else str(text)).encode("utf-8", "surrogateescape")


def _source_problems(entry: Any) -> list[str]:
    """What is wrong with where the content of one of `files` comes from; its value is never told."""
    if not isinstance(entry, dict):
        return []
    if "content" in entry and not isinstance(entry["content"], str):
        return [f"content of {entry.get('dest')} must be a string"]
    if sum(entry.get(key) is not None for key in _SOURCES) != 1:
        return [f"{entry.get('dest')} needs exactly one of {', '.join(_SOURCES)}"]
    return []


def _without_nothing(value: Any) -> Any:
    """`value` without the keys that were not given, so that little travels to the host."""
    if isinstance(value, dict):
        return {key: _without_nothing(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [_without_nothing(item) for item in value]
    return value
