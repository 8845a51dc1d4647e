"""item_sources over the lab's world."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.support.mariadb import MariaDb
from tests.support.tools import Toolbox, toolbox
from trinitycore_mcp.tools import item_sources, loot

pytestmark = pytest.mark.anyio


@pytest.fixture
async def tools(mariadb: MariaDb) -> AsyncIterator[Toolbox]:
    async with toolbox(mariadb, (*item_sources.TOOLS, *loot.TOOLS)) as box:
        yield box


async def test_loots_through_references_with_the_chance_of_each(tools: Toolbox) -> None:
    answer = await tools.call("item_sources", id=828)
    loots = {(each["table"], each["loot_id"]): each for each in answer["loot"]}
    assert set(loots) == {("creature", 40), ("creature", 448), ("gameobject", 2843), ("mail", 118)}
    miner = loots["creature", 40]
    assert miner["owners"] == [{"kind": "creature", "id": 40, "name": "Kobold Miner"}]
    assert miner["chance_percent"] == pytest.approx(0.2 * 12)
    assert miner["references"] == [24001]
    assert miner["conditions"]  # of the reference
    # What the sources say is what the loot itself says.
    for row in (await tools.call("creature_loot", id=448))["rows"]:
        if row["id"] == 828:
            assert loots["creature", 448]["chance_percent"] == row["item_chance_percent"]
    assert loots["gameobject", 2843]["owners"][0]["name"] == "Battered Chest"
    assert {(each["kind"], each["id"]) for each in loots["mail", 118]["owners"]} >= {("level", 10)}
    assert answer["sold_by"] == [{"id": 233, "name": "Farmer Saldean"}]


async def test_chances_agree_with_the_loot_for_every_source(tools: Toolbox) -> None:
    for item in (2589, 647, 117, 752, 5191):
        for source in (await tools.call("item_sources", id=item))["loot"]:
            if source["table"] != "creature":
                continue
            rows = (await tools.call("creature_loot", id=source["owners"][0]["id"]))["rows"]
            (chance,) = {row["item_chance_percent"] for row in rows if row["id"] == item and row["what"] == "item"}
            assert source["chance_percent"] == chance, (item, source)


@pytest.mark.parametrize(
    ("item", "table", "owner"),
    [
        (2318, "skinning", ("creature", 69, "Diseased Timber Wolf")),
        (118, "pickpocketing", ("creature", 38, "Defias Thug")),
        (10940, "disenchant", ("item", 5191, "Cruel Barb")),
        (39151, "milling", ("item", 765, "Silverleaf")),
        (818, "prospecting", ("item", 2770, "Copper Ore")),
        (818, "spell", ("spell", 61288, None)),
        (7974, "item", ("item", 5523, "Small Barnacled Clam")),
    ],
)
async def test_every_table_tells_whose_loot_it_is(
    tools: Toolbox, item: int, table: str, owner: tuple[str, int, str | None]
) -> None:
    answer = await tools.call("item_sources", id=item)
    found = [each["owners"][0] for each in answer["loot"] if each["table"] == table]
    assert (found[0]["kind"], found[0]["id"]) == owner[:2]
    if owner[2] is not None:
        assert found[0]["name"] == owner[2]
    assert {"table": table, "loots": len(found)} in answer["loot_counts"]


async def test_fishing(tools: Toolbox) -> None:
    (source,) = (await tools.call("item_sources", id=6291))["loot"]
    assert (source["table"], source["loot_id"], source["owners"][0]["kind"]) == ("fishing", 12, "zone")
    assert source["chance_percent"] == 70


async def test_quests_and_starting_equipment(tools: Toolbox) -> None:
    answer = await tools.call("item_sources", id=25)
    assert {"quest": {"id": 7, "name": "Kobold Camp Cleanup"}, "how": "choice", "count": 1} in answer["quests"]
    assert answer["start_equipment"] == [{"race": 1, "character_class": 1, "count": 1}]
    potions = (await tools.call("item_sources", id=118))["quests"]
    assert {"quest": {"id": 60, "name": "Kobold Candles"}, "how": "reward", "count": 5} in potions


async def test_pages_join_to_the_whole(tools: Toolbox) -> None:
    whole = await tools.call("item_sources", id=2589)
    assert len(whole["loot"]) > 3
    first = await tools.call("item_sources", id=2589, limit=2)
    rest = await tools.call("item_sources", id=2589, limit=100, cursor=first["next_cursor"])
    assert first["loot"] + rest["loot"] == whole["loot"]
    assert rest["quests"] == []


async def test_what_no_loot_holds_and_nobody_sells(tools: Toolbox) -> None:
    answer = await tools.call("item_sources", id=3661)
    assert (answer["loot"], answer["sold_by"]) == ([], [])
    assert "there is no item with id 999999" in await tools.refusal("item_sources", id=999999)
