"""Errors of the database code; their text is what the operator reads."""

from __future__ import annotations


class DatabaseError(Exception):
    """Something can't be done or isn't safe to do; the message says what, where and why."""


class ServerUnavailableError(DatabaseError):
    """No server answered, or it refused the login."""


class TopologyError(DatabaseError):
    """The servers' states contradict each other, so which one is the primary can't be decided safely."""
