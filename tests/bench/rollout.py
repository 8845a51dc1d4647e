"""First and second run of site.yml on a lab of bare hosts, against a parallel shell script that only installs.

Run: ``make bench-rollout``. Prints seconds and their ratios; both sides run on this machine, one after the other.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import yaml
from ansible_collections.trinitycore.mcp.plugins.filter.cluster import host_components
from ansible_collections.trinitycore.mcp.plugins.lookup.role_packages import packages_of

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))
from tests.support.lab import Lab  # noqa: E402  (the checkout is not an installed package)

OS_FACTS = {
    "bookworm": {"distribution": "Debian", "distribution_major_version": "12", "os_family": "Debian"},
    "trixie": {"distribution": "Debian", "distribution_major_version": "13", "os_family": "Debian"},
}
RERUNS = 3


def seconds(action: Callable[[], object]) -> float:
    """Return how long an action took."""
    start = time.monotonic()
    action()
    return time.monotonic() - start


def package_lines(lab: Lab) -> str:
    """Return ``host package package ...`` for every host, as site.yml would install them."""
    components = yaml.safe_load((ROOT / "roles/cluster/defaults/main.yml").read_text())["cluster_components"]
    lines = []
    for host in dict.fromkeys(host for members in lab.groups.values() for host in members):
        groups = [group for group, members in lab.groups.items() if host in members]
        release = lab.ssh(host, ". /etc/os-release; echo $VERSION_CODENAME").strip()
        # The lab's domain has a public certificate.
        roles = [*host_components(components, groups), *(["letsencrypt"] if "loadbalancers" in groups else [])]
        packages = sorted({name for role in roles for name in packages_of(role, OS_FACTS[release])})
        lines.append(" ".join([host, *packages]))
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measure and print."""
    lab = Lab("bench", os.environ.get("BENCH_NETWORK", "10.77.4"), os.environ.get("LAB_PROFILE", "full"))
    try:
        lab.playbook("lab_hosts")
        lines = package_lines(lab)
        shell = seconds(
            lambda: subprocess.run(
                [ROOT / "tests/bench/rollout_shell.sh", lab.state / "ssh_config"], input=lines, text=True, check=True
            )
        )
        lab.playbook("lab_down")
        lab.playbook("lab_hosts")
        lab.playbook("lab_acme")
        first = seconds(lambda: lab.playbook("site"))
        again = [seconds(lambda: lab.playbook("site")) for _ in range(RERUNS)]
    finally:
        lab.playbook("lab_down")
    rerun = sorted(again)[RERUNS // 2]
    print(f"cores {os.cpu_count()}, hosts {len(lines.splitlines())}")
    print(f"shell script, install only  {shell:6.1f} s")
    print(f"site.yml, first run         {first:6.1f} s  ratio to the script {first / shell:.2f}")
    print(f"site.yml, nothing to change {rerun:6.1f} s  ratio to the script {rerun / shell:.2f}  runs {again}")


if __name__ == "__main__":
    main()
