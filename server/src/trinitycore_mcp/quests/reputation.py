"""Reputation: ranks by their thresholds, and what a row of the client's reward table is worth."""

from __future__ import annotations

from trinitycore_mcp.toolkit import enums

# Least reputation of each rank above the lowest; the client's constants, alike in every version.
_THRESHOLDS = (-6_000, -3_000, 0, 3_000, 9_000, 21_000, 42_000)
# QuestFactionReward.dbc: rewards by index (RewardFactionValue); its second row holds the same as losses.
_REWARDS = (0, 10, 25, 75, 150, 250, 350, 500, 1_000, 5)


def rank(value: int) -> str:
    """Return the name of the rank that a reputation belongs to."""
    return enums.values("reputation_rank")[sum(value >= threshold for threshold in _THRESHOLDS)]


def reward(index: int, override: int) -> int | None:
    """Return the reputation that a quest gives, before bonuses; None: the index has no meaning.

    :param index: RewardFactionValue, negative for a loss.
    :param override: RewardFactionOverride, hundredths of the amount; 0: by index.
    """
    if override:
        return int(override / 100)
    if abs(index) >= len(_REWARDS):
        return None
    return _REWARDS[index] if index >= 0 else -_REWARDS[-index]
