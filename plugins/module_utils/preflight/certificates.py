# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Checks of the public certificates that load balancers are to share."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .inventory import HostVariables, Inventory
from .names import is_domain
from .problems import Problem, Problems, one_of, shown

VARIABLE = "letsencrypt_certificates"
SERVED = "edge"
WILDCARD = "*."


def check_certificates(inventory: Inventory, problems: Problems) -> None:
    """Add what is wrong with the certificates, where load balancers have public ones at all."""
    members = inventory.members("loadbalancers")
    for name in members:
        host = inventory.hosts[name]
        if host.known("cluster_public_certificate") not in (True, "true", "yes"):
            continue
        for variable, what, allowed in _mistakes(host, members):
            problems.add(Problem(variable, what, allowed, host.origin(variable)), [name])


def _mistakes(host: HostVariables, members: list[str]) -> Iterator[tuple[str, str, str]]:
    """Yield ``(variable, what is wrong, what is allowed)``."""
    hosts = host.known("letsencrypt_hosts")
    if isinstance(hosts, list) and set(map(str, hosts)) != set(members):
        order = f"must be these hosts, in the order in which they renew - {', '.join(members)}"
        yield "letsencrypt_hosts", f"{shown(hosts)} is not the group loadbalancers", order
    share = host.known("letsencrypt_renew_share")
    if isinstance(share, (int, float)) and not 0 < share < 1:
        yield "letsencrypt_renew_share", f"{shown(share)} is no share", "must be between 0 and 1, such as 0.3333"
    certificates = host.known(VARIABLE)
    if not isinstance(certificates, list):
        return
    known = [one for one in certificates if isinstance(one, Mapping) and isinstance(one.get("names"), list)]
    names = [str(one.get("name")) for one in known]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield VARIABLE, f"{shown(name)} is the name of two certificates", "must be another for each"
    domain = str(host.known("cluster_domain"))
    served = [one for one in known if one.get("name") == SERVED]
    if not any(_covers(str(name), domain) for one in served for name in one["names"]):
        yield VARIABLE, f"none is called {SERVED} and is for {domain}", f"NGINX serves {SERVED} to who calls {domain}"
    for one in known:
        yield from _mistakes_of(one, host)


def _mistakes_of(certificate: Mapping[str, Any], host: HostVariables) -> Iterator[tuple[str, str, str]]:
    called, names = shown(certificate.get("name")), list(map(str, certificate["names"]))
    if not names:
        yield VARIABLE, f"{called} has no names", "must be domain names"
    domain = host.known("cluster_domain")  # said already where it is wrong
    for name in names:
        if name != domain and not is_domain(name.removeprefix(WILDCARD)):
            yield VARIABLE, f"{shown(name)} is not a domain name", "must be names such as mcp.example.com"
    challenge = certificate.get("challenge") or host.known("letsencrypt_challenge")
    if challenge == "http-01" and any(name.startswith(WILDCARD) for name in names):
        yield VARIABLE, f"{called} has a wildcard, which http-01 can't prove", one_of(["dns-01"])
    if challenge == "dns-01" and not host.known("letsencrypt_dns_plugin"):
        yield "letsencrypt_dns_plugin", "is not set, and dns-01 needs it", "must be a plugin such as rfc2136"


def _covers(name: str, domain: str) -> bool:
    return name.lower() == domain.lower() or name.lower() == f"{WILDCARD}{domain.partition('.')[2].lower()}"
