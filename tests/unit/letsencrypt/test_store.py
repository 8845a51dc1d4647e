"""Certificates on a host: what is served, and what happens when a new one can't be."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from roles.letsencrypt.files.trinitycore_certificates import servers
from roles.letsencrypt.files.trinitycore_certificates.config import Config
from roles.letsencrypt.files.trinitycore_certificates.errors import CertificateError
from roles.letsencrypt.files.trinitycore_certificates.store import Store

from .conftest import DAY, NOW, Hosts, PublicAuthority


@pytest.fixture
def config(hosts: Hosts) -> Config:
    return hosts.config("lb1")


def served(config: Config) -> str:
    return (Store.of(config).live("edge") / "fullchain.pem").read_text()


def test_a_stand_in_is_there_before_any_certificate(config: Config) -> None:
    store = Store.of(config)
    assert store.prepare("edge")
    assert served(config) == (config.tls_directory / "host.crt").read_text()
    assert (store.live("edge") / "privkey.pem").read_text() == (config.tls_directory / "host.key").read_text()
    assert store.installed("edge") is None
    assert (store.live("edge") / "hsts.map").exists()
    assert not store.prepare("edge"), "once is enough"


def test_certificate_and_key_change_together_and_old_versions_go(config: Config, public: PublicAuthority) -> None:
    store = Store.of(config)
    store.prepare("edge")
    pairs = [public.pair(age=age * DAY) for age in (50, 40, 30, 20, 10)]
    for pair in pairs:
        servers.switch(config, config.certificates[0], pair, NOW)
        installed = store.installed("edge")
        assert installed is not None and installed.pair == pair
    assert not (store.live("edge") / "hsts.map").exists()
    assert not store.prepare("edge"), "a public certificate stays"
    assert len(list((config.state_directory / "store" / "edge").iterdir())) == 4, "three and the stand-in"


def test_nobody_else_can_read_keys(config: Config, public: PublicAuthority) -> None:
    os.umask(0)
    try:
        servers.switch(config, config.certificates[0], public.pair(), NOW)
    finally:
        os.umask(0o022)
    paths = [path for path in config.state_directory.rglob("*") if not path.is_symlink()]
    assert len(paths) > 5
    assert [path for path in paths if path.stat().st_mode & 0o007] == []


def test_browsers_are_promised_nothing_by_a_trial(hosts: Hosts, public: PublicAuthority) -> None:
    trial = hosts.config("lb1", trusted=False)
    servers.switch(trial, trial.certificates[0], public.pair(), NOW)
    assert (Store.of(trial).live("edge") / "hsts.map").read_text().splitlines()[-1] == '"" "";'


@pytest.mark.parametrize("fault", ["expired", "other name", "other key"])
def test_one_that_is_not_fit_changes_nothing(config: Config, public: PublicAuthority, fault: str) -> None:
    good = public.pair()
    servers.switch(config, config.certificates[0], good, NOW)
    bad = {
        "expired": public.pair(age=91 * DAY),
        "other name": public.pair(("www.test",)),
        "other key": type(good)(public.pair().chain, good.key, good.directory_url),
    }[fault]
    with pytest.raises(CertificateError):
        servers.switch(config, config.certificates[0], bad, NOW)
    assert served(config) == good.chain


def test_a_server_that_refuses_goes_on_with_the_one_before(
    hosts: Hosts, public: PublicAuthority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its reload fails once the new certificate is in place."""
    config = hosts.config("lb1", reload_units=["web.service"])
    log, fault = tmp_path / "log", tmp_path / "fault"
    systemctl = tmp_path / "systemctl"
    systemctl.write_text(
        f'#!/bin/sh\necho "$@" >> {log}\n[ ! -e {fault} ] || {{ rm {fault}; echo refused >&2; exit 1; }}\n'
    )
    systemctl.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    good = public.pair()
    servers.switch(config, config.certificates[0], good, NOW)
    fault.touch()
    with pytest.raises(CertificateError, match="try-reload-or-restart web.service: refused"):
        servers.switch(config, config.certificates[0], public.pair(age=DAY), NOW)
    assert served(config) == good.chain
    assert log.read_text().splitlines() == ["try-reload-or-restart web.service"] * 3


def test_a_broken_store_counts_as_none(config: Config, public: PublicAuthority) -> None:
    store = Store.of(config)
    servers.switch(config, config.certificates[0], public.pair(), NOW)
    (store.live("edge") / "record.json").write_text("{")
    assert store.installed("edge") is None
    (store.live("edge") / "fullchain.pem").unlink()
    assert store.prepare("edge"), "what can't be served is replaced by the stand-in"
