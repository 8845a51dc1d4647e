"""Logs: one JSON object a line on standard error, for journald.

Fields: time (UTC, ISO 8601), level (DEBUG to FATAL), logger, message, and what the caller passes in
``extra={"fields": {...}}``. Callers pass no secret, no row content.
"""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Any

_LEVELS = {"CRITICAL": "FATAL"}
# These libraries log each request of their own accord; our own line says the same with more.
_QUIET = ("mcp", "httpx2", "httpcore2", "asyncio", "uvicorn", "sse_starlette")


class JsonFormatter(logging.Formatter):
    """Format a record as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": _LEVELS.get(record.levelname, record.levelname),
            "logger": record.name,
            "message": record.getMessage(),
        }
        fields = getattr(record, "fields", None)
        if isinstance(fields, dict):
            line.update(fields)
        if record.exc_info and record.exc_info[0] is not None:
            line["exception"] = record.exc_info[0].__name__
            line["stack"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str, separators=(",", ":"))


def configure(level: str) -> None:
    """Send all logs of the process as JSON to standard error.

    :param level: DEBUG, INFO, WARNING, ERROR or FATAL.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter())
    logging.getLogger().handlers[:] = [handler]
    set_level(level)
    # uvicorn brings handlers of its own unless told otherwise (log_config=None does that).
    logging.captureWarnings(True)


def set_level(level: str) -> None:
    """Log from this level on; see `configure`."""
    root = logging.getLogger()
    root.setLevel(level)
    for name in _QUIET:
        logging.getLogger(name).setLevel(max(root.level, logging.WARNING) if level != "DEBUG" else logging.INFO)
