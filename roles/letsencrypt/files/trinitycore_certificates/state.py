"""What a host remembers between runs."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from . import files


@dataclass
class Attempts:
    """How it went with one certificate. Times are seconds since 1970, 0 for never.

    :ivar failures: failed attempts since the last good one.
    :ivar window: the authority's last word on when to renew: of which certificate (`id`), when to `ask_again`, and
        `start` and `end`, if it said so.
    """

    failures: int = 0
    last_attempt: float = 0.0
    window: dict[str, Any] = field(default_factory=dict)


@dataclass
class State:
    """All of it."""

    certificates: dict[str, Attempts] = field(default_factory=dict)
    last_run: float = 0.0
    last_run_success: bool = False

    @classmethod
    def read(cls, path: Path) -> State:
        """Read the file. One that is missing or broken is an empty memory, which costs an attempt at most."""
        try:
            loaded = json.loads(path.read_text())
            certificates = {name: Attempts(**one) for name, one in loaded["certificates"].items()}
            return cls(certificates, float(loaded["last_run"]), bool(loaded["last_run_success"]))
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return cls()

    def write(self, path: Path) -> None:
        """Write the file, for root alone."""
        files.write(path, json.dumps(asdict(self), indent=1), 0o600)

    def of(self, name: str) -> Attempts:
        """Return what is known of a certificate."""
        return self.certificates.setdefault(name, Attempts())
