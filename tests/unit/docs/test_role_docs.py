"""READMEs of roles, made from their argument specs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.playbooks import write_yaml
from tools import role_docs

OPTIONS: dict[str, Any] = {
    "web_port": {"type": "int", "default": 80, "description": "Port of C(web)."},
    "web_name": {"type": "str", "required": True, "description": ["Name.", "See O(web_port)."]},
    "web_mode": {"choices": ["a", "b"], "default": "a", "description": "Mode a|b."},
    "web_list": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "description": "Parts.",
        "options": {"size": {"type": "int", "required": True, "description": "Size."}},
    },
    "web_text": {"type": "str", "default": "{{ one }} two", "description": "Text."},
}
DEFAULTS: dict[str, Any] = {"web_port": 80, "web_mode": "a", "web_list": [], "web_text": "{{ one }}\n  two\n"}


def write_role(roles: Path, options: dict[str, Any], defaults: dict[str, Any]) -> Path:
    role = roles / "web"
    write_yaml(role / "meta/main.yml", {"galaxy_info": {"description": "A web server"}})
    entry = {"short_description": "Web", "description": ["Serves.", "Well."], "options": options}
    write_yaml(role / "meta/argument_specs.yml", {"argument_specs": {"main": entry}})
    write_yaml(role / "defaults/main.yml", defaults)
    write_yaml(role / "tasks/main.yml", [{"tags": ["web", "web_install"]}, {"tags": ["web"]}, {}])
    return role


def test_readme(tmp_path: Path) -> None:
    text = role_docs.readme(role_docs.Role.read(write_role(tmp_path, OPTIONS, DEFAULTS)))
    assert text.splitlines()[2:] == [
        "# trinitycore.mcp.web",
        "",
        "A web server.",
        "",
        "Serves.",
        "",
        "Well.",
        "",
        "| Variable | Type | Default | Meaning |",
        "|---|---|---|---|",
        "| `web_port` | int | `80` | Port of `web`. |",
        "| `web_name` | str | **required** | Name. See `web_port`. |",
        "| `web_mode` | str | `a` | Mode a\\|b. One of `a`, `b`. |",
        "| `web_list` | list of dict | `[]` | Parts. |",
        "| `web_list[].size` | int | **required** | Size. |",
        "| `web_text` | str | `{{ one }} two` | Text. |",
        "",
        "Tags: `web`, `web_install`.",
    ]


def test_write_then_check_then_out_of_date(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    role = write_role(tmp_path, OPTIONS, DEFAULTS)
    roles = ["--roles", str(tmp_path)]
    assert role_docs.main([*roles, "--check"]) == 1
    assert "web: README.md is out of date" in capsys.readouterr().err
    assert not (role / "README.md").exists()
    assert role_docs.main(roles) == 0
    assert role_docs.main([*roles, "--check"]) == 0
    write_role(tmp_path, {**OPTIONS, "web_port": {**OPTIONS["web_port"], "description": "Other."}}, DEFAULTS)
    assert role_docs.main([*roles, "--check"]) == 1


@pytest.mark.parametrize(
    ("options", "defaults", "says"),
    [
        ({}, {"web_port": 81}, "web_port: default 80 in argument_specs.yml, 81 in defaults/main.yml"),
        ({}, {"web_port": None}, "web_port: default 80"),
        ({}, {"web_port": ...}, "web_port: has a default in argument_specs.yml and none in defaults/main.yml"),
        ({}, {"web_name": "x"}, "web_name: is required in argument_specs.yml"),
        ({}, {"web_more": 1}, "web_more: in defaults/main.yml, not in argument_specs.yml"),
        ({"web_opt": {"description": "x"}}, {"web_opt": 1}, "web_opt: has a default in defaults/main.yml and none"),
        ({"web_opt": {}}, {}, "web_opt: has no description"),
        ({"port": {"description": "x"}}, {}, "port: does not begin with the name of a role"),
    ],
)
def test_disagreements(tmp_path: Path, options: dict[str, Any], defaults: dict[str, Any], says: str) -> None:
    merged = {name: value for name, value in {**DEFAULTS, **defaults}.items() if value is not ...}
    role = role_docs.Role.read(write_role(tmp_path, {**OPTIONS, **options}, merged))
    (found,) = role_docs.disagreements(role, ["web", "sql"])
    assert found.startswith(says)


def test_a_variable_of_another_role_is_fine(tmp_path: Path) -> None:
    shared = {"sql_password": {"description": "Shared.", "required": True}}
    role = role_docs.Role.read(write_role(tmp_path, {**OPTIONS, **shared}, DEFAULTS))
    assert not list(role_docs.disagreements(role, ["web", "sql"]))


def test_role_without_specs_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (write_role(tmp_path, OPTIONS, DEFAULTS) / "meta/argument_specs.yml").unlink()
    assert role_docs.main(["--roles", str(tmp_path)]) == 1
    assert "web: meta/argument_specs.yml is missing" in capsys.readouterr().err


def test_roles_of_the_collection_agree() -> None:
    assert role_docs.main(["--check"]) == 0
