"""Certificates of a real authority on two load balancers, seen by clients. The tests run in this order.

The authority finds the domain at lb2, while lb1 is the one that renews. It forgets everything at each start, and is
another one then: accounts are unknown, its root is new.
"""

from __future__ import annotations

import datetime
import http.client
import json
import os
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from testinfra.host import Host
from testinfra.utils.ansible_runner import AnsibleRunner

from tests.support.playbooks import run_playbook
from tests.support.scenario import LAB, NETWORK, lab_host

testinfra_hosts = ["ansible://lb1"]

ROOT = Path(__file__).parents[3]
INVENTORY = Path(os.environ["MOLECULE_INVENTORY_FILE"])
ADDRESSES = {"lb1": f"{NETWORK}.11", "lb2": f"{NETWORK}.12"}
DOMAIN = "mcp.molecule.test"
UNIT = "trinitycore-certificates"
FOLDER = "/var/lib/trinitycore-certificates"
PKI = "/etc/trinitycore-pki"
SHORT, LONG = 45, 21600


@pytest.fixture(scope="module")
def hosts() -> dict[str, Host]:
    """All hosts by name."""
    runner = AnsibleRunner(str(INVENTORY))
    return {name: runner.get_host(name) for name in ("lb1", "lb2", "acme1")}


@dataclass
class Authority:
    """The authority, its roots so far, and what may happen to it."""

    host: Host
    roots: list[str] = field(default_factory=list)

    def learn_root(self) -> None:
        root = self.host.check_output(f"curl -s --cacert {PKI}/ca.crt https://127.0.0.1:15000/roots/0")
        self.roots.append(f"{root}\n")

    def restart(self, certificates_last: int) -> None:
        setting = f's/("certificateValidityPeriod":) .*,/\\1 {certificates_last},/'
        self.host.check_output("sed -E -i %s /etc/pebble/config.json", setting)
        self.host.check_output("systemctl restart pebble")
        until("the authority answers", lambda: self.host.run("ss -ltn | grep -q :15000").rc == 0)
        self.learn_root()

    @contextmanager
    def down(self) -> Iterator[None]:
        """The authority is gone, and comes back as another one."""
        self.host.check_output("systemctl stop pebble")
        try:
            yield
        finally:
            self.restart(certificates_last=LONG)

    def context(self) -> ssl.SSLContext:
        """What clients trust: this authority alone, in whichever life."""
        return ssl.create_default_context(cadata="".join(self.roots))


@pytest.fixture(scope="module")
def authority(hosts: dict[str, Host]) -> Authority:
    """The authority as the role left it."""
    found = Authority(hosts["acme1"])
    found.learn_root()
    return found


def until(what: str, holds: Callable[[], bool], seconds: float = 60) -> None:
    """Wait until something holds.

    :raises AssertionError: it does not.
    """
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, f"not within {seconds} s: {what}"
        time.sleep(0.3)


def shown(host: str, context: ssl.SSLContext) -> x509.Certificate:
    """Return the certificate that a client of a load balancer sees, and trusts."""
    with (
        socket.create_connection((ADDRESSES[host], 443), 10) as plain,
        context.wrap_socket(plain, server_hostname=DOMAIN) as connection,
    ):
        found = connection.getpeercert(binary_form=True)
    assert found is not None
    return x509.load_der_x509_certificate(found)


