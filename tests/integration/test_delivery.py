"""Releases of the server put out, taken back and refused on a whole cluster, while clients call all the time."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from ansible_collections.trinitycore.mcp.plugins.module_utils.wheelhouse import source_version

from tests.support.calls import load_all_the_time
from tests.support.lab import ROOT, Lab, Recap
from tests.support.long_calls import long_calls_and_streams

pytestmark = pytest.mark.timeout(1200, func_only=True)

Figure = Callable[[str], None]
PROGRAM = "/opt/trinitycore-mcp"
# A release that is as good as the old one must not fail here because the machine has other things to do.
PATIENT = ("-e", json.dumps({"mcp_server_canary_latency_slack": 1.0, "mcp_server_canary_settle": 3}))
CLIENTS, PAUSE = 64, 8.0


@dataclass(frozen=True)
class Patch:
    """One change of the server's sources."""

    file: str
    old: str
    new: str


VERSION = Patch("__init__.py", '__version__ = "', '__version__ = "9.')
BAD = {
    "crashes at start": Patch(
        "lifecycle/__init__.py",
        "def serve(loaded: Loaded, again: Callable[[], Loaded] | None = None) -> None:\n",
        "def serve(loaded: Loaded, again: Callable[[], Loaded] | None = None) -> None:\n    raise SystemExit(70)\n\n"
        "def serve_never(loaded: Loaded, again: Callable[[], Loaded] | None = None) -> None:\n",
    ),
    "is never ready": Patch(
        "health/__init__.py", 'reasons = ["draining"] if self.draining else []', 'reasons = ["a bad release"]'
    ),
    "answers errors": Patch(
        "dispatch.py",
        "        started = monotonic()\n        try:\n",
        "        started = monotonic()\n        try:\n            raise ToolError('a bad release', kind='internal')\n",
    ),
    # Timers are no finer than a millisecond, so calls that are over sooner take more than twice as long.
    "takes twice as long": Patch(
        "dispatch.py",
        "        finally:\n",
        "        finally:\n            await asyncio.sleep(max(monotonic() - started, 0.02))\n",
    ),
}


def release(folder: Path, *patches: Patch) -> Path:
    """Copy the server's sources, changed, and return the copy."""
    source = folder / "server"
    shutil.copytree(ROOT / "server", source, ignore=shutil.ignore_patterns(".*", "tests", "__pycache__"))
    for patch in (VERSION, *patches):
        file = source / "src" / "trinitycore_mcp" / patch.file
        text = file.read_text()
        assert text.count(patch.old) == 1, f"{patch.file} has changed: {patch.old!r}"
        file.write_text(text.replace(patch.old, patch.new))
    return source


def releases(lab: Lab) -> dict[str, str]:
    """Return the release that each running instance was started with, as its process shows it."""
    found = {}
    for name, (host, number) in lab.instances().items():
        shown = lab.ssh(host, f"tr '\\0' ' ' < /proc/$(systemctl show -P MainPID trinitycore-mcp@{number})/cmdline")
        found[name] = shown.split("/releases/")[1].split("/")[0]
    return found


def links(lab: Lab) -> set[str]:
    """Return what ``current`` and all links of instances lead to."""
    shown = [lab.ssh(host, f"readlink {PROGRAM}/current {PROGRAM}/instances/*") for host in lab.hosts("app")]
    return {Path(link).name for link in " ".join(shown).split()}


def states(lab: Lab) -> list[dict[str, str]]:
    """Return what each load balancer has that is not active."""
    command = "curl -sf --unix-socket /run/trinitycore-edge/control.sock http://edge/status"
    return [json.loads(lab.ssh(host, command))["states"] for host in lab.hosts("loadbalancers")]


def upgrade(lab: Lab, source: Path, *arguments: str, check: bool = True) -> Recap:
    """Run upgrade.yml with the release that these sources make."""
    named = ("-e", f"version={source_version(source)}", "-e", f"source={source}")
    return lab.playbook("upgrade", *named, "-e", "canary_seconds=10", *arguments, check=check)


def test_an_upgrade_and_its_rollback_lose_no_call(lab: Lab, tmp_path: Path, figure: Figure) -> None:
    source = release(tmp_path)
    new, before = source_version(source), releases(lab)
    (old,) = set(before.values())
    try:
        with (
            load_all_the_time(lab.endpoints, 10_000, CLIENTS, PAUSE) as outcome,
            long_calls_and_streams(lab) as others,
        ):
            said = upgrade(lab, source, *PATIENT).said
            upgraded, after_upgrade = releases(lab), outcome.calls
            kept = lab.playbook("site", "--tags", "mcp_server")
            lab.playbook("rollback")
    finally:
        if set(releases(lab).values()) != {old}:
            lab.playbook("rollback", "-e", f"version={old}")
    figure(
        f"upgrade and rollback: {len(outcome.failures)} of {outcome.calls} calls failed ({after_upgrade} in the "
        f"upgrade), {others}"
    )
    assert outcome.failures == []
    assert others.failures == []
    assert others.slow <= others.calls / 10
    assert upgraded == dict.fromkeys(before, new)
    assert new in said
    assert kept.changed_tasks == []
    assert releases(lab) == before
    assert links(lab) == {old}
    assert set(map(str, states(lab))) == {"{}"}


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        pytest.param("answers errors", "a bad release"),
        pytest.param("crashes at start", "trinitycore-mcp@1.service", marks=pytest.mark.long),
        pytest.param("is never ready", "not ready within", marks=pytest.mark.long),
        pytest.param("takes twice as long", "allowed are", marks=pytest.mark.long),
    ],
)
def test_a_bad_release_stops_at_the_canary(lab: Lab, tmp_path: Path, figure: Figure, bad: str, reason: str) -> None:
    """It is rolled back by itself, and the run says why."""
    source, before = release(tmp_path, BAD[bad]), releases(lab)
    with load_all_the_time(lab.endpoints, 1_000, 16, PAUSE) as outcome:
        done = upgrade(lab, source, check=False)
    figure(f"release that {bad}: {len(outcome.failures)} of {outcome.calls} calls failed")
    assert done.returncode != 0
    assert "stopped at app1-1" in done.output
    assert reason in done.output
    assert releases(lab) == before
    assert links(lab) == set(before.values())
    assert set(map(str, states(lab))) == {"{}"}
    assert outcome.failures == []


def test_a_version_that_nobody_has_is_refused_before_anything_happens(lab: Lab) -> None:
    done = lab.playbook("upgrade", "-e", "version=7.7", check=False)
    assert done.returncode != 0
    assert "version is '7.7'; it must be" in done.output
    assert done.changed_tasks == []
