"""Loot: the rules that the cores roll by, templates with their references expanded, and the chances that follow."""
