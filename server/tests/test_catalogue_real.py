"""The whole catalogue over real databases, where the machine has them: an answer, or an error that names what lacks."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest

from server.tests.catalogue_calls import CALLS
from server.tests.test_catalogue import led_to, texts
from server.tests.wire_support import Wire, complaints, serving
from tests.support.mariadb import MariaDb

pytestmark = pytest.mark.xdist_group("real-data")
# Tools that ask the machine or the backup, not the databases.
ELSEWHERE = frozenset({"query_logs", "trigger_backup", "verify_backup", "list_audit", "cache_flush"})
# Calls that find something in any world.
WIDE: dict[str, list[dict[str, Any]]] = {
    **{f"{kind}_search": [{"text": "the"}, {"text": "a"}] for kind in ("creature", "item", "quest", "gameobject")},
    **{f"{kind}_search": [{"text": "the"}, {"text": "a"}] for kind in ("faction", "zone", "map", "spell")},
    "achievement_search": [{"side": "Both"}, {"text": "level"}],
    "game_event_search": [{"text": "festival"}],
    "world_search": [{"text": "stormwind"}],
    "text_search": [{"text": "dragon"}],
    "spawns_near": [{"map": 0, "x": -8949.95, "y": -132.49, "radius": 500}],
    "graveyards": [{"map": 0}],
    "disabled": [{"type": "Quest"}],
}
# What an error must name: a table or row that is not there, or what to ask for instead.
CLEAR = re.compile(
    r"^there (?:is|are) no |^table \w+ is missing from database |^no table |is not in this database|has no "
    r"|^\w+: this database \(family: |^\w+: there is no '|is no (?:trainer|vendor)|holds? only"
    r"| (?:is|are) in no |^nothing is attached |Table '\w+\.\w+' doesn't exist"
)
MOST_FOLLOWED = 250


@pytest.fixture(scope="module", params=["azerothcore", "trinitycore"])
def wire(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wire]:
    database: MariaDb = request.getfixturevalue(request.param)
    limits = {"pool": {"query_timeout": 30.0}}
    with serving(tmp_path_factory.mktemp("real"), database, database=limits) as server:
        wire = Wire(server, timeout=60)
        yield wire
        wire.close()
        assert complaints(server) == []


def walk(wire: Wire, calls: list[tuple[str, dict[str, Any]]], tools: dict[str, Any]) -> tuple[set[str], list[Any]]:
    """Make calls; return the tools that answered, and the calls that their results lead to."""
    answered, following = set(), []
    unclear = []
    for name, arguments in calls:
        result = wire.call(name, arguments)
        if result["isError"]:
            if not CLEAR.search(texts(result)):
                unclear.append((name, arguments, texts(result)))
            continue
        jsonschema.validate(result["structuredContent"], tools[name]["outputSchema"])
        answered.add(name)
        following += [(call["tool"], call["arguments"]) for call in led_to(result["structuredContent"])]
    assert unclear == []
    return answered, following


def test_every_tool_answers_or_names_what_lacks(wire: Wire) -> None:
    tools = wire.tools()
    calls = [(name, given) for name in tools if name not in ELSEWHERE for given in [*CALLS[name], *WIDE.get(name, [])]]
    answered, following = walk(wire, calls, tools)
    seen: dict[str, tuple[str, dict[str, Any]]] = {json.dumps(call, sort_keys=True): call for call in following}
    for call in calls:
        seen.pop(json.dumps(call, sort_keys=True), None)
    for name, arguments in seen.values():
        jsonschema.validate(arguments, tools[name]["inputSchema"])
    more, _ = walk(wire, list(seen.values())[:MOST_FOLLOWED], tools)
    assert len(answered | more) > 40, sorted(set(tools) - answered - more)
