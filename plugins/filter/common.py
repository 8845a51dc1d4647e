# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Filter of the role common: operators' accounts as the module `component` wants them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any


def operator_accounts(users: Iterable[Mapping[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """Turn ``common_users`` into ``{users, directories, files}``: accounts, homes with ``.ssh``, authorized keys."""
    accounts: list[dict[str, Any]] = []
    directories: list[dict[str, Any]] = []
    files: list[dict[str, Any]] = []
    for user in users:
        name = user["name"]
        if user.get("state", "present") == "absent":
            accounts.append({"name": name, "state": "absent"})
            continue
        home = f"/home/{name}"
        owner = {"owner": name, "group": name}
        accounts.append(
            {
                "name": name,
                "comment": user.get("comment", ""),
                "groups": list(user.get("groups", [])),
                "append": False,
                "home": home,
                "shell": user.get("shell", "/bin/bash"),
                "create_home": True,
            }
        )
        directories += [{"path": home, "mode": "0750", **owner}, {"path": f"{home}/.ssh", "mode": "0700", **owner}]
        keys = "".join(f"{key.strip()}\n" for key in user.get("authorized_keys", []))
        files.append({"dest": f"{home}/.ssh/authorized_keys", "content": keys, "mode": "0600", **owner})
    return {"users": accounts, "directories": directories, "files": files}


class FilterModule:
    """Registers the filter under ``trinitycore.mcp``."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filter by name."""
        return {"operator_accounts": operator_accounts}
