"""Files, directories, links and absent paths, on a real file system."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from ansible_collections.trinitycore.mcp.plugins.module_utils.component import files, ownership
from ansible_collections.trinitycore.mcp.plugins.module_utils.component.errors import ComponentError
from ansible_collections.trinitycore.mcp.plugins.module_utils.component.report import DIFF_LIMIT, Report

from .conftest import Call


def entries(path: Path) -> set[str]:
    return set(os.listdir(path))


def test_writes_what_is_wanted_and_then_nothing(call: Call, tmp_path: Path) -> None:
    room = tmp_path / "etc"
    options = {
        "directories": [{"path": str(room), "mode": "0750"}],
        "files": [
            {"dest": str(room / "a.conf"), "content": "a\n", "mode": "0640"},
            {"dest": str(room / "seed"), "content": "first\n", "force": False},
        ],
        "links": [{"path": str(room / "link"), "target": "a.conf"}],
    }
    first = call(**options)
    assert first["changed"]
    assert first["changed_files"] == [str(room / name) for name in ("a.conf", "seed", "link")]
    assert (room / "a.conf").read_text() == "a\n"
    assert stat.S_IMODE((room / "a.conf").stat().st_mode) == 0o640
    assert stat.S_IMODE(room.stat().st_mode) == 0o750
    assert (room / "link").read_text() == "a\n"

    inode = (room / "a.conf").stat().st_ino
    again = call(**options)
    assert not again["changed"] and again["diff"] == []
    assert (room / "a.conf").stat().st_ino == inode
    assert entries(room) == {"a.conf", "seed", "link"}


def test_check_mode_tells_the_same_and_touches_nothing(call: Call, tmp_path: Path) -> None:
    (tmp_path / "kept").write_text("old\n")
    (tmp_path / "gone").write_text("x")
    options = {
        "directories": [{"path": str(tmp_path / "new/deep")}],
        "files": [
            {"dest": str(tmp_path / "kept"), "content": "new\n"},
            {"dest": str(tmp_path / "new/deep/f"), "content": "f"},
        ],
        "absent": [str(tmp_path / "gone")],
        "links": [{"path": str(tmp_path / "link"), "target": "kept"}],
    }
    foretold = call(check=True, **options)
    assert entries(tmp_path) == {"kept", "gone"}
    assert (tmp_path / "kept").read_text() == "old\n"
    done = call(**options)
    assert foretold == done
    assert not (tmp_path / "gone").exists()


def test_an_owner_that_does_not_exist_yet_is_a_change_in_check_mode_and_an_error_else(
    call: Call, tmp_path: Path
) -> None:
    target = tmp_path / "f"
    options = {"files": [{"dest": str(target), "content": "x", "owner": "no-such-user"}]}
    assert call(check=True, **options)["changed_files"] == [str(target)]
    with pytest.raises(ComponentError, match="no user 'no-such-user'"):
        call(**options)
    assert entries(tmp_path) == set()


def test_mode_drift_is_mended_without_rewriting(call: Call, tmp_path: Path) -> None:
    target = tmp_path / "f"
    options = {
        "directories": [{"path": str(tmp_path / "d"), "mode": "0700"}],
        "files": [{"dest": str(target), "content": "x", "mode": "0600"}],
    }
    call(**options)
    inode = target.stat().st_ino
    target.chmod(0o666)
    (tmp_path / "d").chmod(0o777)
    told = call(check=True, **options)
    assert stat.S_IMODE(target.stat().st_mode) == 0o666
    done = call(**options)
    assert told["diff"] == done["diff"]
    assert done["changed"] and done["changed_files"] == []
    assert "mode 0666 -> 0600" in str(done["diff"]) and "mode 0777 -> 0700" in str(done["diff"])
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert target.stat().st_ino == inode


def test_a_refused_file_keeps_every_live_file(call: Call, tmp_path: Path) -> None:
    good, bad = tmp_path / "good", tmp_path / "bad"
    good.write_text("before")
    options = {
        "files": [
            {"dest": str(good), "content": "after"},
            {"dest": str(bad), "content": "word", "validate": "grep -q other %s"},
        ]
    }
    with pytest.raises(ComponentError, match=r"bad is refused by 'grep -q other %s' \(exit 1\)"):
        call(**options)
    assert good.read_text() == "before"
    assert entries(tmp_path) == {"good"}
    told = call(check=True, **options)
    assert told["changed_files"] == [str(good), str(bad)]
    assert "refused" in told["warnings"][0]


def test_a_missing_validator_fails_only_for_real(call: Call, tmp_path: Path) -> None:
    options = {"files": [{"dest": str(tmp_path / "f"), "content": "x", "validate": "no-such-program %s"}]}
    assert call(check=True, **options)["warnings"] == []
    with pytest.raises(ComponentError, match="'no-such-program' is not installed"):
        call(**options)
    assert entries(tmp_path) == set()


def test_the_validator_sees_the_new_content_beside_the_old(call: Call, tmp_path: Path) -> None:
    target = tmp_path / "site.conf"
    target.write_text("old")
    (tmp_path / "included").write_text("yes")
    script = tmp_path / "look"
    script.write_text(
        '#!/bin/sh\ngrep -q new "$1" && test -e "$(dirname "$1")/included" && basename "$1" >&2 && exit 4\n'
    )
    script.chmod(0o755)
    with pytest.raises(ComponentError, match="exit 4"):
        call(files=[{"dest": str(target), "content": "new", "validate": f"{script} %s"}])


def test_a_failed_check_puts_everything_back(call: Call, tmp_path: Path) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    old.write_text("before")
    old.chmod(0o604)
    files_wanted = [{"dest": str(old), "content": "after"}, {"dest": str(new), "content": "n"}]
    with pytest.raises(ComponentError, match=f"the former ones are back: .*'grep -q before {old}' ended with 1"):
        call(files=files_wanted, commands=[f"test -e {new}", f"grep -q before {old}"])
    assert old.read_text() == "before"
    assert stat.S_IMODE(old.stat().st_mode) == 0o604
    assert entries(tmp_path) == {"old"}
    assert call(files=files_wanted, commands=[f"grep -q after {old}"])["changed_files"] == [
        str(old),
        str(new),
    ]


def test_leftovers_of_a_killed_run_are_overwritten(call: Call, tmp_path: Path) -> None:
    (tmp_path / ".ansible-staged.f").write_text("half")
    (tmp_path / ".ansible-staged.l").symlink_to("nowhere")
    call(
        files=[{"dest": str(tmp_path / "f"), "content": "whole"}],
        links=[{"path": str(tmp_path / "l"), "target": "f"}],
    )
    assert entries(tmp_path) == {"f", "l"}
    assert (tmp_path / "l").read_text() == "whole"


def test_secret_content_is_never_told(call: Call, tmp_path: Path) -> None:
    target = tmp_path / "secret"
    target.write_text("OldSecretValue")
    result = call(files=[{"dest": str(target), "content": "password=NewSecretValue\n", "secret": True}])
    assert result["changed_files"] == [str(target)]
    assert "SecretValue" not in str(result)
    with pytest.raises(ComponentError) as refused:
        call(
            files=[
                {
                    "dest": str(target),
                    "content": "OtherSecretValue",
                    "secret": True,
                    "validate": "grep -c . %s -e x -v -z --zzz",
                }
            ]
        )
    assert "SecretValue" not in str(refused.value) and "withheld" in str(refused.value)


def test_redact_blots_out_the_words_of_a_secret() -> None:
    text = "line 3: requirepass 'Tr0ub4dor&3' is wrong"
    assert files.redact(text, [b"user x\nrequirepass Tr0ub4dor&3\n"]) == "line 3: ******** '********' is wrong"


def test_a_link_at_the_destination_becomes_a_file_and_its_target_stays(call: Call, tmp_path: Path) -> None:
    (tmp_path / "other").write_text("other's")
    (tmp_path / "f").symlink_to("other")
    call(files=[{"dest": str(tmp_path / "f"), "content": "mine"}])
    assert not (tmp_path / "f").is_symlink()
    assert (tmp_path / "other").read_text() == "other's"


def test_a_link_is_moved_to_its_new_target(call: Call, tmp_path: Path) -> None:
    for name in ("v1", "v2"):
        (tmp_path / name).mkdir()
    call(links=[{"path": str(tmp_path / "current"), "target": "v1"}])
    result = call(links=[{"path": str(tmp_path / "current"), "target": "v2"}])
    assert "v1 -> v2" in str(result["diff"])
    assert os.readlink(tmp_path / "current") == "v2"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"files": [{"dest": "relative", "content": ""}]}, "not an absolute path"),
        ({"files": [{"dest": "/tmp/x", "validate": "true"}]}, "lacks '%s'"),
        ({"files": [{"dest": "/tmp/x"}, {"dest": "/tmp/x"}]}, "listed twice"),
        ({"files": [{"dest": "/tmp/x", "mode": "u=rw"}]}, "not octal"),
        ({"files": [{"dest": "/no/such/dir/x"}]}, "directory of /no/such/dir/x does not exist"),
        ({"files": [{"dest": "/etc"}]}, "should be a file but is a directory"),
        ({"directories": [{"path": "/etc/hostname"}]}, "should be a directory but is a file"),
        ({"links": [{"path": "/etc", "target": "x"}]}, "should be a link"),
        ({"absent": ["/etc"]}, "refusing to remove"),
        ({"absent": ["/etc/../usr"]}, "refusing to remove"),
        ({"groups": [{"name": "root", "gid": 5}]}, "group root has gid 0, wanted 5"),
        ({"users": [{"name": "root", "uid": 5}]}, "user root has uid 0, wanted 5"),
    ],
)
def test_what_is_ambiguous_or_dangerous_is_refused(call: Call, options: dict[str, object], message: str) -> None:
    with pytest.raises(ComponentError, match=message):
        call(**options)


def test_binary_and_long_contents_are_summed_up() -> None:
    report = Report()
    report.file("/a", None, b"\0\1", secret=False)
    report.file("/b", b"old", b"x" * (DIFF_LIMIT + 1), secret=False)
    assert [entry["prepared"].split(" (")[0] for entry in report.diff] == ["create /a", "replace /b"]


def test_ownership_reads_modes_as_octal() -> None:
    assert ownership.Ownership.of({"owner": "root", "group": "root", "mode": "640"}).mode == 0o640


def test_our_block_leaves_the_lines_of_others_alone(call: Call, tmp_path: Path) -> None:
    hosts = tmp_path / "hosts"
    hosts.write_text("127.0.0.1 localhost")  # no newline at the end
    call(files=[{"dest": str(hosts), "content": "10.0.0.1 a\n", "block": True}])
    hosts.write_text(hosts.read_text() + "10.9.9.9 theirs\n")
    result = call(files=[{"dest": str(hosts), "content": "10.0.0.2 b\n", "block": True}])
    assert result["changed_files"] == [str(hosts)]
    marked = "# BEGIN trinitycore.mcp\n10.0.0.2 b\n# END trinitycore.mcp\n"
    assert hosts.read_text() == f"127.0.0.1 localhost\n{marked}10.9.9.9 theirs\n"
    assert not call(files=[{"dest": str(hosts), "content": "10.0.0.2 b\n", "block": True}])["changed"]
    hosts.write_text(hosts.read_text().replace("# END trinitycore.mcp\n", ""))
    with pytest.raises(ComponentError, match="hosts: one of the marks"):
        call(files=[{"dest": str(hosts), "content": "10.0.0.2 b\n", "block": True}])
