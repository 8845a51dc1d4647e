"""Hosts that share certificates by real TLS between them; only the authority's client is a stand-in."""

from __future__ import annotations

import datetime
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from roles.letsencrypt.files.trinitycore_certificates import peers
from roles.letsencrypt.files.trinitycore_certificates.client import Client
from roles.letsencrypt.files.trinitycore_certificates.config import Config, Wanted
from roles.letsencrypt.files.trinitycore_certificates.errors import CertificateError
from roles.letsencrypt.files.trinitycore_certificates.peers import PeerServer, Share
from roles.letsencrypt.files.trinitycore_certificates.run import Outcome, Run, prepare
from roles.letsencrypt.files.trinitycore_certificates.servers import switch
from roles.letsencrypt.files.trinitycore_certificates.store import Pair, Store

from .conftest import DAY, DIRECTORY, NOW, Hosts, PublicAuthority

SECOND = datetime.timedelta(seconds=1)


class Issuer:
    """What stands in for certbot: issues what the test wants, or fails."""

    def __init__(self, public: PublicAuthority) -> None:
        self.public = public
        self.fails = ""
        self.asked: list[str] = []
        self.settings: dict[str, Any] = {"age": SECOND}

    def issue(self, client: Client, wanted: Wanted) -> Pair:
        self.asked.append(client.config.host)
        if self.fails:
            raise CertificateError(self.fails)
        return self.public.pair(wanted.names, directory_url=client.config.directory_url, **self.settings)


@pytest.fixture
def issuer(public: PublicAuthority, monkeypatch: pytest.MonkeyPatch) -> Issuer:
    made = Issuer(public)

    def issue(client: Client, wanted: Wanted) -> Pair:
        return made.issue(client, wanted)

    monkeypatch.setattr(Client, "issue", issue)
    return made


@contextmanager
def serving(*configs: Config) -> Iterator[None]:
    """Have hosts tell their peers."""
    servers = []
    for config in configs:
        prepare(config, False)
        server = PeerServer(config)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        servers.append(server)
    try:
        yield
    finally:
        for server in servers:
            server.shutdown()
            server.server_close()


def look(config: Config, **options: Any) -> Outcome:
    return Run(config, **options).run().outcomes[0]


def chain(config: Config) -> str:
    installed = Store.of(config).installed("edge")
    return installed.pair.chain if installed else ""


@pytest.fixture
def pair(hosts: Hosts) -> tuple[Config, Config]:
    return hosts.config("lb1", "lb2"), hosts.config("lb2", "lb1")


def test_one_gets_it_and_the_other_takes_it_over(pair: tuple[Config, Config], issuer: Issuer) -> None:
    lb1, lb2 = pair
    with serving(lb1, lb2):
        assert look(lb1).source == "lb1"
        assert lb2.wake_file.exists(), "the other one is woken"
        assert look(lb2).source == "lb1"
        assert look(lb1).source == look(lb2).source == ""
    assert chain(lb1) == chain(lb2) != ""
    assert issuer.asked == ["lb1"]


def test_the_second_waits_for_a_first_that_is_well(pair: tuple[Config, Config], issuer: Issuer) -> None:
    lb1, lb2 = pair
    issuer.settings = {"age": 70 * DAY}
    with serving(lb1, lb2):
        look(lb1)
        assert look(lb2).why.endswith("lb1 gets it")
    assert issuer.asked == ["lb1"]
    outcome = look(lb2)
    assert outcome.source == "lb2", "the first one is gone"
    assert issuer.asked == ["lb1", "lb2"]


def test_when_the_first_fails_the_second_tries_and_the_first_takes_over(
    pair: tuple[Config, Config], issuer: Issuer
) -> None:
    lb1, lb2 = pair
    with serving(lb1, lb2):
        issuer.fails = "no way out"
        outcome = look(lb1)
        assert (outcome.error, outcome.usable) == ("no way out", False)
        issuer.fails = ""
        assert look(lb2).source == "lb2"
        outcome = look(lb1)
        assert (outcome.source, outcome.error, outcome.usable) == ("lb2", "", True)
        share = peers.ask(lb2, lb2.peers[0])
        assert not share.certificates["edge"].failing, "all is well again"


def test_two_that_renewed_at_once_agree_on_the_newer(pair: tuple[Config, Config], issuer: Issuer) -> None:
    lb1, lb2 = pair
    look(lb1)  # cut off from one another
    issuer.settings = {"age": 5 * SECOND}
    look(lb2)
    assert chain(lb1) != chain(lb2)
    newer = chain(lb1)
    with serving(lb1, lb2):
        look(lb2)
        look(lb1)
    assert chain(lb1) == chain(lb2) == newer


def test_a_failed_renewal_leaves_the_old_one_and_waits(hosts: Hosts, issuer: Issuer) -> None:
    alone = hosts.config("lb1")
    issuer.settings = {"age": 70 * DAY}
    look(alone)
    before = chain(alone)
    issuer.fails = "https://acme.test/dir: connection refused"
    outcome = look(alone)
    assert (outcome.error, outcome.usable, chain(alone)) == (issuer.fails, True, before)
    metrics = alone.metrics_file.read_text() if alone.metrics_file else ""
    assert 'trinitycore_certificate_last_attempt_success{certificate="edge"} 0' in metrics
    assert "trinitycore_certificates_last_run_success 0" in metrics
    assert "next attempt after" in look(alone).why
    assert issuer.asked == ["lb1", "lb1"]
    issuer.fails, issuer.settings = "", {"age": SECOND}
    assert look(alone, at_once=True).source == "lb1"
    metrics = alone.metrics_file.read_text() if alone.metrics_file else ""
    assert 'trinitycore_certificate_failed_attempts{certificate="edge"} 0' in metrics


