# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The controller's half of the module python_release: sends the archive when the host asks for it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

MODULE = "trinitycore.mcp.python_release"


class ActionModule(ActionBase):
    """Runs the module, and once more with the archive when the release is missing."""

    TRANSFERS_FILES = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return the module's result.

        :raises AnsibleActionFail: the release is missing on the host and the archive on the controller.
        """
        result: dict[str, Any] = super().run(tmp, task_vars)
        result.update(self._execute_module(MODULE, task_vars=task_vars))
        if result.get("failed") or not result.pop("archive_needed", False):
            return result
        archive = self._task.args.get("archive")
        if not archive or not Path(archive).is_file():
            raise AnsibleActionFail(
                f"release {self._task.args.get('version')} is not installed and "
                + (f"{archive} is not on the controller" if archive else "no archive is given")
            )
        try:
            sent = self._connection._shell.join_path(self._make_tmp_path(), "wheelhouse.tar")
            self._transfer_file(archive, sent)
            done = self._execute_module(MODULE, {**self._task.args, "_sent": sent}, task_vars=task_vars)
            done.pop("archive_needed", None)
            result.update(done)
            return result
        finally:
            self._remove_tmp_path(self._connection._shell.tmpdir)
