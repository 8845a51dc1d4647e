"""trinity://docs/flags/{name}: the names of an enum's or flag set's numbers, as a table."""

from __future__ import annotations

from trinitycore_mcp.errors import ToolError, did_you_mean
from trinitycore_mcp.toolkit import Call, enums
from trinitycore_mcp.toolkit.resource import Resource

MARKDOWN = "text/markdown"


async def _flags(call: Call, name: str) -> str:
    del call
    known = enums.names()
    if name not in known:
        near = did_you_mean(name, known)
        raise ToolError(f"there is no enum or flag set {name[:64]!r}{near or f'; there are {len(known)}'}")
    document = enums.document(name)
    flags = document["kind"] == "flags"
    head = "| value | bit | name |\n|---|---|---|" if flags else "| value | name |\n|---|---|"
    rows = [
        f"| {number:#x} ({number}) | {number.bit_length() - 1} | {label} |" if flags else f"| {number} | {label} |"
        for number, label in enums.values(name).items()
    ]
    kind = "Flags, of which several may be set" if flags else "An enum: one value at a time"
    return "\n".join([f"# {name}", "", f"{kind}. Holds for: {document['holds_for']}.", "", head, *rows, ""])


async def _names(call: Call, prefix: str) -> list[str]:
    del call
    folded = prefix.casefold()
    known = enums.names()
    begins = [name for name in known if name.startswith(folded)]
    return begins or [name for name in known if folded in name]


RESOURCES: tuple[Resource, ...] = (
    Resource(
        uri="trinity://docs/flags/{name}",
        name="flags",
        title="Names of an enum's or flag set's values",
        description="What the numbers of a column mean, as a table, e.g. npc_flags, quest_flags, item_quality.",
        read=_flags,
        mime_type=MARKDOWN,
        complete={"name": _names},
    ),
)
