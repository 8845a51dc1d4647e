"""What counts as an installed package."""

from __future__ import annotations

from ansible_collections.trinitycore.mcp.plugins.modules.packages import missing_packages

LISTED = """\
nginx|install ok installed
redis-server|deinstall ok config-files
mariadb-server|install ok half-configured
"""


def test_only_fully_installed_packages_count() -> None:
    assert missing_packages(["nginx", "redis-server", "mariadb-server", "zstd"], LISTED) == [
        "redis-server",
        "mariadb-server",
        "zstd",
    ]
