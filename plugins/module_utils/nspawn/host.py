# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One host of a lab: what is wanted, what is there, and the steps between."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import signal
import socket
import subprocess
import time
import uuid
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from . import image
from .cgroups import HostCgroups
from .commands import LabError, run
from .files import read_json, write_atomically, write_json
from .lab import Lab
from .processes import Process, boot_id, start_of

INTERFACES = Path("/sys/class/net")
RESOLVERS = (Path("/etc/resolv.conf"), Path("/run/systemd/resolve/resolv.conf"))
GENERATED = "# The controller's name servers, written when the host starts.\n"
LONGEST_MACHINE = 12
# Past the two that the C library keeps for itself: SIGRTMIN+4 makes systemd power off.
POWER_OFF = signal.SIGRTMIN + 4
IMMUTABLE = ("address", "image")

# Stays with a host for its life. It has a mount namespace of its own, so the host's file system is gone with it,
# whatever ends it. 133 is nspawn's way to say that the host rebooted.
KEEPER = """\
set -u
directory=$1 unified=$2 machine_entrance=$3
shift 3
while [ "$1" != -- ]; do
    echo $$ > "$1" || exit 70
    shift
done
shift
cd "$directory" || exit 71
mount -t overlay overlay -o redirect_dir=on,lowerdir=lower,upperdir=upper,workdir=work root || exit 72
[ "$unified" = no ] || export SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1
while :; do
    if [ -n "$machine_entrance" ]; then
        sh -c 'echo $$ > "$1" && shift && exec "$@"' sh "$machine_entrance" "$@"
    else
        "$@"
    fi
    code=$?
    [ $code = 133 ] || exit $code
done
"""

# With cgroup v1, nspawn mounts the controllers read-only; systemd in the host needs them for its own limits. A host
# whose systemd knows v2 only has no limits of its own on such a machine: all controllers are v1's.
FIRST_PROCESS_V1 = (
    "for c in memory pids cpu cpuacct blkio; do"
    ' mount -o remount,bind,rw /sys/fs/cgroup/$c 2>/dev/null; done; exec /lib/systemd/systemd "$@"'
)


@dataclass(frozen=True)
class Spec:
    """A host as wanted.

    ``memory`` in bytes, ``cpus`` in processors, None for no limit; ``domain`` may be empty.
    """

    name: str
    address: str
    image: str = "bookworm"
    domain: str = ""
    memory: int | None = None
    cpus: float | None = None


@dataclass(frozen=True)
class Observation:
    """A host as it is.

    ``state``: ``absent``, ``stopped``, ``running``, ``frozen``, or ``broken`` (processes without their keeper, or
    the other way round). ``network``: ``up``, ``cut``, or empty where the host does not run. ``pid``: its PID 1.
    """

    state: str
    network: str = ""
    pid: int | None = None