def test_an_expired_one_is_replaced_and_not_taken_from_a_peer(pair: tuple[Config, Config], issuer: Issuer) -> None:
    lb1, lb2 = pair
    switch(lb1, lb1.certificates[0], issuer.public.pair(age=91 * DAY), NOW - 2 * DAY)
    issuer.fails = "no way out"
    with serving(lb1, lb2):
        assert look(lb1).why.startswith("it expired on ")
        run = Run(lb2)
        assert run.run().outcomes[0].source == ""
        assert any("edge of lb1 is left alone: the certificate expired on" in notice for notice in run.report.notices)
        issuer.fails = ""
        assert look(lb1, at_once=True).source == "lb1"
        assert look(lb2).source == "lb1"


@pytest.mark.usefixtures("issuer")
def test_another_authority_means_another_certificate(hosts: Hosts) -> None:
    trial = hosts.config("lb1", "lb2", directory_url="https://staging.test/dir", trusted=False)
    lb2 = hosts.config("lb2", "lb1")
    with serving(trial, lb2):
        look(trial)
        assert look(lb2).source == "", "what the first one has is of an authority that this one does not want"
        lb1 = hosts.config("lb1", "lb2")
        assert look(lb1).why == "it is of another authority, https://staging.test/dir"
        assert look(lb2).source == "lb1"
    installed = Store.of(lb1).installed("edge")
    assert installed is not None and installed.pair.directory_url == DIRECTORY
    assert not (Store.of(lb1).live("edge") / "hsts.map").exists()


@pytest.mark.usefixtures("issuer")
def test_a_forced_one_is_renewed_whatever_its_age(hosts: Hosts) -> None:
    alone = hosts.config("lb1")
    look(alone)
    assert look(alone).source == ""
    assert look(alone, forced=frozenset({"edge"})).source == "lb1"
    with pytest.raises(CertificateError, match="there is no certificate edgy"):
        look(alone, forced=frozenset({"edgy"}))


def test_a_plan_changes_and_asks_nothing(hosts: Hosts, issuer: Issuer) -> None:
    alone = hosts.config("lb1")
    report = Run(alone).plan()
    assert (report.changed, report.outcomes[0].why) == (True, "there is none")
    assert not alone.state_directory.exists()
    look(alone)
    assert not Run(alone).plan().changed
    assert issuer.asked == ["lb1"]


@pytest.mark.usefixtures("issuer")
def test_the_account_goes_to_the_others_and_a_newer_one_wins(pair: tuple[Config, Config]) -> None:
    lb1, lb2 = pair
    Run(lb1).client.adopt(account("a", "2026-01-01T00:00:00Z"))
    with serving(lb1, lb2):
        look(lb1)
        look(lb2)
        assert Client(lb2).account() == account("a", "2026-01-01T00:00:00Z")
        Client(lb2).adopt(account("b", "2026-02-01T00:00:00Z"))
        look(lb2)
        look(lb1)
    assert Client(lb1).account() == account("b", "2026-02-01T00:00:00Z")
    assert len(list(Client(lb1).accounts.iterdir())) == 1, "certbot takes no choice between two"
    assert len(list((lb1.state_directory / "certbot/former-accounts").iterdir())) == 1


def account(letter: str, created: str, name: str = "meta.json") -> Any:
    """Return an account as certbot keeps it."""
    meta = json.dumps({"creation_dt": created, "creation_host": "lb1"})
    folder = letter * 32
    files = {f"{folder}/{name}": meta, f"{folder}/private_key.json": "{}", f"{folder}/regr.json": "{}"}
    return Share.parse(
        json.dumps(
            {
                "last_run": 0,
                "certificates": {},
                "account": {"directory_url": DIRECTORY, "created": created, "files": files},
            }
        )
    ).account


def test_an_account_can_t_be_a_way_into_other_files(hosts: Hosts) -> None:
    client = Client(hosts.config("lb1"))
    with pytest.raises(CertificateError, match="an account has no file"):
        client.adopt(account("a", "2026-01-01T00:00:00Z", name="../../../etc/passwd"))
    assert not client.folder.exists()


def test_only_peers_are_told(hosts: Hosts, pair: tuple[Config, Config]) -> None:
    """app3 has a certificate of the same internal CA, but is none of them."""
    lb1, lb2 = pair
    stranger = hosts.config("lb3", "lb1")
    with serving(lb1):
        assert peers.ask(lb2, lb2.peers[0]).certificates == {}
        with pytest.raises(CertificateError, match="403 Forbidden"):
            peers.ask(stranger, stranger.peers[0])
        with pytest.raises(CertificateError, match="403 Forbidden"):
            peers.wake(stranger, stranger.peers[0])
    assert not lb1.wake_file.exists()


def test_a_peer_must_be_who_it_says(hosts: Hosts, pair: tuple[Config, Config]) -> None:
    _, lb2 = pair
    impostor = hosts.config("lb3", "lb2", listen="127.0.0.1")
    with serving(impostor), pytest.raises(CertificateError, match="lb1 .*certificate verify failed"):
        peers.ask(lb2, lb2.peers[0])


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"last_run": 0, "certificates": {"a": 1}, "account": null}'])
def test_nonsense_of_a_peer_is_refused(text: str) -> None:
    with pytest.raises(CertificateError, match="a peer's answer makes no sense"):
        Share.parse(text)


def test_one_who_never_greets_keeps_nobody_waiting(pair: tuple[Config, Config]) -> None:
    lb1, lb2 = pair
    with serving(lb1), socket.create_connection((lb1.listen, lb1.port)):
        assert peers.ask(lb2, lb2.peers[0]).last_run == 0
