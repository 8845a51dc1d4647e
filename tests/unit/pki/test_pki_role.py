"""The role, by ansible-playbook: two hosts that are folders of this machine, one CA."""

from __future__ import annotations

import grp
import os
import shutil
import ssl
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support.playbooks import Run, run_playbook, write_yaml

PLAY: list[dict[str, Any]] = [
    {
        "hosts": "all",
        "gather_facts": False,
        "tasks": [{"ansible.builtin.import_role": {"name": "trinitycore.mcp.pki", "tasks_from": "configure"}}],
    }
]


@dataclass(frozen=True)
class Site:
    """A folder with inventory, playbook, CA and both hosts' files."""

    folder: Path

    def run(self, *arguments: str) -> Run:
        return run_playbook(self.folder / "play.yml", self.folder / "hosts.yml", "--diff", *arguments)

    def certificate(self, host: str) -> str:
        return (self.folder / host / "host.crt").read_text()

    def content(self) -> dict[str, bytes]:
        return {str(path): path.read_bytes() for path in sorted(self.folder.rglob("*")) if path.is_file()}


def inventory(folder: Path) -> dict[str, Any]:
    def host(address: str, name: str) -> dict[str, Any]:
        return {name: {"cluster_address": address, "cluster_tls_directory": str(folder / name)}}

    return {
        "all": {
            "vars": {
                "ansible_connection": "local",
                "ansible_python_interpreter": sys.executable,
                "cluster_domain": "mcp.example.com",
                "cluster_tls_group": grp.getgrgid(os.getgid()).gr_name,
                "pki_ca_passphrase": "hunter2hunter2",
            },
            "children": {
                "loadbalancers": {"hosts": host("10.0.0.1", "lb1")},
                "app": {"hosts": host("10.0.0.2", "app1")},
            },
        }
    }


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """Return a site after its first run, which a check run preceded; not to be changed by a test."""
    site = Site(tmp_path_factory.mktemp("site"))
    write_yaml(site.folder / "hosts.yml", inventory(site.folder))
    write_yaml(site.folder / "play.yml", PLAY)
    before = site.content()
    check = site.run("--check")
    assert check.code == 0, check.output
    assert check.changed("app1") == 1
    assert check.changed("lb1") == 2, "the CA counts on the host that it was made for"
    assert site.content() == before
    first = site.run()
    assert first.code == 0, first.output
    assert first.changed("app1") == 1
    assert "hunter2" not in check.output + first.output
    return site


@pytest.fixture
def site(deployed: Site, tmp_path: Path) -> Site:
    """Return a copy of the deployed site, for the test to change."""
    copied = Site(Path(shutil.copytree(deployed.folder, tmp_path / "site")))
    write_yaml(copied.folder / "hosts.yml", inventory(copied.folder))
    return copied


def test_second_run_changes_nothing(deployed: Site) -> None:
    before = deployed.content()
    for arguments in ([], ["--check"]):
        run = deployed.run(*arguments)
        assert run.code == 0, run.output
        assert run.changed("lb1") == run.changed("app1") == 0
    assert deployed.content() == before


def test_ca_key_is_private_and_encrypted(deployed: Site) -> None:
    key = deployed.folder / "pki/ca.key"
    assert key.stat().st_mode & 0o777 == 0o600
    assert "ENCRYPTED" in key.read_text()
    certificate = subprocess.run(
        ["openssl", "x509", "-in", deployed.folder / "pki/ca.crt", "-noout", "-text"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert "CA:TRUE, pathlen:0" in certificate
    assert "Certificate Sign" in certificate


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("lb1", "mcp.example.com"),
        ("lb1", "lb1"),
        ("app1", "app1.trinitycore-mcp"),
        ("app1", "10.0.0.2"),
        ("app1", "localhost"),
        ("app1", "127.0.0.1"),
    ],
)
def test_tls_handshake_of_both_sides(deployed: Site, host: str, name: str) -> None:
    """Both sides show certificates and verify the other's, over memory instead of a network."""
    authority = str(deployed.folder / host / "ca.crt")
    server, client = (
        ssl.create_default_context(purpose, cafile=authority)
        for purpose in (ssl.Purpose.CLIENT_AUTH, ssl.Purpose.SERVER_AUTH)
    )
    server.verify_mode = ssl.CERT_REQUIRED
    for context, owner in ((server, host), (client, "app1")):
        context.load_cert_chain(deployed.folder / owner / "host.crt", deployed.folder / owner / "host.key")
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = [
        client.wrap_bio(to_client, to_server, server_hostname=name),
        server.wrap_bio(to_server, to_client, server_side=True),
    ]
    for _ in range(4):
        for end in ends:
            try:
                end.do_handshake()
            except ssl.SSLWantReadError:
                continue
    for end in ends:
        assert end.getpeercert(), "the other side's certificate is verified"


def test_renewal_of_one_host(site: Site) -> None:
    before = site.certificate("app1"), site.certificate("lb1")
    key = (site.folder / "app1/host.key").read_bytes()
    arguments = ("--limit", "app1", "-e", '{"pki_extra_names": ["DNS:more.example.com"]}')
    check = site.run("--check", *arguments)
    assert "its names differ: DNS:more.example.com" in check.output
    assert check.changed("app1") == 1
    assert (site.certificate("app1"), site.certificate("lb1")) == before
    run = site.run(*arguments)
    assert run.changed("app1") == 1
    assert "DNS:more.example.com" in run.output
    assert site.certificate("app1") != before[0]
    assert site.certificate("lb1") == before[1]
    assert (site.folder / "app1/host.key").read_bytes() == key, "renewal keeps the key"
    assert site.run(*arguments).changed("app1") == 0


def test_expiry_comes_near(site: Site) -> None:
    before = site.certificate("app1")
    longer = ("-e", '{"pki_renew_before_days": 366, "pki_certificate_valid_days": 400}')
    run = site.run(*longer)
    assert run.changed("app1") == run.changed("lb1") == 1
    assert site.certificate("app1") != before
    assert site.run(*longer).changed("app1") == 0


def test_new_authority_reaches_every_host(site: Site) -> None:
    shutil.rmtree(site.folder / "pki")
    run = site.run()
    assert run.code == 0, run.output
    authority = (site.folder / "pki/ca.crt").read_text()
    for host in ("lb1", "app1"):
        assert (site.folder / host / "ca.crt").read_text() == authority
    assert site.run().changed("lb1") == 0


def test_lost_key_and_killed_run(site: Site) -> None:
    (site.folder / "app1/host.key").unlink()
    (site.folder / "lb1/host.crt").unlink()
    run = site.run()
    assert run.changed("app1") == run.changed("lb1") == 1
    for host in ("lb1", "app1"):
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(site.folder / host / "host.crt", site.folder / host / "host.key")
    assert site.run().changed("app1") == 0


def test_wrong_passphrase_is_said_and_nothing_replaced(site: Site) -> None:
    before = site.content()
    run = site.run("-e", "pki_ca_passphrase=other", "-e", '{"pki_extra_names": ["DNS:more.example.com"]}')
    assert run.code != 0
    assert "does not open with the passphrase" in run.output
    assert site.content() == before


def test_authority_is_made_also_when_only_this_part_is_asked_for(site: Site) -> None:
    shutil.rmtree(site.folder / "pki")
    play = [{**PLAY[0], "tasks": [{**PLAY[0]["tasks"][0], "tags": ["pki"]}]}]
    write_yaml(site.folder / "play.yml", play)
    run = site.run("--tags", "pki")
    assert run.code == 0, run.output
