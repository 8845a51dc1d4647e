"""What this program refuses or fails with."""

from __future__ import annotations

from typing import NoReturn


class BackupError(Exception):
    """Something can't be done or isn't safe to do; the message is for the operator."""


def fail(message: str) -> NoReturn:
    """Raise a BackupError."""
    raise BackupError(message)
