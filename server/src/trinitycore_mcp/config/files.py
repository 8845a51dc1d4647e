"""The files that a configuration names."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from pydantic import BaseModel

from trinitycore_mcp.config.types import File


class NamedFile(NamedTuple):
    """A key and the file that it names."""

    key: str
    name: str
    secret: bool


def named_files(section: BaseModel, key: str = "") -> Iterator[NamedFile]:
    """Return every file that is named in a section, those of its parts too, in the order of the keys."""
    for field_name, field in type(section).model_fields.items():
        place = f"{key}.{field_name}" if key else field_name
        value = getattr(section, field_name)
        marks = [mark for mark in field.metadata if isinstance(mark, File)] + _optional_marks(field.annotation)
        if marks and isinstance(value, str):
            yield NamedFile(place, value, marks[0].secret)
        elif isinstance(value, BaseModel):
            yield from named_files(value, place)


def _optional_marks(annotation: object) -> list[File]:
    """Return the marks inside ``FileName | None``."""
    parts = getattr(annotation, "__args__", ())
    return [mark for part in parts for mark in getattr(part, "__metadata__", ()) if isinstance(mark, File)]
