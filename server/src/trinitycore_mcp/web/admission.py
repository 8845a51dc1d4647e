"""Who may come in: the right name in Host and Origin, and no header that could be read in two ways."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from urllib.parse import urlsplit

Headers = Mapping[bytes, bytes]
# Those that decide what a request is: a second one of a kind would let two readers see two requests.
_ONCE = frozenset({b"host", b"content-length", b"content-type", b"authorization", b"x-api-key", b"origin", b"accept"})
# Bytes of a name (RFC 1035); a longer Host is not remembered, as it may be as long as all headers.
_LONGEST_HOST = 255


class Doorkeeper:
    """Checks Host and Origin, against DNS rebinding.

    A page in a browser can be made to resolve its own name to our address; its requests then carry that name, as Host
    and as Origin, and are told by it (MCP specification, transports, security warning).
    """

    def __init__(self, hosts: Iterable[str], origins: Iterable[str]) -> None:
        """:param hosts: names that Host may hold, with any port.
        :param origins: origins that browsers may come from, with ``*`` for any port; none given: the hosts', by http
            or https, at any port.
        """
        self._hosts = frozenset(host.casefold() for host in hosts)
        named = [origin.rstrip("/").casefold() for origin in origins]
        self._origins = frozenset(origin for origin in named if not origin.endswith(":*"))
        self._at_any_port = frozenset(origin.removesuffix(":*") for origin in named if origin.endswith(":*"))
        self._known_hosts: dict[bytes, bool] = {}

    def host_allowed(self, header: bytes | None) -> bool:
        """Return whether a request for this Host is for us."""
        if header is None:
            return False
        known = self._known_hosts.get(header)
        if known is None:
            known = self._name(header.decode("latin-1")) in self._hosts
            if len(self._known_hosts) < 256 and len(header) <= _LONGEST_HOST:
                self._known_hosts[header] = known
        return known

    def origin_allowed(self, header: bytes) -> bool:
        """Return whether a browser may send requests from a page of this origin."""
        origin = header.decode("latin-1").casefold()
        if self._origins or self._at_any_port:
            if origin in self._origins or origin in self._at_any_port:
                return True
            name, _, port = origin.rpartition(":")
            return port.isdecimal() and name in self._at_any_port
        try:
            parts = urlsplit(origin)
        except ValueError:  # a bracket that does not close
            return False
        return parts.scheme in ("http", "https") and not parts.path and self._name(parts.netloc) in self._hosts

    @staticmethod
    def _name(host: str) -> str:
        """Return the host without port."""
        name, colon, port = host.casefold().rpartition(":")
        return (
            name
            if colon and port.isdigit() and not (name.startswith("[") and not name.endswith("]"))
            else host.casefold()
        )


def twice(raw: Iterable[tuple[bytes, bytes]]) -> str | None:
    """Return a header that appears twice and must not."""
    seen: set[bytes] = set()
    for name, _ in raw:
        if name in seen and name in _ONCE:
            return name.decode("latin-1")
        seen.add(name)
    return None
