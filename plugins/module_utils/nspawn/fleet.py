# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Several hosts at once: what each needs, done side by side, and the files SSH reads."""

from __future__ import annotations

import contextlib
import ipaddress
import shutil
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from .cgroups import hosts_of
from .commands import LabError, run
from .files import write_atomically
from .host import IMMUTABLE, Host, Observation, Spec
from .lab import Lab

STATES = ("present", "started", "stopped", "killed", "frozen", "absent")
# What is done first with a host that is not whole; it is then a stopped one.
MADE = {"absent": "create", "broken": "mend"}
# Wanted and found: the step, and what is then found. No entry: nothing to do.
MOVES = {
    ("started", "stopped"): ("start", "running"),
    ("started", "frozen"): ("thaw", "running"),
    ("stopped", "running"): ("shut_down", "stopped"),
    ("stopped", "frozen"): ("shut_down", "stopped"),
    ("killed", "running"): ("cut_power", "stopped"),
    ("killed", "frozen"): ("cut_power", "stopped"),
    ("frozen", "running"): ("freeze", "frozen"),
}


@dataclass(frozen=True)
class Plan:
    """What is to be done with one host: ``steps`` in order, and how it looks before and after."""

    host: Host
    spec: Spec | None
    before: Observation
    after: Observation
    steps: tuple[str, ...]


def plan(
    seen: Observation,
    state: str,
    network: str | None,
    *,
    limits_differ: bool = False,
) -> tuple[tuple[str, ...], Observation]:
    """The steps from what is seen to what is wanted, and what will then be seen.

    :param seen: the host now
    :param state: one of :data:`STATES`
    :param network: ``up``, ``cut``, or None to leave it
    :param limits_differ: its memory or processors are to change
    :return: names of steps, and the host after them
    :raises LabError: a host that does not run is to be frozen
    """
    if state == "absent":
        return ((), seen) if seen.state == "absent" else (("remove",), Observation("absent"))
    steps: list[str] = []
    now = seen.state
    if now in MADE:
        steps.append(MADE[now])
        now = "stopped"
    if limits_differ and "create" not in steps:
        steps.append("limit")
    if (state, now) == ("frozen", "stopped"):
        raise LabError("is not running, so it cannot be frozen")
    step, now = MOVES.get((state, now), ("", now))
    steps += [step] if step else []
    if now == "stopped":
        return tuple(steps), Observation("stopped")
    link = "up" if "start" in steps else seen.network
    if network not in (None, link):
        steps.append("plug" if network == "up" else "unplug")
    return tuple(steps), Observation(now, network or link)


def check_specs(lab: Lab, specs: Iterable[Spec]) -> None:
    """Refuse hosts that cannot be: an address outside the network, or one for two.

    :raises LabError: with every mistake in its text
    """
    mistakes = []
    owners: dict[str, str] = {}
    network = ipaddress.ip_network(lab.network)
    wanted = {spec.name: spec for spec in specs}
    for path in sorted(lab.hosts_directory.glob("[!.]*")):
        known = Host(lab, path.name).spec
        if known is not None and known.name not in wanted:
            owners[known.address] = known.name
    for spec in wanted.values():
        if not spec.address:
            continue
        try:
            inside = ipaddress.ip_address(spec.address) in network
        except ValueError:
            inside = False
        if not inside or spec.address == lab.gateway:
            mistakes.append(f"{spec.name}: address {spec.address!r} is no host address of {lab.network}")
        other = owners.setdefault(spec.address, spec.name)
        if other != spec.name:
            mistakes.append(f"{spec.name}: address {spec.address} is {other}'s")
    if mistakes:
        raise LabError("; ".join(mistakes))


def plan_host(lab: Lab, spec: Spec, state: str, network: str | None) -> Plan:
    """Look at one host and plan it. A spec without an address stands for a host that is already there."""
    host = Host(lab, spec.name)
    known = host.spec
    seen = host.observe()
    differ = False
    if known is not None and spec.address and state != "absent":
        for name in IMMUTABLE:
            if getattr(known, name) != getattr(spec, name):
                raise LabError(
                    f"{spec.name} was made with {name} {getattr(known, name)}, wanted is {getattr(spec, name)}:"
                    " remove the host first"
                )
        differ = (known.memory, known.cpus) != (spec.memory, spec.cpus)
    if known is None and not spec.address and state != "absent":
        raise LabError(f"{spec.name}: there is no such host, and no address to make it with")
    try:
        steps, after = plan(seen, state, network, limits_differ=differ)
    except LabError as error:
        raise LabError(f"{spec.name} {error}") from error
    if "mend" in steps and known is None:
        steps = ("remove", "create", *(step for step in steps if step not in ("mend", "create")))
    return Plan(host, spec if spec.address else known, seen, after, steps)


