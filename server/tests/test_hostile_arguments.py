"""Every argument of every tool, with values that it is not made for: SQL, wildcards, wrong types, odd texts."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.tests.catalogue_calls import CALLS
from server.tests.hostile_support import DATABASES, attacked, check_text, settings
from server.tests.wire_support import LEGACY, Wire, checksums
from tests.support.mariadb import MariaDb
from trinitycore_mcp.toolkit.paging import write_cursor
from trinitycore_mcp.tools import every_tool

pytestmark = pytest.mark.xdist_group("hostile")
TOOLS = {tool.name: tool for tool in every_tool()}
SLEEPY = frozenset({"query_logs", "trigger_backup", "verify_backup"})
"""Tools that ask others than the database; they have tests of their own."""
NAMES = sorted(set(TOOLS) - SLEEPY)
TEXTS = [
    "'",
    '"',
    "`",
    "\\",
    "' OR '1'='1",
    "' OR 1=1 -- ",
    "'; DROP TABLE world.creature; -- ",
    '"; DELETE FROM world.item_template; #',
    "' UNION SELECT username, salt, verifier FROM auth.account -- ",
    "') OR SLEEP(5) -- ",
    "1; UPDATE world.quest_template SET LogTitle = 'x'",
    "/*!50000 DROP TABLE world.creature */",
    "\\' OR 1=1 #",
    "%s%s%s%n%d%x",
    "%(name)s {0} {name} ${x} $(id) `id`",
    "{0.__class__.__mro__}",
    "%",
    "_",
    "%%%%",
    "[a-z]*",
    "\u0000",
    "a\u0000b",
    "\n\r\t",
    "\u202e\u200b\ufeff",
    "😀" * 20,
    "İıß" * 10,
    "../../../etc/passwd",
    "<script>alert(1)</script>",
    "NULL",
    "0x41",
    "1e309",
    " ",
]
VALUES: list[Any] = [None, True, 0, -1, 1.5, 2**31, 2**32, 2**63, 2**64, 10**30, -(10**30), 1e308, -1e308, "", "x", "1"]
VALUES += ["x" * 30_000, [], ["x"], [[]], [None] * 200, {}, {"id": 1}]


@pytest.fixture(scope="module")
def wire(mariadb: MariaDb, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wire]:
    before = checksums(mariadb, *DATABASES)
    with attacked(mariadb, tmp_path_factory.mktemp("hostile")) as server:
        wire = Wire(server)
        yield wire
        wire.close()
    assert checksums(mariadb, *DATABASES) == before


def answer(wire: Wire, name: str, arguments: dict[str, Any]) -> dict[str, Any]:
    """Call a tool; the answer must be as its schema says, or a clear error."""
    result: dict[str, Any] = wire.call(name, arguments)
    text = result["content"][0]["text"]
    if result["isError"]:
        assert text
        assert "its log says why" not in text, (name, arguments)
        assert len(text) < 3000, (name, arguments, len(text))
        check_text(text)
    else:
        schema = TOOLS[name].output_schema
        assert schema is not None
        jsonschema.validate(result["structuredContent"], schema)
    return result


@pytest.mark.parametrize("name", NAMES)
def test_wrong_types_are_told_by_the_argument_s_name(wire: Wire, name: str) -> None:
    tool = TOOLS[name]
    usual = CALLS[name][0]
    for argument, schema in tool.input_schema["properties"].items():
        validator = jsonschema.Draft202012Validator(schema | {"$defs": tool.input_schema.get("$defs", {})})
        for value in VALUES:
            result = answer(wire, name, usual | {argument: value})
            if not validator.is_valid(value):
                # A whole number in other words, such as 1.0, is a number to one and an integer to the other.
                assert result["isError"] is True, (name, argument, value)
                text = result["content"][0]["text"]
                assert argument in text or text.startswith("table "), (name, argument, value, text)


@pytest.mark.parametrize("name", NAMES)
def test_unknown_and_missing_arguments_are_named(wire: Wire, name: str) -> None:
    for odd in ("", "x" * 200, "__class__", "self", "call", "limits", "'; DROP TABLE x"):
        result = answer(wire, name, CALLS[name][0] | {odd: 1})
        assert result["isError"] is True
        assert "unknown argument" in result["content"][0]["text"]
    if TOOLS[name].input_schema.get("required"):
        assert "is missing" in answer(wire, name, {})["content"][0]["text"]


def texts_of(name: str) -> list[str]:
    """Return a tool's arguments that may be any text."""
    properties = TOOLS[name].input_schema["properties"].items()
    return [argument for argument, schema in properties if '"string"' in json.dumps(schema)]


@pytest.mark.parametrize("name", [name for name in NAMES if texts_of(name)])
def test_no_text_reaches_the_database_as_sql(wire: Wire, name: str) -> None:
    for argument in texts_of(name):
        for text in TEXTS:
            given = CALLS[name][0] | {argument: text}
            if argument == "kinds":
                given[argument] = [text]
            result = answer(wire, name, given)
            assert "salt" not in json.dumps(result.get("structuredContent", {}).get("rows", "")), (name, given)


