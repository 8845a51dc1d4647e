"""Tools of the conformance suite that only answer: they are called as ours are, on the fast path."""

from __future__ import annotations

import asyncio
from functools import cached_property
from typing import Any

from msgspec import Struct

from trinitycore_mcp.toolkit import NONE, Call, Content, Tool, ToolError, define

PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC"
WAV = "UklGRiQAAABXQVZFZm10IBAAAAABAAEAQB8AAEAfAAABAAgAZGF0YQAAAAA="
TEXT = {"type": "text", "text": "This is a simple text response for testing."}
IMAGE = {"type": "image", "data": PNG, "mimeType": "image/png"}
AUDIO = {"type": "audio", "data": WAV, "mimeType": "audio/wav"}
EMBEDDED = {
    "type": "resource",
    "resource": {"uri": "test://embedded-resource", "mimeType": "text/plain", "text": "This is an embedded resource."},
}
MIXED = {
    "type": "resource",
    "resource": {
        "uri": "test://mixed-content-resource",
        "mimeType": "application/json",
        "text": '{"test":"data","value":123}',
    },
}


class SchemaTool(Tool):
    """A tool whose input schema has the keywords of JSON Schema 2020-12 that must survive."""

    @cached_property
    def input_schema(self) -> dict[str, Any]:
        """JSON Schema of the arguments."""
        address: dict[str, Any] = {"$anchor": "addressDef", "type": "object"}
        address["properties"] = {"street": {"type": "string"}, "city": {"type": "string"}}
        text = {"type": "string"}
        return {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "type": "object",
            "$defs": {"address": address},
            "properties": {
                "name": text,
                "address": {"$ref": "#/$defs/address"},
                "contactMethod": {"type": "string", "enum": ["phone", "email"]},
                "phone": text,
                "email": text,
            },
            "allOf": [{"anyOf": [{"required": ["phone"]}, {"required": ["email"]}]}],
            "if": {"properties": {"contactMethod": {"const": "phone"}}, "required": ["contactMethod"]},
            "then": {"required": ["phone"]},
            "else": {"required": ["email"]},
            "additionalProperties": False,
        }


class HeaderTool(Tool):
    """A tool that wants an argument repeated in a header."""

    @cached_property
    def input_schema(self) -> dict[str, Any]:
        """JSON Schema of the arguments."""
        return {
            "type": "object",
            "properties": {"region": {"type": "string", "x-mcp-header": "Region"}},
            "additionalProperties": False,
        }


class Contact(Struct, frozen=True):
    """Arguments of the schema tool; nothing in them matters."""

    name: str = ""


def answering(name: str, *blocks: dict[str, Any]) -> Tool:
    """Return a tool without arguments that always answers with these blocks."""

    async def answer(call: Call) -> Content:
        del call
        return Content(list(blocks))

    return define(name, answer, Content, title=name, description=f"Fixture {name} of the conformance suite", cache=NONE)


async def _fail(call: Call) -> Content:
    raise ToolError("This tool intentionally returns an error for testing")


async def _progress(call: Call) -> Content:
    for done in (0, 50, 100):
        await call.progress(done, 100, f"{done} of 100")
        await asyncio.sleep(0.05)
    return Content([{"type": "text", "text": "Done"}])


async def _schema(call: Call, name: str) -> Content:
    return Content([{"type": "text", "text": f"ok {name}"}])


async def _region(call: Call, region: str = "") -> Content:
    return Content([{"type": "text", "text": f"region {region}"}])


def _fixture(kind: type[Tool], name: str, function: Any, **more: Any) -> Tool:
    made = define(name, function, Content, title=name, description=f"Fixture {name}", cache=NONE, **more)
    return kind(**{field: getattr(made, field) for field in Tool.__dataclass_fields__})


TOOLS: tuple[Tool, ...] = (
    answering("test_simple_text", TEXT),
    answering("test_image_content", IMAGE),
    answering("test_audio_content", AUDIO),
    answering("test_embedded_resource", EMBEDDED),
    answering("test_multiple_content_types", {"type": "text", "text": "Multiple content types test:"}, IMAGE, MIXED),
    _fixture(Tool, "test_error_handling", _fail),
    _fixture(Tool, "test_tool_with_progress", _progress),
    _fixture(SchemaTool, "json_schema_2020_12_tool", _schema, arguments=Contact),
    _fixture(HeaderTool, "test_headers", _region),
)
