"""Items: item_get, item_search."""

from __future__ import annotations

from typing import Annotated, Any

from mcp.server.mcpserver import MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from pydantic import BaseModel, Field

from trinitycore_mcp.database.session import Row
from trinitycore_mcp.tools.names import Flags, Named, OneOf, flags, named
from trinitycore_mcp.tools.results import (
    READ_ONLY,
    Cursor,
    Id,
    Limit,
    Money,
    NextCursor,
    Reference,
    Related,
    Text,
    money,
    real,
    text_or_none,
)
from trinitycore_mcp.tools.search import Search
from trinitycore_mcp.tools.world import World

Level = Annotated[int | None, Field(ge=0, le=1000)]
_RESISTANCES = ("holy", "fire", "nature", "frost", "shadow", "arcane")


class Stat(BaseModel):
    """A bonus to one statistic."""

    stat: Named
    amount: int


class Damage(BaseModel):
    """Damage of a weapon's hit, before modifiers."""

    school: Named
    min: float
    max: float


class ItemSpell(BaseModel):
    """A spell the item casts."""

    spell_id: int
    trigger: Named
    charges: int = Field(description="negative: the item is used up with the last one; 0: no limit")
    procs_per_minute: float
    cooldown_ms: int | None = Field(description="null: the spell's own")


class ItemSummary(BaseModel):
    """An item in a list."""

    id: int
    name: str
    quality: Named
    item_class: Named
    subclass: Named
    inventory_type: Named = Field(description="where it is worn")
    item_level: int
    required_level: int


class Item(ItemSummary):
    """An item template: what every copy of it is like."""

    description: str | None = Field(description="the yellow text in its tooltip")
    bonding: Named
    allowed_classes: Flags = Field(description="value -1: all")
    allowed_races: Flags = Field(description="value -1: all")
    stats: list[Stat]
    damage: list[Damage]
    attack_time_ms: int | None
    armor: int
    block: int
    resistances: dict[str, int] = Field(description="by school, only those above 0")
    spells: list[ItemSpell]
    buy_price: Money = Field(description="for buy_count pieces")
    buy_count: int
    sell_price: Money
    stack_size: int
    max_count: int | None = Field(description="how many a character may have; null: no limit")
    container_slots: int
    durability: int
    socket_colors: list[int]
    item_set_id: int | None
    random_property_id: int | None
    random_suffix_id: int | None
    disenchant_id: int | None
    lock_id: int | None
    page_text_id: int | None
    required_skill_id: int | None
    required_skill_rank: int | None
    required_reputation_faction_id: int | None
    required_reputation_rank: int | None
    starts_quest: Reference | None
    duration_s: int | None
    script_name: str | None
    related: list[Related]


class ItemPage(BaseModel):
    """One page of a search."""

    items: list[ItemSummary]
    next_cursor: NextCursor


_COLUMNS = ("entry", "name", "Quality", "class", "subclass", "InventoryType", "ItemLevel", "RequiredLevel")


def register(server: MCPServer[Any], world: World) -> None:
    """Add the tools."""

    @server.tool(title="Get an item", annotations=READ_ONLY)
    async def item_get(
        id: Annotated[Id, Field(description="item template id (entry)")],
    ) -> Item:
        """Everything about one item by its id: class, quality, where it is worn, levels, stats, damage, armor,
        spells, prices, binding, who may use it, the quest it starts. Use item_search when you know a name only."""
        row = await world.row("item_get", "item_template", "entry", id)
        if row is None:
            raise ToolError(f"there is no item with id {id}; item_search finds ids by name")
        quest = row["startquest"]
        titles = await world.names_of("item_get", "quest_template", "ID", "LogTitle", [quest])
        return _item(row, Reference(id=quest, name=titles.get(quest)) if quest else None)

    @server.tool(title="Search items", annotations=READ_ONLY)
    async def item_search(
        text: Text = None,
        quality: Annotated[int | None, OneOf("item_quality"), Field(description="only this quality")] = None,
        item_class: Annotated[int | None, OneOf("item_class"), Field(description="only this class")] = None,
        inventory_type: Annotated[
            int | None, OneOf("inventory_type"), Field(description="only what is worn there")
        ] = None,
        min_item_level: Annotated[Level, Field(description="item level at least this")] = None,
        max_item_level: Annotated[Level, Field(description="item level at most this")] = None,
        max_required_level: Annotated[Level, Field(description="usable at this character level")] = None,
        limit: Limit = 20,
        cursor: Cursor = None,
    ) -> ItemPage:
        """Find items by name and by quality, class, slot or level. Give text or at least one filter. Then item_get
        shows one whole."""
        search = Search(world, "item_search", "item_template", "entry", ("name",), _COLUMNS)
        search.where("`Quality` = %s", quality)
        search.where("`class` = %s", item_class)
        search.where("`InventoryType` = %s", inventory_type)
        search.where("`ItemLevel` >= %s", min_item_level)
        search.where("`ItemLevel` <= %s", max_item_level)
        search.where("`RequiredLevel` <= %s", max_required_level)
        rows, next_cursor = await search.page(text, limit, cursor)
        return ItemPage(items=[ItemSummary(**_summary(row)) for row in rows], next_cursor=next_cursor)


