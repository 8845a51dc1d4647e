"""SIGHUP: the configuration and the files it names are read again; what can change in a running process does."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Callable

from trinitycore_mcp import logs, systemd
from trinitycore_mcp.config.reload import reload_plan
from trinitycore_mcp.config_load import ConfigError, Loaded
from trinitycore_mcp.lifecycle.parts import Parts
from trinitycore_mcp.web.endpoint import McpEndpoint

_log = logging.getLogger(__name__)


class Reloader:
    """Takes a new configuration over. One that is wrong changes nothing; what needs a restart is named."""

    def __init__(self, loaded: Loaded, again: Callable[[], Loaded] | None, parts: Parts, endpoint: McpEndpoint) -> None:
        """:param again: reads the configuration; None: it can't be read again."""
        self._loaded = loaded
        self._again = again
        self._parts = parts
        self._endpoint = endpoint

    def listen(self) -> None:
        """Take over SIGHUP."""
        asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, self.reload)

    def reload(self) -> None:
        """Read the configuration again."""
        if self._again is None:
            return
        systemd.notify("RELOADING=1")
        try:
            new = self._again()
            plan = reload_plan(self._loaded.config, new.config)
            # Keys and certificates of callers may have changed in files whose names did not.
            self._parts.authenticator.reload(new)
        except ConfigError as error:
            _log.error("configuration not reloaded", extra={"fields": {"errors": str(error).splitlines()}})
        else:
            logs.configure(new.config.logging.level)
            self._parts.configure(new.config)
            self._endpoint.config = new.config
            self._loaded = new
            fields = {"applied": plan.apply, "needs_restart": plan.restart}
            level = logging.WARNING if plan.restart else logging.INFO
            _log.log(level, "configuration reloaded", extra={"fields": fields})
        systemd.notify("READY=1")
