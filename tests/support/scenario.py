"""The lab of the Molecule scenario that runs."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

LAB = Path(__file__).parents[2] / f".lab-{os.environ.get('SCENARIO_LAB') or 'molecule'}"
NETWORK = os.environ.get("SCENARIO_NETWORK", "10.77.2")
"""The first three numbers of its addresses."""


def lab_host(name: str, **wanted: str) -> None:
    """Bring one of its hosts to a state, such as ``state="killed"`` or ``network="cut"``.

    :raises subprocess.CalledProcessError: it can't be done.
    """
    arguments = {"directory": str(LAB), "hosts": [{"name": name}], **wanted}
    subprocess.run(
        ["ansible", "localhost", "-c", "local", "-m", "trinitycore.mcp.nspawn_host", "-a", json.dumps(arguments)],
        check=True,
        stdout=subprocess.DEVNULL,
    )
