"""What clients are told about getting in: resource metadata (RFC 9728) and the WWW-Authenticate challenge."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from trinitycore_mcp.access.principal import SCOPES
from trinitycore_mcp.access.refused import Refused
from trinitycore_mcp.config import Config

WELL_KNOWN = "/.well-known/oauth-protected-resource"


def metadata(config: Config) -> dict[str, Any] | None:
    """Return our resource metadata (RFC 9728 section 2), to be served at `metadata_paths`.

    None when clients have nowhere to get a token: MCP clients take a document without authorization server for
    broken, while a plain 401 makes them ask their user for a key.
    """
    auth, resource = config.auth, config.server.public_url
    if not auth.enabled or auth.jwt is None or not auth.authorization_servers or resource is None:
        return None
    return {
        "resource": resource,
        "authorization_servers": list(auth.authorization_servers),
        "scopes_supported": list(SCOPES),
        "bearer_methods_supported": ["header"],
        "resource_name": "trinitycore-mcp",
    }


def metadata_paths(config: Config) -> tuple[str, ...]:
    """Return the paths of the metadata: with the resource's own path behind it, and without, as clients try both."""
    path = urlsplit(config.server.public_url or "").path.rstrip("/")
    return (WELL_KNOWN + path, WELL_KNOWN) if path else (WELL_KNOWN,)


def metadata_url(config: Config) -> str | None:
    """Return where the metadata is: the well-known part stands between host and path (RFC 9728 section 3.1)."""
    if config.server.public_url is None or metadata(config) is None:
        return None
    parts = urlsplit(config.server.public_url)
    return f"{parts.scheme}://{parts.netloc}{metadata_paths(config)[0]}"


def challenge(refused: Refused, config: Config) -> bytes:
    """Return the value of WWW-Authenticate for a refusal of status 400, 401 or 403.

    RFC 6750 section 3 (no error when no credential came; scope is what the request needs) and RFC 9728 section 5.1.
    """
    parts = {"realm": "trinitycore-mcp"}
    if refused.error is not None:
        parts |= {"error": refused.error, "error_description": refused.description}
    parts["scope"] = refused.scope
    url = metadata_url(config)
    if url is not None:
        parts["resource_metadata"] = url
    return ("Bearer " + ", ".join(f'{name}="{_quotable(value)}"' for name, value in parts.items())).encode("ascii")


def _quotable(value: str) -> str:
    """Return the value as RFC 6750 allows it between quotes: printable ASCII without quote and backslash."""
    return "".join(c for c in value if " " <= c <= "~" and c not in '"\\')


def challenge_headers(refused: Refused, config: Config) -> list[tuple[bytes, bytes]]:
    """Return the header that says how to get in; none where it is not the caller's to do anything (503)."""
    return [(b"www-authenticate", challenge(refused, config))] if refused.status != 503 else []
