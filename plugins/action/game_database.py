# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Controller's half of `trinitycore.mcp.game_database`: finds the dumps, and sends them only when they are needed."""

from __future__ import annotations

import os
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible_collections.trinitycore.mcp.plugins.module_utils.mysql.errors import DatabaseError
from ansible_collections.trinitycore.mcp.plugins.module_utils.mysql.game_data import find_dumps


class ActionModule(ActionBase):
    """Takes the module's options, gives the module's answer."""

    TRANSFERS_FILES = True
    _requires_connection = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Ask the host whether the dumps are loaded; if not, send the files and have them loaded."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        arguments = dict(self._task.args)
        if not arguments.get("source") or not isinstance(arguments.get("databases"), dict):
            raise AnsibleActionFail("source and databases are required")
        source = os.path.abspath(os.path.expanduser(str(arguments["source"])))
        try:
            dumps = find_dumps(source, arguments["databases"])
        except (DatabaseError, OSError, KeyError) as error:
            raise AnsibleActionFail(f"game data: {error}") from error
        arguments["dumps"] = [
            {**dump.as_dict(), "files": [os.path.basename(path) for path in dump.files]} for dump in dumps
        ]
        name = "trinitycore.mcp.game_database"
        answer = self._execute_module(name, module_args=arguments, task_vars=task_vars)
        if answer.get("failed") or not answer["loaded"] or self._task.check_mode:
            return {**result, **answer}
        directory = self._make_tmp_path()
        try:
            wanted = set(answer["loaded"])
            for dump in dumps:
                for path in dump.files if dump.database in wanted else ():
                    self._transfer_file(path, f"{directory}/{os.path.basename(path)}")
            answer = self._execute_module(name, module_args={**arguments, "directory": directory}, task_vars=task_vars)
        finally:
            self._remove_tmp_path(directory, force=True)
        return {**result, **answer}
