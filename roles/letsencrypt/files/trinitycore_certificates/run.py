"""One look after the certificates: take newer ones from peers, renew what is due and ours to renew, tell everybody."""

from __future__ import annotations

import datetime
import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from . import files, metrics, peers, renewal_info
from .certificate import Certificate, judge
from .client import Client
from .clock import now, time_of
from .config import Config, Peer, Wanted
from .decision import Seen, Verdict, Window, delay_after, due_at, reasons_at_once, who_acts
from .errors import CertificateError
from .peers import Share, Shared
from .servers import switch
from .state import State
from .store import Installed, Store

SPARE_TIME = datetime.timedelta(seconds=60)
PAUSE_AFTER_SILENCE = datetime.timedelta(hours=1)


@dataclass
class Outcome:
    """What became of one certificate.

    :ivar source: where a new one came from, empty if there is no new one.
    :ivar not_after: end of the validity of the public one that is served, empty if there is none.
    :ivar error: what went wrong, empty if nothing did.
    :ivar usable: whether a public certificate is served that is valid now.
    """

    name: str
    source: str = ""
    why: str = ""
    not_after: str = ""
    error: str = ""
    usable: bool = False


@dataclass
class Report:
    """What a run did. `notices` are worth a word, but nothing is amiss on this host."""

    outcomes: list[Outcome] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)

    @property
    def changed(self) -> bool:
        """Whether a certificate was put in place."""
        return any(one.source for one in self.outcomes)

    @property
    def failed(self) -> bool:
        """Whether something went wrong."""
        return any(one.error for one in self.outcomes)


