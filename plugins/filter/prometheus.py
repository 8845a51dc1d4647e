# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Filters of the role prometheus: scrape targets from the inventory."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from ansible_collections.trinitycore.mcp.plugins.filter.cluster import app_instances, cluster_hosts


def _target(address: str, port: int) -> str:
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def node_targets(
    names: Iterable[str], hostvars: Mapping[str, Any], port: int, groups: Mapping[str, Sequence[str]]
) -> list[dict[str, Any]]:
    """Turn host names into Prometheus's ``static_configs``, one node exporter per host.

    Labels: ``instance``, the host's name, and ``groups``, its groups in alphabetical order, joined by commas.

    :raises AnsibleFilterError: a host has no address.
    """
    return [
        {
            "targets": [_target(host["address"], int(port))],
            "labels": {
                "instance": host["name"],
                "groups": ",".join(
                    sorted(group for group, members in groups.items() if group != "all" and host["name"] in members)
                ),
            },
        }
        for host in cluster_hosts(names, hostvars)
    ]


def app_targets(names: Iterable[str], hostvars: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Turn app hosts into Prometheus's ``static_configs``, one per server instance.

    Labels: ``instance`` (``<host>-<number>``, as the server calls itself) and ``host``.

    :raises AnsibleFilterError: a host's number of instances is not known.
    """
    return [
        {
            "targets": [_target(instance["address"], instance["metrics_port"])],
            "labels": {"instance": f"{instance['host']}-{instance['instance']}", "host": instance["host"]},
        }
        for instance in app_instances(names, hostvars)
    ]


class FilterModule:
    """Registers the filters under ``trinitycore.mcp``."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filters by name."""
        return {"node_targets": node_targets, "app_targets": app_targets}