def untrusting() -> ssl.SSLContext:
    """A client that takes any certificate."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def serials() -> set[int]:
    """Return the serial numbers that the load balancers show."""
    return {shown(name, untrusting()).serial_number for name in ADDRESSES}


class Connection(http.client.HTTPSConnection):
    """Connects to an address and asks for the domain."""

    def __init__(self, address: str, context: ssl.SSLContext) -> None:
        super().__init__(DOMAIN, context=context, timeout=15)
        self._address, self._tls = address, context

    def connect(self) -> None:
        self.sock = self._tls.wrap_socket(socket.create_connection((self._address, 443), 15), server_hostname=DOMAIN)


def headers(host: str) -> dict[str, str]:
    """Return the headers of an answer, whatever its certificate."""
    connection = Connection(ADDRESSES[host], untrusting())
    connection.request("GET", "/nothing")
    return {name.lower(): value for name, value in connection.getresponse().getheaders()}


def listed(host: Host, name: str = "edge") -> dict[str, Any]:
    """Return what the program says of a certificate."""
    lines = host.check_output("trinitycore-certificates list").splitlines()
    return next(one for one in map(json.loads, lines) if one["name"] == name)


def metric(host: Host, name: str) -> float:
    """Return a metric of the certificate that is served, as the node exporter publishes it."""
    command = (
        f"curl -sf --cacert {PKI}/ca.crt --cert {PKI}/host.crt --key {PKI}/host.key https://$(hostname):9100/metrics"
    )
    sample = f'trinitycore_certificate_{name}{{certificate="edge"}} '
    lines = host.check_output(command).splitlines()
    return next(float(line.removeprefix(sample)) for line in lines if line.startswith(sample))


def look(host: Host) -> int:
    """Have a host look after its certificates as its timer does; returns the unit's result."""
    return int(host.run(f"systemctl start {UNIT}.service").rc)


def not_after(host: Host) -> datetime.datetime:
    """Return when the certificate expires."""
    return datetime.datetime.fromisoformat(listed(host)["not_after"])


def is_due(host: Host) -> bool:
    """Tell whether the certificate is to be renewed by now."""
    return metric(host, "renewal_due_timestamp_seconds") < time.time()


def account(host: Host) -> str:
    """Return the name of a host's account at the authority."""
    return str(host.check_output(f"ls {FOLDER}/certbot/config/accounts/*/dir"))


def test_both_show_one_certificate_of_the_authority(hosts: dict[str, Host], authority: Authority) -> None:
    first, second = (shown(name, authority.context()) for name in ADDRESSES)
    assert first == second
    assert "Pebble" in first.issuer.rfc4514_string()
    assert {listed(hosts[name])["key_type"] for name in ADDRESSES} == {"ecdsa-p256"}
    chains = {hosts[name].check_output(f"sha256sum < {FOLDER}/live/edge/fullchain.pem") for name in ADDRESSES}
    assert len(chains) == 1
    assert headers("lb1")["strict-transport-security"] == "max-age=31536000"


def test_a_certificate_by_dns_has_its_wildcard(hosts: dict[str, Host]) -> None:
    by_dns = [listed(hosts[name], "by-dns") for name in ADDRESSES]
    assert by_dns[0] == by_dns[1]
    assert by_dns[0]["names"] == ["*.dns.molecule.test", "dns.molecule.test"]


def test_the_controller_learnt_the_root(authority: Authority) -> None:
    assert authority.roots[0].strip() in (LAB / "acme-roots.pem").read_text()


def test_keys_are_for_root_and_the_programs_group_only(hosts: dict[str, Host]) -> None:
    for name in ADDRESSES:
        assert hosts[name].run("su -s /bin/sh www-data -c 'cat %s/live/edge/privkey.pem'", FOLDER).rc != 0
        open_to_all = hosts[name].check_output(f"find {FOLDER} /etc/trinitycore-certificates -not -type l -perm /o+rwx")
        assert open_to_all == ""
        assert hosts[name].file("/etc/trinitycore-certificates/dns.ini").mode == 0o600
        secret = hosts[name].check_output("grep -o 'secret = .*' /etc/trinitycore-certificates/dns.ini").split()[-1]
        assert hosts[name].run("journalctl --no-pager | grep -F %s", secret).rc != 0


def test_any_load_balancer_answers_for_a_challenge_of_another(hosts: dict[str, Host]) -> None:
    def ask(host: str, token: str) -> str:
        url = f"http://{ADDRESSES[host]}/.well-known/acme-challenge/{token}"
        command = ["curl", "-s", "-m", "10", "-w", " %{http_code}", "-H", f"Host: {DOMAIN}", url]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    folder = "/var/lib/trinitycore-acme/.well-known/acme-challenge"
    hosts["lb1"].check_output(f"mkdir -p {folder} && printf answer > {folder}/t1")
    assert ask("lb1", "t1") == ask("lb2", "t1") == "answer 200"
    assert {ask(name, "t2").split()[-1] for name in ADDRESSES} == {"404"}
    hosts["lb1"].check_output(f"rm {folder}/t1")
    assert ask("lb2", "t1").split()[-1] == "404"


