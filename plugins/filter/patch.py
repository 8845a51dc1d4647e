# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Filter of patch_os.yml: in which order hosts are taken away."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

# Those that serve nobody come first, so that a bad update shows where it does no harm.
_TIERS = ("backup", "monitoring", "database", "redis", "app", "loadbalancers")


def patch_order(hosts: Iterable[str], groups: Mapping[str, Sequence[str]], leading: Iterable[str]) -> list[str]:
    """Return the hosts in the order in which they may be taken away, one after the other.

    Replicas and standbys come before those that lead their tier, so that the part of a leader moves once, and to a host
    that is up to date.

    :param groups: of the inventory.
    :param leading: hosts that are a primary or have the floating address.
    """
    last = set(leading)

    def place(host: str) -> tuple[bool, int]:
        tiers = [number for number, tier in enumerate(_TIERS) if host in groups.get(tier, ())]
        return host in last, max(tiers, default=-1)

    return sorted(hosts, key=place)


class FilterModule:
    """Registers the filter under ``trinitycore.mcp``."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filter by name."""
        return {"patch_order": patch_order}
