"""How a load balancer leaves so that no client loses a call, and how it comes back.

While it still has the floating addresses: each answer ends its connection; then new connections are left unanswered,
which makes clients ask again after a second (RFC 6298, section 2.1); calls under way are finished; idle connections are
closed in order. Only then do the addresses move. A client whose first packet was left unanswered is answered by who has
them by then.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .control import Control
from .states import EdgeError

_TABLE = "trinitycore_handover"
_PAUSE = 0.05
Run = Callable[..., tuple[int, str, str]]
"""Runs a command: ``run(arguments, data=None)`` returns its code, output and errors."""


@dataclass(frozen=True)
class Edge:
    """What makes a load balancer.

    :ivar addresses: floating addresses that it may hold; none where another balancer stands before it.
    :ivar ports: TCP and UDP ports that clients use.
    :ivar closing: the file that has NGINX end connections after their answer.
    """

    addresses: Sequence[str]
    ports: Sequence[int]
    control: Control
    closing: Path


class Handover:
    """Does it, by systemd, nftables and NGINX."""

    def __init__(self, run: Run, edge: Edge) -> None:
        self._run, self._edge = run, edge

    def held(self) -> list[str]:
        """Return the floating addresses that this host has now."""
        own = {
            entry["local"]
            for link in json.loads(self._do("ip", "-json", "address", "show"))
            for entry in link["addr_info"]
            if "local" in entry
        }
        return [address for address in self._edge.addresses if address in own]

    def stopped(self) -> list[str]:
        """Return which of the units that make a load balancer do not run."""
        return [unit for unit in self._units if not self._active(unit)]

    def runs(self) -> bool:
        """Return whether this host serves, or could be given the addresses."""
        return len(self.stopped()) < len(self._units)

    @property
    def _units(self) -> list[str]:
        """In the order in which they start."""
        return ["nginx.service", *(["keepalived.service"] if self._edge.addresses else [])]

    def _active(self, unit: str) -> bool:
        return self._run(["systemctl", "is-active", "--quiet", unit])[0] == 0

    def leave(self, grace: float, patience: float) -> dict[str, Any]:
        """Finish what is under way, give the addresses away and stop serving.

        :param grace: seconds in which connections end with their answer.
        :param patience: seconds for calls under way, while nobody new is let in; what takes longer is cut.
        :returns: ``cut``, the calls that were, and ``pause``, the seconds in which nobody new was let in.
        :raises EdgeError: a step did not do what it should; NGINX and the addresses may have gone already.
        """
        held = self.held()
        cut, pause = 0, 0.0
        if self._active("nginx.service"):
            self._edge.closing.touch()
            try:
                if held:
                    time.sleep(grace)
                    began = time.monotonic()
                    self._shut_out(held)
                    cut = self._finish(patience)
                    self._do("systemctl", "kill", "--kill-whom=main", "--signal=QUIT", "nginx.service")
                    time.sleep(4 * _PAUSE)
                    # Idle connections are closed by now; without streams of listeners NGINX has ended by itself.
                    self._run(["systemctl", "kill", "--kill-whom=main", "--signal=TERM", "nginx.service"])
                    self._do("systemctl", "stop", "keepalived.service")
                    pause = time.monotonic() - began
            finally:
                with suppress(FileNotFoundError):
                    self._edge.closing.unlink()
                if held:
                    self._run(["nft", "delete", "table", "inet", _TABLE])
        for unit in reversed(self._units):
            self._do("systemctl", "stop", unit)
        if self.held():
            raise EdgeError(f"keepalived was stopped and {', '.join(self.held())} is still here")
        return {"held": held, "cut": cut, "pause": round(pause, 2)}

    def come_back(self, patience: float) -> bool:
        """Serve again; return whether something had to be started.

        :raises EdgeError: NGINX is not ready in time.
        """
        stopped = self.stopped()
        for unit in stopped:
            self._do("systemctl", "start", unit)
        end = time.monotonic() + patience
        while True:
            try:
                ready = self._edge.control.status()["ready"]
                reason = "no instance is ready for it"
            except EdgeError as error:
                ready, reason = 0, str(error)
            if ready:
                return bool(stopped)
            if time.monotonic() >= end:
                raise EdgeError(f"this load balancer does not serve after {patience:g} s: {reason}")
            time.sleep(_PAUSE)

    def _shut_out(self, addresses: Sequence[str]) -> None:
        ports = ", ".join(str(port) for port in self._edge.ports)
        rules = [
            f"{'ip6' if ':' in address else 'ip'} daddr {address} {kind} dport {{ {ports} }} ct state new drop"
            for address in addresses
            for kind in ("tcp", "udp")
        ]
        chain = "\n".join(["type filter hook input priority filter - 1", *rules])
        self._do("nft", "-f", "-", data=f"table inet {_TABLE} {{\nchain input {{\n{chain}\n}}\n}}\n")

    def _finish(self, patience: float) -> int:
        end = time.monotonic() + patience
        while True:
            left = sum(member["calls_under_way"] for member in self._edge.control.status()["members"])
            if not left or time.monotonic() >= end:
                return int(left)
            time.sleep(_PAUSE)

    def _do(self, *command: str, data: str | None = None) -> str:
        code, out, error = self._run(list(command), data=data)
        if code:
            raise EdgeError(f"{' '.join(command)} ended with {code}: {(error or out).strip()}")
        return out
