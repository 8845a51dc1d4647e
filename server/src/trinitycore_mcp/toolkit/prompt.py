"""Prompts: tasks that operators give a model, with what it needs to know already looked up."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from trinitycore_mcp.toolkit.definition import Scope
from trinitycore_mcp.toolkit.resource import Complete


@dataclass(frozen=True)
class Argument:
    """An argument of a prompt; all arguments are texts.

    :param complete: what it may be for a given beginning.
    """

    name: str
    description: str
    required: bool = True
    complete: Complete | None = None


@dataclass(frozen=True)
class Prompt:
    """A prompt.

    :param render: gets the call and the arguments by name, and returns the text for the model.
    """

    name: str
    title: str
    description: str
    arguments: tuple[Argument, ...]
    render: Callable[..., Awaitable[str]]
    scope: Scope = "read"
