"""Programs that a role puts on hosts, as modules for tests."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

ROLES = Path(__file__).parents[2] / "roles"


def load(program: Path) -> ModuleType:
    """Return a program as a module.

    :param program: its file, of one piece.
    """
    spec = importlib.util.spec_from_file_location(program.stem, program)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[program.stem] = module  # where dataclasses look
    spec.loader.exec_module(module)
    return module
