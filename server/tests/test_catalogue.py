"""The whole catalogue over one running server: every tool answers, as its schemas say, whichever way it is called."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from server.tests.access_support import own_database
from server.tests.catalogue_calls import CALLS, NAMES, REFUSED
from server.tests.wire_support import ADMIN, LEGACY, PLAYERS, READ, Wire, complaints, serving
from tests.support.database_server import DatabaseServer
from tests.support.mariadb import MariaDb
from trinitycore_mcp.tools import every_tool

pytestmark = pytest.mark.xdist_group("catalogue")
EVERY = [(name, arguments) for name, calls in CALLS.items() for arguments in calls]
# One of each kind: entity, search, relation, text, check, player, schema, SQL; and one that is refused.
SEVERAL = [
    *("creature_get", "item_search", "creature_loot", "quest_chain", "world_search", "check_quests", "guild_get"),
    *("table_describe", "database_versions", "faction_get"),
]
# Lists beside the paged one that tell of the page, not of the whole.
_OF_THE_PAGE = frozenset({"related", "not_checked", "counts"})
# Tools that tell how a process and its machine are, not what is in the databases.
_OF_THE_MACHINE = frozenset(
    {"cache_flush", "get_health_status", "get_metrics_snapshot", "get_server_info", "list_audit"}
)
# What is an estimate, or of the moment, or an address.
_OF_THE_SERVER = frozenset({"estimated_rows", "duration_ms", "host", "seconds_left"})
# What may be said of a call that another result led to: the row that refers to it refers to nothing.
_DANGLING = re.compile(r"^there is no |^table \w+ is missing from database |has no path")


@contextmanager
def wired(database: DatabaseServer, directory: Path) -> Iterator[Wire]:
    """Run a server over the lab's world and our own database."""
    (directory / "own").mkdir()
    own_database(database, directory / "own", "mcp_catalogue")
    (directory / "own_password").write_text("mcp_catalogue")
    writer = {"user": "mcp_catalogue", "password_file": str(directory / "own_password")}
    section = {"writer": writer, "databases": {"mcp": "mcp_catalogue"}}
    with serving(directory / "mcp", database, database=section) as server:
        wire = Wire(server)
        for _ in range(3):  # something to audit
            wire.call("get_security_status", {})
        deadline = time.monotonic() + 10
        while database.sql("SELECT COUNT(*) FROM mcp_catalogue.audit") != [["3"]]:
            assert time.monotonic() < deadline, "no audit records"
            time.sleep(0.05)
        yield wire
        wire.close()
        assert complaints(server) == []


@pytest.fixture(scope="module")
def wire(mariadb: MariaDb, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wire]:
    with wired(mariadb, tmp_path_factory.mktemp("catalogue")) as opened:
        yield opened


@pytest.fixture(scope="module")
def tools(wire: Wire) -> dict[str, Any]:
    return wire.tools()


def texts(result: dict[str, Any]) -> str:
    return "\n".join(block["text"] for block in result["content"])


def fits(tool: dict[str, Any], result: dict[str, Any]) -> Any:
    """Return a successful result's structured content, once it is as the tool promises."""
    assert result["isError"] is False, (tool["name"], texts(result))
    structured = result["structuredContent"]
    jsonschema.validate(structured, tool["outputSchema"], cls=jsonschema.Draft202012Validator)
    assert json.loads(texts(result)) == structured
    return structured


def test_the_catalogue_is_the_promised_one_and_each_tool_has_a_call_here(tools: dict[str, Any]) -> None:
    assert NAMES - set(tools) == set()
    assert set(tools) == set(CALLS) == {tool.name for tool in every_tool()}
    assert list(tools) == sorted(tools)


def test_each_scope_sees_its_tools(wire: Wire, tools: dict[str, Any]) -> None:
    by_scope = {tool.name: tool.scope for tool in every_tool()}
    assert set(wire.tools(READ)) == {name for name, scope in by_scope.items() if scope == "read"}
    assert set(wire.tools(PLAYERS)) == {name for name, scope in by_scope.items() if scope != "admin"}
    assert set(wire.tools(ADMIN)) == set(tools)