def test_only_peers_are_told(hosts: dict[str, Host]) -> None:
    """acme1 has a certificate of the internal CA too, but is no load balancer."""
    url = f"-s -m 5 -w %{{http_code}} -o /dev/null --cacert {PKI}/ca.crt https://lb1:8402/share"
    with_certificate = f"--cert {PKI}/host.crt --key {PKI}/host.key"
    assert hosts["lb2"].check_output(f"curl {with_certificate} {url}") == "200"
    assert hosts["acme1"].check_output(f"curl {with_certificate} {url}") == "403"
    assert hosts["lb2"].run(f"curl {url}").rc != 0


def test_a_server_can_start_before_there_is_a_certificate_and_promises_nothing(
    hosts: dict[str, Host], authority: Authority
) -> None:
    """As on a new load balancer: a stand-in first, without HSTS, then what the other one has."""
    # Its timer would put things right before anybody has seen them.
    hosts["lb2"].check_output(f"systemctl stop {UNIT}.timer {UNIT}.service")
    hosts["lb2"].check_output(f"rm -rf {FOLDER}/live {FOLDER}/store {FOLDER}/state.json {FOLDER}/certbot")
    hosts["lb2"].check_output("trinitycore-certificates prepare")
    hosts["lb2"].check_output("nginx -t -q && systemctl reload nginx")
    until("the stand-in is shown", lambda: "Pebble" not in shown("lb2", untrusting()).issuer.rfc4514_string())
    assert "strict-transport-security" not in headers("lb2")
    assert listed(hosts["lb2"])["stand_in"]
    hosts["lb2"].check_output(f"systemctl start {UNIT}.timer")
    assert look(hosts["lb2"]) == 0
    assert shown("lb2", authority.context()) == shown("lb1", authority.context())
    assert headers("lb2")["strict-transport-security"] == "max-age=31536000"
    assert account(hosts["lb2"]) == account(hosts["lb1"])


def test_a_server_that_refuses_keeps_the_certificate_before(hosts: dict[str, Host], authority: Authority) -> None:
    before = shown("lb2", authority.context()).serial_number
    hosts["lb2"].check_output("cp /etc/nginx/nginx.conf /root/ && echo rubbish >> /etc/nginx/nginx.conf")
    try:
        hosts["lb1"].check_output("trinitycore-certificates run --force edge")
        until(
            "lb2 looked", lambda: metric(hosts["lb2"], "last_attempt_success") == 1 and "reload" in said(hosts["lb2"])
        )
        assert shown("lb2", authority.context()).serial_number == before
        assert int(listed(hosts["lb2"])["serial"], 16) == before
    finally:
        hosts["lb2"].check_output("mv /root/nginx.conf /etc/nginx/nginx.conf")
    assert look(hosts["lb2"]) == 0
    assert serials() == {int(listed(hosts["lb1"])["serial"], 16)} != {before}


def said(host: Host) -> str:
    """Return what the program said lately."""
    return str(host.check_output(f"journalctl -q --no-pager -o cat -u {UNIT}.service | tail -n 15"))


@dataclass
class Calls:
    """What became of calls; `again` counts those that a closed connection made a client send anew."""

    answered: int = 0
    again: int = 0
    failed: list[str] = field(default_factory=list)


@contextmanager
def calls_under_way(context: ssl.SSLContext) -> Iterator[Calls]:
    """Call both load balancers all the time, by fresh connections and by ones that are kept."""
    calls, stop = Calls(), threading.Event()

    def caller(address: str, keep: bool) -> None:
        connection = None
        while not stop.is_set():
            kept = connection is not None
            connection = connection or Connection(address, context)
            try:
                connection.request("GET", "/nothing")
                answer = connection.getresponse()
                assert answer.read() == b'{"error":"not found"}'
                calls.answered += 1
            except (http.client.RemoteDisconnected, ConnectionError, BrokenPipeError) as error:
                # What every client does, as RFC 9112 says (9.3.1): an idle connection may have been closed meanwhile.
                if not kept:
                    calls.failed.append(repr(error))
                calls.again += kept
                connection.close()
                connection = None
                continue
            except Exception as error:
                calls.failed.append(repr(error))
            if not keep or answer.will_close:
                connection.close()
                connection = None
            time.sleep(0.005)

    threads = [
        threading.Thread(target=caller, args=(address, keep))
        for address in ADDRESSES.values()
        for keep in (True, False)
    ]
    for thread in threads:
        thread.start()
    try:
        yield calls
    finally:
        stop.set()
        for thread in threads:
            thread.join()


