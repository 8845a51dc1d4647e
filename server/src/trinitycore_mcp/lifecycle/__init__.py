"""From start to stop.

Start: configuration's files read, ports bound, databases and Redis looked at, listeners open, READY told to systemd.
Stop (SIGTERM): readiness goes off while calls are still served (drain_delay: load balancers turn away), listen streams
end cleanly, the door closes, calls in flight finish (shutdown_timeout), the process exits with 0. A second signal
skips the delay, a third one ends the waiting for calls. SIGHUP: the configuration is read again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import uvloop

from trinitycore_mcp.config_load import Loaded
from trinitycore_mcp.lifecycle.instance import run
from trinitycore_mcp.lifecycle.stdio import run_stdio


def serve(loaded: Loaded, again: Callable[[], Loaded] | None = None) -> None:
    """Run one instance until a signal ends it.

    :param again: reads the configuration again, for SIGHUP; None: SIGHUP changes nothing.
    :raises ConfigError: a file that the configuration names can't be used, or an address can't be listened on.
    """
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(run(loaded, again))


def serve_stdio(loaded: Loaded) -> None:
    """Serve one client on standard input and output until it leaves.

    :raises ConfigError: a file that the configuration names can't be used.
    """
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(run_stdio(loaded))