@pytest.mark.parametrize("name", [name for name in NAMES if name.endswith("_search") and "text" in texts_of(name)])
@pytest.mark.parametrize("wildcard", ["%", "_", "\\", "%%", "a%r"])
def test_wildcards_are_letters(wire: Wire, name: str, wildcard: str) -> None:
    result = answer(wire, name, {"text": wildcard})
    if not result["isError"]:
        found = [value for value in result["structuredContent"].values() if isinstance(value, list)]
        named = [hit["name"] for hits in found for hit in hits if isinstance(hit, dict) and "name" in hit]
        assert all(wildcard.casefold() in hit.casefold() for hit in named), named


SQL = [
    "DROP TABLE world.creature",
    "DELETE FROM world.creature",
    "UPDATE world.creature SET map = 1",
    "INSERT INTO world.version VALUES ()",
    "SELECT 1; DELETE FROM world.creature",
    "SELECT 1 INTO OUTFILE '/tmp/x'",
    "SELECT * FROM world.creature FOR UPDATE",
    "SELECT LOAD_FILE('/etc/passwd')",
    "SELECT SLEEP(100)",
    "SELECT BENCHMARK(1000000000, SHA2('x', 512))",
    "SELECT GET_LOCK('x', 100)",
    "SET GLOBAL read_only = 0",
    "SHUTDOWN",
    "KILL 1",
    "CALL x()",
    "DO SLEEP(10)",
    "WITH RECURSIVE c AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM c) SELECT * FROM c",
    "/*! DROP TABLE world.creature */",
    "SELECT /*! 1 INTO OUTFILE '/tmp/x' */",
    "BEGIN",
    "LOCK TABLES world.creature WRITE",
    "PREPARE s FROM 'DROP TABLE world.creature'",
    "(((((((((((",
    "SELECT '",
    "\u0000",
    "SELECT verifier, salt FROM auth.account",
    "SELECT " + "(" * 2000 + "1" + ")" * 2000,
]


@pytest.mark.parametrize("tool", ["sql_select", "sql_explain"])
@pytest.mark.parametrize("query", SQL, ids=[query[:40] for query in SQL])
def test_free_statements_change_nothing(wire: Wire, tool: str, query: str) -> None:
    result = answer(wire, tool, {"query": query})
    assert "root:x:0" not in json.dumps(result)


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=60),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@settings
@given(data=st.data(), name=st.sampled_from(NAMES))
def test_any_arguments_of_any_tool(wire: Wire, data: st.DataObject, name: str) -> None:
    properties = list(TOOLS[name].input_schema["properties"])
    given = data.draw(st.dictionaries(st.sampled_from(properties) if properties else st.text(), anything, max_size=4))
    answer(wire, name, CALLS[name][0] | given)


@settings
@given(text=st.text(min_size=1, max_size=100), name=st.sampled_from([name for name in NAMES if texts_of(name)]))
def test_any_text_in_any_text_argument(wire: Wire, text: str, name: str) -> None:
    for argument in texts_of(name):
        if argument != "kinds":
            answer(wire, name, CALLS[name][0] | {argument: text})


@settings
@given(cursor=st.text(max_size=60) | st.from_regex(r"[A-Za-z0-9_-]{1,60}", fullmatch=True))
def test_any_cursor(wire: Wire, cursor: str) -> None:
    for name in ("creature_search", "spawns_near", "check_quests", "world_search", "auction_search", "creature_loot"):
        result = answer(wire, name, CALLS[name][0] | {"cursor": cursor})
        assert result["isError"] is True
        assert result["content"][0]["text"].startswith(("cursor: ", f"{name}: cursor"))


def test_places_of_a_cursor_may_be_of_any_type(wire: Wire) -> None:
    """A cursor that was made right but for its place: its maker knows the call's mark from a true one."""
    for name in [name for name in NAMES if "cursor" in TOOLS[name].input_schema["properties"]]:
        for arguments in CALLS[name]:
            result = wire.call(name, arguments | {"limit": 1})
            true = None if result["isError"] else result["structuredContent"]["next_cursor"]
            if true is None:
                continue
            mark, *place = json.loads(base64.urlsafe_b64decode(true + "=" * (-len(true) % 4)))
            for odd in ("x", "", "' OR 1=1 -- ", -1, 2**70, 1.5, 1e300, "9" * 100, "[]", "{}", "\u0000"):
                forged = write_cursor(mark, [odd] * len(place))
                if len(forged) <= 400:
                    answer(wire, name, arguments | {"limit": 1, "cursor": forged})


def test_the_sdk_s_way_gives_the_same_errors(wire: Wire) -> None:
    for name in ("creature_search", "sql_select", "account_get"):
        for text in TEXTS:
            given = CALLS[name][0] | {texts_of(name)[0]: text}
            by_fast_path = wire.call(name, given)
            by_sdk = wire.streamed(name, given, version=LEGACY)
            assert by_sdk["isError"] == by_fast_path["isError"]
            if by_sdk["isError"]:
                assert by_sdk["content"] == by_fast_path["content"]


def test_checksums_see_a_change(mariadb: MariaDb) -> None:
    before = checksums(mariadb, "world")
    mariadb.sql("UPDATE world.version SET cache_id = cache_id + 1")
    assert checksums(mariadb, "world") != before
    mariadb.sql("UPDATE world.version SET cache_id = cache_id - 1")
    assert checksums(mariadb, "world") == before
