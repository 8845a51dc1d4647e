"""What an image is made of, and that nothing half-built is taken for one."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.trinitycore.mcp.plugins.module_utils.nspawn import image, sources
from ansible_collections.trinitycore.mcp.plugins.module_utils.nspawn.commands import LabError

DEB822 = """\
Types: deb
# a comment
URIs: http://mirror.example/debian
Suites: bookworm bookworm-updates bookworm-backports
Components: main contrib
Signed-By: /etc/apt/keyrings/mirror.gpg

Types: deb deb-src
URIs: http://mirror.example/debian-security
Suites: bookworm-security
Components: main

Types: deb
URIs: https://vendor.example/apt
Suites: stable
Components: main

Enabled: no
Types: deb
URIs: http://off.example/debian
Suites: bookworm
Components: main
"""
ONE_LINE = """\
# deb http://off.example/debian bookworm main
deb [arch=amd64 signed-by=/etc/apt/keyrings/mirror.gpg] http://mirror.example/debian bookworm main contrib # note
deb-src http://mirror.example/debian bookworm main
deb http://flat.example/repository ./
"""


def machine(root: Path, os_release: str) -> Path:
    (root / "etc/apt/sources.list.d").mkdir(parents=True)
    (root / "etc/apt/sources.list.d/debian.sources").write_text(DEB822)
    (root / "etc/apt/sources.list.d/ignored.sources.save").write_text(DEB822)
    (root / "etc/os-release").write_text(os_release)
    return root


def test_the_machines_mirrors_are_turned_to_another_release(tmp_path: Path) -> None:
    root = machine(tmp_path, 'ID=debian\nVERSION_CODENAME="bookworm"\n')
    found = sources.for_release("trixie", sources.of_machine(root), sources.codename_of_machine(root))
    assert [(source.uris, source.suites, source.components) for source in found] == [
        (("http://mirror.example/debian",), ("trixie", "trixie-updates"), ("main",)),
        (("http://mirror.example/debian-security",), ("trixie-security",), ("main",)),
    ]
    assert found[0].signed_by == "/etc/apt/keyrings/mirror.gpg"
    assert f"Signed-By: {sources.DEBIAN_KEYRING}" in found[1].text()


def test_sid_has_one_suite(tmp_path: Path) -> None:
    root = machine(tmp_path, "ID=debian\nVERSION_CODENAME=bookworm\n")
    found = sources.for_release("sid", sources.of_machine(root), "bookworm")
    assert [source.suites for source in found] == [("sid",)]


def test_another_system_is_refused(tmp_path: Path) -> None:
    root = machine(tmp_path, "ID=ubuntu\nVERSION_CODENAME=noble\n")
    codename = sources.codename_of_machine(root)
    assert codename == ""
    with pytest.raises(LabError, match="no Debian.*the lab runs on Debian"):
        sources.for_release("bookworm", sources.of_machine(root), codename)


def test_one_line_sources() -> None:
    assert sources.parse_one_line(ONE_LINE) == [
        sources.Source(
            ("http://mirror.example/debian",), ("bookworm",), ("main", "contrib"), "/etc/apt/keyrings/mirror.gpg"
        )
    ]


BASE = image.Recipe("bookworm", "bookworm", ("curl",), "text", ("option",), ("dpkg",), "finish", (("a.crt", "b"),))
OTHER: dict[str, Any] = {"packages": ("curl", "less"), "authorities": (), "apt_options": (), "dpkg_options": ()}


@pytest.mark.parametrize("field", [field.name for field in fields(image.Recipe)])
def test_every_part_of_the_recipe_makes_another_image(field: str) -> None:
    changed = replace(BASE, **{field: OTHER.get(field, "other")})
    assert changed.identity != BASE.identity
    assert replace(BASE).identity == BASE.identity


def test_an_unknown_image_names_the_known_ones() -> None:
    with pytest.raises(LabError, match="bookworm, trixie, mysql"):
        image.recipe("buster")


def test_a_failed_or_killed_build_is_no_image(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_recipe: image.Recipe, growing: Path, _lock: int) -> None:
        (growing / "tree").mkdir()
        raise LabError("no mirror")

    killed = tmp_path / f".building-{BASE.identity}"
    (killed / "tree").mkdir(parents=True)
    assert not image.is_built(BASE, tmp_path)
    monkeypatch.setattr(image, "_bootstrap", fail)
    with pytest.raises(LabError, match="no mirror"):
        image.build(BASE, tmp_path)
    assert not image.is_built(BASE, tmp_path)
    assert not killed.exists()

    monkeypatch.setattr(image, "_bootstrap", lambda _recipe, growing, _lock: (growing / "tree").mkdir())
    assert image.build(BASE, tmp_path).is_dir()
    assert image.is_built(BASE, tmp_path)
    image.remove(BASE, tmp_path)
    assert not image.is_built(BASE, tmp_path)
    assert list(tmp_path.iterdir()) == []
