"""Runs playbooks against inventories in temporary folders, as an operator would."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Run:
    """What came of a playbook: exit code and everything that it printed."""

    code: int
    output: str

    @property
    def said(self) -> str:
        """The output on one line: Ansible breaks long messages anywhere."""
        return " ".join(self.output.split())

    @property
    def problems(self) -> list[str]:
        """The list that preflight printed, one problem per entry."""
        result = self.output.partition("FAILED! => \n")[2].partition("\nPLAY RECAP")[0]
        loaded = yaml.safe_load(result) if result else {}
        return [str(line) for line in loaded.get("problems", [])]

    def changed(self, host: str) -> int:
        """Return how many changes the recap counts for a host."""
        recap = self.output.partition("PLAY RECAP")[2]
        line = next(line for line in recap.splitlines() if line.startswith(f"{host} "))
        return int(line.partition("changed=")[2].split()[0])


def run_playbook(playbook: Path | str, inventory: Path, *arguments: str) -> Run:
    """Run ``ansible-playbook`` with the repository's settings; never raises because the playbook failed."""
    program = Path(sys.executable).with_name("ansible-playbook")
    done = subprocess.run(
        [program, "-i", inventory, ROOT / playbook, *arguments],
        cwd=inventory if inventory.is_dir() else inventory.parent,
        env={
            **os.environ,
            "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
            "ANSIBLE_NOCOLOR": "1",
            "ANSIBLE_FORCE_COLOR": "0",
        },
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return Run(done.returncode, done.stdout)


def copy_inventory(name: str, to: Path) -> Path:
    """Copy one of the repository's inventories, without secrets or state, and return the copy."""
    return Path(
        shutil.copytree(ROOT / "inventories" / name, to / name, ignore=shutil.ignore_patterns("secrets.yml", "pki"))
    )


def write_yaml(path: Path, data: Any) -> Path:
    """Write data as YAML, folders included, and return the path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(data, sort_keys=False))
    return path
