"""Defects reported to Sentry: exceptions that nothing here expects. Loaded only where ``sentry.dsn_file`` is set.

Every such exception ends in a log record of level ERROR that carries it, whoever caught it; a handler of the root
logger reports those. What leaves is the kind of exception and where it arose, in our code and in libraries, and which
tool was called. Nothing of the request leaves: no message of an exception (it may quote an argument or a row), no
variable, header, body or statement, no breadcrumb.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import sentry_sdk
from sentry_sdk.utils import BadDsn

from trinitycore_mcp import __version__
from trinitycore_mcp.config_error import ConfigError
from trinitycore_mcp.config_load import Loaded

if TYPE_CHECKING:
    from sentry_sdk.types import Event, Hint

# Seconds that the end of the process waits for reports on their way.
_END_TIMEOUT = 2.0
_QUEUE = 100
# What an event may have; all else that the SDK may come to put into it is left out.
_KEPT = frozenset(
    {
        "environment",
        "event_id",
        "exception",
        "level",
        "logger",
        "platform",
        "release",
        "sdk",
        "server_name",
        "tags",
        "timestamp",
    }
)
_KEPT_OF_EXCEPTION = frozenset({"mechanism", "module", "stacktrace", "type"})
_KEPT_OF_FRAME = frozenset(
    {"abs_path", "context_line", "filename", "function", "in_app", "lineno", "module", "post_context", "pre_context"}
)
# Fields of log lines that become tags: bounded words, and what finds the request in the log.
_TAGS = ("tool", "method", "job", "trace_id")


class SentryHandler(logging.Handler):
    """Reports the exceptions of log records."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)

    def emit(self, record: logging.LogRecord) -> None:
        """Report one; it only enters a queue, and is dropped when that is full."""
        if record.exc_info is None or record.exc_info[1] is None or record.name.startswith("sentry_sdk"):
            return
        fields = getattr(record, "fields", None)
        with sentry_sdk.new_scope() as scope:
            scope.set_tag("logger", record.name)
            for name in _TAGS:
                if isinstance(fields, dict) and fields.get(name):
                    scope.set_tag(name, str(fields[name]))
            sentry_sdk.capture_exception(record.exc_info[1])


def _without_values(event: Event, _hint: Hint) -> Event | None:
    """Return the event without anything that a request or a row may have put into it."""
    kept = {name: value for name, value in event.items() if name in _KEPT}
    exceptions = kept.get("exception")
    values = exceptions.get("values", []) if isinstance(exceptions, dict) else []
    for exception in values:
        for name in exception.keys() - _KEPT_OF_EXCEPTION:
            del exception[name]
        mechanism = exception.get("mechanism")
        if mechanism:
            exception["mechanism"] = {"type": mechanism.get("type", "generic"), "handled": mechanism.get("handled")}
        for frame in (exception.get("stacktrace") or {}).get("frames", []):
            for name in frame.keys() - _KEPT_OF_FRAME:
                del frame[name]
    event.clear()  # type: ignore[attr-defined]  # a TypedDict to mypy, a dict in fact
    event.update(kept)  # type: ignore[typeddict-item]  # its own members
    return event


class ErrorReports:
    """Sends reports while it runs."""

    def __init__(self, dsn: str, *, instance: str, environment: str, sample_rate: float) -> None:
        """:param dsn: whom to report to.
        :param instance: this instance's name.
        :param sample_rate: share of the defects that is reported.
        :raises ConfigError: the DSN is none.
        """
        try:
            sentry_sdk.init(
                dsn,
                environment=environment,
                release=f"trinitycore-mcp@{__version__}",
                server_name=instance,
                sample_rate=sample_rate,
                before_send=_without_values,
                # The SDK's integrations look at requests, arguments and logs; the handler above needs none.
                default_integrations=False,
                auto_enabling_integrations=False,
                include_local_variables=False,
                max_request_body_size="never",
                max_breadcrumbs=0,
                auto_session_tracking=False,
                send_client_reports=False,
                propagate_traces=False,
                shutdown_timeout=_END_TIMEOUT,
                transport_queue_size=_QUEUE,
            )
        except BadDsn:  # its message quotes the DSN
            raise ConfigError("sentry.dsn_file: not a Sentry DSN, which looks like https://KEY@HOST/PROJECT") from None
        self._handler = SentryHandler()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Report while the context is open; at its end, what is on its way is sent, for two seconds at most."""
        root = logging.getLogger()
        root.addHandler(self._handler)
        try:
            yield
        finally:
            root.removeHandler(self._handler)
            await asyncio.to_thread(sentry_sdk.get_client().close, _END_TIMEOUT)


def reporting(loaded: Loaded, instance: str) -> ErrorReports | None:
    """Return what the configuration says; None: no reports.

    :raises ConfigError: the DSN's file can't be used.
    """
    options = loaded.config.sentry
    if options.dsn_file is None:
        return None
    dsn = loaded.secret("sentry.dsn_file", options.dsn_file).strip()
    return ErrorReports(dsn, instance=instance, environment=options.environment, sample_rate=options.sample_rate)
