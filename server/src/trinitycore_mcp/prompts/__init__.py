"""Prompts: tasks of operators, with the facts looked up already and the tools that lead on."""

from __future__ import annotations

from trinitycore_mcp.prompts import content, realm
from trinitycore_mcp.toolkit.prompt import Prompt

__all__ = ["PROMPTS"]
PROMPTS: tuple[Prompt, ...] = (*content.PROMPTS, *realm.PROMPTS)
