"""What playbooks see of the program, and a host's place among the others."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.trinitycore.mcp.plugins.filter.letsencrypt import certificate_peers
from ansible_collections.trinitycore.mcp.plugins.module_utils.public_certificates import (
    PublicCertificatesError,
    current,
    prepared,
)

GOOD = {"name": "edge", "source": "", "why": "due 2026", "not_after": "2026-12-01", "error": "", "usable": True}
HOSTVARS = {name: {"ansible_host": f"10.0.0.{number}"} for number, name in enumerate(("lb1", "lb2"), start=1)}


@pytest.fixture
def program(tmp_path: Path) -> Path:
    return tmp_path / "program"


def says(program: Path, *outcomes: dict[str, Any], notices: tuple[str, ...] = ()) -> str:
    """Have the program answer so."""
    answer = json.dumps({"outcomes": outcomes, "notices": notices})
    program.write_text(f"#!/bin/sh\necho \"$@\" > {program}.args\ncat <<'END'\n{answer}\nEND\n")
    program.chmod(0o755)
    return str(program)


def test_nothing_new_is_no_change(program: Path) -> None:
    answer = current(says(program, GOOD), check_mode=False)
    assert (answer.changes, answer.warnings) == ([], [])
    assert answer.certificates == [{"name": "edge", "source": "", "why": "due 2026", "not_after": "2026-12-01"}]
    assert Path(f"{program}.args").read_text() == "run --json --now\n"


def test_a_new_one_is_a_change(program: Path) -> None:
    answer = current(says(program, {**GOOD, "source": "lb1"}), check_mode=True)
    assert answer.changes == ["edge: a new one from lb1 (due 2026)"]
    assert Path(f"{program}.args").read_text() == "run --json --now --check\n"


def test_a_failed_renewal_is_a_warning_as_long_as_the_old_one_is_good(program: Path) -> None:
    answer = current(says(program, {**GOOD, "error": "refused"}, notices=("lb2 is away",)), check_mode=False)
    assert answer.warnings == ["edge: refused; valid until 2026-12-01", "lb2 is away"]


@pytest.mark.parametrize(
    ("outcome", "message"),
    [
        ({"error": "refused", "not_after": ""}, "edge: refused; lb2 is away"),
        ({"error": "", "why": "there is none; lb1 gets it", "not_after": ""}, "edge: there is none; lb1 gets it; lb2"),
        ({"error": "refused"}, r"edge: refused \(the one that is served expired, 2026-12-01\)"),
    ],
)
def test_no_good_certificate_is_an_error(program: Path, outcome: dict[str, Any], message: str) -> None:
    with pytest.raises(PublicCertificatesError, match=message):
        current(says(program, {**GOOD, **outcome, "usable": False}, notices=("lb2 is away",)), check_mode=False)


def test_check_mode_on_a_fresh_host_foresees_a_change(program: Path) -> None:
    assert prepared(str(program), check_mode=True).changes
    assert current(str(program), check_mode=True).changes
    with pytest.raises(PublicCertificatesError, match="No such file"):
        current(str(program), check_mode=False)


def test_a_program_that_fails_is_quoted(program: Path) -> None:
    program.write_text("#!/bin/sh\necho config.json: broken >&2\nexit 1\n")
    program.chmod(0o755)
    with pytest.raises(PublicCertificatesError, match="config.json: broken"):
        prepared(str(program), check_mode=False)


def test_a_stand_in_is_a_change(program: Path) -> None:
    program.write_text('#!/bin/sh\necho \'{"stand_ins": ["edge"]}\'\n')
    program.chmod(0o755)
    assert prepared(str(program), check_mode=False).changes == ["edge: a stand-in of the internal CA"]


def test_a_host_knows_its_place() -> None:
    assert certificate_peers(["lb2", "lb1"], HOSTVARS, "lb1") == {
        "rank": 1,
        "peers": [{"name": "lb2", "address": "10.0.0.2", "rank": 0}],
    }
    assert certificate_peers(["lb1"], HOSTVARS, "lb1") == {"rank": 0, "peers": []}
    with pytest.raises(AnsibleFilterError, match=r"letsencrypt_hosts: host 'lb2' is not in it \(it has lb1\)"):
        certificate_peers(["lb1"], HOSTVARS, "lb2")
