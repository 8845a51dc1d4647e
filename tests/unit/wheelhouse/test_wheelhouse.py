"""How releases are named, and what is asked of pip for a target."""

from __future__ import annotations

import tarfile
from pathlib import Path
from typing import Any

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.trinitycore.mcp.plugins.filter.wheels import (
    server_interpreter,
    wheel_target,
    wheel_target_key,
)
from ansible_collections.trinitycore.mcp.plugins.module_utils.wheelhouse import (
    Target,
    Wheelhouse,
    WheelhouseError,
    project_extras,
    source_version,
)

ROOT = Path(__file__).parents[3]


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A package that needs nothing."""
    folder = tmp_path / "source"
    (folder / "src" / "tiny").mkdir(parents=True)
    (folder / "src" / "tiny" / "__init__.py").write_text('__version__ = "1.2"\n')
    (folder / "pyproject.toml").write_text('[project]\nname = "tiny"\nversion = "1.2"\n')
    (folder / "requirements.txt").write_text("")
    return folder


def test_the_version_changes_with_what_is_deployed_and_with_nothing_else(source: Path) -> None:
    version = source_version(source)
    assert version.startswith("1.2-")
    (source / "src" / "tiny" / "__pycache__").mkdir()
    (source / "src" / "tiny" / "__pycache__" / "x.pyc").write_bytes(b"1")
    (source / "src" / "tiny.egg-info").mkdir()
    (source / "src" / "tiny.egg-info" / "PKG-INFO").write_text("1")
    (source / "tests").mkdir()
    (source / "tests" / "test_tiny.py").write_text("1")
    assert source_version(source) == version
    (source / "requirements.txt").write_text("other==1\n")
    changed = source_version(source)
    assert changed != version
    (source / "src" / "tiny" / "__init__.py").rename(source / "src" / "tiny" / "other.py")
    assert source_version(source) not in (version, changed)


def test_a_version_kept_in_the_code_is_found(source: Path) -> None:
    (source / "pyproject.toml").write_text(
        '[project]\nname = "tiny"\ndynamic = ["version"]\n[tool.hatch.version]\npath = "src/tiny/__init__.py"\n'
    )
    assert source_version(source).startswith("1.2-")
    (source / "src" / "tiny" / "__init__.py").write_text("")
    with pytest.raises(WheelhouseError, match="version"):
        source_version(source)


def test_a_folder_without_a_package_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WheelhouseError, match="holds no Python package"):
        source_version(tmp_path)


def test_our_server_has_a_version() -> None:
    assert source_version(ROOT / "server")[:2] == "2."


def test_extras_are_deployed_too() -> None:
    assert project_extras(ROOT / "server") == ["otlp", "sentry"]


def test_wheels_up_to_the_targets_c_library_fit() -> None:
    options = Target("3.13", "aarch64", "2.28").pip_options()
    assert "manylinux_2_28_aarch64" in options
    assert "manylinux_2_17_aarch64" in options
    assert "manylinux_2_29_aarch64" not in options
    assert options[options.index("--python-version") + 1] == "3.13"


def test_old_archives_are_dropped_and_other_targets_left(source: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    house = Wheelhouse(source, cache, "installer")
    target, other = Target("3.11", "x86_64", "2.35"), Target("3.13", "x86_64", "2.35")
    cache.mkdir()
    old = [cache / f"1.{number}-{target.key}-aaaa.tar" for number in range(3)]
    for path in [*old, house.archive(target), house.archive(other)]:
        with tarfile.open(path, "w"):
            pass
    assert house.build([target, other], keep=2) == []
    kept = sorted(path.name for path in cache.glob("*.tar"))
    assert house.archive(target).name in kept
    assert house.archive(other).name in kept
    assert len(kept) == 3


def facts(distribution: str, major: str, minor: int) -> dict[str, Any]:
    """Return a host's variables with the facts that matter here."""
    return {
        "ansible_facts": {
            "distribution": distribution,
            "distribution_major_version": major,
            "python": {"version": {"major": 3, "minor": minor}},
            "architecture": "x86_64",
        }
    }


def test_each_host_gets_wheels_of_its_python() -> None:
    bookworm, jammy = facts("Debian", "12", 11), facts("Ubuntu", "22", 10)
    assert wheel_target_key(wheel_target(bookworm, "2.35")) == "cp311-glibc2.35-x86_64"
    assert server_interpreter(jammy) == "/usr/bin/python3.11"
    assert wheel_target(jammy, "2.35")["python"] == "3.11"
    assert wheel_target(bookworm | {"mcp_server_python": "/opt/bin/python3.14"}, "2.35")["python"] == "3.14"
    with pytest.raises(AnsibleFilterError, match="needs Python 3.11"):
        wheel_target(facts("Debian", "11", 9), "2.35")
    with pytest.raises(AnsibleFilterError, match="facts are unknown"):
        wheel_target({}, "2.35")
