"""How a value is shown, by its kind.

Kinds: number, signed, hex, ms, s, yards, degrees; enum:NAME, flags:NAME, any:NAME (one of
the flags), bits:NAME (bit n is the enum's n); else what the number refers to, such as spell or
creature.
"""

from __future__ import annotations

from trinitycore_mcp.sentences.names import Names
from trinitycore_mcp.toolkit import enums

_PLAIN = frozenset({"number", "signed", "hex", "ms", "s", "yards", "degrees"})
# What a reference is called before its name.
_CALLED = {
    "area": "zone or area",
    "game_event": "game event",
    "creature_spawn": "creature spawn",
    "gameobject_spawn": "gameobject spawn",
    "text_group": "text group",
    "gossip_menu": "gossip menu",
    "npc_text": "NPC text",
    "action_list": "action list",
    "spawn_group": "spawn group",
    "summon_group": "summon group",
}


def is_reference(kind: str) -> bool:
    """Return whether numbers of this kind are ids of something."""
    return kind not in _PLAIN and ":" not in kind


def show(kind: str, value: int, names: Names) -> str:
    """Return a value in words."""
    family, _, enum = kind.partition(":")
    if family == "enum":
        return enums.values(enum).get(value, f"{enum.replace('_', ' ')} {value}")
    if family in ("flags", "any"):
        return (", " if family == "flags" else " or ").join(enums.flags(enum, value).names) or "none"
    if family == "bits":
        known = enums.values(enum)
        bits = [bit for bit in range(32) if value >> bit & 1]
        return " or ".join(known.get(bit, f"{bit}") for bit in bits) or "none"
    if is_reference(kind):
        called = _CALLED.get(kind, kind.replace("_", " "))
        name = names.get((kind, value))
        if kind == "text_group" and name:
            return f"{name} (text group {value})"
        return f"{called} {name} ({value})" if name else f"{called} {value}"
    return _plain(kind, value)


def between(kind: str, low: int, high: int) -> str:
    """Return two values of a plain kind as from the least to the most, or as one."""
    if high in (low, 0):
        return _plain(kind, low)
    unit = _plain(kind, 0).removeprefix("0")
    if kind == "ms":
        return f"{_seconds(low)}-{_seconds(high)} s"
    return f"{low}-{high}{unit}"


def _seconds(milliseconds: int) -> str:
    return f"{milliseconds / 1000:.6g}"


def _plain(kind: str, value: int) -> str:
    match kind:
        case "signed":
            return str(value - (1 << 32) if value >> 31 else value)
        case "hex":
            return f"{value:#x}"
        case "ms":
            return f"{_seconds(value)} s"
        case "s":
            return f"{value} s"
        case "yards":
            return f"{value} yd"
        case "degrees":
            return f"{value} degrees"
    return str(value)
