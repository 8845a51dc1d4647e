"""Errors of the database code; their text is what the operator reads."""

from __future__ import annotations


class DatabaseError(Exception):
    """Something can't be done or isn't safe to do; the message says what, where and why."""


class ServerUnavailableError(DatabaseError):
    """No server answered, or it refused the login."""


class LoginRefusedError(ServerUnavailableError):
    """A server answered, and does not know the account or its password."""


class NoReplicaError(DatabaseError):
    """A write would wait for a replica, and none is there; `pending` is what is left to do."""

    def __init__(self, message: str, pending: list[str]) -> None:
        super().__init__(message)
        self.pending = pending


class TopologyError(DatabaseError):
    """The servers' states contradict each other, so which one is the primary can't be decided safely."""
