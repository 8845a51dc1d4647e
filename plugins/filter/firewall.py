# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Filter of the role firewall: which of a host's ports are open to which addresses."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible_collections.trinitycore.mcp.plugins.filter.cluster import cluster_hosts

_KEYS = {"offered_by", "ports", "from", "protocol", "open_without_admins"}


def _networks(values: Iterable[str], where: str) -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    networks = []
    for value in values:
        try:
            networks.append(ipaddress.ip_network(str(value), strict=False))
        except ValueError as error:
            raise AnsibleFilterError(f"{where}: {value!r} is no address or network") from error
    return networks


def firewall_rules(
    services: Mapping[str, Mapping[str, Any]],
    host: str,
    groups: Mapping[str, Sequence[str]],
    hostvars: Mapping[str, Any],
    admin_sources: Sequence[str],
) -> list[dict[str, Any]]:
    """Turn ``firewall_services`` into the rules of one host.

    A service is ``{offered_by: [group], ports: [number or 'first-last'], from: [source], protocol: tcp}``. A protocol
    that has no ports is given by its number, such as 112 (VRRP), with an empty list of ports. A source is a group, a
    network, ``any`` (everybody) or ``admin`` (the ``admin_sources``; without any, everybody if ``open_without_admins``
    is set, else nobody).

    Returns ``[{name, protocol, ports, any, ipv4: [network], ipv6: [network]}]`` in the given order, networks
    joined and sorted. A service that is open to nobody is left out.

    :raises AnsibleFilterError: an unknown key, group or network, or a host whose address is a name.
    """
    rules = []
    for name, service in services.items():
        unknown = set(service) - _KEYS
        if unknown or not {"offered_by", "ports", "from"} <= set(service):
            raise AnsibleFilterError(
                f"firewall service {name!r}: needs offered_by, ports and from, may have {', '.join(sorted(_KEYS))}"
                + (f"; not {', '.join(sorted(unknown))}" if unknown else "")
            )
        if not any(group == "all" or host in groups.get(group, []) for group in service["offered_by"]):
            continue
        everybody = False
        networks: list[ipaddress.IPv4Network | ipaddress.IPv6Network] = []
        for source in service["from"]:
            if source == "any" or (source == "admin" and not admin_sources and service.get("open_without_admins")):
                everybody = True
            elif source == "admin":
                networks += _networks(admin_sources, "cluster_admin_sources")
            elif source in groups:
                members = cluster_hosts(groups[source], hostvars)
                networks += _networks((member["address"] for member in members), f"addresses of group {source}")
            else:
                networks += _networks(
                    [source], f"source of firewall service {name!r} (a group, 'any', 'admin' or a network)"
                )
        protocol = service.get("protocol", "tcp")
        if not (service["ports"] or isinstance(protocol, int)) or not (everybody or networks):
            continue
        v4 = ipaddress.collapse_addresses(net for net in networks if isinstance(net, ipaddress.IPv4Network))
        v6 = ipaddress.collapse_addresses(net for net in networks if isinstance(net, ipaddress.IPv6Network))
        rules.append(
            {
                "name": name,
                "protocol": protocol,
                "ports": [str(port) for port in service["ports"]],
                "any": everybody,
                "ipv4": [] if everybody else [_short(net) for net in v4],
                "ipv6": [] if everybody else [_short(net) for net in v6],
            }
        )
    return rules


def _short(network: ipaddress.IPv4Network | ipaddress.IPv6Network) -> str:
    """A single address without its prefix length, as nft prints it."""
    return str(network.network_address) if network.prefixlen == network.max_prefixlen else str(network)


class FilterModule:
    """Registers the filter under ``trinitycore.mcp``."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filter by name."""
        return {"firewall_rules": firewall_rules}
