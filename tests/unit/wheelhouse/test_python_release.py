"""Releases in a folder: real virtual environments, installed offline from wheels made here."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import installer
import pytest
from ansible_collections.trinitycore.mcp.plugins.module_utils.python_release import (
    MARKER,
    ReleaseError,
    Releases,
    Wanted,
)


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheelhouse of one program, `tiny`, which prints where it runs from."""
    folder = tmp_path_factory.mktemp("wheels")
    wheel = folder / "tiny-1-py3-none-any.whl"
    info = "tiny-1.dist-info"
    with zipfile.ZipFile(wheel, "w") as zipped:
        zipped.writestr("tiny.py", "def main():\n    print(__file__)\n")
        zipped.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: tiny\nVersion: 1\n")
        zipped.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        zipped.writestr(f"{info}/entry_points.txt", "[console_scripts]\ntiny = tiny:main\n")
        zipped.writestr(f"{info}/RECORD", "")
    tool = folder / "installer-0-py3-none-any.whl"
    package = Path(installer.__file__).parent
    with zipfile.ZipFile(tool, "w") as zipped:
        for file in package.rglob("*.py"):
            zipped.write(file, Path("installer") / file.relative_to(package))
    path = folder / "a.tar"
    with tarfile.open(path, "w") as tar:
        for file in (wheel, tool):
            tar.add(file, arcname=file.name)
    return path


@pytest.fixture
def releases(tmp_path: Path) -> Releases:
    """An empty folder of releases."""
    return Releases(tmp_path / "app")


def wanted(version: str, activate: str = "always", keep: int = 3, interpreter: str = sys.executable) -> Wanted:
    """Return the wish for a version."""
    return Wanted(version, interpreter, keep, activate)


def complete(releases: Releases, version: str, age: int) -> None:
    """Make a folder that counts as an installed release, with an age to tell the oldest by."""
    folder = releases.folder / version
    folder.mkdir(parents=True)
    (folder / MARKER).write_text(f'{{"interpreter": "{os.path.realpath(sys.executable)}"}}')
    os.utime(folder, (1e9 - age, 1e9 - age))


def test_an_installed_release_runs_from_its_own_folder(releases: Releases, archive: Path) -> None:
    want = wanted("1")
    assert releases.plan(want).install
    # What a killed run left: a half made environment without the marker.
    (releases.folder / "1" / "lib").mkdir(parents=True)
    (releases.folder / "1" / "lib" / "junk.py").write_text("")
    assert releases.plan(want).install
    releases.install(want, archive, "")
    releases.activate("1")
    said = subprocess.run([releases.path / "current" / "bin" / "tiny"], capture_output=True, text=True, check=True)
    assert said.stdout.startswith(str(releases.folder / "1" / "lib"))
    assert not list(releases.folder.glob("1/lib/junk.py"))
    assert list(releases.folder.glob("1/lib/python3*/site-packages/__pycache__/tiny*.pyc"))
    assert not releases.plan(want)
    assert [entry.name for entry in releases.path.iterdir() if entry.name not in ("releases", "current")] == []


def test_a_new_python_on_the_host_asks_for_a_new_environment(releases: Releases) -> None:
    complete(releases, "1", 0)
    assert not releases.plan(wanted("1", "never")).install
    assert releases.plan(wanted("1", "never", interpreter="/bin/sh")).install


def test_links_follow_activation_and_go_back(releases: Releases) -> None:
    complete(releases, "1", 1)
    complete(releases, "2", 0)
    assert releases.plan(wanted("1", "first")).activate
    releases.activate("1")
    assert releases.linked("previous") is None
    assert not releases.plan(wanted("2", "first"))
    assert not releases.plan(wanted("2", "never"))
    for version, before in (("2", "1"), ("1", "2"), ("1", "2")):
        releases.activate(version)
        assert (releases.linked("current"), releases.linked("previous")) == (version, before)
    with pytest.raises(ReleaseError, match="not installed"):
        releases.activate("3")
    assert releases.linked("current") == "1"


