"""How certificates and their renewal stand, for node_exporter's textfile collector."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from . import files
from .config import Config
from .state import State

Labels = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Standing:
    """One certificate: times in seconds since 1970, 0 where there is no public certificate."""

    not_before: float
    not_after: float
    due: float


MEANINGS = {
    "certificate_not_after_timestamp_seconds": "When the public certificate expires; 0 while a stand-in is served.",
    "certificate_lifetime_seconds": "How long the public certificate is valid, all in all.",
    "certificate_renewal_due_timestamp_seconds": "When the public certificate is to be renewed.",
    "certificate_stand_in": "Whether a certificate of the internal CA is served because there is no public one.",
    "certificate_last_attempt_success": "Whether this host's last attempt to get it worked; 1 if it never had to try.",
    "certificate_failed_attempts": "Failed attempts of this host since the last good one.",
    "certificates_last_run_timestamp_seconds": "When this host last looked after its certificates.",
    "certificates_last_run_success": "Whether all was well then.",
    "certificates_peer_up": "Whether a peer told of its certificates then.",
}


def text(standings: Mapping[str, Standing], state: State, peers: Mapping[str, bool]) -> str:
    """Return the metrics in Prometheus's format."""
    samples: dict[str, list[tuple[Labels, float]]] = {name: [] for name in MEANINGS}
    for name, standing in standings.items():
        labels: Labels = (("certificate", name),)
        attempts = state.of(name)
        samples["certificate_not_after_timestamp_seconds"].append((labels, standing.not_after))
        samples["certificate_lifetime_seconds"].append((labels, standing.not_after - standing.not_before))
        samples["certificate_renewal_due_timestamp_seconds"].append((labels, standing.due))
        samples["certificate_stand_in"].append((labels, float(not standing.not_after)))
        samples["certificate_last_attempt_success"].append((labels, float(not attempts.failures)))
        samples["certificate_failed_attempts"].append((labels, attempts.failures))
    samples["certificates_last_run_timestamp_seconds"].append(((), state.last_run))
    samples["certificates_last_run_success"].append(((), float(state.last_run_success)))
    samples["certificates_peer_up"] += [((("peer", name),), float(up)) for name, up in peers.items()]
    lines = []
    for name, found in samples.items():
        metric = f"trinitycore_{name}"
        lines += [f"# HELP {metric} {MEANINGS[name]}", f"# TYPE {metric} gauge"] if found else []
        for labels, value in found:
            shown = ",".join(f'{key}="{one}"' for key, one in labels)
            lines.append(f"{metric}{{{shown}}} {value:.0f}" if shown else f"{metric} {value:.0f}")
    return "\n".join(lines) + "\n"


def write(config: Config, standings: Mapping[str, Standing], state: State, peers: Mapping[str, bool]) -> None:
    """Write the file, where there is a folder for it."""
    if config.metrics_file is not None and config.metrics_file.parent.is_dir():
        files.write(config.metrics_file, text(standings, state, peers), 0o644)
