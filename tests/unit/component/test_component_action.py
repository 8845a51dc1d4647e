"""The whole way: a playbook's task, rendered on the controller, carried out by the module on this machine."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[3]
SECRET = "Horse-Battery-9Staple"


@pytest.fixture
def play(tmp_path: Path) -> Any:
    """Run one task with the given options inside a role, return exit code and output."""
    role = tmp_path / "roles" / "trial"
    for part in ("tasks", "templates/parts", "files"):
        (role / part).mkdir(parents=True)
    (role / "templates/main.j2").write_text(
        "# {{ ansible_managed }}\n"
        "{% for number in [1, 2] %}\n{{ number }}\n{% endfor %}\n"
        "{% include 'parts/more.j2' %}\n"
        "path={{ template_destpath }} extra={{ extra }} escape=a\\nb\n"
    )
    (role / "templates/parts/more.j2").write_text("included\n")
    (role / "files/binary").write_bytes(bytes(range(256)))
    (tmp_path / "play.yml").write_text(
        yaml.safe_dump([{"hosts": "localhost", "connection": "local", "gather_facts": False, "roles": ["trial"]}])
    )
    (tmp_path / "ansible.cfg").write_text("")
    environment = {
        **os.environ,
        "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".venv/collections"),
        "ANSIBLE_CONFIG": str(tmp_path / "ansible.cfg"),
        "ANSIBLE_LOCAL_TEMP": str(tmp_path / "local"),
        "ANSIBLE_NOCOLOR": "1",
        "ANSIBLE_REMOTE_TEMP": str(tmp_path / "remote"),
        "ANSIBLE_LOG_PATH": str(tmp_path / "log"),
    }

    def run(options: dict[str, Any], *arguments: str) -> tuple[int, str]:
        tasks = [
            {"name": "Trial", "trinitycore.mcp.component": options, "vars": {"password": SECRET}},
            {
                "name": "For comparison",
                "ansible.builtin.template": {"src": "main.j2", "dest": f"{tmp_path}/room/builtin"},
                "vars": {"extra": "given"},
                "when": "not ansible_check_mode",
                "diff": False,
            },
        ]
        (role / "tasks/main.yml").write_text(yaml.safe_dump(tasks))
        done = subprocess.run(
            [
                Path(sys.executable).with_name("ansible-playbook"),
                "-i",
                "localhost,",
                "-e",
                f"ansible_python_interpreter={sys.executable}",
                *arguments,
                tmp_path / "play.yml",
            ],
            capture_output=True,
            text=True,
            check=False,
            env=environment,
            cwd=tmp_path,
            timeout=120,
        )
        return done.returncode, done.stdout + done.stderr

    return run


def test_contents_arrive_as_written_and_secrets_are_nowhere_told(play: Any, tmp_path: Path, me: dict[str, str]) -> None:
    room = tmp_path / "room"
    files: list[dict[str, Any]] = [
        {"dest": f"{room}/main", "template": "main.j2", "vars": {"extra": "given"}},
        {"dest": f"{room}/binary", "src": "binary"},
        {"dest": f"{room}/secret", "content": "password={{ password }}\n", "secret": True, "mode": "0600"},
    ]
    options: dict[str, Any] = {
        "directories": [{"path": str(room), **me}],
        "files": [{**entry, **me} for entry in files],
    }
    code, told = play(options, "--check", "--diff", "-vvv")
    assert code == 0, told
    assert not room.exists()
    assert "+included" in told and SECRET not in told
    code, told = play(options, "--diff", "-vvv")
    assert code == 0, told
    assert SECRET not in told
    assert SECRET not in (tmp_path / "log").read_text()
    # Only what the header says and the file's own path differ from ansible.builtin.template.
    builtin = (room / "builtin").read_text().replace("/room/builtin", "/room/main").splitlines(keepends=True)
    ours = (room / "main").read_text().splitlines(keepends=True)
    assert ours == ["# Managed by Ansible (trinitycore.mcp): changes made here are lost.\n", *builtin[1:]]
    assert ours[-1].endswith(f"path={room}/main extra=given escape=a\\nb\n")
    assert (room / "binary").read_bytes() == bytes(range(256))
    assert (room / "secret").read_text() == f"password={SECRET}\n"
    code, told = play(options, "--diff")
    assert "changed=0" in told

    options["files"][2]["validate"] = "grep -H no-such-word -e password %s --count --no-such-option"
    options["files"][2]["content"] = "new-password={{ password }}\n"
    code, told = play(options, "--diff", "-vvv")
    assert code != 0
    assert "is refused by" in told and SECRET not in told


def test_every_mistake_is_named_before_the_host_is_asked(play: Any, tmp_path: Path) -> None:
    code, told = play(
        {
            "files": [
                {"dest": "/a", "content": "x", "template": "main.j2"},
                {"dest": "/b"},
                {"dest": "/c", "content": {"password": "{{ password }}"}},
                {"dest": "/d", "content": "x", "mode": 420},
            ],
        }
    )
    assert code != 0
    for message in (
        "/a needs exactly one of template, src, content",
        "/b needs exactly one of",
        "content of /c must be a string",
        "mode of /d must be a quoted string",
    ):
        assert message in told
    assert SECRET not in told
    code, told = play({"files": [{"dest": "/a", "content": "x", "ownr": "me"}], "units": [{"nam": "x"}]})
    assert code != 0
    assert "files.ownr" in told.replace("\n", " ") and "Supported parameters include" in told
    code, told = play({"files": [{"dest": f"{tmp_path}/a", "template": "none.j2"}]})
    assert code != 0
    assert f"{tmp_path}/a: Could not find or access 'none.j2'" in told.replace("\n", " ")
