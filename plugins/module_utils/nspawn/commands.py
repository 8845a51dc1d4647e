# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Running programs, and the one error the lab's parts raise."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence


class LabError(Exception):
    """Something the person at the keyboard can read and act on."""


def run(
    argv: Sequence[str],
    *,
    stdin: str | None = None,
    timeout: float = 60.0,
    pass_fds: Sequence[int] = (),
) -> str:
    """Run a program and return what it printed.

    :param argv: program and arguments, no shell involved
    :param stdin: text given on standard input, none by default
    :param timeout: seconds until it is killed
    :raises LabError: it is missing, failed or took too long; the text holds the end of its output
    """
    try:
        done = subprocess.run(
            list(argv),
            input=stdin,
            stdin=subprocess.DEVNULL if stdin is None else None,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout,
            pass_fds=pass_fds,
            check=False,
        )
    except FileNotFoundError as error:
        raise LabError(f"{argv[0]} is not installed (playbooks/lab_hosts.yml installs what the lab needs)") from error
    except subprocess.TimeoutExpired as error:
        raise LabError(f"{' '.join(argv)}: no end after {timeout:.0f} s") from error
    if done.returncode != 0:
        tail = (done.stderr.strip() or done.stdout.strip())[-2000:]
        raise LabError(f"{' '.join(argv)}: exit status {done.returncode}: {tail}")
    return done.stdout
