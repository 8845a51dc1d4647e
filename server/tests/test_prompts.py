"""Prompts and resources over the lab's world: the facts in them are the database's, and what they name is there."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from tests.support.mariadb import MariaDb
from tests.support.mcp_server import KEY, McpServer
from tests.support.tools import Toolbox, toolbox
from trinitycore_mcp.access.principal import Principal
from trinitycore_mcp.errors import ToolError
from trinitycore_mcp.prompts import PROMPTS
from trinitycore_mcp.prompts.facts import bounded
from trinitycore_mcp.protocol.contents import Nothing
from trinitycore_mcp.resources import RESOURCES
from trinitycore_mcp.toolkit import Call
from trinitycore_mcp.toolkit.enums import names, values
from trinitycore_mcp.tools import every_tool

pytestmark = pytest.mark.anyio
READER = Principal("reader", frozenset({"read"}), "api_key")
EVERYTHING = replace(READER, scopes=frozenset({"read", "players", "admin"}))
BY_NAME = {prompt.name: prompt for prompt in PROMPTS}


@pytest.fixture
async def box(mariadb: MariaDb) -> AsyncIterator[Toolbox]:
    async with toolbox(mariadb, ()) as found:
        yield found


async def render(box: Toolbox, name: str, principal: Principal = EVERYTHING, **arguments: str) -> str:
    return await BY_NAME[name].render(Call(box.services, principal, "prompt", Nothing()), **arguments)


async def read(box: Toolbox, uri: str, principal: Principal = EVERYTHING) -> str:
    for resource in RESOURCES:
        variables = resource.variables(uri)
        if variables is not None:
            return await resource.read(Call(box.services, principal, "resource", Nothing()), **variables)
    raise AssertionError(f"no resource {uri}")


async def completions(box: Toolbox, uri: str, variable: str, prefix: str) -> list[str]:
    resource = next(each for each in RESOURCES if each.uri == uri)
    return await resource.complete[variable](Call(box.services, EVERYTHING, "completion", Nothing()), prefix)


async def test_every_prompt_names_only_tools_that_are_there(box: Toolbox, mariadb: MariaDb) -> None:
    known = {tool.name for tool in every_tool()}
    quest = mariadb.sql("SELECT MIN(ID) FROM world.quest_template")[0][0]
    vendor = mariadb.sql("SELECT MIN(entry) FROM world.npc_vendor")[0][0]
    item = mariadb.sql("SELECT MIN(entry) FROM world.item_template")[0][0]
    subjects = {"quest": quest, "creature": vendor, "item": item, "zone": "12"}
    for prompt in PROMPTS:
        given = {each.name: subjects[each.name] for each in prompt.arguments}
        text = await render(box, prompt.name, EVERYTHING, **given)
        named = set(re.findall(r"`([a-z_]+)`", text))
        assert len(named) > 3
        assert named <= known, named - known
        assert len(text) < 60_000
        failed = re.findall("could not be looked up: (.*)", text)
        assert all("is missing" in each for each in failed), failed


async def test_a_quest_is_found_by_its_name_and_its_facts_are_in_the_text(box: Toolbox, mariadb: MariaDb) -> None:
    [number, title, giver] = mariadb.sql(
        "SELECT q.ID, q.LogTitle, MIN(s.id) FROM world.quest_template q JOIN world.creature_queststarter s "
        "ON s.quest = q.ID GROUP BY q.ID ORDER BY q.ID LIMIT 1"
    )[0]
    text = await render(box, "diagnose_quest", quest=title)
    assert f"quest {number} ({title})" in text
    assert text == await render(box, "diagnose_quest", quest=number)
    assert "## The quests before and after it" in text
    assert f"creature {giver}" in text


async def test_unknown_names_are_refused_with_near_ones(box: Toolbox, mariadb: MariaDb) -> None:
    title = mariadb.sql("SELECT LogTitle FROM world.quest_template ORDER BY LogTitle LIMIT 1")[0][0]
    with pytest.raises(ToolError, match="did you mean"):
        await render(box, "diagnose_quest", quest=f"{title}xyz")
    with pytest.raises(ToolError, match="there is no quest with id 4000000000"):
        await render(box, "diagnose_quest", quest="4000000000")
    with pytest.raises(ToolError, match="no creature"):
        await render(box, "explain_vendor", creature="4000000000")


async def test_vendor_facts_are_the_databases(box: Toolbox, mariadb: MariaDb) -> None:
    [creature, item, name] = mariadb.sql(
        "SELECT v.entry, v.item, i.name FROM world.npc_vendor v JOIN world.item_template i ON i.entry = v.item "
        "JOIN world.creature_template c ON c.entry = v.entry ORDER BY v.entry, v.slot LIMIT 1"
    )[0]
    text = await render(box, "explain_vendor", creature=creature)
    assert name in text
    assert f'"id": {item}' in text


async def test_what_the_caller_may_not_see_is_not_looked_up(box: Toolbox) -> None:
    text = await render(box, "realm_health", READER)
    assert "not looked up: it needs scope players" in text
    assert "## Who is online" in text
    assert '"online"' not in text
    assert '"online"' in await render(box, "realm_health")


async def test_arguments_complete(box: Toolbox, mariadb: MariaDb) -> None:
    title = mariadb.sql("SELECT LogTitle FROM world.quest_template ORDER BY LogTitle LIMIT 1")[0][0]
    complete = BY_NAME["diagnose_quest"].arguments[0].complete
    assert complete is not None
    assert title in await complete(Call(box.services, READER, "completion", Nothing()), title[:3])


def test_facts_are_cut_to_size() -> None:
    data = {"rows": [{"n": number, "text": "x" * 5000, "none": None} for number in range(300)], "related": [1]}
    text = bounded(data, 6000)
    assert len(text) <= 6000
    cut = json.loads(text)
    assert cut["rows"][-1].startswith("... and ")
    assert "related" not in cut
    assert cut["rows"][0] == {"n": 0, "text": "x" * 600 + "..."}


async def test_the_schema_is_read(box: Toolbox) -> None:
    schema = json.loads(await read(box, "trinity://schema"))
    assert schema["family"] == "TrinityCore 3.3.5"
    assert "creature_template" in schema["tables"]["world"]
    table = json.loads(await read(box, "trinity://schema/world/creature_template"))
    assert table["columns"][0]["name"] == "entry"
    with pytest.raises(ToolError, match="did you mean world"):
        await read(box, "trinity://schema/wrld/creature_template")
    with pytest.raises(ToolError, match="near to it: creature_template"):
        await read(box, "trinity://schema/world/creature_templte")
    uri = "trinity://schema/{database}/{table}"
    assert "npc_vendor" in await completions(box, uri, "table", "NPC_")
    assert await completions(box, uri, "database", "w") == ["world"]


async def test_a_realm_is_read_by_id_or_name(box: Toolbox, mariadb: MariaDb) -> None:
    [number, name] = mariadb.sql("SELECT id, name FROM auth.realmlist ORDER BY id LIMIT 1")[0]
    by_id = json.loads(await read(box, f"trinity://realm/{number}"))
    assert by_id["name"] == name
    assert json.loads(await read(box, f"trinity://realm/{name.replace(' ', '%20')}"))["id"] == int(number)
    with pytest.raises(ToolError, match=re.escape(f"{number} ({name})")):
        await read(box, "trinity://realm/999")
    assert name in await completions(box, "trinity://realm/{id}", "id", name[:2])
    assert next(each for each in RESOURCES if each.name == "realm").scope == "players"


async def test_flags_are_tables(box: Toolbox) -> None:
    text = await read(box, "trinity://docs/flags/npc_flags")
    assert "| 0x80 (128) | 7 | Vendor |" in text
    quality = await read(box, "trinity://docs/flags/item_quality")
    assert all(f"| {number} | {name} |" in quality for number, name in values("item_quality").items())
    for name in names():
        assert len((await read(box, f"trinity://docs/flags/{name}")).splitlines()) > 5
    with pytest.raises(ToolError, match="did you mean npc_flags"):
        await read(box, "trinity://docs/flags/npc_flag")
    assert await completions(box, "trinity://docs/flags/{name}", "name", "quest_f") == ["quest_flags"]


async def test_every_entity_has_an_address_and_no_address_is_there_twice(box: Toolbox, mariadb: MariaDb) -> None:
    assert len({each.uri for each in RESOURCES}) == len(RESOURCES)
    [number, name] = mariadb.sql("SELECT entry, name FROM world.creature_template ORDER BY entry LIMIT 1")[0]
    assert json.loads(await read(box, f"trinity://creature/{number}"))["name"] == name


def rpc(server: McpServer, method: str, **params: Any) -> Any:
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode()
    headers = {
        "content-type": "application/json",
        "accept": "application/json, text/event-stream",
        "authorization": f"Bearer {KEY}",
        "mcp-protocol-version": "2025-11-25",
    }
    return server.request("POST", "/mcp", body=body, headers=headers).json()


def test_a_client_gets_prompts_resources_and_completions(server: McpServer) -> None:
    prompts = {each["name"]: each for each in rpc(server, "prompts/list")["result"]["prompts"]}
    assert set(prompts) == set(BY_NAME)
    assert prompts["realm_health"].get("arguments", []) == []
    got = rpc(server, "prompts/get", name="trace_item", arguments={"item": "25"})["result"]
    assert "`item_sources`(id=25)" in got["messages"][0]["content"]["text"]
    wrong = rpc(server, "prompts/get", name="trace_item", arguments={"item": "no such thing at all"})
    assert "no item called" in wrong["error"]["message"]

    templates = rpc(server, "resources/templates/list")["result"]["resourceTemplates"]
    uris = {each["uriTemplate"] for each in templates}
    assert {"trinity://creature/{id}", "trinity://docs/flags/{name}"} <= uris
    assert "trinity://realm/{id}" not in uris, "the key has scope read"
    assert [each["uri"] for each in rpc(server, "resources/list")["result"]["resources"]] == ["trinity://schema"]
    [content] = rpc(server, "resources/read", uri="trinity://schema/auth/realmlist")["result"]["contents"]
    assert json.loads(content["text"])["table"] == "realmlist"
    assert rpc(server, "resources/read", uri="trinity://realm/1")["error"]["code"] == -32602
    ref = {"type": "ref/resource", "uri": "trinity://docs/flags/{name}"}
    values = rpc(server, "completion/complete", ref=ref, argument={"name": "name", "value": "npc"})
    assert values["result"]["completion"]["values"] == ["npc_flags"]


def test_health_and_figures_of_a_running_server(server: McpServer) -> None:
    report = server.call("get_health_status", {})["structuredContent"]
    found = {each["name"]: each["status"] for each in report["components"]}
    assert (found["database"], found["schema"], found["redis"]) == ("ok", "ok", "ok")
    figures = server.call("get_metrics_snapshot", {"tool": "get_health_status"})["structuredContent"]
    assert figures["requests"][0]["count"] >= 1
    assert figures["in_flight"] >= 1
    assert server.call("get_server_info", {})["structuredContent"]["prompts"] == len(PROMPTS)
    refused = server.request("GET", "/health/detailed")
    assert refused.status == 401


async def test_real_azerothcore(azerothcore: MariaDb) -> None:
    async with toolbox(azerothcore, ()) as box:
        text = await render(box, "realm_health")
        assert "AzerothCore" in text
        with pytest.raises(ToolError, match="item_template is missing"):
            await render(box, "trace_item", item="25")
        assert "creature_template" not in json.loads(await read(box, "trinity://schema"))["tables"]["world"]
        [[table]] = azerothcore.sql(
            "SELECT MAX(TABLE_NAME) FROM information_schema.TABLES WHERE TABLE_SCHEMA = 'world'"
        )
        assert json.loads(await read(box, f"trinity://schema/world/{table}"))["table"] == table
        assert "check_quests" in await render(box, "find_broken_content", zone="12")
