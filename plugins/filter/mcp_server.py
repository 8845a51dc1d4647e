# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Filter of the role mcp_server: its secrets as the files that the module `component` wants."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any


def secret_files(secrets: Mapping[str, str], directory: str) -> dict[str, Any]:
    """Turn secrets by name into ``{files, absent}``: one file each that only root reads, none for an empty one."""
    return {
        "files": [
            {"dest": f"{directory}/{name}", "content": content, "mode": "0600", "secret": True}
            for name, content in secrets.items()
            if content
        ],
        "absent": [f"{directory}/{name}" for name, content in secrets.items() if not content],
    }


class FilterModule:
    """Registers the filter under ``trinitycore.mcp``."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filter by name."""
        return {"secret_files": secret_files}
