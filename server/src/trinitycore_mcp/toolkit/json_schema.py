"""JSON Schemas (draft 2020-12) of what a tool takes and gives, from its msgspec types."""

from __future__ import annotations

from typing import Any

import msgspec


def schema_of(kind: Any) -> dict[str, Any]:
    """Return the schema of a Struct type, its own definition at the root, those it refers to under ``$defs``."""
    (root,), components = msgspec.json.schema_components([kind], ref_template="#/$defs/{name}")
    name = root["$ref"].removeprefix("#/$defs/")
    schema = dict(components[name])
    schema.pop("title", None)
    schema.pop("description", None)
    _say_once(schema)
    used = _reachable(schema, components)
    if used:
        schema["$defs"] = {each: _plain(components[each]) for each in sorted(used)}
    return schema


def _say_once(schema: dict[str, Any]) -> None:
    """Drop a description that an optional value repeats from the property it belongs to."""
    for each in schema.get("properties", {}).values():
        for variant in each.get("anyOf", ()):
            if variant.get("description") == each.get("description"):
                variant.pop("description", None)


def _plain(schema: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in schema.items() if key != "title"}


def _reachable(schema: Any, components: dict[str, Any]) -> set[str]:
    """Return the names of all definitions that the schema needs, directly or not."""
    found: set[str] = set()
    waiting = [schema]
    while waiting:
        node = waiting.pop()
        if isinstance(node, list):
            waiting.extend(node)
        elif isinstance(node, dict):
            reference = node.get("$ref")
            if isinstance(reference, str):
                name = reference.removeprefix("#/$defs/")
                if name not in found:
                    found.add(name)
                    waiting.append(components[name])
            waiting.extend(node.values())
    return found
