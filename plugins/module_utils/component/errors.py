"""The one exception of the component code: its text is what the operator reads."""

from __future__ import annotations


class ComponentError(Exception):
    """The wanted state can't be reached; the message names what, where and why."""
