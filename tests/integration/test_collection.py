"""The collection as operators install it: built, installed elsewhere, used by its full name."""

from __future__ import annotations

import os
import shutil
import subprocess
import sysconfig
import tarfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def _run(*command: str | Path, **environment: str) -> str:
    done = subprocess.run(
        command, cwd=ROOT, env={**os.environ, **environment}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("build")
    _run("ansible-galaxy", "collection", "build", "--output-path", directory, ROOT)
    return next(directory.glob("trinitycore-mcp-*.tar.gz"))


def test_the_archive_holds_what_hosts_need_and_nothing_private(built: Path) -> None:
    with tarfile.open(built) as archive:
        names = set(archive.getnames())
    assert {"server/pyproject.toml", "server/requirements.txt", "playbooks/site.yml", "LICENSE"} <= names
    unwanted = (".venv", ".lab", "secrets.yml", "tests/", "molecule/", "_cache", "egg-info", "__pycache__")
    assert [name for name in names if any(part in name for part in unwanted) and "roles/cluster" not in name] == [
        "playbooks/secrets.yml"
    ]


def test_installed_elsewhere_it_checks_an_inventory_by_its_full_name(built: Path, tmp_path: Path) -> None:
    collections = tmp_path / "collections"
    settings = {
        "ANSIBLE_CONFIG": str(tmp_path / "none.cfg"),
        "ANSIBLE_COLLECTIONS_PATH": f"{collections}:{sysconfig.get_path('purelib')}",
        "ANSIBLE_COLLECTIONS_SCAN_SYS_PATH": "false",  # the checkout is on it
    }
    _run("ansible-galaxy", "collection", "install", "--offline", "--no-deps", "-p", collections, built, **settings)
    inventory = tmp_path / "production"
    shutil.copytree(ROOT / "inventories/production", inventory, ignore=shutil.ignore_patterns("secrets.yml", "pki"))
    listed = _run("ansible-playbook", "trinitycore.mcp.site", "-i", inventory, "--list-tasks", **settings)
    assert f"playbook: {collections}" in listed
    _run("ansible-playbook", "trinitycore.mcp.preflight", "-i", inventory, **settings)
    _run("ansible-playbook", "trinitycore.mcp.secrets", "-i", inventory, **settings)
    assert (inventory / "group_vars/all/secrets.yml").stat().st_mode & 0o777 == 0o600