def test_tools_can_be_told_apart(tools: dict[str, Any]) -> None:
    descriptions = [tool["description"] for tool in tools.values()]
    assert len(set(descriptions)) == len(descriptions)
    assert len({tool["title"] for tool in tools.values()}) == len(tools)
    for name, tool in tools.items():
        assert 40 < len(tool["description"]) < 1024, (name, len(tool["description"]))
        for schema in (tool["inputSchema"], tool["outputSchema"]):
            jsonschema.Draft202012Validator.check_schema(schema)
        assert tool["inputSchema"]["additionalProperties"] is False
        for argument, schema in tool["inputSchema"]["properties"].items():
            assert schema.get("description"), f"{name}.{argument} is not described"
            if "default" in schema:
                jsonschema.validate(schema["default"], schema, cls=jsonschema.Draft202012Validator)
            for each in (schema, *schema.get("anyOf", ())):
                if each.get("type") == "integer":  # what the database can't hold must not get there
                    assert each["minimum"] >= -(2**63), (name, argument)
                    assert each["maximum"] < 2**64, (name, argument)
        assert tool["annotations"]["readOnlyHint"] is (name not in {"cache_flush", "trigger_backup"})


def test_descriptions_name_only_tools_that_exist(tools: dict[str, Any]) -> None:
    verbs = "get|search|loot|items|quests|tree|near|describe|relations|select|explain|logs|backup"
    named = re.compile(rf"\b[a-z]+(?:_[a-z]+)*_(?:{verbs})\b")
    shown = {name: json.dumps([tool["description"], tool["inputSchema"]]) for name, tool in tools.items()}
    properties = {key for tool in tools.values() for key in [*tool["inputSchema"]["properties"], tool["name"]]}
    unknown = {(name, word) for name, text in shown.items() for word in named.findall(text) if word not in properties}
    assert unknown == set()


@pytest.mark.parametrize(("name", "arguments"), EVERY, ids=[f"{name}-{json.dumps(given)}" for name, given in EVERY])
def test_every_tool_answers_as_it_promises(
    wire: Wire, tools: dict[str, Any], name: str, arguments: dict[str, Any]
) -> None:
    jsonschema.validate(arguments, tools[name]["inputSchema"], cls=jsonschema.Draft202012Validator)
    result = wire.call(name, arguments)
    if name in REFUSED:
        assert result["isError"] is True
        assert "structuredContent" not in result
        assert re.search(REFUSED[name], texts(result)), texts(result)
    else:
        fits(tools[name], result)


def comparable(name: str, result: dict[str, Any]) -> Any:
    """Return a result without what differs between any two servers, and between the two kinds of database."""
    if result["isError"]:
        return texts(result)

    def without(value: Any) -> Any:
        if isinstance(value, list):
            return [without(each) for each in value]
        if isinstance(value, dict):
            return {key: without(each) for key, each in value.items() if key not in _OF_THE_SERVER}
        return value

    found = without(result["structuredContent"])
    if name == "sql_explain":  # its columns are each kind's own
        del found["steps"]
    if name == "table_describe":  # MySQL shows no widths of integers
        for column in found["columns"]:
            column["type"] = re.sub(r"int\(\d+\)", "int", column["type"])
    if name == "get_security_status":  # the rest is the machine's; SHOW GRANTS has an order of its own
        found = found["database"]
        found["grants"] = {grant.pop("object"): {k: sorted(v) for k, v in grant.items()} for grant in found["grants"]}
    return found


