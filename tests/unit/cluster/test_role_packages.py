"""Which packages a host needs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible.errors import AnsibleError
from ansible_collections.trinitycore.mcp.plugins.lookup.role_packages import ROLES, packages_of

JAMMY: dict[str, Any] = {"distribution": "Ubuntu", "distribution_major_version": "22", "os_family": "Debian"}
BOOKWORM: dict[str, Any] = {"distribution": "Debian", "distribution_major_version": "12", "os_family": "Debian"}
TRIXIE: dict[str, Any] = {**BOOKWORM, "distribution_major_version": "13"}


@pytest.fixture
def roles(tmp_path: Path) -> Path:
    packages = tmp_path / "web" / "vars" / "packages.yml"
    packages.parent.mkdir(parents=True)
    packages.write_text("Debian: [nginx]\nUbuntu-22: [nginx-core]\n")
    return tmp_path


def test_the_most_specific_system_wins(roles: Path) -> None:
    assert packages_of("web", JAMMY, roles) == ["nginx-core"]
    assert packages_of("web", BOOKWORM, roles) == ["nginx"]


def test_an_unsupported_system_is_named(roles: Path) -> None:
    facts = {"distribution": "Fedora", "distribution_major_version": "44", "os_family": "RedHat"}
    with pytest.raises(AnsibleError, match="role 'web' supports Debian, Ubuntu-22, not Fedora-44"):
        packages_of("web", facts, roles)


def test_a_flavour_has_packages_of_its_own() -> None:
    assert packages_of("redis", TRIXIE, flavor="valkey") == ["valkey-server", "valkey-sentinel"]
    assert packages_of("redis", TRIXIE) == ["redis-server", "redis-sentinel"]


@pytest.mark.parametrize(
    ("facts", "flavor", "says"),
    [
        (BOOKWORM, "valkey", "redis_flavor is 'valkey', which Debian-12 has no packages of; there it can be redis"),
        (JAMMY, "valkey", "redis_flavor is 'valkey', which Ubuntu-22 has no packages of; there it can be redis"),
        (TRIXIE, "keydb", "redis_flavor is 'keydb', which Debian-13 has no packages of; there it can be redis, valkey"),
    ],
)
def test_a_flavour_without_packages_is_refused_by_name(facts: dict[str, Any], flavor: str, says: str) -> None:
    with pytest.raises(AnsibleError, match=f"^{says}$"):
        packages_of("redis", facts, flavor=flavor)


@pytest.mark.parametrize("role", sorted(path.parent.parent.name for path in ROLES.glob("*/vars/packages.yml")))
@pytest.mark.parametrize("facts", [JAMMY, BOOKWORM], ids=["Ubuntu 22.04", "Debian 12"])
def test_every_role_knows_the_supported_systems(role: str, facts: dict[str, Any]) -> None:
    assert all(isinstance(package, str) for package in packages_of(role, facts))
