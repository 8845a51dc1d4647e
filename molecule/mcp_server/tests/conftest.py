"""What the tests of the server's hosts share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import yaml
from testinfra.host import Host

from tests.support.instances import Server

ROOT = Path(__file__).parents[3]
LAB = ROOT / f".lab-{os.environ.get('SCENARIO_LAB', 'molecule')}"


@pytest.fixture
def server(host: Host) -> Server:
    """The instances on the tested host."""
    return Server(host)


@pytest.fixture
def client_tls(tmp_path: Path, host: Host) -> tuple[Path, Path]:
    """Certificate and key that clients of an instance need: the host's own, as files here."""
    files = tmp_path / "host.crt", tmp_path / "host.key"
    for path in files:
        path.write_text(host.run(f"cat /etc/trinitycore-pki/{path.name}").stdout)
    return files


@pytest.fixture(scope="session")
def ca_file() -> Path:
    """The scenario's authority."""
    return LAB / "pki" / "ca.crt"


@pytest.fixture(scope="session")
def secrets() -> dict[str, str]:
    """The scenario's secrets by variable name."""
    loaded: dict[str, str] = yaml.safe_load((ROOT / "molecule/shared/group_vars/all/secrets.yml").read_text())
    return loaded
