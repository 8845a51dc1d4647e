"""The ACME client: certbot gets a certificate for a request of ours; keys and certificates are ours to keep."""

from __future__ import annotations

import json
import os
import re
import subprocess
import tempfile
import time
import urllib.parse
from dataclasses import dataclass
from pathlib import Path

from . import files
from .certificate import key_pem, new_key, request_pem
from .config import Config, Wanted
from .errors import CertificateError
from .store import Pair

LONGEST_RUN = 600
LONGEST_ERROR = 600
FIRST_WITH_PROFILES = 4
# The authority forgot the account, or is another one than it was.
UNKNOWN_ACCOUNT = ("accountDoesNotExist", "unable to find existing account")
_CANT_RAISE = "AttributeError: can't set attribute"
_ANSWER = re.compile(r"^acme\.messages\.Error: (urn:.*)$", re.MULTILINE)
_NOISE = re.compile(
    r"^(Saving debug log|Ask for help|Account registered|Plugins selected|Requesting a cert|Hint:|\s*$)"
)
_ACCOUNT_FILE = re.compile(r"[0-9a-f]{32}/(meta|private_key|regr)\.json")


@dataclass(frozen=True)
class Account:
    """An account at an authority: certbot's own files, by their path below the authority's folder."""

    directory_url: str
    created: str
    files: dict[str, str]


