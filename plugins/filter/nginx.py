# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Filter of the role nginx: server instances as the balancer at the edge wants them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ansible.errors import AnsibleFilterError


def edge_members(
    instances: Sequence[Mapping[str, Any]], weights: Mapping[str, int], canaries: Sequence[str]
) -> list[dict[str, Any]]:
    """Turn the result of ``app_instances`` into ``[{id, host, address, port, weight, canary}]``.

    :param weights: by host or by instance such as ``app1-2``; the instance's own goes before its host's.
    :param canaries: hosts and instances that are canaries.
    :raises AnsibleFilterError: a name that is neither a host nor an instance, or a weight that is no number from 1 on.
    """
    members = [
        {
            "id": f"{instance['host']}-{instance['instance']}",
            "host": instance["host"],
            "address": instance["address"],
            "port": instance["port"],
        }
        for instance in instances
    ]
    known = {name for member in members for name in (member["id"], member["host"])}
    for variable, names in (("nginx_weights", weights), ("nginx_canary.members", canaries)):
        for name in names:
            if name not in known:
                raise AnsibleFilterError(
                    f"{variable}: {name!r} is neither a host of the group app nor an instance; "
                    f"there are {', '.join(sorted(known))}"
                )
    for name, weight in weights.items():
        if isinstance(weight, bool) or not isinstance(weight, int) or weight < 1:
            raise AnsibleFilterError(f"nginx_weights: {name!r} has {weight!r}, a weight is a whole number from 1 on")
    return [
        {
            **member,
            "weight": weights.get(member["id"], weights.get(member["host"], 1)),
            "canary": member["id"] in canaries or member["host"] in canaries,
        }
        for member in members
    ]


class FilterModule:
    """Registers the filter under ``trinitycore.mcp``."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filter by name."""
        return {"edge_members": edge_members}
