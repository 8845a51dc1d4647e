"""A Redis server's state, for health and people."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class NodeState:
    """`role` is what the server last said ("primary", "replica", "sentinel", "unknown"); `reason` why it is down.

    `used` marks the one that commands go to now.
    """

    host: str
    up: bool
    role: str
    used: bool
    reason: str
