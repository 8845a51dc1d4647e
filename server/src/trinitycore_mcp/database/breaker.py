"""Leave a failing host alone for a while, so that callers are told at once instead of waiting for it."""

from __future__ import annotations

from time import monotonic

from trinitycore_mcp import config

# Failures further apart than this many times `open_for` are not "in a row".
_MEMORY = 10.0


class Breaker:
    """Counts one host's failures in a row; opens at the limit.

    An open one closes when the watcher's next check succeeds, which it makes once `open_for` is over.
    """

    def __init__(self, options: config.Breaker) -> None:
        self.failures = 0
        self.is_open = False
        self._limit = options.failures
        self._open_for = options.open_for
        self._last = 0.0

    def failed(self) -> bool:
        """Count a failure; return whether it opened the breaker (or kept it open)."""
        now = monotonic()
        if not self.is_open and now - self._last > self._open_for * _MEMORY:
            self.failures = 0
        self._last = now
        self.failures += 1
        self.is_open = self.is_open or self.failures >= self._limit
        return self.is_open

    def reset(self) -> None:
        """Forget the failures: the host serves."""
        self.failures, self.is_open = 0, False

    @property
    def wait(self) -> float:
        """Seconds until an open breaker lets the watcher try again."""
        return max(0.0, self._last + self._open_for - monotonic())