@pytest.fixture
def soon_due(hosts: dict[str, Host]) -> Iterator[None]:
    """Certificates of six hours are due after 22 seconds, so that no expiry depends on how fast this machine is."""
    file = "/etc/trinitycore-certificates/config.json"
    settings = 's/("renewal_info":) true/\\1 false/; s/("renew_share":) [0-9.]+/\\1 0.999/'
    for name in ADDRESSES:
        hosts[name].check_output(f"cp -p {file} /root/ && sed -E -i %s {file}", settings)
    yield
    for name in ADDRESSES:
        hosts[name].check_output(f"mv /root/config.json {file}")


@pytest.fixture
def quick_timers(hosts: dict[str, Host]) -> Iterator[None]:
    """The timers of both hosts, every few seconds."""
    folder = f"/run/systemd/system/{UNIT}.timer.d"
    quick = "[Timer]\nOnActiveSec=1s\nOnUnitInactiveSec=5s\nRandomizedDelaySec=0\nAccuracySec=100ms\n"
    for name in ADDRESSES:
        hosts[name].check_output(f"mkdir -p {folder} && printf %s > {folder}/quick.conf", quick)
        hosts[name].check_output(f"systemctl daemon-reload && systemctl restart {UNIT}.timer")
    yield
    for name in ADDRESSES:
        hosts[name].check_output(f"rm -r {folder} && systemctl daemon-reload && systemctl restart {UNIT}.timer")


@pytest.mark.timeout(300)
@pytest.mark.usefixtures("soon_due", "quick_timers")
def test_renewals_by_timer_reach_all_and_drop_no_call(
    hosts: dict[str, Host], authority: Authority, record_property: Callable[[str, object], None]
) -> None:
    """The authority is a new one, so the account is made anew too. From then on nobody but the timers does anything."""
    authority.restart(certificates_last=LONG)
    hosts["lb1"].check_output("trinitycore-certificates run --now --force edge --force by-dns")
    until("lb2 has it too", lambda: len(serials()) == 1)
    seen = serials()
    with calls_under_way(authority.context()) as calls:
        end = time.monotonic() + 240
        while len(seen) < 3 or len(serials()) > 1:
            assert time.monotonic() < end, f"{len(seen) - 1} renewals"
            seen |= serials()
            time.sleep(1)
    renewals = len(seen) - 1
    record_property(
        "figure",
        f"{renewals} renewals by timer: {len(calls.failed)} of {calls.answered} calls failed, "
        f"{calls.again} sent anew because their idle connection was closed",
    )
    assert calls.failed == []
    assert calls.answered > 500
    assert "new, from lb1" in hosts["lb2"].check_output(f"journalctl -q --no-pager -o cat -u {UNIT}.service")


