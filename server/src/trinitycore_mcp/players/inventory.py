"""What the numbers of a character's items mean: slots, enchantments, charges.

Slots with bag 0 are those of the client of 3.3.5; later clients laid the ones above the worn items out anew several
times, so there they stay without a name.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Struct

from trinitycore_mcp.schema import Family
from trinitycore_mcp.toolkit import Named, doc, enums, named

_SECTIONS_335 = (
    ("equipped", 0, 19),
    ("bag", 19, 23),
    ("backpack", 23, 39),
    ("bank", 39, 67),
    ("bank bag", 67, 74),
    ("buyback", 74, 86),
    ("keyring", 86, 118),
    ("currency", 118, 150),
)


class Enchantment(Struct, frozen=True):
    """Something that an item is enchanted with."""

    slot: Named
    enchantment_id: int
    remaining_ms: Annotated[int | None, doc("null: for good")]
    charges: int | None


class Place(Struct, frozen=True):
    """Where a character keeps an item."""

    section: Annotated[
        str, doc("equipped, bag, backpack, bank, bank bag, buyback, keyring, currency, in bag, in bank bag, other")
    ]
    bag_guid: Annotated[int | None, doc("item guid of the bag it lies in; null: directly on the character")]
    slot: Annotated[int, doc("slot in the bag from 0, or the character's own slot number")]
    slot_name: Annotated[str | None, doc("where it is worn, or which place of its section from 1")]


def place(family: Family, bag: int, slot: int, bag_slot: int | None) -> Place:
    """Return where an item lies.

    :param bag: guid of the container item, 0 for none.
    :param bag_slot: the slot that the container itself has.
    """
    if bag:
        section, _ = _section(family, bag_slot) if bag_slot is not None else ("bag", None)
        return Place(f"in {'bank bag' if section == 'bank bag' else 'bag'}", bag, slot, str(slot + 1))
    section, first = _section(family, slot)
    name = enums.values("equipment_slot").get(slot) if section == "equipped" else None
    if name is None and first is not None:
        name = str(slot - first + 1)
    return Place(section, None, slot, name)


def _section(family: Family, slot: int) -> tuple[str, int | None]:
    sections = _SECTIONS_335[:1] if family is Family.TRINITYCORE_MASTER else _SECTIONS_335
    for name, first, end in sections:
        if first <= slot < end:
            return name, first
    return "other", None


def enchantments(text: str | None) -> list[Enchantment]:
    """Return what stands in item_instance.enchantments: id, remaining time and charges, slot after slot."""
    numbers = _numbers(text)
    found = []
    for slot in range(len(numbers) // 3):
        number, remaining, charges = numbers[3 * slot : 3 * slot + 3]
        if number:
            found.append(Enchantment(named("enchantment_slot", slot), number, remaining or None, charges or None))
    return found


def charges(text: str | None) -> list[int]:
    """Return the charges left of an item's spells that have any; below 0: the item is used up with the last one."""
    return [number for number in _numbers(text) if number]


def _numbers(text: str | None) -> list[int]:
    try:
        return [int(each) for each in (text or "").split()]
    except ValueError:
        return []
