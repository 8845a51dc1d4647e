"""What a call changed (or would change): the module's answer grows here."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

# Longer texts are summed up instead of shown: nobody reads them, and they slow the output down.
DIFF_LIMIT = 100_000


def _printable(content: bytes | None) -> str | None:
    """`content` as text for a diff; None when it is binary or long. No content is an empty text."""
    if content is None:
        return ""
    if len(content) > DIFF_LIMIT or b"\0" in content:
        return None
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return None


@dataclass
class Report:
    """Changes of one call. `check` tells that nothing is really changed, only foretold."""

    check: bool = False
    changed: bool = False
    changed_files: list[str] = field(default_factory=list)
    started: list[str] = field(default_factory=list)
    stopped: list[str] = field(default_factory=list)
    restarted: list[str] = field(default_factory=list)
    reloaded: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    diff: list[dict[str, Any]] = field(default_factory=list)

    def note(self, text: str) -> None:
        """Record a change that is told in one line."""
        self.changed = True
        self.diff.append({"prepared": text + "\n"})

    def file(self, path: str, before: bytes | None, after: bytes | None, secret: bool) -> None:
        """Record that the content of `path` changes; None means that there is no such file."""
        self.changed = True
        self.changed_files.append(path)
        verb = "create" if before is None else "remove" if after is None else "replace"
        old, new = _printable(before), _printable(after)
        if secret:
            self.diff.append({"prepared": f"{verb} {path} (secret, content not shown)\n"})
        elif old is None or new is None:
            self.diff.append({"prepared": f"{verb} {path} (content not shown: binary or long)\n"})
        else:
            self.diff.append(
                {
                    "before": old,
                    "after": new,
                    "before_header": f"{path} (absent)" if before is None else path,
                    "after_header": f"{path} (absent)" if after is None else path,
                }
            )

    def taken_back(self, paths: list[str]) -> None:
        """Record that the changes of the files `paths` were undone."""
        self.changed_files = [path for path in self.changed_files if path not in paths]
        secret = [f"replace {path} (" for path in paths] + [f"create {path} (" for path in paths]
        self.diff = [
            entry
            for entry in self.diff
            if entry.get("after_header") not in paths and not entry.get("prepared", "").startswith(tuple(secret))
        ]
        self.changed = bool(self.diff)

    def result(self, with_diff: bool) -> dict[str, Any]:
        """The answer of the module."""
        answer: dict[str, Any] = {
            "changed": self.changed,
            "changed_files": self.changed_files,
            "started": self.started,
            "stopped": self.stopped,
            "restarted": self.restarted,
            "reloaded": self.reloaded,
        }
        if with_diff:
            answer["diff"] = self.diff
        return answer
