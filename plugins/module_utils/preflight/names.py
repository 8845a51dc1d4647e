# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Rules for names, addresses and networks."""

from __future__ import annotations

import ipaddress
import re

LABEL = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)", re.IGNORECASE)
LONGEST_NAME = 253


def is_host_name(text: str) -> bool:
    """Tell whether text is a name of one or more labels of letters, digits and hyphens."""
    return len(text) <= LONGEST_NAME and all(LABEL.fullmatch(label) for label in text.split("."))


def is_domain(text: str) -> bool:
    """Tell whether text is a domain name: two labels at least, the last one not a number."""
    last = text.rpartition(".")[2]
    return is_host_name(text) and "." in text and not last.isdigit()


def parse_address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """Return text as an IP address, None if it is not one."""
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def network_mistake(text: str) -> str:
    """Say what is wrong with a network in CIDR form; empty if nothing is."""
    try:
        ipaddress.ip_network(text)
    except ValueError:
        try:
            meant = ipaddress.ip_network(text, strict=False)
        except ValueError:
            return "is not a network"
        return f"has bits set beyond its prefix, did you mean {meant}?"
    return ""
