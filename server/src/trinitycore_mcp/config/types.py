"""The kinds of value that a configuration holds."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

Port = Annotated[int, Field(ge=1, le=65535)]
Seconds = Annotated[float, Field(gt=0, le=3600)]
"""A time that has to pass: more than nothing, an hour at most."""
Lifetime = Annotated[float, Field(ge=0, le=86400)]
"""How long something is kept, in seconds: 0 is not at all, a day at most."""
Share = Annotated[float, Field(ge=0, le=1)]
HostName = Annotated[str, StringConstraints(min_length=1, max_length=253, pattern=r"^[A-Za-z0-9_.:\[\]-]+$")]
# Goes into SQL between backquotes, so nothing that could end the quotation.
DatabaseName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_$-]{1,64}$")]
Account = Annotated[str, StringConstraints(min_length=1, max_length=80)]


@dataclass(frozen=True)
class File:
    """Marks a key whose value names a file."""

    secret: bool


FileName = Annotated[str, StringConstraints(min_length=1), File(secret=False)]
"""A file, from the folder that systemd hands credentials over in, else from that of config.yml."""
SecretFile = Annotated[str, StringConstraints(min_length=1), File(secret=True)]
"""The same, for files that only we may read."""
AbsolutePath = Annotated[str, StringConstraints(pattern=r"^/.+$")]
ToolName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_.-]{0,63}$")]
ToolPattern = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.*?-]{1,64}$")]
# Also systemd's patterns, such as trinitycore-mcp@*.service.
UnitPattern = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9:_.@*?\[\]\\-]{1,255}$")]

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_ORIGIN = re.compile(r"^https?://(?:[A-Za-z0-9_.-]+|\[[0-9A-Fa-f:.]+\])(?::(?:\d{1,5}|\*))?$")


def _url(value: str) -> str:
    try:
        parts = urlsplit(value)
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    if parts.scheme not in ("http", "https") or not parts.hostname or port == 0:
        raise ValueError("should be a URL that begins with https:// or http:// and names a host")
    if parts.username is not None or parts.password is not None:
        raise ValueError("should be a URL without account and password in it")
    if any(character.isspace() for character in value) or parts.fragment:
        raise ValueError("should be a URL without blanks and without #fragment")
    return value


def _secure_url(value: str) -> str:
    parts = urlsplit(_url(value))
    if parts.scheme != "https" and parts.hostname not in _LOOPBACK:
        raise ValueError("should be an https:// URL; http:// is allowed for this machine only")
    return value


def _resource(value: str) -> str:
    if urlsplit(_secure_url(value)).query:
        raise ValueError("should be a URL without ?query")
    return value


def _origin(value: str) -> str:
    if not _ORIGIN.match(value):
        raise ValueError("should be scheme://host or scheme://host:port, where the port may be *")
    return value


Url = Annotated[str, AfterValidator(_url)]
SecureUrl = Annotated[str, AfterValidator(_secure_url)]
ResourceUrl = Annotated[str, AfterValidator(_resource)]
"""A protected resource's identifier (RFC 9728 section 1.2: https, no fragment; we take no query either)."""
Origin = Annotated[str, AfterValidator(_origin)]


class Section(BaseModel):
    """A part of the configuration: unknown keys are refused, values don't change after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True)
