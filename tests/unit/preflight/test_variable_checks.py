"""Checks of variables against argument specs, without Ansible."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.trinitycore.mcp.plugins.module_utils.preflight.inventory import HostVariables, Inventory
from ansible_collections.trinitycore.mcp.plugins.module_utils.preflight.problems import Problems
from ansible_collections.trinitycore.mcp.plugins.module_utils.preflight.specs import RoleSpec, owner_of
from ansible_collections.trinitycore.mcp.plugins.module_utils.preflight.variables import VariableChecks

SPECS = {
    "cluster": RoleSpec("cluster", {"cluster_domain": {"type": "str", "required": True}}),
    "node": RoleSpec("node", {"node_name": {"type": "str"}}),
    "node_exporter": RoleSpec(
        "node_exporter",
        {
            "node_exporter_port": {"type": "int", "default": 9100},
            "node_exporter_level": {"type": "str", "choices": ["info", "debug"], "default": "info"},
            "node_exporter_on": {"type": "bool", "default": True},
            "node_exporter_list": {"type": "list", "elements": "int", "default": []},
            "node_exporter_map": {
                "type": "dict",
                "default": {},
                # A default that is a template must not be judged by its type.
                "options": {"size": {"type": "int", "required": True}, "unit": {"type": "int", "default": "{{ x }}"}},
            },
            "node_exporter_must": {"type": "path", "required": True},
            "node_exporter_token": {"type": "int", "no_log": True},
        },
    ),
}
GOOD = {"cluster_domain": "a.b", "node_exporter_must": "/x"}


def found(variables: dict[str, Any], secrets: tuple[str, ...] = ()) -> list[str]:
    inventory = Inventory({"all": ["h"]}, {"h": HostVariables("h", frozenset(variables), variables.__getitem__)})
    problems = Problems()
    VariableChecks(SPECS, secrets).run(inventory, {"h": ["node_exporter"]}, problems)
    return problems.lines(inventory)


def test_prefix_of_the_longer_role_wins() -> None:
    assert owner_of("node_exporter_port", SPECS) == "node_exporter"
    assert owner_of("node_name", SPECS) == "node"
    assert owner_of("nodes", SPECS) is None


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"node_exporter_port": 1},
        {"node_exporter_port": "9101"},
        {"node_exporter_on": False},
        {"node_exporter_list": [1, 2]},
        {"node_exporter_map": {"size": 1}},
        {"someones_own": [{}]},
    ],
)
def test_good(more: dict[str, Any]) -> None:
    assert found({**GOOD, **more}) == []


@pytest.mark.parametrize(
    ("more", "line"),
    [
        ({"node_exporter_prot": 1}, "prot (h) - no role knows this variable, did you mean node_exporter_port?"),
        ({"node_exporter_xxxxxxxx": 1}, "xxxxxxxx (h) - no role knows this variable - role node_exporter knows "),
        ({"node_exporter_port": "http"}, "port (h) - 'http' is not an integer - must be an integer"),
        (
            {"node_exporter_level": "loud"},
            "level (h) - 'loud' is not one of the choices - allowed values are info, debug",
        ),
        ({"node_exporter_level": ["info"]}, "level (h) - ['info'] is not a string - allowed values are info, debug"),
        ({"node_exporter_on": "maybe"}, "on (h) - 'maybe' is not true or false - must be true or false"),
        ({"node_exporter_list": "1,2"}, "list (h) - '1,2' is not a list - must be a list, each of it an integer"),
        ({"node_exporter_map": [1]}, "map (h) - [1] is not a mapping - must be a mapping"),
        ({"node_exporter_port": None}, "port (h) - is empty; remove the line to use the default - must be an integer"),
        ({"node_exporter_token": "hunter2"}, "token (h) - the value (hidden) is not an integer - must be an integer"),
    ],
)
def test_bad(more: dict[str, Any], line: str) -> None:
    (problem,) = found({**GOOD, **more})
    assert problem.startswith(f"node_exporter_{line}")


def test_bad_parts_of_lists_and_mappings() -> None:
    (line,) = found({**GOOD, "node_exporter_list": [1, "two"]})
    assert line.startswith("node_exporter_list (h) - ")
    assert "two" in line
    (line,) = found({**GOOD, "node_exporter_map": {}})
    assert "size" in line
    (line,) = found({**GOOD, "node_exporter_map": {"size": 1, "colour": 2}})
    assert "colour" in line


def test_required() -> None:
    assert found({"cluster_domain": "a.b"}) == [
        "node_exporter_must (h) - is not set, and role node_exporter needs it - must be a path"
    ]


def test_secret_with_the_prefix_of_a_role_is_known() -> None:
    assert found({**GOOD, "node_password": "x"}, ("node_password",)) == []
