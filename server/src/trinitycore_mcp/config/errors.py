"""What is wrong with a configuration, said so that it can be put right."""

from __future__ import annotations

import difflib
import re
import types
import typing
from typing import Any

from pydantic import BaseModel, ValidationError

# Values of such keys are not shown: somebody may have written the secret where the name of its file belongs.
_SECRET = re.compile(r"password|secret|token|dsn|_key|headers", re.IGNORECASE)
_ACCOUNT_IN_URL = re.compile(r"://[^/@\s]*@")
# Follows from another error, which is told.
_CONSEQUENCE = "default_factory_not_called"


def describe(model: type[BaseModel], error: ValidationError) -> list[str]:
    """Return one line for each error: key, value, what is allowed."""
    lines = []
    for item in error.errors():
        location = tuple(item["loc"])
        key = ".".join(str(part) for part in location) or "configuration"
        if item["type"] == _CONSEQUENCE:
            continue
        if item["type"] == "extra_forbidden":
            lines.append(f"{key}: unknown key{_hint(str(location[-1]), _known_keys(model, location[:-1]))}")
        elif item["type"] == "missing":
            lines.append(f"{key}: is missing")
        elif isinstance(item["input"], dict | list | BaseModel):
            lines += [f"{key}: {part}" for part in _allowed(item["msg"]).split("\n")]
        else:
            lines.append(f"{key}: {_shown(key, item['input'])} is not allowed: {_allowed(item['msg'])}")
    return lines


def _hint(given: str, known: list[str]) -> str:
    near = difflib.get_close_matches(given, known, n=1)
    return f", did you mean {near[0]}?" if near else f", allowed are {', '.join(known)}"


def _shown(key: str, value: object) -> str:
    if _SECRET.search(key.rpartition(".")[2]):
        return "the value (not shown)"
    return _ACCOUNT_IN_URL.sub("://***@", repr(value))


def _allowed(message: str) -> str:
    return message.removeprefix("Value error, ").removeprefix("Input ")


def _known_keys(model: type[BaseModel], location: tuple[int | str, ...]) -> list[str]:
    """Return the keys that the section at `location` has."""
    annotation: Any = model
    for part in location:
        annotation = _bare(annotation)
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            annotation = annotation.model_fields[str(part)].annotation
        else:  # list[item] or dict[name, item]
            annotation = typing.get_args(annotation)[-1]
    section = _bare(annotation)
    assert isinstance(section, type)
    assert issubclass(section, BaseModel)
    return sorted(section.model_fields)


def _bare(annotation: Any) -> Any:
    """Return ``Section`` of ``Section | None``."""
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        return next(part for part in typing.get_args(annotation) if part is not type(None))
    return annotation
