"""A lab of the tests' own: boot it, roll the site out on it, reach its hosts, break them."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
# Seconds; a whole rollout takes five minutes when the machine does other things too.
LONGEST_PLAYBOOK = 1200


@dataclass(frozen=True)
class Recap:
    """What a playbook run did."""

    returncode: int
    stats: dict[str, dict[str, int]]
    """Host to counters, as in Ansible's recap: ok, changed, failures, unreachable, skipped ..."""
    changed_tasks: list[str]
    """``host: task`` of everything that reported a change."""
    output: str

    @property
    def failed_hosts(self) -> list[str]:
        """Hosts that failed or could not be reached."""
        return [host for host, count in self.stats.items() if count["failures"] or count["unreachable"]]


class Lab:
    """One lab, told apart by its name and network."""

    def __init__(self, name: str, network: str, profile: str = "full") -> None:
        self.name = name
        self.state = ROOT / (".lab" if name == "lab" else f".lab-{name}")
        self.inventory = ROOT / "inventories" / "lab" / ("small.yml" if profile == "small" else "hosts.yml")
        self.environment = {
            **os.environ,
            "LAB_NAME": name,
            "LAB_NETWORK": network,
            "LAB_PROFILE": profile,
            "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
            "ANSIBLE_NOCOLOR": "1",
        }

    @property
    def endpoints(self) -> dict[str, Any]:
        """What ``endpoints.json`` of the running lab says."""
        loaded: dict[str, Any] = json.loads((self.state / "endpoints.json").read_text())
        return loaded

    @property
    def groups(self) -> dict[str, list[str]]:
        """Inventory groups and their hosts."""
        children = yaml.safe_load(self.inventory.read_text())["all"]["children"]
        return {group: list(content["hosts"]) for group, content in children.items()}

    def playbook(self, name: str, *arguments: str, check: bool = True) -> Recap:
        """Run a playbook of this collection against the lab.

        :param check: raise when the run fails.
        :raises AssertionError: the run failed; the message holds the end of its output.
        :raises subprocess.TimeoutExpired: it took longer than ``LONGEST_PLAYBOOK``.
        """
        with subprocess.Popen(
            ["ansible-playbook", str(ROOT / "playbooks" / f"{name}.yml"), "-i", str(self.inventory), *arguments],
            cwd=ROOT,
            env={**self.environment, "ANSIBLE_STDOUT_CALLBACK": "ansible.posix.json"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            try:
                stdout, stderr = process.communicate(timeout=LONGEST_PLAYBOOK)
            except BaseException:
                process.terminate()  # killed, it would leave its workers behind
                raise
        start = stdout.find("\n{") + 1 if not stdout.startswith("{") else 0
        try:
            result, _ = json.JSONDecoder().raw_decode(stdout[start:])
        except ValueError:
            result = {"stats": {}, "plays": []}
        changed, failures = [], []
        for play in result["plays"]:
            for task in play["tasks"]:
                for host, outcome in task["hosts"].items():
                    if outcome.get("changed"):
                        changed.append(f"{host}: {task['task']['name']}")
                    if outcome.get("failed") or outcome.get("unreachable"):
                        failures.append(f"{host}: {task['task']['name']}: {outcome.get('msg')}")
        output = "\n".join([*failures, stderr[-4000:]]) if result["plays"] else stdout + stderr
        assert not check or process.returncode == 0, f"{name} failed:\n{output[-8000:]}"
        return Recap(process.returncode, result["stats"], changed, output)

    def ssh(self, host: str, command: str, check: bool = True, timeout: float = 60.0) -> str:
        """Run a shell command on a host and return what it printed.

        :raises subprocess.CalledProcessError: it failed and ``check`` is set.
        """
        done = subprocess.run(
            ["ssh", "-F", str(self.state / "ssh_config"), host, command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=timeout,
            check=False,
        )
        if check and done.returncode:
            raise subprocess.CalledProcessError(done.returncode, [host, command], done.stdout)
        return done.stdout

    def hosts(self, group: str) -> list[str]:
        """Names of the hosts in an inventory group."""
        return list(self.groups[group])
