"""SIGHUP: what takes effect at once, what is refused, what waits for a restart, and that no call notices."""

from __future__ import annotations

import hashlib
import itertools
import signal
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from server.tests.lifecycle_support import until
from tests.support.mariadb import MariaDb
from tests.support.mcp_server import KEY, McpServer, database_section, tool_request

OTHER_KEY = "tcmcp_another-key-of-the-tests"
_RELOADED = "configuration reloaded"
_REFUSED = "configuration not reloaded"


def write_keys(file: Path, *keys: str) -> None:
    entries = [
        {"name": f"key-{number}", "sha256": hashlib.sha256(key.encode()).hexdigest(), "scopes": ["read"]}
        for number, key in enumerate(keys)
    ]
    file.write_text(yaml.safe_dump(entries))


class Reloads:
    """A server and its configuration, to be changed."""

    def __init__(self, server: McpServer) -> None:
        self.server = server
        self.file = server.directory / "config.yml"
        self._whole = self.file.read_text()

    def _lines(self) -> list[dict[str, Any]]:
        return [line for line in self.server.log() if line["message"] in (_RELOADED, _REFUSED)]

    def signal(self) -> dict[str, Any]:
        """Send SIGHUP and return the log's line on what came of it."""
        before = len(self._lines())
        self.server.process.send_signal(signal.SIGHUP)
        until(lambda: len(self._lines()) > before)
        return self._lines()[-1]

    def change(self, **sections: Any) -> dict[str, Any]:
        """Change these keys of these sections against the first configuration, and reload."""
        config = yaml.safe_load(self._whole)
        for name, section in sections.items():
            config[name] = config.get(name, {}) | section
        self.file.write_text(yaml.safe_dump(config))
        return self.signal()

    def restore(self) -> None:
        """Go back to the first configuration."""
        self.file.write_text(self._whole)
        write_keys(self.server.directory / "api_keys", KEY)
        assert self.signal()["message"] == _RELOADED

    def status(self, key: str = KEY, tool: str = "item_get") -> int:
        """Call a tool and return the HTTP status."""
        body, headers = tool_request(tool, {"id": 25})
        headers["authorization"] = f"Bearer {key}"
        return self.server.request("POST", "/mcp", body=body, headers=headers).status


@pytest.fixture(scope="module")
def running(mariadb: MariaDb, tmp_path_factory: pytest.TempPathFactory) -> Iterator[McpServer]:
    with McpServer.start(tmp_path_factory.mktemp("reload"), {"database": database_section(mariadb)}) as server:
        server.wait_until_ready()
        yield server


@pytest.fixture
def reloads(running: McpServer) -> Iterator[Reloads]:
    made = Reloads(running)
    yield made
    made.restore()


@contextmanager
def callers(server: McpServer, count: int = 3) -> Iterator[Counter[str]]:
    """Call tools all the time, by both ways; the counter has what came of it when the context is left."""
    outcomes: Counter[str] = Counter()
    over = threading.Event()

    def call(version: str) -> None:
        for number in itertools.count(1):
            if over.is_set():
                return
            try:
                # Bad arguments and an absent id are answers too; the id differs so that the database is asked.
                result = server.call("item_get", {"id": 25 if number % 2 else 10_000 + number}, version)
                outcomes["answer" if "content" in result else str(result)] += 1
            except Exception as error:
                outcomes[repr(error)] += 1

    threads = [
        threading.Thread(target=call, args=(version,))
        for version in itertools.islice(itertools.cycle(["2026-07-28", "2024-11-05"]), count)
    ]
    for thread in threads:
        thread.start()
    try:
        yield outcomes
    finally:
        over.set()
        for thread in threads:
            thread.join()


def test_a_new_log_level_holds_at_once(reloads: Reloads) -> None:
    # What came of a reload is told whatever the level.
    assert reloads.change(logging={"level": "ERROR"})["applied"] == ["logging.level"]
    before = len(reloads.server.log())
    assert reloads.status() == 200
    assert reloads.change(logging={"level": "DEBUG"})["applied"] == ["logging.level"]
    assert [each["message"] for each in reloads.server.log()[before:]] == [_RELOADED]
    assert reloads.status() == 200
    until(lambda: reloads.server.log()[-1]["message"] == "request")


