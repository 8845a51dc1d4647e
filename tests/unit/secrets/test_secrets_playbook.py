"""The secrets play, by ansible-playbook, and whether every host can use what it made."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.parsing.vault import VaultLib, VaultSecret

from tests.support.playbooks import ROOT, Run, copy_inventory, run_playbook, write_yaml

USE = {
    "hosts": "all",
    "gather_facts": False,
    "tasks": [
        {
            "ansible.builtin.assert": {
                "that": [
                    "redis_app_password | length >= 43",
                    "redis_app_password == hostvars['db1'].redis_app_password",
                    "redis_app_password != mysql_admin_password",
                ]
            }
        }
    ],
}
FILE = "group_vars/all/secrets.yml"


@pytest.fixture
def inventory(tmp_path: Path) -> Path:
    return copy_inventory("production", tmp_path)


@pytest.fixture
def playbook(tmp_path: Path) -> Path:
    plays: list[dict[str, Any]] = [{"import_playbook": str(ROOT / "playbooks/secrets.yml")}, USE]
    return write_yaml(tmp_path / "play.yml", plays)


@pytest.fixture
def password(tmp_path: Path) -> Path:
    path = tmp_path / "password"
    path.write_text("vault password\n")
    return path


def secrets_in(text: bytes, password: str = "") -> dict[str, str]:
    plain = VaultLib([("default", VaultSecret(password.encode()))]).decrypt(text) if password else text
    loaded: dict[str, str] = yaml.safe_load(plain)
    return loaded


def assert_not_shown(run: Run, secrets: dict[str, str]) -> None:
    assert not [name for name, value in secrets.items() if value in run.output]


def test_made_once_and_usable_on_every_host_at_once(inventory: Path, playbook: Path) -> None:
    first = run_playbook(playbook, inventory, "--diff", "-vvv")
    assert first.code == 0, first.output
    assert "is not encrypted" in first.output
    content = (inventory / FILE).read_bytes()
    assert len(secrets_in(content)) == len(set(secrets_in(content).values())) > 10
    assert_not_shown(first, secrets_in(content))
    second = run_playbook(playbook, inventory / "hosts.yml", "--diff", "-vvv")
    assert second.code == 0, second.output
    assert second.changed("lb1") == 0
    assert_not_shown(second, secrets_in(content))
    assert (inventory / FILE).read_bytes() == content


def test_check_mode_on_a_fresh_checkout(inventory: Path, playbook: Path) -> None:
    run = run_playbook(playbook, inventory, "--check", "--diff")
    assert run.code == 0, run.output
    assert run.changed("lb1") == 1
    assert not (inventory / FILE).exists()


def test_preflight_passes_in_check_mode_on_a_fresh_checkout(inventory: Path, tmp_path: Path) -> None:
    both = write_yaml(
        tmp_path / "both.yml",
        [{"import_playbook": str(ROOT / f"playbooks/{name}.yml")} for name in ("secrets", "preflight")],
    )
    run = run_playbook(both, inventory, "--check")
    assert run.code == 0, run.output


def test_encrypted_when_the_run_has_a_vault_password(inventory: Path, playbook: Path, password: Path) -> None:
    arguments = ("--vault-password-file", str(password))
    run = run_playbook(playbook, inventory, *arguments)
    assert run.code == 0, run.output
    assert "is not encrypted" not in run.output
    content = (inventory / FILE).read_bytes()
    made = secrets_in(content, "vault password")
    assert made.keys() > {"redis_app_password"}
    more = (*arguments, "-e", '{"cluster_secrets": ["redis_app_password", "another_password"]}')
    assert run_playbook(playbook, inventory, *more).code == 0
    after = secrets_in((inventory / FILE).read_bytes(), "vault password")
    assert after == {**made, "another_password": after["another_password"]}
    assert run_playbook(playbook, inventory, *more).changed("lb1") == 0


def test_plain_file_is_encrypted_later_and_loose_mode_mended(inventory: Path, playbook: Path, password: Path) -> None:
    assert run_playbook(playbook, inventory).code == 0
    made = secrets_in((inventory / FILE).read_bytes())
    os.chmod(inventory / FILE, 0o644)
    run = run_playbook(playbook, inventory, "--vault-password-file", str(password), "--diff")
    assert run.changed("lb1") == 1
    assert secrets_in((inventory / FILE).read_bytes(), "vault password") == made
    assert (inventory / FILE).stat().st_mode & 0o777 == 0o600
    assert_not_shown(run, made)


def test_secrets_set_elsewhere_stay_there(inventory: Path, playbook: Path) -> None:
    write_yaml(inventory / "group_vars/all/mine.yml", {"mysql_admin_password": "the-operators-own"})
    assert run_playbook(playbook, inventory).code == 0
    assert "mysql_admin_password" not in secrets_in((inventory / FILE).read_bytes())


def test_variables_file_that_would_be_hidden_is_named(inventory: Path, playbook: Path) -> None:
    (inventory / "group_vars/all/main.yml").rename(inventory / "group_vars/all.yml")
    (inventory / "group_vars/all").rmdir()
    run = run_playbook(playbook, inventory)
    assert run.code != 0
    assert "all.yml would no longer be read" in run.output
    assert not (inventory / FILE).exists()