@dataclass(frozen=True)
class Client:
    """certbot, with folders of its own."""

    config: Config

    @property
    def folder(self) -> Path:
        """Folder with certbot's configuration, work files and logs, for root alone."""
        return self.config.state_directory / "certbot"

    @property
    def accounts(self) -> Path:
        """Folder with the account at this authority, as certbot names it."""
        url = urllib.parse.urlparse(self.config.directory_url)
        return self.folder / "config" / "accounts" / (url.netloc + url.path)

    def check(self) -> None:
        """Look whether this host's certbot can do what is wanted.

        :raises CertificateError: it knows no profiles, and one is wanted.
        """
        if not self.config.profile:
            return
        try:
            done = subprocess.run(["certbot", "--version"], capture_output=True, text=True, check=False)
        except FileNotFoundError as error:
            raise CertificateError("certbot is not installed") from error
        version = done.stdout.strip().rpartition(" ")[2]
        if not version.partition(".")[0].isdigit() or int(version.partition(".")[0]) < FIRST_WITH_PROFILES:
            raise CertificateError(
                f"letsencrypt_profile is {self.config.profile!r}: certbot {version or '(unknown)'} knows no profiles, "
                f"{FIRST_WITH_PROFILES}.0 and newer do; leave it empty"
            )

    def issue(self, wanted: Wanted) -> Pair:
        """Get a certificate for a new key.

        :raises CertificateError: the authority does not answer, or refuses; the message is certbot's.
        """
        for folder in (self.folder, *(self.folder / name for name in ("config", "work", "logs"))):
            files.directory(folder, 0o700)
        key = new_key(wanted.key_type)
        with tempfile.TemporaryDirectory(dir=self.folder, prefix="request-") as name:
            folder = Path(name)
            (folder / "request.pem").write_text(request_pem(key, wanted.names))
            try:
                self._run(self.arguments(wanted, folder))
            except CertificateError as error:
                if not any(word in str(error) for word in UNKNOWN_ACCOUNT) or not self.accounts.is_dir():
                    raise
                self._forget_account()
                self._run(self.arguments(wanted, folder))
            return Pair((folder / "fullchain.pem").read_text(), key_pem(key), self.config.directory_url)

    def arguments(self, wanted: Wanted, folder: Path) -> list[str]:
        """Return certbot's command line.

        :param folder: where the request is, and where the answer goes.
        """
        config = self.config
        command = ["certbot", "certonly", "--non-interactive", "--agree-tos", "--server", config.directory_url]
        command += ["--config-dir", f"{self.folder}/config", "--work-dir", f"{self.folder}/work"]
        command += ["--logs-dir", f"{self.folder}/logs", "--max-log-backups", "50"]
        command += (
            ["--email", config.email, "--no-eff-email"] if config.email else ["--register-unsafely-without-email"]
        )
        command += ["--csr", f"{folder}/request.pem", "--cert-path", f"{folder}/cert.pem"]
        command += ["--chain-path", f"{folder}/chain.pem", "--fullchain-path", f"{folder}/fullchain.pem"]
        if config.profile:
            command += ["--required-profile", config.profile]
        if wanted.challenge == "http-01":
            return [*command, "--webroot", "--webroot-path", str(config.webroot)]
        if config.dns is None:
            raise CertificateError("dns-01 without a plugin")
        command += ["--authenticator", f"dns-{config.dns.plugin}"]
        if config.dns.credentials:
            command += [f"--dns-{config.dns.plugin}-credentials", config.dns.credentials]
        return [*command, f"--dns-{config.dns.plugin}-propagation-seconds", str(config.dns.propagation_seconds)]

    def account(self) -> Account | None:
        """Return the account at this authority, None if there is none."""
        found: dict[str, str] = {}
        created = ""
        for path in sorted(self.accounts.glob("*/*.json")):
            found[f"{path.parent.name}/{path.name}"] = path.read_text()
            if path.name == "meta.json":
                created = max(created, str(json.loads(found[f"{path.parent.name}/{path.name}"])["creation_dt"]))
        return Account(self.config.directory_url, created, found) if created else None

    def adopt(self, account: Account) -> bool:
        """Take over a peer's account at this authority, if it is newer than ours. Tells whether it was.

        :raises CertificateError: it has files that are none of an account's.
        """
        ours = self.account()
        if account.directory_url != self.config.directory_url or (ours and ours.created >= account.created):
            return False
        strange = [name for name in account.files if not _ACCOUNT_FILE.fullmatch(name)]
        if strange:
            raise CertificateError(f"an account has no file {strange[0]!r}")
        self._forget_account()
        for path in [*reversed(self.accounts.relative_to(self.folder).parents), self.accounts.relative_to(self.folder)]:
            files.directory(self.folder / path, 0o700)
        for name, text in account.files.items():
            files.directory(self.accounts / Path(name).parent, 0o700)
            files.write(self.accounts / name, text, 0o400)
        return True

    def _forget_account(self) -> None:
        """Put the account aside; certbot takes no choice between two."""
        if not self.accounts.is_dir():
            return
        aside = self.folder / "former-accounts"
        files.directory(aside, 0o700)
        self.accounts.rename(aside / f"{time.time():.0f}-{os.getpid()}")

    def _run(self, command: list[str]) -> None:
        environment = {**os.environ, "LC_ALL": "C.UTF-8"}
        if self.config.ca_bundle:
            environment["REQUESTS_CA_BUNDLE"] = self.config.ca_bundle
        try:
            done = subprocess.run(
                command,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                check=False,
                timeout=LONGEST_RUN,
            )
        except FileNotFoundError as error:
            raise CertificateError("certbot is not installed") from error
        except subprocess.TimeoutExpired as error:
            raise CertificateError(f"certbot was not done after {LONGEST_RUN} s") from error
        if done.returncode:
            log = self.folder / "logs" / "letsencrypt.log"
            said = what_certbot_said(done.stdout, log.read_text(errors="replace") if log.is_file() else "")
            raise CertificateError(f"{self.config.directory_url}: {said}")


def what_certbot_said(output: str, log: str) -> str:
    """Return what matters of certbot's words, on one line.

    Debian 12's can't raise the authority's errors under Python 3.11 ("can't set attribute"); they are in its log.

    :param log: its log of this run.
    """
    answers = _ANSWER.findall(log)
    if _CANT_RAISE in output and answers:
        said = str(answers[-1])
    else:
        said = " ".join(line.strip() for line in output.splitlines() if not _NOISE.match(line))
    said = said or "certbot failed and said nothing"
    return said if len(said) <= LONGEST_ERROR else f"... {said[-LONGEST_ERROR:]}"
