"""One limit as one process sees it: its lease of tokens, what is known of the fleet's bucket, and a local stand-in."""

from __future__ import annotations

import itertools
import secrets
from typing import Literal

from trinitycore_mcp.access.principal import Rate

LimitScope = Literal["key", "tool"]
LEASE = 1.0
"""Seconds that leased tokens may be used."""
LEASE_IN_REDIS = 1.25
"""Seconds after which Redis takes them for lost: later than we do, whenever its answer came."""
SMALLEST_LEASED_RATE = 20.0
"""Requests a second from which on tokens are leased; at less, each call asks Redis."""
_SHARE_OF_BURST = 1 / 32
_SHARE_OF_SECOND = 1 / 4
_MEMORY_OF_REFUSAL = 1.0

_process = secrets.token_hex(6)
_numbers = itertools.count()


class Bucket:
    """A limit of one caller, or of one caller and tool. Times are of the monotonic clock, in seconds."""

    __slots__ = (
        "_local_burst",
        "_local_interval",
        "_share",
        "asked",
        "burst",
        "cap",
        "ends",
        "interval",
        "key",
        "lease",
        "left",
        "local_tat",
        "pending",
        "rate",
        "refilling",
        "refused_until",
        "retry_at",
        "scope",
        "step",
        "tokens",
        "used",
    )

    def __init__(self, key: str, scope: LimitScope, rate: Rate) -> None:
        """:param key: the bucket's name in Redis."""
        self.key = key
        self.scope = scope
        self.rate = rate
        self.interval = rate.period / rate.requests
        self.burst = rate.burst
        self.cap = 0
        if rate.per_second >= SMALLEST_LEASED_RATE:
            self.cap = int(min(rate.burst * _SHARE_OF_BURST, rate.per_second * _SHARE_OF_SECOND))
        """Tokens that may be held, at most."""
        self.tokens = 0
        self.used = 0
        """Tokens used since Redis was told last."""
        self.ends = 0.0
        self.pending = 0
        """Tokens that were asked for and may come."""
        self.refilling = False
        self.step = 0
        self.asked = float("-inf")
        self.left = rate.burst
        """Tokens in the fleet's bucket after the last answer."""
        self.refused_until = 0.0
        self.retry_at = 0.0
        self.local_tat = 0.0
        self._share, self._local_interval, self._local_burst = 1.0, self.interval, self.burst
        self.lease = ""
        self.drop_lease()

    def drop_lease(self) -> None:
        """Forget the tokens held. The next lease has another name: what is still noted of this one ends by itself."""
        self.lease = f"{_process}:{next(_numbers)}"
        self.tokens = self.used = self.pending = self.step = 0

    def has_token(self, now: float) -> bool:
        """Return whether a call may go by the lease."""
        return self.tokens > 0 and now < self.ends

    def take(self) -> bool:
        """Use one token of the lease; return whether it is time to refill it."""
        self.tokens -= 1
        self.used += 1
        return self.tokens <= self.step // 2 and not self.refilling

    def wait_for(self, now: float, seconds: float) -> None:
        """Take note that a call would be allowed in so many seconds; 0: that one was."""
        self.retry_at = now + seconds if seconds > 0 else 0.0
        self.refused_until = now + min(seconds, _MEMORY_OF_REFUSAL)

    def wish(self, now: float) -> int:
        """Return how many tokens to ask for.

        None for a single call; twice as many each time while calls keep coming, up to the cap: who calls little
        holds little.
        """
        if now >= self.ends and (self.tokens or self.used):
            self.drop_lease()
        self.step = min(self.cap, self.step * 2 or 1) if now - self.asked < LEASE else 0
        self.asked = now
        return max(0, min(self.step, self.cap - self.tokens - self.pending))

    def granted(self, sent: float, now: float, lease: str, tokens: int, left: int, wait: float) -> None:
        """Take note of Redis' answer.

        :param sent: when it was asked.
        :param lease: the lease that it was asked for.
        :param wait: seconds until a call would be allowed; 0: it was.
        """
        self.left = left
        # Should Redis be away next: what the fleet has used is used here too, and what was counted here stays counted.
        self.local_tat = max(self.local_tat, now + (self.burst - left) * self.interval)
        if lease == self.lease:
            self.tokens += tokens
            self.ends = max(self.ends, sent + LEASE)
        self.wait_for(now, wait)

    def local_wait(self, now: float, share: float) -> float:
        """Return how many seconds a call has to wait by this process' own count; 0: it may go."""
        if share != self._share:
            self._share, self._local_interval = share, self.interval / share
            self._local_burst = max(1, int(self.burst * share))
        if self.local_tat <= now:
            return 0.0
        return max(0.0, self.local_tat - now - (self._local_burst - 1) * self._local_interval)

    def count_locally(self, now: float) -> int:
        """Count a call that need not wait; return how many more could come at once. Leased ones are of no use then."""
        if self.tokens or self.used:
            self.drop_lease()
        begin = self.local_tat if self.local_tat > now else now
        self.local_tat = tat = begin + self._local_interval
        left = int(self._local_burst - (tat - now) / self._local_interval + 1e-6)
        return left if left > 0 else 0