@contextmanager
def locked(config: Config) -> Iterator[None]:
    """Wait until no other run is under way on this host."""
    with (config.state_directory / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@dataclass
class Run:
    """A run on one host.

    :ivar at_once: whether somebody asked for it, so that no pause after failed attempts is kept.
    :ivar forced: names of certificates to renew whatever their age and whoever else might.
    """

    config: Config
    at_once: bool = False
    forced: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        self.store, self.client = Store.of(self.config), Client(self.config)
        self.state_file = self.config.state_directory / "state.json"
        self.state = State.read(self.state_file)
        self.report = Report()
        self.shares: dict[Peer, Share | None] = {}

    def run(self) -> Report:
        """Look after every certificate."""
        unknown = self.forced - {wanted.name for wanted in self.config.certificates}
        if unknown:
            raise CertificateError(f"there is no certificate {', '.join(sorted(unknown))}")
        files.directory(self.config.state_directory, 0o750, self.store.group_id)
        with locked(self.config):
            self._ask_peers()
            for wanted in self.config.certificates:
                self.store.prepare(wanted.name)
                self.report.outcomes.append(self._look_after(wanted))
            self._finish()
        if any(one.source == self.config.host for one in self.report.outcomes):
            self._wake_peers()
        return self.report

    def plan(self) -> Report:
        """Say what a run would do, from what this host knows by itself. Changes and asks nothing."""
        for wanted in self.config.certificates:
            outcome = Outcome(wanted.name)
            installed = self.store.installed(wanted.name)
            verdict = self._verdict(wanted, installed)
            outcome.why, outcome.source = verdict.why, self.config.host if verdict.act else ""
            self.report.outcomes.append(outcome)
        return self.report

    def _ask_peers(self) -> None:
        for peer in self.config.peers:
            try:
                self.shares[peer] = peers.ask(self.config, peer)
            except CertificateError as error:
                self.shares[peer] = None
                self.report.notices.append(f"no answer from a peer: {error}")
        for peer, share in self.shares.items():
            if share is not None and share.account is not None:
                try:
                    self.client.adopt(share.account)
                except (CertificateError, OSError) as error:
                    self.report.notices.append(f"account of {peer.name}: {error}")

    def _look_after(self, wanted: Wanted) -> Outcome:
        outcome = Outcome(wanted.name)
        try:
            self._take_newest(wanted, outcome)
        except CertificateError as error:
            outcome.error = str(error)
        installed = self.store.installed(wanted.name)
        self._ask_authority(wanted, installed)
        verdict = self._verdict(wanted, installed)
        outcome.why = verdict.why
        if verdict.act:
            self._issue(wanted, installed, outcome)
        installed = self.store.installed(wanted.name)
        if installed is not None:
            outcome.not_after = installed.certificate.not_after.isoformat()
            outcome.usable = now() < installed.certificate.not_after
        return outcome

    def _take_newest(self, wanted: Wanted, outcome: Outcome) -> None:
        """Take the newest certificate that any peer has, if it is newer than ours and fit to be served."""
        installed = self.store.installed(wanted.name)
        best = installed.certificate if installed else None
        found = None
        for peer, share in self.shares.items():
            pair = share.certificates[wanted.name].pair if share and wanted.name in share.certificates else None
            if pair is None or pair.directory_url != self.config.directory_url:
                continue
            try:
                certificate = judge(pair.chain, pair.key, wanted.names, now())
            except CertificateError as error:
                # An expired one, or one for former names, is no news: the peer will renew it.
                self.report.notices.append(f"{wanted.name} of {peer.name} is left alone: {error}")
                continue
            foreign = installed is not None and installed.pair.directory_url != self.config.directory_url
            if best is None or foreign or _age(certificate) > _age(best):
                best, found = certificate, (peer, pair)
        if found is not None:
            peer, pair = found
            switch(self.config, wanted, pair, now())
            outcome.source = peer.name

    def _ask_authority(self, wanted: Wanted, installed: Installed | None) -> None:
        """Ask the authority when to renew, as often as it wants to be asked; its silence is no failure."""
        attempts = self.state.of(wanted.name)
        if not self.config.renewal_info or installed is None:
            attempts.window = {}
            return
        current = installed.certificate
        known = attempts.window if attempts.window.get("id") == current.renewal_id else {}
        known["id"] = current.renewal_id
        attempts.window = known
        if not self.at_once and now().timestamp() < known.get("ask_again", 0.0):
            return
        pause = min(PAUSE_AFTER_SILENCE, current.lifetime / 20)
        try:
            answer = renewal_info.ask(self.config.directory_url, self.config.ca_bundle, current)
        except CertificateError as error:
            self.report.notices.append(f"no renewal information: {error}")
        else:
            known.pop("start", None)
            if answer is not None:
                pause = answer.pause
                known |= {"start": answer.window.start.timestamp(), "end": answer.window.end.timestamp()}
                if answer.explanation:
                    self.report.notices.append(f"{wanted.name}: when to renew, and why: {answer.explanation}")
        known["ask_again"] = (now() + pause).timestamp()

    def _due(self, wanted: Wanted, installed: Installed | None) -> datetime.datetime | None:
        if installed is None:
            return None
        known = self.state.of(wanted.name).window
        window = None
        if known.get("id") == installed.certificate.renewal_id and "start" in known:
            window = Window(time_of(known["start"]), time_of(known["end"]))
        return due_at(installed.certificate, self.config.renew_share, window)

    def _reasons(self, wanted: Wanted, installed: Installed | None) -> list[str]:
        current, directory_url = (installed.certificate, installed.pair.directory_url) if installed else (None, "")
        return reasons_at_once(current, directory_url, wanted, self.config.directory_url, now())

    def _verdict(self, wanted: Wanted, installed: Installed | None) -> Verdict:
        if wanted.name in self.forced:
            return Verdict(True, "asked for")
        current = installed.certificate if installed else None
        reasons = self._reasons(wanted, installed)
        silence = datetime.timedelta(seconds=2 * self.config.interval) + SPARE_TIME
        seen = [_seen(peer, share, wanted.name) for peer, share in self.shares.items()]
        verdict = who_acts(self.config.rank, reasons, self._due(wanted, installed), now(), seen, silence)
        attempts = self.state.of(wanted.name)
        if verdict.act and not self.at_once:
            until = time_of(attempts.last_attempt) + delay_after(attempts.failures, self.config.retry_delay, current)
            if now() < until:
                return Verdict(False, f"{verdict.why}; next attempt after {until:%Y-%m-%d %H:%M:%S} UTC")
        return verdict

    def _issue(self, wanted: Wanted, installed: Installed | None, outcome: Outcome) -> None:
        attempts = self.state.of(wanted.name)
        attempts.last_attempt = now().timestamp()
        try:
            switch(self.config, wanted, self.client.issue(wanted), now())
        except (CertificateError, OSError) as error:
            attempts.failures += 1
            outcome.error = str(error)
            return
        attempts.failures, attempts.window = 0, {}
        outcome.source = self.config.host

    def _finish(self) -> None:
        """Remember, tell peers and tell Prometheus."""
        self.state.last_run = now().timestamp()
        self.state.last_run_success = not self.report.failed
        known = {wanted.name for wanted in self.config.certificates}
        self.state.certificates = {name: one for name, one in self.state.certificates.items() if name in known}
        shared, standings = {}, {}
        for wanted in self.config.certificates:
            installed = self.store.installed(wanted.name)
            attempts = self.state.of(wanted.name)
            due = self._due(wanted, installed)
            if due is not None and now() < due and not self._reasons(wanted, installed):
                # All is well again: another host may have got what this one could not.
                attempts.failures = 0
            shared[wanted.name] = Shared(installed.pair if installed else None, bool(attempts.failures))
            standings[wanted.name] = metrics.Standing(
                installed.certificate.not_before.timestamp() if installed else 0.0,
                installed.certificate.not_after.timestamp() if installed else 0.0,
                due.timestamp() if due else 0.0,
            )
        self.state.write(self.state_file)
        share = Share(self.state.last_run, shared, self.client.account())
        files.write(peers.share_file(self.config), share.text(), 0o640, self.store.group_id)
        up = {peer.name: share is not None for peer, share in self.shares.items()}
        metrics.write(self.config, standings, self.state, up)

    def _wake_peers(self) -> None:
        for peer, share in self.shares.items():
            if share is not None:
                try:
                    peers.wake(self.config, peer)
                except CertificateError as error:
                    self.report.notices.append(f"{error}: it takes the new certificate in its next run")


def _age(certificate: Certificate) -> tuple[datetime.datetime, int]:
    return certificate.not_before, certificate.serial


def _seen(peer: Peer, share: Share | None, name: str) -> Seen:
    if share is None:
        return Seen(peer.name, peer.rank, None)
    one = share.certificates.get(name)
    return Seen(peer.name, peer.rank, time_of(share.last_run), bool(one and one.failing), one is not None)


def prepare(config: Config, check: bool) -> list[str]:
    """Have something to serve under every certificate's path, and what peers may ask for; returns what was missing."""
    store = Store.of(config)
    if check:
        return [one.name for one in config.certificates if not (store.live(one.name) / "fullchain.pem").exists()]
    missing = [one.name for one in config.certificates if store.prepare(one.name)]
    if not peers.share_file(config).exists():
        files.directory(config.state_directory, 0o750, store.group_id)
        files.write(peers.share_file(config), Share(0.0).text(), 0o640, store.group_id)
    return missing
