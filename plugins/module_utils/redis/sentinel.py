# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A connection to one Sentinel, about one group of servers."""

from __future__ import annotations

from ansible_collections.trinitycore.mcp.plugins.module_utils.redis.client import Redis


class Sentinel:
    """What a Sentinel is asked and told about the servers that it calls ``name``."""

    def __init__(self, connection: Redis, name: str) -> None:
        """:param connection: to the Sentinel's port."""
        self._connection = connection
        self._name = name

    def primary(self) -> str:
        """Return the address of the server that it holds for the primary."""
        return self._master()["ip"]

    def is_failing_over(self) -> bool:
        """Whether a failover is under way."""
        return "failover_in_progress" in self._master()["flags"].split(",")

    def fail_over(self) -> None:
        """Have a replica promoted, without asking the other Sentinels.

        :raises RedisError: a failover is under way already, or no replica is fit.
        """
        self._connection.call("SENTINEL", "FAILOVER", self._name)

    def set_quorum(self, quorum: int) -> None:
        """Set how many Sentinels must hold the primary for dead."""
        self._connection.call("SENTINEL", "SET", self._name, "quorum", str(quorum))

    def _master(self) -> dict[str, str]:
        words = [str(word) for word in self._connection.call("SENTINEL", "MASTER", self._name)]
        return dict(zip(words[::2], words[1::2], strict=True))
