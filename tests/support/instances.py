"""The server's instances on a host, as its systemd and its memory show them."""

from __future__ import annotations

from testinfra.host import Host


class Server:
    """The server's instances on one host."""

    def __init__(self, host: Host) -> None:
        self.host = host
        self.name = host.run("hostname -s").stdout.strip()
        self.address = host.run("hostname -I").stdout.split()[0]

    def units(self) -> list[str]:
        """Return the units of the instances that are up."""
        states = "--state=active 'trinitycore-mcp@*'"
        listed = self.host.run(f"systemctl list-units --plain --no-legend {states}").stdout
        return [line.split()[0] for line in listed.splitlines()]

    def invocations(self) -> dict[str, str]:
        """Return a mark of each instance that changes when it is started anew."""
        return {unit: self.host.run(f"systemctl show -P InvocationID {unit}").stdout for unit in self.units()}

    def releases_in_memory(self) -> set[str]:
        """Return the releases whose libraries the running instances have loaded."""
        pids = [self.host.run(f"systemctl show -P MainPID {unit}").stdout.strip() for unit in self.units()]
        maps = " ".join(f"/proc/{pid}/maps" for pid in pids)
        found = self.host.run(f"cat {maps} | grep -o 'releases/[^/]*' | sort -u").stdout
        return {line.split("/")[1] for line in found.split()}
