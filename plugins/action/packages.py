# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Controller's half of `trinitycore.mcp.packages`: asks the host what is missing, lets APT install it."""

from __future__ import annotations

from typing import Any

from ansible.plugins.action import ActionBase

INDEX_VALID = 86400
"""Seconds for which the package index is taken as fresh."""


class ActionModule(ActionBase):
    """Takes the module's options, gives the module's answer."""

    _requires_connection = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Install what is missing, or else newer; APT is not even asked when nothing is to be done."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        result.update(
            self._execute_module("trinitycore.mcp.packages", module_args=dict(self._task.args), task_vars=task_vars)
        )
        latest = self._task.args.get("state") == "latest"
        if result.get("failed") or not (result["missing"] or latest):
            return result
        installed: dict[str, Any] = self._execute_module(
            "ansible.builtin.apt",
            module_args={
                "name": self._task.args["name"] if latest else result["missing"],
                "state": "latest" if latest else "present",
                "install_recommends": False,
                "update_cache": True,
                "cache_valid_time": 0 if latest else INDEX_VALID,
                "policy_rc_d": 101,
                "fail_on_autoremove": True,  # the other flavour of a server would take the place of the one that runs
            },
            task_vars=task_vars,
        )
        return {**installed, "missing": result["missing"]}
