"""The host's half of certificates: real files, the real openssl program."""

from __future__ import annotations

import grp
import os
import subprocess
from pathlib import Path

import pytest
from ansible_collections.trinitycore.mcp.plugins.module_utils.pki.host_files import HostFiles, HostFilesError

GROUP = grp.getgrgid(os.getgid()).gr_name
MISSING_GROUP = "no-such-group-here"


def openssl(*arguments: str) -> str:
    return subprocess.run(["openssl", *arguments], capture_output=True, text=True, check=True).stdout


def self_signed(key: Path, name: str = "x") -> str:
    return openssl("req", "-x509", "-new", "-key", str(key), "-subj", f"/CN={name}", "-days", "1")


@pytest.fixture
def files(tmp_path: Path) -> HostFiles:
    return HostFiles(tmp_path / "pki", GROUP)


def again(files: HostFiles, check_mode: bool = False) -> HostFiles:
    return HostFiles(files.directory, files.group, check_mode)


def modes(files: HostFiles) -> dict[str, str]:
    return {path.name: f"{path.stat().st_mode & 0o7777:04o}" for path in sorted(files.directory.iterdir())}


def test_key_is_made_once_and_is_private(files: HostFiles) -> None:
    files.prepare()
    first = files.public_key()
    assert "BEGIN PUBLIC KEY" in first
    assert "prime256v1" in openssl("pkey", "-in", str(files.directory / "host.key"), "-noout", "-text")
    assert modes(files) == {"host.key": "0640"}
    assert [change["before_header"] for change in files.changes] == [
        str(files.directory),
        str(files.directory / "host.key"),
    ]
    rerun = again(files)
    rerun.prepare()
    assert rerun.changes == []
    assert rerun.public_key() == first


def test_check_mode_tells_and_writes_nothing(files: HostFiles) -> None:
    check = again(files, check_mode=True)
    check.prepare()
    check.install("authority", "certificate")
    assert len(check.changes) == 2
    assert not files.directory.exists()
    assert check.public_key() == ""


def test_check_mode_without_the_group(tmp_path: Path) -> None:
    check = HostFiles(tmp_path / "pki", MISSING_GROUP, check_mode=True)
    check.prepare()
    assert check.changes[0]["before_header"] == f"group {MISSING_GROUP}"


def test_no_key_in_what_is_shown(files: HostFiles) -> None:
    files.prepare()
    secret = (files.directory / "host.key").read_text().splitlines()[1]
    assert secret not in str(files.changes)


def test_a_broken_key_is_replaced(files: HostFiles) -> None:
    files.prepare()
    first = files.public_key()
    (files.directory / "host.key").write_text("rubbish")
    mended = again(files)
    mended.prepare()
    assert mended.public_key() not in ("", first)
    assert mended.changes[0]["before"] == "not a usable private key\n"


def test_certificates_are_installed_and_readable(files: HostFiles) -> None:
    files.prepare()
    certificate = self_signed(files.directory / "host.key")
    files.install(certificate, certificate)
    assert files.read("host.crt") == files.read("ca.crt") == certificate
    assert modes(files) == {"ca.crt": "0644", "host.crt": "0644", "host.key": "0640"}


def test_certificate_of_another_key_is_refused_and_nothing_replaced(files: HostFiles, tmp_path: Path) -> None:
    files.prepare()
    good = self_signed(files.directory / "host.key")
    files.install(good, good)
    foreign = tmp_path / "foreign.key"
    openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", str(foreign))
    before = modes(files)
    with pytest.raises(HostFilesError, match="does not belong"):
        files.install(self_signed(foreign, "new authority"), self_signed(foreign))
    assert files.read("ca.crt") == files.read("host.crt") == good
    assert modes(files) == before


def test_modes_are_mended(files: HostFiles) -> None:
    files.prepare()
    key = files.directory / "host.key"
    key.chmod(0o644)
    check = again(files, check_mode=True)
    check.prepare()
    assert "mode 0644" in check.changes[0]["before"]
    assert modes(files) == {"host.key": "0644"}
    mended = again(files)
    mended.prepare()
    assert len(mended.changes) == 1
    assert modes(files) == {"host.key": "0640"}


def test_missing_openssl_is_named(files: HostFiles, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(HostFilesError, match="openssl is not installed"):
        files.prepare()
