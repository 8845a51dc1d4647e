"""Read the configuration: file, then environment over it, checked as a whole, every error at once."""

from __future__ import annotations

import os
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml
from pydantic import ValidationError

from trinitycore_mcp.config import Config
from trinitycore_mcp.config.errors import describe
from trinitycore_mcp.config.overrides import FROM_ENVIRONMENT, HA_ENABLED, ha_notice, override
from trinitycore_mcp.config_error import ConfigError

__all__ = ["DEFAULT_PATH", "ConfigError", "Loaded", "StrictLoader", "load"]

DEFAULT_PATH = Path("/etc/trinitycore-mcp/config.yml")
# libyaml's parser is ten times as fast; wheels have it, a build from source may not.
_BaseLoader: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True)
class Loaded:
    """A checked configuration, the folder its relative file names start from, and notices for the operator."""

    config: Config
    directory: Path
    notices: tuple[str, ...]
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Secrets that came by the environment, by the variable's name; use `secret`."""

    def path(self, name: str) -> Path:
        """Return where a file named in the configuration is (systemd's credentials, else beside config.yml)."""
        return self.directory / name

    def secret(self, key: str, name: str) -> str:
        """Read a secret: a file's text, without line breaks at its end.

        :param key: where the configuration names the file, for the message, e.g. ``database.password_file``.
        :param name: what it names there.
        :raises ConfigError: the file can't be read, is no text or is empty.
        """
        if name.startswith(FROM_ENVIRONMENT) and (variable := name.removeprefix(FROM_ENVIRONMENT)) in self.secrets:
            return self.secrets[variable]
        path = self.path(name)
        try:
            text = path.read_text(encoding="utf-8").rstrip("\r\n")
        except OSError as error:
            raise ConfigError(f"{key}: {path}: {error.strerror}") from None
        except UnicodeDecodeError:
            raise ConfigError(f"{key}: {path}: not text") from None
        if not text:
            raise ConfigError(f"{key}: {path}: is empty")
        return text


class StrictLoader(_BaseLoader):  # type: ignore[valid-type,misc] # chosen at run time
    """Refuses a key that stands twice, of which YAML's own loader silently drops the first."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode):
                if key.value in seen:
                    raise yaml.MarkedYAMLError(None, None, f"{key.value} stands twice", key.start_mark)
                seen.add(key.value)
        mapping: dict[Hashable, Any] = super().construct_mapping(node, deep)
        return mapping


def load(path: Path | None, environment: Mapping[str, str] = os.environ, *, auth_needed: bool = True) -> Loaded:
    """Read the configuration.

    :param path: the file; None means the default place, which then may be absent.
    :param environment: overrides, e.g. ``TRINITYCORE_MCP__DATABASE__POOL__SIZE=5`` or a name of version 1.
    :param auth_needed: False where nobody but the user of this process can call: section auth may be absent then.
    :raises ConfigError: with one line for each thing that is wrong.
    """
    place = path or DEFAULT_PATH
    data = _read(place, may_be_absent=path is None)
    found = override(data, environment)
    if not auth_needed:
        data.setdefault("auth", {"enabled": False})
    try:
        config = Config.model_validate(data)
    except ValidationError as error:
        raise ConfigError("\n".join(describe(Config, error))) from None
    notices = [*found.notices, *_notices(config)]
    if HA_ENABLED in environment:
        notices.append(ha_notice(environment[HA_ENABLED], shared=config.redis is not None))
    credentials = environment.get("CREDENTIALS_DIRECTORY")
    directory = Path(credentials) if credentials else place.parent.absolute()
    return Loaded(config, directory, tuple(notices), found.secrets)


def _notices(config: Config) -> Iterator[str]:
    """Return what is allowed and yet hardly meant."""
    if config.auth.enabled and config.auth.jwt and config.token_audience is None:
        yield "auth.jwt: tokens are accepted whatever audience they are for: set server.public_url or auth.jwt.audience"
    host = urlsplit(config.server.public_url or "").hostname
    if host and host not in {name.strip("[]").lower() for name in config.server.allowed_hosts}:
        yield f"server.public_url: requests for {host} are refused, since server.allowed_hosts does not have it"


def _read(path: Path, *, may_be_absent: bool) -> dict[str, Any]:
    try:
        with path.open("rb") as stream:
            data = yaml.load(stream, StrictLoader)
    except FileNotFoundError:
        if may_be_absent:
            return {}
        raise ConfigError(f"{path}: no such file") from None
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from None
    except (yaml.YAMLError, ValueError) as error:
        raise ConfigError(f"{path}: not valid YAML: {error}") from None
    if data is None:
        return {}
    if not isinstance(data, dict):
        allowed = ", ".join(Config.model_fields)
        raise ConfigError(f"{path}: holds a {type(data).__name__}, allowed is a mapping of {allowed}")
    return data
