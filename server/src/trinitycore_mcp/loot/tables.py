"""The loot tables: what each is for, what its Entry means, and the condition source type of its rows."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class LootTable:
    """A loot table of the world."""

    kind: str
    table: str
    source_type: int | None
    """SourceTypeOrReferenceId of the conditions on its rows; SourceGroup is Entry, SourceEntry is Item."""
    entry: str
    """What Entry is the id of."""


LOOT_TABLES: dict[str, LootTable] = {
    each.kind: each
    for each in (
        LootTable("creature", "creature_loot_template", 1, "creature_template.lootid"),
        LootTable("gameobject", "gameobject_loot_template", 4, "gameobject_template.Data1 of chests, fishing holes"),
        LootTable("item", "item_loot_template", 5, "the item that holds it"),
        LootTable("skinning", "skinning_loot_template", 11, "creature_template.skinloot"),
        LootTable("pickpocketing", "pickpocketing_loot_template", 8, "creature_template.pickpocketloot"),
        LootTable("fishing", "fishing_loot_template", 3, "the area that is fished in"),
        LootTable("disenchant", "disenchant_loot_template", 2, "item_template.DisenchantID"),
        LootTable("milling", "milling_loot_template", 7, "the herb"),
        LootTable("prospecting", "prospecting_loot_template", 9, "the ore"),
        LootTable("mail", "mail_loot_template", 6, "the mail template"),
        LootTable("spell", "spell_loot_template", 12, "the spell that makes it"),
        LootTable("player", "player_loot_template", None, "the team: 0 Alliance, 1 Horde"),
        LootTable("reference", "reference_loot_template", 10, "the Reference of other rows"),
    )
}
"""By kind, in the order that answers list them in."""
