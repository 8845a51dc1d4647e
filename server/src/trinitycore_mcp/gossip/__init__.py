"""Gossip: menus, what is said in them, and the options that players choose."""

from trinitycore_mcp.gossip.rows import options_of, texts_of
from trinitycore_mcp.gossip.texts import Said, npc_texts

__all__ = ["Said", "npc_texts", "options_of", "texts_of"]
