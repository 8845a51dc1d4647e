"""What counts as an installed package."""

from __future__ import annotations

from ansible_collections.trinitycore.mcp.plugins.modules.packages import missing_packages

LISTED = "nginx|install ok installed\nredis-server|deinstall ok config-files\nmariadb-server|install ok half-configured\n"


def test_only_fully_installed_packages_count() -> None:
    assert missing_packages(["nginx", "redis-server", "mariadb-server", "zstd"], LISTED) == [
        "redis-server",
        "mariadb-server",
        "zstd",
    ]
