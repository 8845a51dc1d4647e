# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Filter of the role letsencrypt: a host's place among those that share certificates."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible_collections.trinitycore.mcp.plugins.filter.cluster import cluster_hosts


def certificate_peers(names: Iterable[str], hostvars: Mapping[str, Any], host: str) -> dict[str, Any]:
    """Turn the hosts that share certificates, in the order in which they renew, into ``{rank, peers}`` of one of them.

    A peer is ``{name, address, rank}``.

    :raises AnsibleFilterError: the host is none of them, or one has no address.
    """
    hosts = [{**entry, "rank": rank} for rank, entry in enumerate(cluster_hosts(names, hostvars))]
    own = [entry["rank"] for entry in hosts if entry["name"] == host]
    if not own:
        listed = ", ".join(str(entry["name"]) for entry in hosts)
        raise AnsibleFilterError(f"letsencrypt_hosts: host {host!r} is not in it (it has {listed or 'nobody'})")
    return {"rank": own[0], "peers": [entry for entry in hosts if entry["name"] != host]}


class FilterModule:
    """Registers the filter under ``trinitycore.mcp``."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filter by name."""
        return {"certificate_peers": certificate_peers}