def _summary(row: Row) -> dict[str, Any]:
    subclass = named("item_subclass", row["class"] * 1000 + row["subclass"])
    return {
        "id": row["entry"],
        "name": row["name"],
        "quality": named("item_quality", row["Quality"]),
        "item_class": named("item_class", row["class"]),
        "subclass": Named(value=row["subclass"], name=subclass.name),
        "inventory_type": named("inventory_type", row["InventoryType"]),
        "item_level": row["ItemLevel"],
        "required_level": row["RequiredLevel"],
    }


def _item(row: Row, quest: Reference | None) -> Item:
    return Item(
        **_summary(row),
        description=text_or_none(row["description"]),
        bonding=named("item_bonding", row["bonding"]),
        allowed_classes=flags("character_classes", row["AllowableClass"], everything=-1),
        allowed_races=flags("character_races", row["AllowableRace"], everything=-1),
        stats=_stats(row),
        damage=_damage(row),
        attack_time_ms=row["delay"] or None,
        armor=row["armor"],
        block=row["block"],
        resistances={school: row[f"{school}_res"] for school in _RESISTANCES if row[f"{school}_res"]},
        spells=_spells(row),
        buy_price=money(row["BuyPrice"]),
        buy_count=row["BuyCount"],
        sell_price=money(row["SellPrice"]),
        stack_size=row["stackable"] or 1,
        max_count=row["maxcount"] or None,
        container_slots=row["ContainerSlots"],
        durability=row["MaxDurability"],
        socket_colors=[row[f"socketColor_{n}"] for n in (1, 2, 3) if row[f"socketColor_{n}"]],
        item_set_id=row["itemset"] or None,
        random_property_id=row["RandomProperty"] or None,
        random_suffix_id=row["RandomSuffix"] or None,
        disenchant_id=row["DisenchantID"] or None,
        lock_id=row["lockid"] or None,
        page_text_id=row["PageText"] or None,
        required_skill_id=row["RequiredSkill"] or None,
        required_skill_rank=row["RequiredSkillRank"] or None,
        required_reputation_faction_id=row["RequiredReputationFaction"] or None,
        required_reputation_rank=row["RequiredReputationRank"] or None,
        starts_quest=quest,
        duration_s=row["duration"] or None,
        script_name=text_or_none(row["ScriptName"]),
        related=[Related(tool="quest_get", arguments={"id": quest.id}, why="the quest it starts")] if quest else [],
    )


def _stats(row: Row) -> list[Stat]:
    return [
        Stat(stat=named("item_stat", row[f"stat_type{n}"]), amount=row[f"stat_value{n}"])
        for n in range(1, 11)
        if row[f"stat_value{n}"]
    ]


def _damage(row: Row) -> list[Damage]:
    return [
        Damage(
            school=named("damage_school", row[f"dmg_type{n}"]),
            min=real(row[f"dmg_min{n}"]),
            max=real(row[f"dmg_max{n}"]),
        )
        for n in (1, 2)
        if row[f"dmg_max{n}"]
    ]


def _spells(row: Row) -> list[ItemSpell]:
    return [
        ItemSpell(
            spell_id=row[f"spellid_{n}"],
            trigger=named("item_spell_trigger", row[f"spelltrigger_{n}"]),
            charges=row[f"spellcharges_{n}"],
            procs_per_minute=real(row[f"spellppmRate_{n}"]),
            cooldown_ms=row[f"spellcooldown_{n}"] if row[f"spellcooldown_{n}"] >= 0 else None,
        )
        for n in range(1, 6)
        if row[f"spellid_{n}"] > 0
    ]