def test_the_oldest_go_but_never_current_or_previous(releases: Releases) -> None:
    for age, version in enumerate(["5", "4", "3", "2", "1"]):
        complete(releases, version, age)
    releases.activate("1")
    releases.activate("2")
    plan = releases.plan(wanted("5", "never"))
    assert plan.remove == ["3", "4"]
    assert releases.plan(wanted("5", "always", keep=1)).remove == ["1", "3", "4"]
    releases.remove(plan.remove)
    assert sorted(releases.installed()) == ["1", "2", "5"]


def test_an_archive_of_anything_else_is_refused(releases: Releases, tmp_path: Path) -> None:
    path = tmp_path / "bad.tar"
    with tarfile.open(path, "w") as tar:
        tar.add(__file__, arcname="../x.whl")
    with pytest.raises(ReleaseError, match="no archive of wheels"):
        releases.install(wanted("1"), path, "")
    assert releases.marker("1") is None
    assert not (tmp_path / "x.whl").exists()


def test_each_instance_has_a_link_of_its_own(releases: Releases) -> None:
    for age, version in enumerate(("3", "2", "1")):
        complete(releases, version, age)
    releases.activate("1")
    fleet = ["1", "2"]
    plan = releases.plan(Wanted("2", sys.executable, 3, "first", fleet))
    assert plan.switch == {"1": "1", "2": "1"}, "new instances get the current release"
    for name, version in plan.switch.items():
        releases.switch(name, version)
    assert (releases.path / "instances" / "1" / MARKER).is_file()
    assert not releases.plan(Wanted("2", sys.executable, 3, "first", fleet))

    releases.switch("1", "2")
    assert releases.instances() == {"1": "2", "2": "1"}
    assert not releases.plan(Wanted("1", sys.executable, 3, "first", fleet)), "a canary is left alone"
    # What an instance runs stays, however few releases are kept.
    assert releases.plan(Wanted("1", sys.executable, 1, "first", fleet)).remove == ["3"]
    assert releases.plan(Wanted("1", sys.executable, 3, "always", fleet)).switch == {"1": "1"}

    fewer = releases.plan(Wanted("1", sys.executable, 3, "always", ["2"]))
    assert fewer.drop == ["1"]
    releases.drop(fewer.drop)
    assert releases.instances() == {"2": "1"}
    with pytest.raises(ReleaseError, match="not installed"):
        releases.switch("2", "9")


def test_a_set_stands_by_with_a_release_of_its_own(releases: Releases) -> None:
    for age, version in enumerate(("4", "3", "2", "1")):
        complete(releases, version, age)
    releases.activate("1")
    fleet = ["1", "2"]
    releases.arrange("", "", dict.fromkeys(fleet, "1"))
    for current, standby, instances in (
        ("", "2", {"2": "2"}),  # the idle set gets it
        ("2", "1", {}),  # it is switched to
        ("1", "2", {}),  # and back
    ):
        foretold = releases.arranged(current, standby, instances)
        releases.arrange(current, standby, instances)
        assert releases.links() == foretold
    assert foretold == {"current": "1", "previous": "2", "standby": "2", "instances/1": "1", "instances/2": "2"}

    always = Wanted("1", sys.executable, 1, "always", fleet)
    assert releases.plan(always).switch == {}, "what stands by is left alone"
    assert releases.plan(always).remove == ["3", "4"], "and stays installed"
    assert releases.plan(Wanted("1", sys.executable, 1, "always", ["1", "2", "3"])).switch == {"3": "1"}
    with pytest.raises(ReleaseError, match="3 can't become the current release while instances stand by with 2: "):
        releases.plan(Wanted("3", sys.executable, 3, "always", fleet))
    before = releases.links()
    with pytest.raises(ReleaseError, match="release 9 is not installed"):
        releases.arrange("2", "1", {"1": "9"})
    assert releases.links() == before

    releases.arrange("1", "", {"2": "1"})
    assert releases.links() == {"current": "1", "previous": "2", "instances/1": "1", "instances/2": "1"}
    assert releases.plan(Wanted("3", sys.executable, 3, "always", fleet)).switch == {"1": "3", "2": "3"}
