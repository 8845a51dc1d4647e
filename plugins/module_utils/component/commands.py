"""Running programs of the host: no shell, a fixed locale, output as text."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass

from .errors import ComponentError

_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True)
class Completed:
    """What a program left: exit code, its output and its error output."""

    code: int
    output: str
    errors: str

    @property
    def text(self) -> str:
        """Output and error output together, for messages."""
        return "\n".join(part for part in (self.errors.strip(), self.output.strip()) if part)


def environment() -> dict[str, str]:
    """The environment that programs get: the caller's, with a plain locale and a full search path."""
    return {**os.environ, "LC_ALL": "C.UTF-8", "LANGUAGE": "C", "PATH": _PATH, "SYSTEMD_COLORS": "0"}


def run(argv: Sequence[str], timeout: float = 120.0) -> Completed:
    """Run `argv` and wait for it, at most `timeout` seconds.

    Raises FileNotFoundError when the program is missing, ComponentError when it takes too long.
    """
    try:
        done = subprocess.run(
            list(argv),
            capture_output=True,
            check=False,
            env=environment(),
            stdin=subprocess.DEVNULL,
            timeout=timeout,
        )
    except subprocess.TimeoutExpired as error:
        raise ComponentError(f"'{argv[0]}' did not end within {timeout:g} s") from error
    except PermissionError as error:
        raise ComponentError(f"'{argv[0]}' can't be run: {error.strerror}") from error
    return Completed(done.returncode, done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace"))


def require(argv: Sequence[str], what: str) -> Completed:
    """Run `argv`; a missing program or a failure raises ComponentError that begins with `what`."""
    try:
        done = run(argv)
    except FileNotFoundError as error:
        raise ComponentError(f"{what}: the program '{argv[0]}' is not installed") from error
    if done.code != 0:
        raise ComponentError(f"{what}: '{' '.join(argv)}' ended with {done.code}: {done.text}")
    return done