class Host:
    """One host of a lab."""

    def __init__(self, lab: Lab, name: str) -> None:
        self.lab = lab
        self.name = name
        self.directory = lab.hosts_directory / name
        self.cgroups = HostCgroups(lab.name, name)

    # What is there

    @property
    def record(self) -> dict[str, Any]:
        """What was noted when the host was made and started."""
        return read_json(self.directory / "host.json")

    @property
    def spec(self) -> Spec | None:
        """The host as it was made, None when there is none."""
        stored = self.record.get("spec")
        return Spec(**stored) if stored else None

    @property
    def machine(self) -> str:
        """Its name to nspawn; short, because the switch's port is ``vb-`` and this, 15 characters at most."""
        plain = f"{self.lab.name}-{self.name}"
        if len(plain) <= LONGEST_MACHINE:
            return plain
        return f"{self.name[:5].rstrip('-')}-{hashlib.sha256(plain.encode()).hexdigest()[:6]}"

    @property
    def port(self) -> str:
        """The host's port on the switch: an interface of the controller."""
        return f"vb-{self.machine}"

    def keeper(self) -> Process | None:
        """The process that keeps the host, None when it has gone."""
        noted = self.record.get("keeper")
        if not noted or noted["boot"] != boot_id():
            return None
        process = Process(noted["pid"], noted["started"])
        return process if process.alive() else None

    def observe(self) -> Observation:
        """Look at the host."""
        members = self.cgroups.processes()
        keeper = self.keeper()
        if self.spec is None:
            return Observation("broken" if members or self.directory.exists() else "absent")
        if not members and keeper is None:
            return Observation("stopped")
        if keeper is None or keeper.pid not in members:
            return Observation("broken")
        if self.cgroups.frozen():
            return Observation("frozen", self._network(), self.cgroups.first_process())
        first = self.cgroups.first_process()
        # Between two boots of a reboot there is no PID 1 for a moment.
        patience = time.monotonic() + 10
        while first is None and keeper.alive() and time.monotonic() < patience:
            time.sleep(0.05)
            first = self.cgroups.first_process()
        if first is None:
            return Observation("broken" if keeper.alive() else "stopped")
        return Observation("running", self._network(), first)

    def _network(self) -> str:
        port = INTERFACES / self.port
        try:
            up = int((port / "flags").read_text(), 16) & 1
            switch = os.path.basename(os.readlink(port / "master"))
        except OSError:
            return "cut"
        return "up" if up and switch == self.lab.bridge else "cut"

    # Steps

    def create(self, spec: Spec, authorized_key: str, cache: Path) -> None:
        """Make the host's files. A name is only ever borne by a complete host."""
        recipe = image.recipe(spec.image)
        if not image.is_built(recipe, cache):
            raise LabError(f"{self.name}: the image {spec.image} is not built yet (nspawn_image builds it)")
        growing = self.lab.hosts_directory / f".new-{self.name}"
        shutil.rmtree(growing, ignore_errors=True)
        upper = growing / "upper"
        for directory in (upper, growing / "work", growing / "root"):
            directory.mkdir(parents=True)
        (growing / "lower").symlink_to(image.tree(recipe, cache))
        identity = uuid.uuid4()
        full = f"{spec.name}.{spec.domain} {spec.name}" if spec.domain else spec.name
        network = (
            f"[Match]\nName=host0\n\n[Network]\nAddress={spec.address}/24\nGateway={self.lab.gateway}\n"
            "LinkLocalAddressing=no\nIPv6AcceptRA=no\n"
        )
        for name, text, mode in (
            ("etc/hostname", f"{spec.name}\n", 0o644),
            ("etc/hosts", f"127.0.0.1 localhost\n::1 localhost\n{spec.address} {full}\n", 0o644),
            ("etc/machine-id", f"{identity.hex}\n", 0o444),
            ("etc/systemd/network/10-host0.network", network, 0o644),
            ("root/.ssh/authorized_keys", f"{authorized_key}\n", 0o600),
        ):
            write_atomically(upper / name, text, mode)
        (upper / "root").chmod(0o700)
        (upper / "root/.ssh").chmod(0o700)
        (upper / "etc/ssh").mkdir(mode=0o755)
        key = upper / "etc/ssh/ssh_host_ed25519_key"
        run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", spec.name, "-f", str(key)])
        write_json(
            growing / "host.json",
            {
                "spec": asdict(spec),
                "uuid": str(identity),
                "host_key": " ".join((key.parent / f"{key.name}.pub").read_text().split()[:2]),
            },
        )
        growing.rename(self.directory)

    def start(self) -> None:
        """Boot the host; :meth:`wait_ready` tells when it answers."""
        record = self.record
        spec = Spec(**record["spec"])
        lower = self.directory / "lower"
        if not (lower / "usr").is_dir():
            raise LabError(f"{self.name}: its image {os.readlink(lower)} is gone; remove the host and make it again")
        self._write_resolvers()
        self.cgroups.create()
        self.cgroups.limit(spec.memory, spec.cpus)
        keeper_entrances, machine_entrances = self.cgroups.entrances()
        legacy = None if self.cgroups.pure_v2 else image.KINDS[spec.image].legacy
        unified = legacy is None
        first = ["--boot"] if legacy is None else ["/bin/sh", "-c", FIRST_PROCESS_V1, "sh", *legacy]
        argv = ["unshare", "--mount", "--propagation", "slave", "sh", "-c", KEEPER, "trinitycore-lab-keeper"]
        argv += [str(self.directory), "yes" if unified else "no"]
        argv += ["".join(str(path) for path in machine_entrances), *map(str, keeper_entrances), "--"]
        argv += ["systemd-nspawn", "--quiet", "--settings=no", "--register=no", "--keep-unit", "--link-journal=no"]
        argv += [f"--machine={self.machine}", f"--hostname={spec.name}", f"--uuid={record['uuid']}"]
        argv += [f"--directory={self.directory}/root", f"--network-bridge={self.lab.bridge}", "--resolv-conf=off"]
        argv += ["--timezone=off", "--console=pipe", "--kill-signal=SIGRTMIN+3", *first]
        with open(self.directory / "console.log", "wb") as log:
            child = subprocess.Popen(  # outlives us by design
                argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, cwd="/"
            )
        started = start_of(child.pid)
        record["keeper"] = {"pid": child.pid, "started": started, "boot": boot_id()}
        write_json(self.directory / "host.json", record)

    def _write_resolvers(self) -> None:
        path = self.directory / "upper/etc/resolv.conf"
        if path.is_symlink() or (path.exists() and not path.read_text().startswith(GENERATED)):
            return  # a role has taken it over
        write_atomically(path, GENERATED + resolvers())

    def wait_ready(self, address: str, deadline: float) -> None:
        """Wait until its SSH answers.

        :param address: of the host
        :param deadline: until when, in seconds of :func:`time.monotonic`
        :raises LabError: it ended, or did not answer in time; the text ends with what it printed
        """
        while not ssh_answers(address):
            if self.keeper() is None:
                raise LabError(f"{self.name} ended while it booted: {self._last_words()}")
            if time.monotonic() > deadline:
                raise LabError(f"{self.name} does not answer on {address}:22: {self._last_words()}")
            time.sleep(0.1)

    def _last_words(self) -> str:
        with contextlib.suppress(OSError):
            return (self.directory / "console.log").read_text(errors="replace")[-1500:].strip()
        return ""

    def shut_down(self, timeout: float) -> None:
        """Ask the host to power off, and cut its power if it is not off after ``timeout`` seconds."""
        if self.cgroups.frozen():
            self.cgroups.freeze(frozen=False)
        deadline = time.monotonic() + timeout
        first = self.cgroups.first_process()
        if first is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(first, POWER_OFF)
            while self.cgroups.processes() and time.monotonic() < deadline:
                time.sleep(0.05)
        self.cut_power()

    def cut_power(self) -> None:
        """End all of the host's processes at once and clear what they leave on the controller."""
        self.cgroups.kill()
        for path in (
            Path("/run/systemd/nspawn/propagate") / self.machine,
            Path("/run/systemd/nspawn/unix-export") / self.machine,
        ):
            if path.is_dir() and not os.path.ismount(path):
                shutil.rmtree(path, ignore_errors=True)
        # The kernel removes the port with the host's network namespace, a moment after the last process.
        deadline = time.monotonic() + 5
        while (INTERFACES / self.port).exists():
            if time.monotonic() > deadline:
                run(["ip", "link", "del", self.port])
            time.sleep(0.02)

    def connect(self, up: bool) -> None:
        """Plug the host's network cable in or out."""
        if up:
            run(["ip", "link", "set", self.port, "master", self.lab.bridge, "up"])
        else:
            run(["ip", "link", "set", self.port, "down"])

    def limit(self, spec: Spec) -> None:
        """Give a host new limits while it runs."""
        record = self.record
        record["spec"] = asdict(replace(Spec(**record["spec"]), memory=spec.memory, cpus=spec.cpus))
        write_json(self.directory / "host.json", record)
        if self.cgroups.exist():
            self.cgroups.limit(spec.memory, spec.cpus)

    def remove(self) -> None:
        """Cut the power and remove all files of the host."""
        self.cut_power()
        self.cgroups.remove()
        if self.directory.exists():
            doomed = self.lab.hosts_directory / f".gone-{self.name}-{uuid.uuid4().hex[:8]}"
            self.directory.rename(doomed)
            shutil.rmtree(doomed)


def resolvers() -> str:
    """The controller's ``resolv.conf`` lines that hold for a host.

    :raises LabError: all its name servers are on its own loopback
    """
    for path in RESOLVERS:
        if not path.exists():
            continue
        kept = []
        for line in path.read_text().splitlines():
            words = line.split()
            if words[:1] == ["nameserver"] and words[1].startswith(("127.", "::1")):
                continue
            if words[:1] in (["nameserver"], ["search"], ["options"]):
                kept.append(line)
        if any(line.startswith("nameserver") for line in kept):
            return "\n".join(kept) + "\n"
    raise LabError("the controller's name servers are all on its loopback, where hosts cannot reach them")


def ssh_answers(address: str) -> bool:
    """Whether an SSH server greets on port 22."""
    try:
        with socket.create_connection((address, 22), timeout=1) as connection:
            connection.settimeout(1)
            return connection.recv(4) == b"SSH-"
    except OSError:
        return False


def as_yaml(value: dict[str, Any]) -> str:
    """A diff-friendly text of a mapping."""
    return json.dumps(value, indent=2, sort_keys=True) + "\n"
