"""NGINX's own word on its members, by the control socket."""

from __future__ import annotations

import http.client
import json
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from .states import EdgeError

CONTROL: dict[str, dict[str, Any]] = {
    "control_socket": {"type": "path", "default": "/run/trinitycore-edge/control.sock"}
}
"""Arguments of a module that asks NGINX; documented by the fragment ``edge_control``."""


class NotRunning(EdgeError):
    """There is no NGINX at the control socket."""


_ATTEMPT = 3.0
_PAUSE = 0.1
_LOOK = 0.4


class Control:
    """Asks the NGINX of this host."""

    def __init__(self, path: str) -> None:
        """:param path: of the control socket."""
        self._path = path

    def status(self) -> dict[str, Any]:
        """Return the answer of ``/status``.

        :raises NotRunning: nobody listens there.
        :raises EdgeError: there is no answer.
        """
        connection = http.client.HTTPConnection("edge", timeout=_ATTEMPT)
        connection.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.sock.settimeout(_ATTEMPT)
        try:
            connection.sock.connect(self._path)
            connection.request("GET", "/status")
            answer = connection.getresponse()
            found: dict[str, Any] = json.loads(answer.read())
        except (FileNotFoundError, ConnectionRefusedError) as error:
            raise NotRunning(f"NGINX does not answer at {self._path}: {error}") from error
        except (OSError, ValueError, http.client.HTTPException) as error:
            raise EdgeError(f"NGINX does not answer at {self._path}: {error}") from error
        finally:
            connection.close()
        return {"members": [], **found}

    def until(self, timeout: float, complaint: Callable[[dict[str, Any]], str]) -> dict[str, Any]:
        """Ask until there is no complaint about the answer, and return the answer.

        :raises EdgeError: there still is one; it says which.
        """
        end = time.monotonic() + timeout
        while True:
            status = self.status()
            wrong = complaint(status)
            if not wrong:
                return status
            if time.monotonic() >= end:
                raise EdgeError(wrong)
            time.sleep(_PAUSE)

    def members(self, names: Sequence[str]) -> list[dict[str, Any]]:
        """Return how these members are now."""
        return [member for member in self.status()["members"] if member["id"] in names]

    def wait_until(self, wanted: Mapping[str, str], timeout: float, *, up: bool = True) -> list[dict[str, Any]]:
        """Wait until NGINX treats members as wanted, and return them.

        An active one is asked by the checks and said to be up; another one gets no call any more.

        :param wanted: member to state.
        :param up: whether active ones have to be up; else it is enough that they may get calls.
        :raises EdgeError: not in time.
        """
        quiet = [name for name, state in wanted.items() if state != "active"]

        def complaint(found: Sequence[dict[str, Any]]) -> str:
            reasons = [reason for each in found if (reason := self._mistake(each, wanted[each["id"]], up=up))]
            if not reasons and quiet and not self._no_calls(quiet, found):
                reasons = ["calls go on arriving"]
            return f"not within {timeout:g} s: {'; '.join(reasons)}" if reasons else ""

        return self._until_content(list(wanted), timeout, complaint)

    def wait_until_up(self, names: Sequence[str], timeout: float) -> None:
        """Wait until the checks say of these members that they are up, whatever their state.

        :raises EdgeError: not in time.
        """

        def complaint(found: Sequence[dict[str, Any]]) -> str:
            down = [self._health(member) for member in found if member["health"] != "up"]
            return f"not within {timeout:g} s: {'; '.join(down)}" if down else ""

        self._until_content(names, timeout, complaint)

    def wait_for_idle(self, names: Sequence[str], timeout: float) -> list[dict[str, Any]]:
        """Wait until these members work on no call, and return them; streams that clients listen on may stay.

        :raises EdgeError: not in time.
        """

        def complaint(found: Sequence[dict[str, Any]]) -> str:
            busy = [f"{member['id']} has {member['calls_under_way']}" for member in found if member["calls_under_way"]]
            return f"calls are still under way after {timeout:g} s: {', '.join(busy)}" if busy else ""

        return self._until_content(names, timeout, complaint)

    def _until_content(
        self, names: Sequence[str], timeout: float, complaint: Callable[[Sequence[dict[str, Any]]], str]
    ) -> list[dict[str, Any]]:
        """Look at these members until there is no complaint about them, and return them."""

        def named(status: dict[str, Any]) -> list[dict[str, Any]]:
            return [member for member in status["members"] if member["id"] in names]

        return named(self.until(timeout, lambda status: complaint(named(status))))

    def _no_calls(self, names: Sequence[str], before: Sequence[dict[str, Any]]) -> bool:
        """Look for a moment whether these members are given calls."""
        time.sleep(_LOOK)
        made = {member["id"]: member["calls_made"] for member in before}
        return all(member["calls_made"] == made.get(member["id"]) for member in self.members(names))

    @classmethod
    def _mistake(cls, member: dict[str, Any], state: str, *, up: bool) -> str | None:
        if member["state"] != state:
            return f"{member['id']} is {member['state']}"
        if up and state == "active" and member["health"] != "up":
            return cls._health(member)
        return None

    @staticmethod
    def _health(member: dict[str, Any]) -> str:
        return f"{member['id']} is {member['health']}" + (f" ({member['reason']})" if member["reason"] else "")
