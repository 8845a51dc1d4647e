"""SIGHUP: the configuration and the files it names are read again; what can change in a running process does."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Callable, Sequence
from dataclasses import replace

from trinitycore_mcp import logs, systemd
from trinitycore_mcp.config.reload import reload_plan, taken_over
from trinitycore_mcp.config_load import ConfigError, Loaded
from trinitycore_mcp.lifecycle.parts import Parts
from trinitycore_mcp.tls import RenewableTls
from trinitycore_mcp.web.endpoint import McpEndpoint

_log = logging.getLogger(__name__)


class Reloader:
    """Takes a new configuration over. One that is wrong changes nothing; what needs a restart is named."""

    def __init__(
        self,
        loaded: Loaded,
        again: Callable[[], Loaded] | None,
        parts: Parts,
        endpoint: McpEndpoint,
        contexts: Sequence[RenewableTls],
    ) -> None:
        """:param again: reads the configuration; None: it can't be read again.
        :param contexts: TLS by files that may have been renewed.
        """
        self._started = loaded
        self._loaded = loaded
        self._again = again
        self._parts = parts
        self._endpoint = endpoint
        self._contexts = contexts

    def listen(self) -> None:
        """Take over SIGHUP."""
        asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, self.reload)

    def reload(self) -> None:
        """Read the configuration again."""
        if self._again is None or self._parts.services.health.draining:
            return
        systemd.notify_reloading()
        try:
            self._take_over(self._again())
        except ConfigError as error:
            _log.error("configuration not reloaded", extra={"fields": {"errors": str(error).splitlines()}})
        finally:
            systemd.notify("READY=1")

    def _take_over(self, new: Loaded) -> None:
        """Apply what can be applied.

        :raises ConfigError: a file that the configuration names can't be used; nothing was changed.
        """
        config = taken_over(self._loaded.config, new.config)
        loaded = replace(new, config=config)
        # Certificates, API keys and signing keys may have changed in files whose names did not.
        renewals = [context.renewed(loaded) for context in self._contexts]
        self._parts.authenticator.reload(new)
        for hold in renewals:
            hold()
        applied = reload_plan(self._loaded.config, new.config).apply
        # A change that waits for a restart is named at each reload until there is one.
        waiting = reload_plan(self._started.config, new.config).restart
        self._parts.configure(config)
        self._endpoint.config = config
        self._loaded = self._parts.services.loaded = loaded
        fields = {"applied": applied, "needs_restart": waiting}
        logs.set_level("INFO")  # whoever sent the signal learns what came of it, whatever else is logged
        _log.log(logging.WARNING if waiting else logging.INFO, "configuration reloaded", extra={"fields": fields})
        logs.set_level(config.logging.level)
