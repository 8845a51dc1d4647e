"""The layer in this process: bounded by entries and bytes, and quick to ask."""

from __future__ import annotations

from collections import OrderedDict
from time import monotonic

from trinitycore_mcp.cache.counters import KindCounts

# What an entry takes beside its key and value, roughly: dictionary slot, object, the numbers in it.
_OVERHEAD = 400


class Entry:
    """One result. Times are `time.monotonic` seconds."""

    __slots__ = ("counts", "fresh_until", "kind", "peek_until", "retry_at", "size", "stale_until", "used", "value")

    def __init__(
        self,
        kind: str,
        value: bytes,
        counts: KindCounts,
        *,
        peek_until: float,
        fresh_until: float,
        stale_until: float,
    ) -> None:
        self.kind = kind
        self.value = value
        self.counts = counts
        self.peek_until = peek_until
        """Until then it is answered without asking Redis."""
        self.fresh_until = fresh_until
        self.stale_until = stale_until
        self.retry_at = 0.0
        """Not before this is another refresh tried; until then, what is stale is answered as it is."""
        self.used = False
        self.size = 0


class LocalLayer:
    """Results by key. When it is full, the oldest that were not asked for since they came last in turn go first.

    That is the "second chance" form of least recently used: a hit sets a mark instead of moving the entry.
    """

    def __init__(self, most_entries: int, most_bytes: int) -> None:
        self._entries: OrderedDict[bytes, Entry] = OrderedDict()
        self._most_entries = most_entries
        self._most_bytes = most_bytes
        self.size = 0
        """Bytes taken, by our own reckoning."""
        self.get = self._entries.get
        """Return the entry of a key whatever its age, or None."""

    def __len__(self) -> int:
        return len(self._entries)

    def peek(self, key: bytes) -> bytes | None:
        """Return the value if it may be answered without asking anybody; counted as a hit."""
        entry = self._entries.get(key)
        if entry is None or entry.peek_until <= monotonic():
            return None
        entry.used = True
        entry.counts.local_hit += 1
        return entry.value

    def put(self, key: bytes, entry: Entry) -> None:
        """Keep an entry, in place of the key's former one, if it fits at all."""
        self.drop(key)
        entry.size = len(key) + len(entry.value) + _OVERHEAD
        if entry.size > self._most_bytes or self._most_entries < 1:
            return
        self._entries[key] = entry
        self.size += entry.size
        while len(self._entries) > self._most_entries or self.size > self._most_bytes:
            oldest, candidate = self._entries.popitem(last=False)
            if candidate.used and candidate.stale_until > monotonic():
                candidate.used = False
                self._entries[oldest] = candidate
            else:
                self.size -= candidate.size

    def drop(self, key: bytes) -> None:
        """Forget a key."""
        entry = self._entries.pop(key, None)
        if entry is not None:
            self.size -= entry.size

    def drop_kind(self, kind: str | None) -> None:
        """Forget all entries of a kind, or all (None)."""
        for key in [key for key, entry in self._entries.items() if kind is None or entry.kind == kind]:
            self.drop(key)
