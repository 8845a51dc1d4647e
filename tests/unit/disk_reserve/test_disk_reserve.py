"""The reserve takes its space for real, and never the last one."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ansible.module_utils.testing import patch_module_args
from ansible_collections.trinitycore.mcp.plugins.module_utils.disk_reserve import MIB
from ansible_collections.trinitycore.mcp.plugins.modules import disk_reserve

Run = Callable[..., dict[str, Any]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Give a function that runs the module and returns its answer."""

    def run_module(path: Path, size_mb: int, *, check: bool = False) -> dict[str, Any]:
        arguments = {"path": str(path), "size_mb": size_mb, "_ansible_check_mode": check, "_ansible_diff": True}
        with patch_module_args(arguments), pytest.raises(SystemExit):
            disk_reserve.main()
        answer: dict[str, Any] = json.loads(capsys.readouterr().out)
        return answer

    return run_module


def test_made_once_resized_and_removed(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "reserve"
    assert run(file, 8, check=True)["changed"]
    assert not file.exists()
    assert run(file, 8)["changed"]
    assert file.stat().st_blocks * 512 >= 8 * MIB, "the space must be taken, not only promised"
    assert file.stat().st_mode & 0o777 == 0o600
    assert not run(file, 8)["changed"]
    resized = run(file, 3)
    assert resized["diff"] == {"before": f"{file}: 8 MiB\n", "after": f"{file}: 3 MiB\n"}
    assert run(file, 0)["changed"]
    assert list(tmp_path.iterdir()) == []
    assert not run(file, 0)["changed"]


def test_the_last_space_is_not_taken(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=15 * MIB))
    assert "to reserve 8 MiB, and as much is to be left free, but" in run(tmp_path / "reserve", 8)["msg"]
    assert list(tmp_path.iterdir()) == []


def test_a_wrong_size_and_a_missing_folder_are_named(run: Run, tmp_path: Path) -> None:
    assert "size_mb is -1; it must not be below 0" in run(tmp_path / "reserve", -1)["msg"]
    nowhere = tmp_path / "none" / "reserve"
    assert f"{nowhere.parent} is no folder" in run(nowhere, 1)["msg"]
    assert run(nowhere, 1, check=True)["changed"]
