"""Spawns, what they share, and places of the world."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.support.mariadb import MariaDb
from tests.support.tools import Toolbox, toolbox
from trinitycore_mcp.tools import areatriggers, disables, formations, places, spawn_groups, spawns

pytestmark = pytest.mark.anyio

TOOLS = (
    *spawns.TOOLS,
    *spawn_groups.TOOLS,
    *formations.TOOLS,
    *places.TOOLS,
    *areatriggers.TOOLS,
    *disables.TOOLS,
)


@pytest.fixture
async def tools(mariadb: MariaDb) -> AsyncIterator[Toolbox]:
    async with toolbox(mariadb, TOOLS) as box:
        yield box


async def test_spawns_of_a_creature(tools: Toolbox) -> None:
    found = await tools.call("spawns", kind="creature", id=448)
    assert (found["total"], found["entry"]["name"]) == (1, "Hogger")
    (spawn,) = found["spawns"]
    assert spawn["position"] == {"map": 0, "x": -10140.0, "y": 660.0, "z": 36.1}
    assert (spawn["zone"]["id"], spawn["area"]["id"], spawn["path"]) == (12, 60, 100)
    assert spawn["movement"]["name"] == "Waypoint"
    assert spawn["spawn_mask"]["names"] == ["10 players or normal"]
    assert {each["tool"] for each in found["related"]} == {"creature_get", "waypoints", "spawns_near"}


async def test_spawns_are_paged_by_guid(tools: Toolbox) -> None:
    first = await tools.call("spawns", kind="creature", id=299, limit=2)
    assert ([each["guid"] for each in first["spawns"]], first["total"]) == ([3, 4], 3)
    rest = await tools.call("spawns", kind="creature", id=299, limit=2, cursor=first["next_cursor"])
    assert ([each["guid"] for each in rest["spawns"]], rest["next_cursor"]) == ([5], None)


async def test_spawns_say_what_they_belong_to(tools: Toolbox) -> None:
    wolf = await tools.call("spawns", kind="creature", id=299)
    assert [each["pool"] for each in wolf["spawns"]] == [100, 100, 100]
    kobolds = await tools.call("spawns", kind="creature", id=6)
    assert [each["spawn_groups"] for each in kobolds["spawns"]] == [[10], [10]]
    assert [each["formation_leader"] for each in kobolds["spawns"]] == [None, 6]
    posters = await tools.call("spawns", kind="gameobject", id=68)
    assert [each["state"]["name"] for each in posters["spawns"]] == ["ready", "ready"]
    assert posters["spawns"][0]["movement"] is None


async def test_spawns_that_are_not_there(tools: Toolbox) -> None:
    assert len((await tools.call("spawns", kind="gameobject", id=68, zone=9))["spawns"]) == 1
    assert len((await tools.call("spawns", kind="gameobject", id=68, map=0))["spawns"]) == 2
    elsewhere = await tools.refusal("spawns", kind="gameobject", id=68, map=1)
    assert elsewhere == "gameobject 68 has no spawns there; its 2 spawns are on map 0"
    assert "may be summoned" in await tools.refusal("spawns", kind="creature", id=40)
    assert "no creature with id 4000" in await tools.refusal("spawns", kind="creature", id=4000)


async def test_spawns_near_are_ordered_by_distance(tools: Toolbox) -> None:
    near = await tools.call("spawns_near", map=0, x=-8890, y=-90, radius=100)
    assert [(each["kind"], each["guid"]) for each in near["spawns"]] == [
        ("creature", 3),
        ("creature", 4),
        ("creature", 5),
        ("creature", 2),
        ("gameobject", 3),
        ("creature", 1),
    ]
    distances = [each["distance"] for each in near["spawns"]]
    assert distances == sorted(distances)
    assert distances[:2] == [0.0, 15.81]
    level = await tools.call("spawns_near", map=0, x=-8890, y=-90, z=83, radius=100, kind="creature")
    assert level["spawns"][1]["distance"] == 15.82


async def test_spawns_near_the_corner_of_the_box_are_too_far(tools: Toolbox) -> None:
    # Wolf 4 is 15 and 5 yards off along the axes: inside a box of 15.5, outside of the circle.
    near = await tools.call("spawns_near", map=0, x=-8890, y=-90, radius=15.5)
    assert [each["guid"] for each in near["spawns"]] == [3]
    nothing = await tools.call("spawns_near", map=530, x=0, y=0, radius=1000)
    assert (nothing["spawns"], nothing["notice"]) == ([], "nothing stands within 1000 yards")


async def test_pages_of_spawns_near_neither_repeat_nor_skip(mariadb: MariaDb, tools: Toolbox) -> None:
    mariadb.sql(
        "INSERT INTO gameobject (guid, id, map, position_x, position_y, position_z) VALUES "
        "(901, 68, 0, -8875, -85, 82.5), (902, 68, 0, -8875, -85, 82.5)",  # as far as wolf 4
        "world",
    )
    try:
        whole = await tools.call("spawns_near", map=0, x=-8890, y=-90, radius=100)
        seen, cursor, first = [], None, True
        while first or cursor:
            page = await tools.call("spawns_near", map=0, x=-8890, y=-90, radius=100, limit=1, cursor=cursor)
            seen += [(each["kind"], each["guid"]) for each in page["spawns"]]
            cursor, first = page["next_cursor"], False
        assert seen == [(each["kind"], each["guid"]) for each in whole["spawns"]]
        assert seen[1:4] == [("creature", 4), ("gameobject", 901), ("gameobject", 902)]
    finally:
        mariadb.sql("DELETE FROM gameobject WHERE guid > 900", "world")


async def test_pools_up_to_their_mothers(tools: Toolbox) -> None:
    found = await tools.call("spawn_groups_pools", guid=3)
    wolves, abbey = found["pools"]
    assert (wolves["id"], wolves["at_once"], wolves["mother"]) == (100, 1, 200)
    assert [(each["id"], each["name"], each["chance"]) for each in wolves["members"]] == [
        (3, "Young Wolf", 0.0),
        (4, "Young Wolf", 0.0),
        (5, "Young Wolf", 25.0),
    ]
    assert [(each["kind"]["name"], each["name"], each["chance"]) for each in abbey["members"]] == [
        ("pool", "Wolves by the abbey", 60.0),
        ("pool", "Kobolds by the abbey", 40.0),
    ]
    mother = await tools.call("spawn_groups_pools", pool=200)
    assert [each["arguments"] for each in mother["related"]] == [{"pool": 100}, {"pool": 101}]


async def test_spawn_groups(tools: Toolbox) -> None:
    found = await tools.call("spawn_groups_pools", kind="gameobject", guid=3)
    (group,) = found["groups"]
    assert (group["name"], group["flags"]["names"]) == ("Kobolds of Echo Ridge", ["Manual Spawn"])
    assert [(each["kind"]["name"], each["guid"], each["name"]) for each in group["members"]] == [
        ("creature", 6, "Kobold Vermin"),
        ("creature", 7, "Kobold Vermin"),
        ("gameobject", 3, "Wanted Poster"),
    ]
    (rule,) = group["in_instances"]
    assert (rule["map"], rule["states"], rule["flags"]["names"]) == (249, ["done"], ["Activates the Group"])
    assert (await tools.call("spawn_groups_pools", group=0))["groups"][0]["members"] == []
    assert "in no pool" in await tools.refusal("spawn_groups_pools", guid=9)
    assert "no pool 201" in await tools.refusal("spawn_groups_pools", pool=201)
    assert "no spawn group 5" in await tools.refusal("spawn_groups_pools", group=5)
    assert "give one" in await tools.refusal("spawn_groups_pools", pool=1, group=5)


async def test_formations(tools: Toolbox) -> None:
    found = await tools.call("formations", spawn=7)
    (formation,) = found["formations"]
    assert (formation["leader"], formation["leader_name"]) == (6, "Kobold Vermin")
    leader, follower = formation["members"]
    assert (leader["guid"], leader["leads"]) == (6, True)
    assert (follower["distance"], follower["angle"], follower["turns_at"]) == (3.0, 90.0, [1, 4])
    assert "Follows in Formation" in follower["behaviour"]["names"]
    assert await tools.call("formations", creature=6) == found
    assert "in no formation" in await tools.refusal("formations", creature=448)
    assert "one of them" in await tools.refusal("formations")


async def test_teleports(tools: Toolbox) -> None:
    found = await tools.call("teleports", text="northshire a")
    assert [each["name"] for each in found["teleports"]] == ["NorthshireAbbey"]
    assert found["related"][0]["tool"] == "spawns_near"
    seen, cursor, first = [], None, True
    while first or cursor:
        page = await tools.call("teleports", limit=1, cursor=cursor)
        seen += [each["name"] for each in page["teleports"]]
        cursor, first = page["next_cursor"], False
    assert seen == ["Goldshire", "NorthshireAbbey", "NorthshireValley", "Orgrimmar"]
    assert [each["name"] for each in (await tools.call("teleports", map=1))["teleports"]] == ["Orgrimmar"]
    assert (await tools.call("teleports", text="%"))["teleports"] == []


async def test_graveyards(tools: Toolbox) -> None:
    found = await tools.call("graveyards", zone=12)
    assert [(each["id"], each["faction"]["name"]) for each in found["graveyards"]] == [
        (105, "Everybody"),
        (106, "Alliance"),
    ]
    assert found["graveyards"][0]["position"] is None  # only the client knows
    assert (await tools.call("graveyards", id=10))["graveyards"][0]["faction"]["name"] == "Horde"
    assert "no graveyard for zone 999" in await tools.refusal("graveyards", zone=999)
    assert "no positions" in await tools.refusal("graveyards", map=0)


async def test_areatriggers(tools: Toolbox) -> None:
    every = {each["id"]: each for each in (await tools.call("areatriggers"))["triggers"]}
    assert set(every) == {88, 562, 2848, 5001}
    assert every[88]["quest"]["id"] == 15
    assert every[562]["tavern"].endswith("Lion's Pride Inn")
    assert every[2848]["teleport"]["to"]["map"] == 249
    assert every[5001]["script"] == "SmartTrigger"
    script = await tools.call("areatriggers", id=5001)
    assert script["related"][0]["arguments"] == {"of": "areatrigger", "id": 5001}
    assert [each["id"] for each in (await tools.call("areatriggers", to_map=249))["triggers"]] == [2848]
    assert [each["id"] for each in (await tools.call("areatriggers", quest=15))["triggers"]] == [88]
    assert [each["id"] for each in (await tools.call("areatriggers", does="tavern"))["triggers"]] == [562]
    page = await tools.call("areatriggers", limit=3)
    rest = await tools.call("areatriggers", limit=3, cursor=page["next_cursor"])
    assert [each["id"] for each in rest["triggers"]] == [5001]
    assert "nothing is attached to area trigger 7" in await tools.refusal("areatriggers", id=7)
    assert "leads to map 1" in await tools.refusal("areatriggers", to_map=1)


async def test_disabled(tools: Toolbox) -> None:
    every = {(each["type"]["name"], each["entry"]["id"]): each for each in (await tools.call("disabled"))["disabled"]}
    assert {("Map", 249), ("Battleground", 30), ("MMap", 37)} <= set(every)
    spell = every["Spell", 8690]
    assert spell["flags"]["names"][0] == "Players"
    assert [each["id"] for each in spell["maps"]] == [0, 1]
    assert spell["sentence"].endswith("is turned off for: Players on map 0, map 1")
    assert every["Quest", 7490]["sentence"] == "Quest 7490 is turned off"
    assert every["VMap", 13]["sentence"] == "VMap of map 13 is turned off for: Line of Sight"
    assert len((await tools.call("disabled", type="quest", entry=7490))["disabled"]) == 1
    assert (await tools.call("disabled", type="quest", entry=7))["disabled"] == []
    assert "give type" in await tools.refusal("disabled", entry=7490)
    assert "there is no 'Kest'" in await tools.refusal("disabled", type="Kest")


async def test_real_places(azerothcore: MariaDb) -> None:
    def one(sql: str) -> int:
        return int(azerothcore.sql(sql, "world")[0][0])

    async with toolbox(azerothcore, TOOLS) as box:
        onyxia = await box.call("areatriggers", to_map=249)
        assert [each["id"] for each in onyxia["triggers"]] == [2848]
        assert onyxia["triggers"][0]["shape"]["radius"] == 16.0
        elwynn = await box.call("graveyards", zone=12)
        assert len(elwynn["graveyards"]) == one("SELECT COUNT(*) FROM graveyard_zone WHERE GhostZone = 12")
        assert elwynn["graveyards"][0]["position"]["map"] == 0
        assert (await box.call("teleports", text="goldshire"))["teleports"][0]["id"] == 435
        line_of_sight = await box.call("disabled", type="MMap", limit=1)
        assert line_of_sight["disabled"][0]["type"]["name"] == "Gameobject Line of Sight"
        pool = one("SELECT pool_entry FROM pool_gameobject GROUP BY pool_entry ORDER BY COUNT(*) DESC LIMIT 1")
        count = one(f"SELECT COUNT(*) FROM pool_gameobject WHERE pool_entry = {pool}")
        found = await box.call("spawn_groups_pools", pool=pool)
        assert len(found["pools"][0]["members"]) == min(count, 300)
        leader = one("SELECT leaderGUID FROM creature_formations GROUP BY leaderGUID ORDER BY COUNT(*) DESC LIMIT 1")
        members = one(f"SELECT COUNT(*) FROM creature_formations WHERE leaderGUID = {leader}")
        formation = await box.call("formations", spawn=leader)
        assert len(formation["formations"][0]["members"]) == min(members, 100)
        assert "table creature is missing" in await box.refusal("spawns", kind="creature", id=6)
        assert "table creature is missing" in await box.refusal("spawns_near", map=0, x=0, y=0)
        assert "has no spawn groups" in await box.refusal("spawn_groups_pools", guid=99999999)


async def test_empty_real_shapes(trinitycore: MariaDb) -> None:
    async with toolbox(trinitycore, TOOLS) as box:
        assert "no creature with id 6" in await box.refusal("spawns", kind="creature", id=6)
        assert (await box.call("spawns_near", map=0, x=0, y=0))["spawns"] == []
        assert (await box.call("teleports"))["teleports"] == []
        assert (await box.call("disabled"))["disabled"] == []
        assert "no area triggers" in await box.refusal("areatriggers")
        assert "no graveyard" in await box.refusal("graveyards")
        assert "in no formation" in await box.refusal("formations", spawn=1)
        assert "in no pool" in await box.refusal("spawn_groups_pools", guid=1)
