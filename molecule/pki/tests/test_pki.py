"""Certificates as services use them: a handshake between two hosts, each proving who it is."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from testinfra.host import Host
from testinfra.utils.ansible_runner import AnsibleRunner

testinfra_hosts = ["ansible://all"]

FOLDER = "/etc/trinitycore-pki"
OWN = f"-cert {FOLDER}/host.crt -key {FOLDER}/host.key"
PORT = 7443
INVENTORY = Path(os.environ["MOLECULE_INVENTORY_FILE"])


def test_only_root_and_the_group_read_the_key(host: Host) -> None:
    key = host.file(f"{FOLDER}/host.key")
    assert (key.user, key.group, key.mode) == ("root", "trinitycore-tls", 0o640)
    as_nobody = "setpriv --reuid=nobody --regid=nogroup"
    assert host.run(f"{as_nobody} --clear-groups cat {key.path}").rc != 0
    assert host.run(f"{as_nobody} --groups=trinitycore-tls cat {key.path}").rc == 0
    assert host.run(f"{as_nobody} --clear-groups cat {FOLDER}/ca.crt {FOLDER}/host.crt").rc == 0


def test_the_key_never_left_its_host(host: Host) -> None:
    fingerprint = host.check_output(f"sha256sum < {FOLDER}/host.key")
    others = [AnsibleRunner(str(INVENTORY)).get_host(name) for name in ("lb1", "app1")]
    keys = {other.check_output(f"sha256sum < {FOLDER}/host.key") for other in others}
    assert fingerprint in keys
    assert len(keys) == 2


class TestHandshake:
    """lb1 listens and asks for certificates; app1 calls."""

    @pytest.fixture(scope="class")
    def hosts(self) -> dict[str, Host]:
        runner = AnsibleRunner(str(INVENTORY))
        return {name: runner.get_host(name) for name in ("lb1", "app1")}

    @pytest.fixture(scope="class")
    def address(self, hosts: dict[str, Host]) -> Iterator[str]:
        """Have lb1 listen; return its address."""
        unit = "certificate-test"
        server = f"openssl s_server -accept {PORT} -www -Verify 1 -verify_return_error -CAfile {FOLDER}/ca.crt {OWN}"
        hosts["lb1"].check_output(f"systemd-run --quiet --unit={unit} {server}")
        listens = f"for i in $(seq 50); do ss -Hltn sport = :{PORT} | grep -q . && exit 0; sleep 0.1; done; exit 1"
        hosts["lb1"].check_output(listens)
        yield str(AnsibleRunner(str(INVENTORY)).get_variables("lb1")["ansible_host"])
        hosts["lb1"].run(f"systemctl stop {unit}")

    def call(self, hosts: dict[str, Host], address: str, check: str, certificate: str = OWN) -> tuple[int, str]:
        options = f"-connect {address}:{PORT} -CAfile {FOLDER}/ca.crt -verify_return_error {check} {certificate}"
        # An answer proves more than the handshake: with TLS 1.3 a client learns of its refusal only later.
        done = hosts["app1"].run(f"printf 'GET / HTTP/1.0\\r\\n\\r\\n' | openssl s_client {options} -quiet")
        return done.rc, done.stdout

    @pytest.mark.parametrize("name", ["lb1", "lb1.trinitycore-mcp", "mcp.molecule.test", "renewed.example.com"])
    def test_names(self, hosts: dict[str, Host], address: str, name: str) -> None:
        _, answer = self.call(hosts, address, f"-verify_hostname {name}")
        assert "HTTP/1.0 200" in answer

    def test_address(self, hosts: dict[str, Host], address: str) -> None:
        _, answer = self.call(hosts, address, f"-verify_ip {address}")
        assert "HTTP/1.0 200" in answer

    def test_another_hosts_name_is_refused(self, hosts: dict[str, Host], address: str) -> None:
        code, answer = self.call(hosts, address, "-verify_hostname app1")
        assert code != 0
        assert "200" not in answer

    def test_caller_without_a_certificate_is_refused(self, hosts: dict[str, Host], address: str) -> None:
        _, answer = self.call(hosts, address, "-verify_hostname lb1", certificate="")
        assert "200" not in answer


def test_expiry_is_as_the_role_says(host: Host) -> None:
    day = 24 * 3600
    assert host.run(f"openssl x509 -in {FOLDER}/host.crt -noout -checkend {364 * day}").rc == 0
    assert host.run(f"openssl x509 -in {FOLDER}/host.crt -noout -checkend {366 * day}").rc == 1
