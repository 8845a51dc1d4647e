"""Quests: how they hang together, what they ask for and what they give."""