def carry_out(plans: Sequence[Plan], authorized_key: str, cache: Path, timeout: float) -> None:
    """Do what is planned, all hosts side by side, and wait until the started ones answer.

    :param plans: one per host
    :param authorized_key: public key that root of a new host accepts
    :param cache: directory of images
    :param timeout: seconds a host may take to boot or to power off
    :raises LabError: with every host's failure in its text
    """

    def work(item: Plan) -> str:
        try:
            _carry_out_one(item, authorized_key, cache, timeout)
        except (LabError, OSError) as error:
            return str(error) if item.host.name in str(error) else f"{item.host.name}: {error}"
        return ""

    busy = [item for item in plans if item.steps]
    if not busy:
        return
    with ThreadPoolExecutor(max_workers=len(busy)) as pool:
        failures = [text for text in pool.map(work, busy) if text]
    if failures:
        raise LabError("; ".join(failures))


def _carry_out_one(item: Plan, authorized_key: str, cache: Path, timeout: float) -> None:
    host, spec = item.host, item.spec
    deadline = time.monotonic() + timeout
    ways: dict[str, Callable[[], None]] = {
        "remove": host.remove,
        "mend": host.cut_power,
        "shut_down": lambda: host.shut_down(timeout),
        "cut_power": host.cut_power,
        "freeze": lambda: host.cgroups.freeze(frozen=True),
        "thaw": lambda: host.cgroups.freeze(frozen=False),
        "plug": lambda: host.connect(up=True),
        "unplug": lambda: host.connect(up=False),
    }
    if spec is not None:
        ways["create"] = lambda: host.create(spec, authorized_key, cache)
        ways["limit"] = lambda: host.limit(spec)
        ways["start"] = lambda: _boot(host, spec.address, deadline)
    for step in item.steps:
        ways[step]()
    if item.after.state == "running" and item.after.network == "up" and "plug" in item.steps and spec:
        host.wait_ready(spec.address, deadline)


def _boot(host: Host, address: str, deadline: float) -> None:
    # Waited for also when its cable is to be pulled: the port comes with the boot.
    host.start()
    host.wait_ready(address, deadline)


def clear_unfinished(lab: Lab) -> None:
    """Remove what killed runs left half made or half removed."""
    for pattern in (".new-*", ".gone-*"):
        for path in lab.hosts_directory.glob(pattern):
            shutil.rmtree(path, ignore_errors=True)


def all_hosts(lab: Lab) -> list[Host]:
    """Every host there is a trace of: files, or processes whose files are gone."""
    names = {path.name for path in lab.hosts_directory.glob("[!.]*")} | hosts_of(lab.name)
    return [Host(lab, name) for name in sorted(names)]


def ensure_key(lab: Lab) -> str:
    """The lab's SSH key, made if there is none; returns its public line."""
    private = lab.directory / "ssh_key"
    public = private.with_suffix(".pub")
    if not private.exists() or not public.exists():
        for path in (private, public):
            path.unlink(missing_ok=True)
        run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", f"{lab.name} lab", "-f", str(private)])
    return public.read_text().strip()


def write_ssh_files(lab: Lab) -> bool:
    """Write ``known_hosts`` and ``ssh_config`` for all hosts that exist; return whether one changed."""
    known, config = [], []
    for path in sorted(lab.hosts_directory.glob("[!.]*")):
        record = Host(lab, path.name).record
        if not record:
            continue
        spec = Spec(**record["spec"])
        known.append(f"{spec.address},{spec.name} {record['host_key']}\n")
        config.append(f"Host {spec.name}\n    HostName {spec.address}\n")
    config.append(
        "Host *\n"
        "    User root\n"
        f'    IdentityFile "{lab.directory}/ssh_key"\n'
        "    IdentitiesOnly yes\n"
        f'    UserKnownHostsFile "{lab.directory}/known_hosts"\n'
        "    StrictHostKeyChecking yes\n"
        "    ServerAliveInterval 5\n"
    )
    changed = write_atomically(lab.directory / "known_hosts", "".join(known))
    return write_atomically(lab.directory / "ssh_config", "".join(config)) or changed


def remove_state(lab: Lab) -> None:
    """Remove the lab's own files; files that others keep in its directory stay, and then so does it."""
    clear_unfinished(lab)
    for name in ("ssh_key", "ssh_key.pub", "known_hosts", "ssh_config", "lab.json", "lock"):
        (lab.directory / name).unlink(missing_ok=True)
    for directory in (lab.hosts_directory, lab.directory):
        with contextlib.suppress(OSError):
            directory.rmdir()
