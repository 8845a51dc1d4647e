"""Every tool of every entity over real databases, where the machine has them."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.support.mariadb import MariaDb
from tests.support.tools import Toolbox, toolbox
from trinitycore_mcp.entities import ENTITIES
from trinitycore_mcp.tools.entities import TOOLS
from trinitycore_mcp.tools.world_search import TOOLS as WORLD_SEARCH

pytestmark = pytest.mark.anyio
_LOOKED_UP = [entity for entity in ENTITIES.values() if entity.has_tools]
# Tables that the copy of AzerothCore lacks.
_ABSENT = {"creature_template", "item_template", "quest_template"}

# Entities whose rows have names there; of other client tables it has rows without, or none.
_NAMED = {"gameobject", "spell", "game_event", "encounter"}


@pytest.fixture
async def acore(azerothcore: MariaDb) -> AsyncIterator[Toolbox]:
    async with toolbox(azerothcore, TOOLS + WORLD_SEARCH) as opened:
        yield opened


@pytest.fixture
async def trinity(trinitycore: MariaDb) -> AsyncIterator[Toolbox]:
    async with toolbox(trinitycore, TOOLS + WORLD_SEARCH) as opened:
        yield opened


@pytest.mark.parametrize("entity", _LOOKED_UP, ids=lambda entity: entity.name)
async def test_every_entity_over_azerothcore(acore: Toolbox, azerothcore: MariaDb, entity: object) -> None:
    found = ENTITIES[getattr(entity, "name", "")]
    get, search = f"{found.name}_get", f"{found.name}_search"
    if found.table in _ABSENT:
        assert f"table {found.table} is missing" in await acore.refusal(get, id=1)
        assert f"table {found.table} is missing" in await acore.refusal(search, text="a")
        return
    sql = f"SELECT `{found.key}` FROM `{found.table}` ORDER BY `{found.key}`"
    ids = [row[0] for row in azerothcore.sql(f"({sql} LIMIT 3) UNION ({sql} DESC LIMIT 3)", "world")]
    for number in ids:
        for locale in (None, "deDE"):
            assert (await acore.call(get, id=int(number), locale=locale))["id"] == int(number)
    if found.summary:
        page = await acore.call(search, text="a", limit=5, locale="frFR")
        assert len(page[found.plural]) == (5 if found.name in _NAMED else 0)
    assert f"there is no {found.noun} with id 4000000000" in await acore.refusal(get, id=4000000000)


async def test_facts_of_azerothcore(acore: Toolbox) -> None:
    chest = await acore.call("gameobject_get", id=2843)
    assert (chest["name"], chest["type"]["name"], chest["lock_id"], chest["loot_id"]) == (
        "Battered Chest",
        "Chest",
        57,
        2265,
    )
    hallow = await acore.call("game_event_get", id=12)
    assert (hallow["name"], hallow["creature_spawns"], hallow["gameobject_spawns"]) == ("Hallow's End", 341, 9776)
    assert len({quest["id"] for quest in hallow["quests"]}) == len(hallow["quests"])
    onyxia = await acore.call("instance_template_get", id=249)
    assert [access["comment"] for access in onyxia["access"]] == ["Onyxia's Lair - 10man", "Onyxia's Lair - 25man"]
    inn = await acore.call("gossip_menu_get", id=1291)
    assert [text["text_id"] for text in inn["texts"]] == [820]
    [first, *_] = (await acore.call("world_search", text="onyxia"))["hits"]
    assert (first["kind"], first["match"]) == ("encounter", "exact")


@pytest.mark.parametrize("entity", _LOOKED_UP, ids=lambda entity: entity.name)
async def test_every_entity_over_trinitycore(trinity: Toolbox, entity: object) -> None:
    found = ENTITIES[getattr(entity, "name", "")]
    text = await trinity.refusal(f"{found.name}_get", id=1, locale="deDE")
    if found.table in ("faction_dbc", "areatable_dbc", "map_dbc"):
        assert f"table {found.table} is missing from database world (family: TrinityCore 3.3.5)" in text
    else:
        assert f"there is no {found.noun} with id 1" in text
        if found.summary and found.name != "achievement":
            assert (await trinity.call(f"{found.name}_search", text="a", locale="deDE"))[found.plural] == []