def test_every_tool_answers_on_mysql_as_on_mariadb(
    wire: Wire, tools: dict[str, Any], mysql: DatabaseServer, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with wired(mysql, tmp_path_factory.mktemp("catalogue")) as other:
        for name, arguments in EVERY:
            result = other.call(name, arguments)
            if name not in REFUSED:
                fits(tools[name], result)
            if name not in _OF_THE_MACHINE:
                assert comparable(name, result) == comparable(name, wire.call(name, arguments)), (name, arguments)


@pytest.mark.parametrize("name", SEVERAL)
def test_the_answer_does_not_depend_on_the_way(wire: Wire, name: str) -> None:
    arguments = CALLS[name][0]
    modern = wire.call(name, arguments)
    assert modern["resultType"] == "complete"
    plain = {key: modern[key] for key in modern if key not in ("resultType", "_meta")}
    assert wire.call(name, arguments, version=LEGACY) == plain
    assert wire.streamed(name, arguments, version=LEGACY) == plain
    assert wire.streamed(name, arguments) == modern
    # Before 2025-06-18 results had no structured content; the text holds the same.
    oldest = wire.call(name, arguments, version="2024-11-05")
    assert (oldest["content"], oldest["isError"]) == (plain["content"], plain["isError"])


def led_to(result: Any) -> Iterator[dict[str, Any]]:
    """Return all calls that a result, or a part of one, says to lead on."""
    if isinstance(result, dict):
        if {"tool", "arguments", "why"} <= set(result):
            yield result
        for value in result.values():
            yield from led_to(value)
    elif isinstance(result, list):
        for value in result:
            yield from led_to(value)


def test_what_results_lead_to_can_be_called(wire: Wire, tools: dict[str, Any]) -> None:
    seen = {json.dumps([name, arguments], sort_keys=True) for name, arguments in EVERY}
    waiting = list(EVERY)
    dangling = 0
    for _ in range(2):  # what they lead to, and what that leads to
        following = []
        for name, arguments in waiting:
            result = wire.call(name, arguments)
            if result["isError"]:
                continue
            for call in led_to(result["structuredContent"]):
                tool = tools[call["tool"]]
                jsonschema.validate(call["arguments"], tool["inputSchema"], cls=jsonschema.Draft202012Validator)
                assert call["why"], (name, call)
                mark = json.dumps([call["tool"], call["arguments"]], sort_keys=True)
                if mark in seen:
                    continue
                seen.add(mark)
                answer = wire.call(call["tool"], call["arguments"])
                if answer["isError"]:
                    assert _DANGLING.search(texts(answer)), (name, arguments, call, texts(answer))
                    dangling += 1
                else:
                    fits(tool, answer)
                following.append((call["tool"], call["arguments"]))
        waiting = following
    assert len(seen) > 200
    assert dangling < len(seen) / 10


def pages_of(wire: Wire, name: str, arguments: dict[str, Any], limit: int) -> list[dict[str, Any]]:
    """Return all pages of a call."""
    pages: list[dict[str, Any]] = []
    cursor = None
    while not pages or cursor is not None:
        more: dict[str, Any] = {"cursor": cursor} if cursor is not None else {}
        result = wire.call(name, {**arguments, "limit": limit, **more})
        assert result["isError"] is False, (name, arguments, texts(result))
        pages.append(result["structuredContent"])
        cursor = pages[-1]["next_cursor"]
        assert len(pages) < 300, (name, "does not end")
    return pages


PAGED = [(name, given) for name, given in EVERY if name not in REFUSED and name != "query_logs"]


@pytest.mark.parametrize(("name", "arguments"), PAGED, ids=[f"{name}-{json.dumps(given)}" for name, given in PAGED])
def test_small_pages_hold_what_a_big_one_holds(
    wire: Wire, tools: dict[str, Any], name: str, arguments: dict[str, Any]
) -> None:
    if "cursor" not in tools[name]["inputSchema"]["properties"]:
        return
    [whole, *rest] = pages_of(wire, name, arguments, 200)
    assert rest == [], "the big page was to hold all"
    for limit in (1, 2):
        pages = pages_of(wire, name, arguments, limit)
        paged = []
        for key, items in whole.items():
            if not isinstance(items, list) or key in _OF_THE_PAGE:
                continue
            parts = [page[key] for page in pages]
            if [item for part in parts for item in part] == items and max(map(len, parts)) <= limit:
                paged.append(key)
            else:
                assert all(part == items for part in parts), (name, key)
        assert paged, name
        assert len(pages) == 1 or any(len(whole[key]) > limit for key in paged)


def test_nearly_every_paged_tool_was_seen_to_page(wire: Wire, tools: dict[str, Any]) -> None:
    """The test above shows nothing where a result fits on one page."""
    paged = {name for name, _ in PAGED if "cursor" in tools[name]["inputSchema"]["properties"]}
    more = {
        name
        for name, given in PAGED
        if name in paged and wire.call(name, {**given, "limit": 1})["structuredContent"]["next_cursor"] is not None
    }
    single = {"achievement_search", "check_conditions", "check_spawns", "conditions_of", "encounter_search"}
    single |= {"formations", "gameobject_search", "gossip_menu_search", "spell_search", "text_search"}
    assert paged - more <= single


def test_a_cursor_of_another_call_is_refused(wire: Wire) -> None:
    cursor = wire.call("item_search", {"quality": "Common", "limit": 1})["structuredContent"]["next_cursor"]
    for arguments in ({"quality": "Rare", "cursor": cursor}, {"quality": "Common", "cursor": cursor[:-2]}):
        result = wire.call("item_search", arguments)
        assert result["isError"] is True
        assert texts(result).startswith("cursor: ")
