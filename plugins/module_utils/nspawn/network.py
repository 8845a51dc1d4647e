# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The lab's switch: a bridge with the controller's address, NAT outwards, nothing inwards."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import time
from pathlib import Path
from typing import Any

from . import cgroups
from .commands import LabError, run
from .files import locked, read_json, write_json
from .lab import RUNTIME_DIRECTORY, Lab
from .processes import boot_id

# Kernel settings of this machine that the hosts need: file to the least value that will do.
KERNEL = {
    Path("/proc/sys/net/ipv4/ip_forward"): 1,
    # Every systemd takes several; with the kernel's 128 for all of root's, hosts of a second lab hang while booting.
    Path("/proc/sys/fs/inotify/max_user_instances"): 4096,
}
INTERFACES = Path("/sys/class/net")
REGISTER = RUNTIME_DIRECTORY / "labs.json"
# What nspawn leaves empty when its last machine ends.
NSPAWN_DIRECTORIES = tuple(
    Path("/run/systemd/nspawn") / name for name in ("locks", "propagate", "unix-export", "notify", "")
)
LOCK = RUNTIME_DIRECTORY.with_suffix(".lock")
# Seconds from the last look after a lab's network to the first of its hosts, at most: so long it may be coming up.
COMING_UP = 30.0


def rules(lab: Lab) -> str:
    """The lab's nftables table: out by NAT, in only as an answer, the controller's lab address only from the lab."""
    return f"""\
table inet {lab.table} {{
\tchain outwards {{
\t\ttype nat hook postrouting priority srcnat; policy accept;
\t\tip saddr {lab.network} ip daddr != {lab.network} masquerade
\t}}
\tchain through {{
\t\ttype filter hook forward priority filter; policy accept;
\t\toifname "{lab.bridge}" iifname != "{lab.bridge}" ct state new drop
\t}}
\tchain inwards {{
\t\ttype filter hook input priority filter; policy accept;
\t\tip daddr {lab.gateway} iifname != {{ "lo", "{lab.bridge}" }} drop
\t}}
}}
"""


def _rules_hash(lab: Lab) -> str:
    return hashlib.sha256(rules(lab).encode()).hexdigest()[:16]


def _register() -> dict[str, Any]:
    """What the labs of this boot share; an older boot's register says nothing."""
    register = read_json(REGISTER)
    return register if register.get("boot") == boot_id() else {"boot": boot_id(), "labs": {}}


def _has_table(lab: Lab) -> bool:
    listed = json.loads(run(["nft", "-j", "list", "tables"]))
    return any(
        entry.get("table", {}).get("name") == lab.table and entry["table"]["family"] == "inet"
        for entry in listed["nftables"]
    )


def _addresses(interface: str) -> list[str]:
    shown = json.loads(run(["ip", "-j", "-4", "address", "show", "dev", interface]) or "[]")
    return [f"{info['local']}/{info['prefixlen']}" for entry in shown for info in entry.get("addr_info", [])]


def _setting(path: Path) -> int:
    return int(path.read_text())


def _up(interface: str) -> bool:
    return bool(int((INTERFACES / interface / "flags").read_text(), 16) & 1)


def observe(lab: Lab) -> dict[str, Any]:
    """What is there now: ``bridge`` (up or absent), ``address``, ``table`` (rules' hash), ``kernel`` (settings)."""
    here = (INTERFACES / lab.bridge).exists()
    entry = _register()["labs"].get(lab.name, {})
    return {
        "bridge": "absent" if not here else "up" if _up(lab.bridge) else "down",
        "address": ", ".join(_addresses(lab.bridge)) if here else "",
        "table": entry.get("rules", "unknown") if _has_table(lab) else "",
        "kernel": all(_setting(path) >= least for path, least in KERNEL.items()),
    }


def wanted(lab: Lab) -> dict[str, Any]:
    """What :func:`observe` says of a lab that is up."""
    return {"bridge": "up", "address": f"{lab.gateway}/24", "table": _rules_hash(lab), "kernel": True}


def _runs(name: str) -> bool:
    """Whether a process of one of the lab's hosts is there."""
    return any(cgroups.HostCgroups(name, host).processes() for host in cgroups.hosts_of(name))


def refuse_others(lab: Lab) -> None:
    """Make sure that the name is not another directory's whose hosts run, or are about to.

    What a killed run registered and left is nobody's: the next lab of the name takes it over.

    :raises LabError: the lab of this name is another directory's
    """
    entry = _register()["labs"].get(lab.name, {})
    if entry.get("directory", str(lab.directory)) == str(lab.directory):
        return
    if _runs(lab.name) or time.time() - entry.get("came_up", 0.0) < COMING_UP:
        raise LabError(f"a lab named {lab.name} already runs from {entry['directory']}: choose another LAB_NAME")


