"""Which account commands are run; the accounts themselves are made on real hosts by the roles' scenarios."""

from __future__ import annotations

import grp
import pwd
from typing import Any

import pytest
from ansible_collections.trinitycore.mcp.plugins.module_utils.component import accounts, commands
from ansible_collections.trinitycore.mcp.plugins.module_utils.component.payload import pack, unpack
from ansible_collections.trinitycore.mcp.plugins.module_utils.component.report import Report


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The commands that would have been run, on a host with the user ann in the groups staff and old."""
    seen: list[str] = []

    def record(argv: list[str], what: str) -> commands.Completed:
        assert what
        seen.append(" ".join(argv))
        return commands.Completed(0, "", "")

    ann = pwd.struct_passwd(("ann", "x", 4001, 4001, "Ann", "/home/ann", "/bin/sh"))
    groups = [
        grp.struct_group(("ann", "x", 4001, [])),
        grp.struct_group(("staff", "x", 50, ["ann"])),
        grp.struct_group(("old", "x", 51, ["ann", "bob"])),
        grp.struct_group(("sudo", "x", 27, ["bob"])),
    ]

    def by_name(entries: list[Any], name: str) -> Any:
        return {entry[0]: entry for entry in entries}[name]

    monkeypatch.setattr(commands, "require", record)
    monkeypatch.setattr(pwd, "getpwnam", lambda name: by_name([ann], name))
    monkeypatch.setattr(grp, "getgrnam", lambda name: by_name(groups, name))
    monkeypatch.setattr(grp, "getgrall", lambda: groups)
    return seen


def test_new_accounts(ran: list[str]) -> None:
    report = Report()
    accounts.ensure_group({"name": "tls", "system": True, "gid": 900}, report)
    accounts.ensure_group({"name": "staff"}, report)
    accounts.ensure_user({"name": "old", "system": True, "groups": ["tls", "staff"], "shell": "/bin/false"}, report)
    accounts.ensure_user({"name": "eve", "create_home": True, "comment": "E V", "home": "/srv/e", "uid": 7}, report)
    assert ran == [
        "groupadd --system --gid 900 tls",
        "useradd --no-create-home --system --gid old --groups tls,staff --shell /bin/false old",
        "useradd --create-home --uid 7 --user-group --home-dir /srv/e --comment E V eve",
    ]


def test_memberships_are_added_or_exact(ran: list[str]) -> None:
    report = Report()
    accounts.ensure_user({"name": "ann", "groups": ["staff"]}, report)
    assert ran == [] and not report.changed
    accounts.ensure_user({"name": "ann", "groups": ["staff", "sudo"]}, report)
    accounts.ensure_user({"name": "ann", "groups": ["sudo"], "append": False}, report)
    accounts.ensure_user({"name": "ann", "groups": [], "append": False}, report)
    assert ran == [
        "usermod --groups old,staff,sudo ann",
        "usermod --groups sudo ann",
        "usermod --groups  ann",
    ]
    assert "+sudo, -old, -staff" in str(report.diff)


def test_attributes_and_removal(ran: list[str]) -> None:
    report = Report()
    same = {
        "name": "ann",
        "home": "/home/ann",
        "shell": "/bin/sh",
        "comment": "Ann",
        "group": "ann",
        "uid": 4001,
    }
    accounts.ensure_user(same, report)
    accounts.ensure_user({"name": "nobody-here", "state": "absent"}, report)
    assert ran == []
    accounts.ensure_user({"name": "ann", "shell": "/bin/bash", "group": "staff"}, report)
    accounts.ensure_user({"name": "ann", "state": "absent"}, report)
    assert ran == ["usermod --gid staff --shell /bin/bash ann", "userdel ann"]


def test_check_mode_runs_nothing(ran: list[str]) -> None:
    report = Report(check=True)
    accounts.ensure_group({"name": "tls"}, report)
    accounts.ensure_user({"name": "eve"}, report)
    assert ran == []
    assert [entry["prepared"] for entry in report.diff] == ["create group tls\n", "create user eve\n"]


def test_contents_survive_the_journey() -> None:
    contents = {"/a": "grüße\r\n".encode(), "/b": bytes(range(256)), "/c": b""}
    assert unpack(pack(contents)) == contents
    assert unpack(None) == {}
    assert "grüße" not in pack(contents)
