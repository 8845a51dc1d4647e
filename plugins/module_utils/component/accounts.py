"""Groups and users of a host."""

from __future__ import annotations

import grp
import pwd
from typing import Any

from . import commands
from .errors import ComponentError
from .report import Report


def group_id(name: str) -> int | None:
    """Number of the group `name` (a name or a number), None when there is no such group."""
    if name.isdigit():
        return int(name)
    try:
        return grp.getgrnam(name).gr_gid
    except KeyError:
        return None


def user_id(name: str) -> int | None:
    """Number of the user `name` (a name or a number), None when there is no such user."""
    if name.isdigit():
        return int(name)
    try:
        return pwd.getpwnam(name).pw_uid
    except KeyError:
        return None


def _act(report: Report, argv: list[str], text: str) -> None:
    if not report.check:
        commands.require(argv, text)
    report.note(text)


def ensure_group(wanted: dict[str, Any], report: Report) -> None:
    """Create the group `wanted` (keys of the option `groups`); a wrong gid is an error, not moved."""
    name: str = wanted["name"]
    gid: int | None = wanted.get("gid")
    present = group_id(name)
    if present is None:
        argv = ["groupadd"]
        if wanted.get("system"):
            argv.append("--system")
        if gid is not None:
            argv += ["--gid", str(gid)]
        _act(report, [*argv, name], f"create group {name}")
    elif gid is not None and present != gid:
        raise ComponentError(f"group {name} has gid {present}, wanted {gid}: files would change hands, move it by hand")


def ensure_user(wanted: dict[str, Any], report: Report) -> None:
    """Bring one user to the state `wanted` (keys of the option `users`)."""
    name: str = wanted["name"]
    try:
        present: pwd.struct_passwd | None = pwd.getpwnam(name)
    except KeyError:
        present = None
    if wanted.get("state") == "absent":
        if present is not None:
            _act(report, ["userdel", name], f"remove user {name} (its home stays)")
    elif present is None:
        _create(name, wanted, report)
    else:
        _mend(present, wanted, report)


def _create(name: str, wanted: dict[str, Any], report: Report) -> None:
    argv = ["useradd", "--create-home" if wanted.get("create_home") else "--no-create-home"]
    if wanted.get("system"):
        argv.append("--system")
    if wanted.get("uid") is not None:
        argv += ["--uid", str(wanted["uid"])]
    if wanted.get("group") is not None:
        argv += ["--gid", wanted["group"]]
    elif group_id(name) is not None:
        argv += ["--gid", name]
    else:
        argv.append("--user-group")
    if wanted.get("groups"):
        argv += ["--groups", ",".join(wanted["groups"])]
    for key, option in (("home", "--home-dir"), ("shell", "--shell"), ("comment", "--comment")):
        if wanted.get(key) is not None:
            argv += [option, wanted[key]]
    _act(report, [*argv, name], f"create user {name}")


def _mend(present: pwd.struct_passwd, wanted: dict[str, Any], report: Report) -> None:
    name = present.pw_name
    uid: int | None = wanted.get("uid")
    if uid is not None and uid != present.pw_uid:
        raise ComponentError(
            f"user {name} has uid {present.pw_uid}, wanted {uid}: files would change hands, move it by hand"
        )
    argv: list[str] = []
    changes: list[str] = []
    primary: str | None = wanted.get("group")
    if primary is not None and group_id(primary) != present.pw_gid:
        argv += ["--gid", primary]
        changes.append(f"group {primary}")
    for key, option, now in (
        ("home", "--home", present.pw_dir),
        ("shell", "--shell", present.pw_shell),
        ("comment", "--comment", present.pw_gecos),
    ):
        value: str | None = wanted.get(key)
        if value is not None and value != now:
            argv += [option, value]
            changes.append(f"{key} {value!r}")
    groups: list[str] | None = wanted.get("groups")
    if groups is not None:
        member_of = {entry.gr_name for entry in grp.getgrall() if name in entry.gr_mem}
        missing = [group for group in groups if group not in member_of and group != primary]
        surplus = [] if wanted.get("append", True) else sorted(member_of - set(groups))
        if missing or surplus:
            argv += ["--groups", ",".join(sorted((member_of | set(groups)) - set(surplus)))]
            changes += [f"+{group}" for group in missing] + [f"-{group}" for group in surplus]
    if argv:
        _act(report, ["usermod", *argv, name], f"change user {name}: {', '.join(changes)}")
