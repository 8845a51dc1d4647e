"""Prompts: tasks of operators, with the facts looked up already."""

from __future__ import annotations

from trinitycore_mcp.toolkit.prompt import Prompt

PROMPTS: tuple[Prompt, ...] = ()