@pytest.mark.timeout(300)
@pytest.mark.usefixtures("soon_due")
def test_while_the_authority_is_down_the_old_one_is_served_and_when_it_expired_it_is_restored(
    hosts: dict[str, Host], authority: Authority
) -> None:
    authority.restart(certificates_last=SHORT)
    # Both, since one that became due in the middle would be tried, and fail, in a look that is to try nothing.
    hosts["lb1"].check_output("trinitycore-certificates run --now --force edge --force by-dns")
    until("lb2 has it too", lambda: len(serials()) == 1)
    before = serials()
    with authority.down():
        assert is_due(hosts["lb1"])
        look(hosts["lb1"])  # if its timer has not come first
        assert "https://acme1:14000/dir" in said(hosts["lb1"])
        assert "the one before is served on" in said(hosts["lb1"])
        assert serials() == before
        assert metric(hosts["lb1"], "last_attempt_success") == 0
        assert metric(hosts["lb1"], "failed_attempts") == 1
        assert look(hosts["lb1"]) == 0, "the next attempt is put off"
        assert metric(hosts["lb1"], "failed_attempts") == 1
        assert "next attempt after" in said(hosts["lb1"])
        # A look that began before the first one failed, when lb1 told of its certificate, may be under way: one more.
        until("the other one tries, as the first one fails", lambda: bool(look(hosts["lb2"])))
        assert metric(hosts["lb2"], "failed_attempts") == 1

        until("it expired", lambda: datetime.datetime.now(datetime.UTC) > not_after(hosts["lb1"]))
        assert serials() == before
        with pytest.raises(ssl.SSLCertVerificationError, match="certificate has expired"):
            shown("lb1", authority.context())
        assert metric(hosts["lb1"], "not_after_timestamp_seconds") < time.time()

    hosts["lb1"].check_output("trinitycore-certificates run --now")
    until("lb2 has it too", lambda: len(serials()) == 1)
    assert serials() != before
    assert shown("lb2", authority.context()).issuer == shown("lb1", authority.context()).issuer
    assert metric(hosts["lb1"], "last_attempt_success") == 1


@pytest.mark.timeout(300)
def test_a_revoked_certificate_is_replaced(hosts: dict[str, Host]) -> None:
    """The authority says so by a window for renewal that is over (RFC 9773)."""
    hosts["lb1"].check_output("trinitycore-certificates run --now --force edge")
    until("lb2 has it too", lambda: len(serials()) == 1)
    hosts["lb1"].check_output("trinitycore-certificates run --now")
    before = serials()
    assert serials() == before == {int(listed(hosts["lb1"])["serial"], 16)}
    hosts["lb1"].check_output(
        f"REQUESTS_CA_BUNDLE={PKI}/ca.crt certbot revoke -n --config-dir {FOLDER}/certbot/config "
        f"--work-dir {FOLDER}/certbot/work --logs-dir {FOLDER}/certbot/logs --server https://acme1:14000/dir "
        f"--no-delete-after-revoke --reason keycompromise "
        f"--cert-path {FOLDER}/live/edge/fullchain.pem --key-path {FOLDER}/live/edge/privkey.pem"
    )
    hosts["lb1"].check_output("trinitycore-certificates run --now")
    until("lb2 has it too", lambda: len(serials()) == 1)
    assert serials() != before
    assert metric(hosts["lb1"], "renewal_due_timestamp_seconds") > time.time()


@pytest.mark.timeout(300)
def test_the_playbook_finds_nothing_to_do_after_renewals() -> None:
    done = run_playbook("molecule/letsencrypt/converge.yml", INVENTORY.parent, "--limit", "loadbalancers")
    assert done.code == 0, done.output[-6000:]
    assert {name: done.changed(name) for name in ADDRESSES} == {"lb1": 0, "lb2": 0}, done.output[-6000:]


@pytest.mark.timeout(300)
@pytest.mark.usefixtures("soon_due")
def test_when_the_first_host_is_dead_the_other_one_renews_with_the_same_account(
    hosts: dict[str, Host], authority: Authority
) -> None:
    hosts["lb1"].check_output("trinitycore-certificates run --now --force edge --force by-dns")
    until("lb2 has it too", lambda: len(serials()) == 1)
    before, same = shown("lb2", untrusting()).serial_number, account(hosts["lb2"])
    until("it is due", lambda: is_due(hosts["lb2"]))
    assert look(hosts["lb2"]) == 0
    assert "lb1 gets it" in said(hosts["lb2"])
    assert shown("lb2", untrusting()).serial_number == before
    lab_host("lb1", state="killed")
    try:
        assert look(hosts["lb2"]) == 0
        assert shown("lb2", authority.context()).serial_number != before
        assert account(hosts["lb2"]) == same
    finally:
        lab_host("lb1", state="started")
    until("lb1 is back", lambda: hosts["lb1"].run("systemctl is-active nginx").stdout.strip() == "active")
    assert look(hosts["lb1"]) == 0
    until("both show one", lambda: len(serials()) == 1)
    shown("lb1", authority.context())
