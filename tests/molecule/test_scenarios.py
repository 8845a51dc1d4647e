"""Every Molecule scenario, as one test each: create, converge, idempotence, verify, destroy on real hosts."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FIRST_NETWORK = 20
SCENARIOS = sorted(path.parent.name for path in (ROOT / "molecule").glob("*/molecule.yml"))
# The tests of another scenario once more, with the other flavour of its server.
FLAVOURS = {"mysql_oracle", "redis_valkey"}
# What takes many minutes: each way to fail, and its recovery.
FAULTS = {"mysql_group"}


def what_failed(log: str) -> str:
    """Return the tests and tasks that failed, a line each, before the end of what Molecule printed."""
    lines = re.findall(r"(?:FAILED|ERROR) \S*test_.*|fatal: .*|\bE   .*", re.sub(r"\x1b\[[0-9;]*m", "", log))
    return "\n".join([*lines, log[-8_000:]])


@pytest.mark.timeout(1800)
@pytest.mark.parametrize(
    "scenario",
    [pytest.param(name, marks=[pytest.mark.long] if name in FLAVOURS | FAULTS else []) for name in SCENARIOS],
)
def test_scenario(scenario: str, tmp_path: Path, pytestconfig: pytest.Config) -> None:
    """The scenario passes, in a lab of this worker's own; the end of its output is shown when it does not.

    Marks that were chosen hold for the scenario's own tests too.
    """
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    log = tmp_path / "molecule.log"
    with log.open("wb") as output:
        done = subprocess.run(
            ["molecule", "test", "-s", scenario],
            cwd=ROOT,
            env={
                **os.environ,
                "SCENARIO_LAB": f"molecule{worker}",
                "SCENARIO_NETWORK": f"10.77.{FIRST_NETWORK + worker}",
                "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
                "ANSIBLE_NOCOLOR": "1",
                "PYTEST_ADDOPTS": shlex.join(["-m", pytestconfig.option.markexpr, "--durations", "10"]),
            },
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            check=False,
        )
    assert done.returncode == 0, what_failed(log.read_text(errors="replace"))
