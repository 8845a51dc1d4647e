"""What the server's own command makes of version 1's .env file. Runs on a host that has a release of the server."""

from __future__ import annotations

import os
import subprocess
import tempfile
from pathlib import Path
from typing import Any


class V1SettingsError(Exception):
    """The file can't be read; the message says why, and holds no secret."""


def read(env: str, command: str) -> dict[str, Any]:
    """Return ``{config, secrets, notices}``: the text of a configuration, files beside it by name, what was left out.

    :param env: the text of the .env file.
    :param command: ``trinitycore-mcp`` of an installed release.
    :raises V1SettingsError: the command isn't there, or the file gives no valid configuration.
    """
    with tempfile.TemporaryDirectory(prefix="trinitycore-v1-") as name:
        folder = Path(name)
        source = folder / ".env"
        source.touch(0o600)
        source.write_text(env)
        given = [command, "migrate-config", str(source), "--output", str(folder / "config.yml")]
        given += ["--secrets-dir", str(folder / "secrets")]
        try:
            done = subprocess.run(
                given, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL, env={"PATH": os.defpath}
            )
        except OSError as error:
            raise V1SettingsError(f"{command} can't be run ({error.strerror}): roll site.yml out first") from error
        said = [line.removeprefix("trinitycore-mcp: ") for line in done.stderr.splitlines() if line.strip()]
        if done.returncode:
            raise V1SettingsError("; ".join(said) or f"{command} migrate-config ended with {done.returncode}")
        return {
            "config": (folder / "config.yml").read_text(),
            "secrets": {path.name: path.read_text() for path in (folder / "secrets").glob("*")},
            "notices": said,
        }
