# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Callback that sums up where a run's time went."""

from __future__ import annotations

DOCUMENTATION = """
name: phase_times
type: aggregate
author: The trinitycore.mcp authors
version_added: 2.0.0
short_description: Time per phase, tasks per host and the slowest tasks
description:
  - Prints, after the recap, how long each phase took, how many tasks each host ran, and the ten slowest tasks.
  - A phase is the part of a play's name before C(|), so C(Install | packages) belongs to phase C(Install).
requirements:
  - Name it in C(callbacks_enabled) of ansible.cfg.
"""

import time
from collections import Counter
from typing import Any

from ansible.plugins.callback import CallbackBase

SLOWEST = 10


class CallbackModule(CallbackBase):
    """Collects times from play and task starts; prints once, at the end."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "trinitycore.mcp.phase_times"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.phases: dict[str, float] = {}
        self.tasks: list[tuple[float, str]] = []
        self.ran: Counter[str] = Counter()
        self._phase = ("Start", time.monotonic())
        self._task: tuple[str, float] | None = None

    def _end_phase(self) -> None:
        name, start = self._phase
        self.phases[name] = self.phases.get(name, 0.0) + time.monotonic() - start

    def _end_task(self) -> None:
        if self._task:
            name, start = self._task
            self.tasks.append((time.monotonic() - start, name))
            self._task = None

    def v2_playbook_on_play_start(self, play: Any) -> None:
        """Begin the play's phase."""
        self._end_task()
        self._end_phase()
        self._phase = (play.get_name().partition("|")[0].strip(), time.monotonic())

    def v2_playbook_on_task_start(self, task: Any, is_conditional: bool) -> None:
        """Begin a task."""
        self._end_task()
        self._task = (task.get_name(), time.monotonic())

    def v2_playbook_on_handler_task_start(self, task: Any) -> None:
        """Begin a handler."""
        self.v2_playbook_on_task_start(task, is_conditional=False)

    def _count(self, result: Any) -> None:
        self.ran[result.host.get_name()] += 1

    def v2_runner_on_ok(self, result: Any) -> None:
        """Count a task that a host ran."""
        self._count(result)

    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:
        """Count a task that failed on a host."""
        self._count(result)

    def v2_playbook_on_stats(self, stats: Any) -> None:
        """Print the summary."""
        self._end_task()
        self._end_phase()
        show = self._display.display
        total = sum(self.phases.values())
        show("\nTIMES " + "*" * 73)
        for name, seconds in self.phases.items():
            if seconds >= 0.05:
                show(f"  {name:<20} {seconds:7.1f} s")
        show(f"  {'total':<20} {total:7.1f} s")
        show("  tasks per host: " + " ".join(f"{host} {count}" for host, count in sorted(self.ran.items())))
        show(f"  slowest {min(SLOWEST, len(self.tasks))} of {len(self.tasks)} tasks:")
        for seconds, name in sorted(self.tasks, reverse=True)[:SLOWEST]:
            show(f"    {seconds:6.1f} s  {name}")