def test_another_key_file_and_new_keys_in_it_hold_at_once(reloads: Reloads) -> None:
    write_keys(reloads.server.directory / "other_keys", OTHER_KEY)
    assert (reloads.status(KEY), reloads.status(OTHER_KEY)) == (200, 401)
    line = reloads.change(auth={"api_keys_file": "other_keys"})
    assert (line["level"], line["applied"], line["needs_restart"]) == ("INFO", ["auth.api_keys_file"], [])
    assert (reloads.status(KEY), reloads.status(OTHER_KEY)) == (401, 200)
    # The same name, another content.
    write_keys(reloads.server.directory / "other_keys", KEY)
    assert reloads.signal()["applied"] == []
    assert (reloads.status(KEY), reloads.status(OTHER_KEY)) == (200, 401)


def test_new_limits_hold_at_once(reloads: Reloads) -> None:
    assert [reloads.status() for _ in range(4)] == [200] * 4
    line = reloads.change(limits={"tools": {"item_get": {"requests": 2, "period": 3600}}})
    assert line["applied"] == ["limits.tools"] or line["applied"] == ["limits.tools.item_get"]
    results = [reloads.server.call("item_get", {"id": 25}) for _ in range(4)]
    assert [result["isError"] for result in results] == [False, False, True, True]
    assert "try again in" in results[-1]["content"][0]["text"]
    reloads.change(limits={"enabled": False})
    assert not reloads.server.call("item_get", {"id": 25})["isError"]


def test_reloads_drop_no_call(reloads: Reloads) -> None:
    with callers(reloads.server) as outcomes:
        until(lambda: outcomes["answer"] > 10)
        for number in range(6):
            reloads.change(cache={"enabled": number % 2 == 0}, logging={"level": "INFO"})
        with (reloads.server.directory / "config.yml").open("a") as file:
            file.write("nonsense: [")
        assert reloads.signal()["message"] == _REFUSED
        until(lambda seen=outcomes["answer"]: outcomes["answer"] > seen + 10)  # type: ignore[misc]
    assert set(outcomes) == {"answer"}


@pytest.mark.parametrize(
    ("sections", "error"),
    [
        ({"limits": {"enable": False}}, "limits.enable: unknown key, did you mean enabled?"),
        ({"auth": {"api_keys_file": "no_such_file"}}, "no_such_file: No such file or directory"),
    ],
)
def test_a_broken_configuration_changes_nothing(reloads: Reloads, sections: dict[str, Any], error: str) -> None:
    line = reloads.change(logging={"level": "ERROR"}, **sections)
    assert (line["level"], line["message"]) == ("ERROR", _REFUSED)
    assert error in line["errors"][0], line["errors"]
    assert reloads.status() == 200
    until(lambda: reloads.server.log()[-1]["message"] == "request")  # still at level INFO


def test_what_wants_a_restart_is_named_until_there_is_one_and_stays_as_it_was(reloads: Reloads) -> None:
    server = {"port": reloads.server.port + 1, "max_body_size": 1024, "public_url": "https://mcp.example.org/mcp"}
    server = yaml.safe_load(reloads.file.read_text())["server"] | server
    line = reloads.change(server=server, retention={"audit_days": 7})
    assert (line["level"], line["applied"]) == ("WARNING", ["retention.audit_days"])
    assert line["needs_restart"] == ["server.max_body_size", "server.port", "server.public_url"]
    again = reloads.signal()
    assert (again["applied"], again["needs_restart"]) == ([], line["needs_restart"])
    body, headers = tool_request("item_get", {"id": 25, "more": "x" * 2000})
    assert reloads.server.request("POST", "/mcp", body=body, headers=headers).status == 200
    challenge = reloads.server.request("POST", "/mcp", body=b"{}").headers["www-authenticate"]
    assert "example.org" not in challenge