def refuse_conflicts(lab: Lab) -> None:
    """Make sure that neither the name nor the network is somebody else's.

    :raises LabError: another directory's lab has this name, or another interface has this network
    """
    refuse_others(lab)
    for route in json.loads(run(["ip", "-j", "-4", "route", "show", "root", lab.network]) or "[]"):
        if route.get("dev") != lab.bridge:
            raise LabError(f"{lab.network} is already reached through {route.get('dev')}: choose another LAB_NETWORK")


def bring_up(lab: Lab) -> None:
    """Make or mend the switch, the NAT table and the kernel's settings."""
    with locked(LOCK):
        register = _register()
        # Remembered by the first lab only, so that the last one to go restores what was.
        register.setdefault("kernel_before", {str(path): _setting(path) for path in KERNEL})
        register["labs"][lab.name] = {
            "directory": str(lab.directory),
            "rules": _rules_hash(lab),
            "came_up": time.time(),
        }
        write_json(REGISTER, register)
        lab.control_directory.mkdir(mode=0o700, exist_ok=True)
        if not (INTERFACES / lab.bridge).exists():
            # An address of its own: a bridge otherwise takes over a port's, and every host's ARP entry goes stale.
            digest = hashlib.sha256(lab.bridge.encode()).hexdigest()
            hardware = ":".join(["02", *(digest[i : i + 2] for i in range(0, 10, 2))])
            run(["ip", "link", "add", lab.bridge, "address", hardware, "type", "bridge", "forward_delay", "0"])
            run(["ip", "link", "set", lab.bridge, "addrgenmode", "none"])
        address = f"{lab.gateway}/24"
        for other in _addresses(lab.bridge):
            if other != address:
                run(["ip", "address", "del", other, "dev", lab.bridge])
        run(["ip", "link", "set", lab.bridge, "up"])
        run(["ip", "address", "replace", address, "dev", lab.bridge])
        # One transaction: the table is never missing while it is replaced.
        head = f"table inet {lab.table}\ndelete table inet {lab.table}\n"
        run(["nft", "-f", "-"], stdin=head + rules(lab))
        for path, least in KERNEL.items():
            if _setting(path) < least:
                path.write_text(f"{least}\n")
    lab.save()


def take_down(lab: Lab) -> None:
    """Remove the switch and the table; the last lab also restores the kernel's settings, clears the register."""
    with locked(LOCK):
        register = _register()
        _remove(lab)
        register["labs"].pop(lab.name, None)
        for name, entry in list(register["labs"].items()):
            # Whose checkout was deleted without `make lab-down`: nobody else will ever clear it.
            if not Path(entry["directory"]).exists() and not _runs(name):
                _remove(Lab(name, Path(entry["directory"]), lab.subnet))  # by its name alone
                del register["labs"][name]
        if register["labs"]:
            write_json(REGISTER, register)
        else:
            for path, before in register.get("kernel_before", {}).items():
                if _setting(Path(path)) != before:
                    Path(path).write_text(f"{before}\n")
            REGISTER.unlink(missing_ok=True)
            for directory in (RUNTIME_DIRECTORY, *NSPAWN_DIRECTORIES):
                with contextlib.suppress(OSError):  # another's, or never made
                    directory.rmdir()
        LOCK.unlink(missing_ok=True)


def _remove(lab: Lab) -> None:
    close_connections(lab)
    if (INTERFACES / lab.bridge).exists():
        run(["ip", "link", "del", lab.bridge])
    if _has_table(lab):
        run(["nft", "delete", "table", "inet", lab.table])


def left_overs(lab: Lab) -> bool:
    """Whether anything of the lab's network is still there."""
    seen = observe(lab)
    return bool(
        seen["bridge"] != "absent" or seen["table"] or lab.name in _register()["labs"] or lab.control_directory.exists()
    )


def close_connections(lab: Lab) -> None:
    """End the shared SSH connections into the lab and remove their sockets."""
    if not lab.control_directory.is_dir():
        return
    for socket in sorted(lab.control_directory.iterdir()):
        with contextlib.suppress(LabError):
            run(["ssh", "-o", f"ControlPath={socket}", "-O", "exit", "lab"], timeout=5)
        socket.unlink(missing_ok=True)
    os.rmdir(lab.control_directory)
