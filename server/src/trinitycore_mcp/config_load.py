"""Read the configuration: file, then environment over it, checked as a whole, every error at once."""

from __future__ import annotations

import difflib
import os
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from trinitycore_mcp.config import Config

DEFAULT_PATH = Path("/etc/trinitycore-mcp/config.yml")
ENVIRONMENT_PREFIX = "TRINITYCORE_MCP__"
# Names of version 1 and the key each one means today.
V1_ENVIRONMENT = {
    "TRINITY_DB_HOST": ("database", "hosts", "0", "host"),
    "TRINITY_DB_PORT": ("database", "hosts", "0", "port"),
    "MCP_HOST": ("server", "host"),
    "MCP_PORT": ("server", "port"),
    "PROMETHEUS_PORT": ("metrics", "port"),
    "METRICS_ENABLED": ("metrics", "enabled"),
    "AUTH_ENABLED": ("auth", "enabled"),
}


class ConfigError(Exception):
    """The configuration can't be used; the message names each key, its value and what is allowed."""


@dataclass(frozen=True)
class Loaded:
    """A checked configuration, the folder its relative file names start from, and notices for the operator."""

    config: Config
    directory: Path
    notices: tuple[str, ...]

    def path(self, name: str) -> Path:
        """Return where a file named in the configuration is (systemd's credentials, else beside config.yml)."""
        return self.directory / name


def load(path: Path | None, environment: Mapping[str, str] = os.environ) -> Loaded:
    """Read the configuration.

    :param path: the file; None means the default place, which then may be absent.
    :param environment: overrides, e.g. ``TRINITYCORE_MCP__DATABASE__POOL__SIZE=5`` or a name of version 1.
    :raises ConfigError: with one line for each thing that is wrong.
    """
    place = path or DEFAULT_PATH
    data = _read(place, may_be_absent=path is None)
    notices = _override(data, environment)
    try:
        config = Config.model_validate(data)
    except ValidationError as error:
        raise ConfigError("\n".join(_describe(data, error))) from None
    credentials = environment.get("CREDENTIALS_DIRECTORY")
    return Loaded(config, Path(credentials) if credentials else place.parent.absolute(), tuple(notices))


def _read(path: Path, *, may_be_absent: bool) -> dict[str, Any]:
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        if may_be_absent:
            return {}
        raise ConfigError(f"{path}: no such file") from None
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not valid YAML: {error}") from None
    if data is None:
        return {}
    if not isinstance(data, dict):
        raise ConfigError(f"{path}: holds a {type(data).__name__}, allowed is a mapping of {_names(Config)}")
    return data


def _override(data: dict[str, Any], environment: Mapping[str, str]) -> list[str]:
    """Put the environment's values into `data`; return the notices about old names."""
    notices = []
    for name, keys in V1_ENVIRONMENT.items():
        if name in environment:
            _put(data, keys, environment[name])
            new = ENVIRONMENT_PREFIX + "__".join(keys).upper()
            notices.append(f"environment variable {name} is deprecated: set {'.'.join(keys)} in the file, or {new}")
    for name in sorted(environment):
        if name.startswith(ENVIRONMENT_PREFIX):
            keys = tuple(name.removeprefix(ENVIRONMENT_PREFIX).lower().split("__"))
            _put(data, keys, environment[name])
    return notices


def _put(data: dict[str, Any], keys: tuple[str, ...], text: str) -> None:
    """Set data[k1][k2]... to the YAML value of `text`; a number as key means a place in a list."""
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError:
        value = text
    node: Any = data
    for key, following in zip(keys, [*keys[1:], None], strict=True):
        fresh: Any = value if following is None else ([] if following.isdigit() else {})
        if isinstance(node, list):
            if not key.isdigit() or int(key) > len(node):
                raise ConfigError(f"{'.'.join(keys)}: the list has {len(node)} entries")
            if int(key) == len(node):
                node.append(fresh)
            elif following is None:
                node[int(key)] = fresh
            node = node[int(key)]
        elif isinstance(node, dict):
            if following is None or not isinstance(node.get(key), dict | list):
                node[key] = fresh
            node = node[key]
        else:
            raise ConfigError(f"{'.'.join(keys)}: there is nothing to set below {key}")


def _describe(data: object, error: ValidationError) -> list[str]:
    """Return one line for each error: key, value, what is allowed."""
    lines = []
    for item in error.errors():
        location = tuple(item["loc"])
        key = ".".join(str(part) for part in location) or "configuration"
        if item["type"] == "extra_forbidden":
            known = _known_keys(location[:-1])
            near = difflib.get_close_matches(str(location[-1]), known, n=1)
            hint = f", did you mean {near[0]}?" if near else f", allowed are {', '.join(known)}"
            lines.append(f"{key}: unknown key{hint}")
        elif item["type"] == "missing":
            lines.append(f"{key}: is missing")
        elif isinstance(item["input"], dict | list | BaseModel):
            lines.append(f"{key}: {_allowed(item['msg'])}")
        else:
            lines.append(f"{key}: {item['input']!r} is not allowed: {_allowed(item['msg'])}")
    return lines


def _allowed(message: str) -> str:
    return message.removeprefix("Value error, ").removeprefix("Input ")


def _known_keys(location: tuple[int | str, ...]) -> list[str]:
    """Return the keys that the section at `location` has."""
    model: type[BaseModel] = Config
    for part in location:
        if isinstance(part, int):
            continue
        model = _section_in(model.model_fields[part].annotation)
    return sorted(model.model_fields)


def _section_in(annotation: Any) -> type[BaseModel]:
    """Return the section type inside an annotation such as ``Section | None`` or ``list[Section]``."""
    if typing.get_origin(annotation) in (list, typing.Union, types.UnionType):
        sections = [part for part in typing.get_args(annotation) if part is not type(None)]
        return _section_in(sections[0])
    assert isinstance(annotation, type)
    assert issubclass(annotation, BaseModel)
    return annotation


def _names(model: type[BaseModel]) -> str:
    return ", ".join(model.model_fields)
