"""What a way to copy a server's data must be able to do; each kind of server has its own."""

from __future__ import annotations

import ssl
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path

from .connection import Connection
from .copy_stream import Offer, Receiver
from .replica import Primary

Progress = Callable[[str], None]


class CopyMethod(ABC):
    """How the data get from the primary to a directory at the replica's, while the primary is written to."""

    @abstractmethod
    def readable(self, there: tuple[int, ...], here: tuple[int, ...]) -> bool:
        """Whether a server of release `here` runs on files of release `there`."""

    @abstractmethod
    def left_out(self, server: Connection) -> list[str]:
        """Return the primary's tables whose rows would be missing."""

    @abstractmethod
    def send(self, stream: ssl.SSLSocket, socket: str) -> int:
        """Give the primary's data to the other side, and return the number of bytes.

        :param socket: by which root logs in to the primary.
        :raises DatabaseError: the copy is not whole.
        """

    @abstractmethod
    def fetch(
        self,
        receiver: Receiver,
        offer: Offer,
        directory: Path,
        local: Connection,
        primary: Primary,
        progress: Progress,
    ) -> dict[str, str]:
        """Have a whole copy in a directory that isn't there yet, and return its `gtid` and `gtid_state`.

        :param local: a session with the server that runs here meanwhile.
        :raises DatabaseError: it isn't whole.
        """

    @abstractmethod
    def settle(self, server: Connection, socket: str, position: str, state: str, *, upgrade: bool) -> None:
        """Tell a server that has just come up on the copy what it does not know by it.

        :param position: `gtid` of `fetch`.
        :param state: `gtid_state` of `fetch`.
        :param upgrade: whether the files are of an older release.
        """
