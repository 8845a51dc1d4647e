# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A lab's names and places."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from pathlib import Path

from .commands import LabError
from .files import read_json, write_json

# What must not outlive a boot, and what several labs on one machine share.
RUNTIME_DIRECTORY = Path("/run/trinitycore-lab")
# Interface names end at 15 characters: "br-" + 12.
NAME = re.compile(r"[a-z][a-z0-9-]{0,10}[a-z0-9]|[a-z]")


@dataclass(frozen=True)
class Lab:
    """One lab: a name, a directory for its state, and a /24 of its own.

    ``subnet`` is the first three numbers of the network, such as ``10.77.0``.
    """

    name: str
    directory: Path
    subnet: str

    def __post_init__(self) -> None:
        if not NAME.fullmatch(self.name):
            raise LabError(f"lab name {self.name!r}: 1 to 12 lower-case letters, digits or hyphens, a letter first")
        try:
            network = ipaddress.ip_network(f"{self.subnet}.0/24")
        except ValueError as error:
            raise LabError(f"subnet {self.subnet!r}: three numbers such as 10.77.0 wanted") from error
        if not network.is_private:
            raise LabError(f"subnet {self.subnet}: not a private network")
        if not self.directory.is_absolute():
            raise LabError(f"lab directory {self.directory}: an absolute path wanted")

    @property
    def bridge(self) -> str:
        """Interface name of the lab's switch."""
        return f"br-{self.name}"

    @property
    def network(self) -> str:
        """The lab's network, such as ``10.77.0.0/24``."""
        return f"{self.subnet}.0/24"

    @property
    def gateway(self) -> str:
        """Address of the controller in the lab."""
        return f"{self.subnet}.1"

    @property
    def table(self) -> str:
        """Name of the lab's nftables table."""
        return "trinitycore_lab_" + self.name.replace("-", "_")

    @property
    def hosts_directory(self) -> Path:
        """One directory per host."""
        return self.directory / "hosts"

    @property
    def control_directory(self) -> Path:
        """Sockets of shared SSH connections; short, because socket paths end at 107 characters."""
        return RUNTIME_DIRECTORY / f"{self.name}.ssh"

    def save(self) -> bool:
        """Write the lab's own record; return whether it changed."""
        return write_json(self.directory / "lab.json", {"name": self.name, "subnet": self.subnet})


def load(directory: Path) -> Lab:
    """The lab whose state is in ``directory``.

    :raises LabError: there is none (its network is made first)
    """
    record = read_json(directory / "lab.json")
    if not {"name", "subnet"} <= record.keys():
        raise LabError(f"no lab in {directory}: make its network first (playbooks/lab_hosts.yml does)")
    return Lab(name=record["name"], directory=directory, subnet=record["subnet"])
