"""A tool's arguments: a Struct made of the function's signature, and errors that say what would work."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from typing import Any

import msgspec

from trinitycore_mcp.errors import ToolError, did_you_mean

_PLACE = re.compile(r" - at `\$\.?(?P<path>[^`]*)`$")
_UNKNOWN = re.compile(r"^Object contains unknown field `(?P<name>.*)`")
_NOT_AMONG = re.compile(r"^Invalid enum value '(?P<value>.*)'$", re.DOTALL)
_MISSING = re.compile(r"^Object missing required field `(?P<name>[^`]*)`")


def arguments_of(function: Callable[..., Any], name: str) -> type[msgspec.Struct]:
    """Return the Struct whose fields are the function's parameters after the first one (the call).

    Unknown arguments are refused.
    """
    parameters = list(inspect.signature(function, eval_str=True).parameters.values())[1:]
    fields: list[Any] = [
        (each.name, each.annotation)
        if each.default is inspect.Parameter.empty
        else (each.name, each.annotation, each.default)
        for each in parameters
    ]
    return msgspec.defstruct(f"{name}_arguments", fields, frozen=True, forbid_unknown_fields=True, kw_only=True)


def explain(error: msgspec.ValidationError, tool: str, properties: dict[str, Any]) -> ToolError:
    """Return the error to show for arguments that don't fit.

    :param properties: the input schema's properties.
    """
    message = str(error)
    place = _PLACE.search(message)
    path = place["path"] if place else ""
    message = _PLACE.sub("", message)
    unknown = _UNKNOWN.match(message)
    missing = _MISSING.match(message)
    if unknown and not path:
        text = f"unknown argument {unknown['name'][:64]}{did_you_mean(unknown['name'][:64], properties)}"
    elif missing and not path:
        about = properties.get(missing["name"], {}).get("description")
        text = f"argument {missing['name']} is missing" + (f": {about}" if about else "")
    elif (wrong := _NOT_AMONG.match(message)) and path in properties:
        value = wrong["value"][:64]
        text = f"{path}: {value!r} is not allowed{did_you_mean(value, _allowed(properties[path]))}"
    else:
        text = f"{path or 'arguments'}: {message[:1].lower()}{message[1:]}".replace("`", "")
    return ToolError(f"{tool}: {text}", kind="invalid_arguments")


def _allowed(schema: dict[str, Any]) -> list[str]:
    """Return the texts that an argument may be one of."""
    schemas = [schema, *schema.get("anyOf", ())]
    return [value for each in schemas for value in each.get("enum", ()) if isinstance(value, str)]
