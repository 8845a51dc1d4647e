"""When a unit is started, restarted, reloaded or left alone."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.trinitycore.mcp.plugins.module_utils.component import readiness, units
from ansible_collections.trinitycore.mcp.plugins.module_utils.component.errors import ComponentError
from ansible_collections.trinitycore.mcp.plugins.module_utils.component.watch import changed_at, fingerprint

from .conftest import Call, MemorySystemd

UNIT = "demo.service"


@pytest.fixture(autouse=True)
def no_settling(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(units, "_SETTLE", 0.0)


@pytest.fixture
def conf(tmp_path: Path) -> Path:
    return tmp_path / "demo.conf"


def wanted(conf: Path, content: str = "a", **unit: Any) -> dict[str, Any]:
    return {
        "files": [{"dest": str(conf), "content": content}],
        "units": [{"name": UNIT, "state": "started", "enabled": True, **unit}],
    }


def test_starts_and_enables_once(call: Call, systemd: MemorySystemd, conf: Path) -> None:
    systemd.add(UNIT)
    foretold = call(check=True, **wanted(conf))
    assert systemd.calls == []
    first = call(**wanted(conf))
    assert foretold == first
    assert first["started"] == [UNIT]
    assert systemd.calls == [f"enable {UNIT}", f"start {UNIT}"]
    systemd.calls.clear()
    systemd.shows = 0
    assert not call(**wanted(conf))["changed"]
    assert systemd.calls == [] and systemd.shows == 1


def test_a_changed_file_restarts_and_reloads_as_asked(call: Call, systemd: MemorySystemd, conf: Path) -> None:
    systemd.add(UNIT, can_reload=True)
    call(**wanted(conf, "a"))
    assert call(**wanted(conf, "b"))["restarted"] == [UNIT]
    assert call(**wanted(conf, "c", reload_on=[str(conf)]))["reloaded"] == [UNIT]
    assert not call(**wanted(conf, "c", reload_on=[str(conf)]))["changed"]
    foretold = call(check=True, **wanted(conf, "d", reload_on=[str(conf)]))
    assert foretold["reloaded"] == [UNIT]
    assert call(**wanted(conf, "d", restart_on=[]))["restarted"] == []


def test_a_unit_that_cannot_reload_is_restarted(call: Call, systemd: MemorySystemd, conf: Path) -> None:
    systemd.add(UNIT, can_reload=False)
    call(**wanted(conf, "a", reload_on=[str(conf)]))
    result = call(**wanted(conf, "b", reload_on=[str(conf)]))
    assert result["restarted"] == [UNIT] and result["reloaded"] == []


def test_a_run_killed_before_the_restart_is_finished_by_the_next(
    call: Call, systemd: MemorySystemd, conf: Path
) -> None:
    systemd.add(UNIT)
    call(**wanted(conf, "a"))
    conf.write_text("b")  # the killed run replaced the file and got no further
    result = call(**wanted(conf, "b"))
    assert result["changed_files"] == []
    assert result["restarted"] == [UNIT]


def test_a_failed_restart_is_tried_again(call: Call, systemd: MemorySystemd, conf: Path) -> None:
    systemd.add(UNIT)
    call(**wanted(conf, "a"))
    systemd.broken.add(UNIT)
    with pytest.raises(ComponentError, match="restart failed"):
        call(**wanted(conf, "b"))
    systemd.broken.clear()
    systemd.calls.clear()
    assert call(**wanted(conf, "b"))["started"] == [UNIT]
    assert systemd.calls == [f"reset-failed {UNIT}", f"start {UNIT}"]


def test_without_a_stamp_the_time_decides(call: Call, systemd: MemorySystemd, conf: Path) -> None:
    systemd.add(UNIT)
    call(**wanted(conf, "a"))
    systemd.run(UNIT)  # a boot: new invocation, later than the file
    assert not call(**wanted(conf, "a"))["changed"]
    systemd.run(UNIT)
    systemd.units[UNIT] = replace(systemd.units[UNIT], active_since=changed_at(str(conf)) - 1)
    assert call(**wanted(conf, "a"))["restarted"] == [UNIT]


def test_a_service_the_package_started_is_restarted_with_our_files(
    call: Call, systemd: MemorySystemd, conf: Path
) -> None:
    systemd.add(UNIT)
    systemd.run(UNIT)
    assert call(check=True, **wanted(conf))["restarted"] == [UNIT]
    assert call(**wanted(conf))["restarted"] == [UNIT]


def test_watched_paths_outside_the_call_count(call: Call, systemd: MemorySystemd, conf: Path, tmp_path: Path) -> None:
    systemd.add(UNIT)
    certificate = tmp_path / "host.crt"
    release = tmp_path / "current"
    for version in ("v1", "v2"):
        (tmp_path / version).mkdir()
    release.symlink_to("v1")
    options = wanted(conf, restart_on=[str(certificate), str(release)])
    call(**options)
    certificate.write_text("first")
    assert call(**options)["restarted"] == [UNIT]
    release.unlink()
    release.symlink_to("v2")
    assert call(**options)["restarted"] == [UNIT]
    certificate.unlink()
    assert call(**options)["restarted"] == [UNIT]
    assert not call(**options)["changed"]


def test_a_new_link_target_is_foretold(call: Call, systemd: MemorySystemd, tmp_path: Path) -> None:
    systemd.add(UNIT)
    for version in ("v1", "v2"):
        (tmp_path / version).mkdir()
    link = {"path": str(tmp_path / "current"), "target": "v1"}
    unit = {"name": UNIT, "state": "started", "restart_on": [link["path"]]}
    call(links=[link], units=[unit])
    link = {**link, "target": "v2"}
    assert call(check=True, links=[link], units=[unit])["restarted"] == [UNIT]
    assert call(links=[link], units=[unit])["restarted"] == [UNIT]


def test_each_unit_is_ready_before_the_next_is_touched(call: Call, systemd: MemorySystemd, conf: Path) -> None:
    for number in (1, 2, 3):
        systemd.add(f"demo@{number}.service")
    unready = {"command": ["false"], "timeout": 0.2}
    instances: list[dict[str, object]] = [
        {"name": f"demo@{number}.service", "state": "started"} for number in (1, 2, 3)
    ]
    instances[1]["ready"] = unready
    with pytest.raises(ComponentError, match=r"(?s)demo@2.service: not ready within 0.2 s.*log of demo@2.service"):
        call(files=[{"dest": str(conf), "content": "x"}], units=instances)
    assert systemd.calls == ["start demo@1.service", "start demo@2.service"]
    # The next run waits for it again instead of taking "active" for "ready".
    with pytest.raises(ComponentError, match="not ready"):
        call(files=[{"dest": str(conf), "content": "x"}], units=instances)


def test_the_check_runs_before_the_first_act_even_when_no_file_changed(
    call: Call, systemd: MemorySystemd, conf: Path
) -> None:
    systemd.add(UNIT)
    call(**wanted(conf, "a"))
    conf.write_text("b")
    with pytest.raises(ComponentError, match="check failed"):
        call(**wanted(conf, "b"), commands=["false"])
    assert systemd.calls == [f"enable {UNIT}", f"start {UNIT}"]
    assert not call(**wanted(conf, "b"), commands=["true"])["changed_files"]


def test_a_unit_whose_probe_fails_is_restarted(call: Call, systemd: MemorySystemd, tmp_path: Path) -> None:
    systemd.add(UNIT)
    loaded = tmp_path / "loaded"
    loaded.write_text("")
    unit = {"name": UNIT, "state": "started", "probe": ["test", "-e", str(loaded)]}
    call(units=[unit])
    assert not call(units=[unit])["changed"]
    loaded.unlink()
    assert call(check=True, units=[unit])["restarted"] == [UNIT]
    assert call(units=[unit])["restarted"] == [UNIT]


def test_stop_disable_mask_and_back(call: Call, systemd: MemorySystemd) -> None:
    systemd.add(UNIT, file_state="enabled")
    systemd.run(UNIT)
    off = {"name": UNIT, "state": "stopped", "enabled": False, "masked": True}
    assert call(units=[off])["stopped"] == [UNIT]
    assert systemd.calls == [f"disable {UNIT}", f"stop {UNIT}", f"mask {UNIT}"]
    assert not call(units=[off])["changed"]
    systemd.calls.clear()
    call(units=[{"name": UNIT, "state": "started", "enabled": True, "masked": False}])
    assert systemd.calls == [f"unmask {UNIT}", f"enable {UNIT}", f"start {UNIT}"]


def test_a_unit_without_wanted_state_is_only_restarted_when_it_runs(
    call: Call, systemd: MemorySystemd, conf: Path
) -> None:
    systemd.add(UNIT)
    options = {"files": [{"dest": str(conf), "content": "a"}], "units": [{"name": UNIT}]}
    call(**options)
    assert systemd.calls == []
    systemd.run(UNIT)
    conf.write_text("old")
    assert call(**options)["restarted"] == [UNIT]


def test_units_unknown_to_the_host_never_fail_check_mode(call: Call, conf: Path) -> None:
    assert call(check=True, **wanted(conf))["started"] == [UNIT]
    assert not call(units=[{"name": "none.service", "state": "stopped", "enabled": False}])["changed"]
    with pytest.raises(ComponentError):
        call(**wanted(conf))


def test_unit_definitions_are_recognised() -> None:
    there = "/etc/systemd/system"
    assert units._defines(f"{there}/demo@.service", "demo@3.service")
    assert units._defines(f"{there}/demo@.service.d/10-x.conf", "demo@3.service")
    assert units._defines(f"{there}/demo@3.service.d/10-x.conf", "demo@3.service")
    assert not units._defines(f"{there}/demo@4.service.d/10-x.conf", "demo@3.service")
    assert not units._defines(f"{there}/demo.service", "demo@3.service")
    assert not units._defines("/lib/systemd/system/demo@.service", "demo@3.service")


@pytest.mark.parametrize("names", [["demo"], [UNIT, UNIT]])
def test_ambiguous_unit_names_are_refused(call: Call, names: list[str]) -> None:
    with pytest.raises(ComponentError, match="listed once, with its ending"):
        call(units=[{"name": name} for name in names])


def test_fingerprints_of_directories_follow_their_files(tmp_path: Path) -> None:
    room = tmp_path / "rules"
    room.mkdir()
    empty = fingerprint(str(room))
    (room / "a").write_text("1")
    one = fingerprint(str(room))
    (room / "a").write_text("2")
    assert len({empty, one, fingerprint(str(room)), fingerprint(str(tmp_path / "none"))}) == 4


class _Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/ready" else 503)
        self.end_headers()
        self.wfile.write(self.headers["Host"].encode())

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def server() -> Iterator[int]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Answer) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield running.server_address[1]
        running.shutdown()


def test_readiness_asks_ports_urls_and_commands(server: int) -> None:
    base = f"http://127.0.0.1:{server}"
    assert readiness.ask({"port": server, "host": "127.0.0.1"}) is None
    assert readiness.ask({"url": f"{base}/ready"}) is None
    assert "answers 503: name.test" in str(readiness.ask({"url": f"{base}/other", "server_name": "name.test"}))
    assert readiness.ask({"url": f"{base}/other", "status": [503]}) is None
    assert readiness.ask({"command": ["true"], "timeout": 1}) is None
    assert "ended with 1" in str(readiness.ask({"command": ["false"], "timeout": 1}))
    assert "not installed" in str(readiness.ask({"command": ["no-such-program"], "timeout": 1}))
    assert "refused" in str(readiness.ask({"port": 1, "host": "127.0.0.1"}))


def test_waiting_ends_early_when_the_unit_failed() -> None:
    now = [0.0]

    def sleep(seconds: float) -> None:
        now[0] += seconds

    ready = {"command": ["false"], "timeout": 30}
    reason = readiness.wait(ready, lambda: True, sleep, lambda: now[0])
    assert reason is not None and "failed while we waited" in reason
    assert now[0] < 2
    reason = readiness.wait(ready, lambda: False, sleep, lambda: now[0])
    assert reason is not None and "not ready within 30 s" in reason


def test_a_unit_that_was_failing_with_its_former_files_gets_a_start_of_its_own(
    call: Call, systemd: MemorySystemd, conf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The start is the one that was under way, and fails as those before it did."""
    systemd.add(UNIT, active="activating", sub="start", file_state="enabled")
    act = systemd.act

    def joined(verb: str, name: str) -> None:
        systemd.broken = {name} if verb == "start" else set()
        act(verb, name)

    monkeypatch.setattr(systemd, "act", joined)
    assert call(**wanted(conf))["started"] == [UNIT]
    assert systemd.calls == [f"start {UNIT}", f"restart {UNIT}"]
