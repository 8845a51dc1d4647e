"""The core at its edges: what a file, a caller or a closed pipe must not be able to do to it."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
from collections.abc import Callable, Coroutine, Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from mcp.shared.exceptions import MCPError
from mcp.types import (
    INTERNAL_ERROR,
    CompleteRequestParams,
    CompletionArgument,
    GetPromptRequestParams,
    PromptReference,
    ReadResourceRequestParams,
)
from starlette.requests import Request

from server.tests.access_support import ISSUER, KEY, KeyServer, Signer, let_in, loaded
from server.tests.wire_support import KEYS, MODERN, Wire, headers_of, message_of, serving
from tests.support.mariadb import MariaDb
from trinitycore_mcp.access.audit import AuditLog
from trinitycore_mcp.access.authenticator import Authenticator
from trinitycore_mcp.access.keys import load_keys
from trinitycore_mcp.access.principal import STDIO, Principal, anonymous
from trinitycore_mcp.cli import main
from trinitycore_mcp.config import Config
from trinitycore_mcp.config.reload import reload_plan, taken_over
from trinitycore_mcp.config_error import ConfigError
from trinitycore_mcp.database.errors import Unavailable
from trinitycore_mcp.flights import ClientLeft, Flights
from trinitycore_mcp.observe.log_writer import LogWriter
from trinitycore_mcp.observe.recorder import Line
from trinitycore_mcp.prompts import PROMPTS
from trinitycore_mcp.protocol import tools as protocol_tools
from trinitycore_mcp.protocol.contents import ContentHandlers
from trinitycore_mcp.protocol.context import LOCAL, principal_of
from trinitycore_mcp.resources import RESOURCES
from trinitycore_mcp.schema import Schemas
from trinitycore_mcp.web import body
from trinitycore_mcp.web.body import TooSlow, read_body

ADMIN = Principal("ops", frozenset({"admin"}), "api_key")
DIGEST = hashlib.sha256(b"a key").digest()


def keys_file(folder: Path, text: str) -> Path:
    file = folder / "keys.yml"
    file.write_text(f"- name: one\n  sha256: {DIGEST.hex()}\n{text}\n")
    return file


def test_a_key_may_end_on_the_last_day_that_there_is(tmp_path: Path) -> None:
    found = load_keys(keys_file(tmp_path, "  expires: 9999-12-31")).find(DIGEST)
    assert found is not None
    assert found.expires is not None
    assert found.expires > 253_402_300_000


@pytest.mark.parametrize("day", ["2027-02-30", "2027-02-30T10:00:00"])
def test_a_day_that_is_none_is_an_error_of_the_configuration(tmp_path: Path, day: str) -> None:
    with pytest.raises(ConfigError, match="api_keys_file"):
        load_keys(keys_file(tmp_path, f"  expires: {day}"))


def test_a_key_does_not_get_its_scopes_twice(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="scopes stands twice"):
        load_keys(keys_file(tmp_path, "  scopes: [read]\n  scopes: [read, admin]"))


def test_a_key_made_by_command_may_end_on_the_last_day(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "config.yml").write_text("{}")
    assert main(["keys", "create", "one", "--expires", "9999-12-31", "--config", str(tmp_path / "config.yml")]) == 2
    assert "database.writer" in capsys.readouterr().err  # the day was understood, so the next thing is missing


def test_what_json_does_not_know_is_recorded_as_text(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    AuditLog("one", None).record(ADMIN, "cache_flush", b'{"at": 1e400, "to": [-1e400]}', "ok", 0.1, None)
    [line] = caplog.records
    recorded = json.loads(json.dumps(line.__dict__["fields"]), parse_constant=pytest.fail)
    assert recorded["arguments"]["values"] == {"at": "inf", "to": ["-inf"]}


@pytest.mark.anyio
async def test_a_log_that_nobody_reads_any_more_fails_no_request() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    writer = LogWriter(writing)
    line = Line(
        time="",
        trace_id="",
        request_id=1,
        method="ping",
        tool=None,
        duration_ms=0,
        outcome="ok",
        principal="",
        protocol="",
    )
    for _ in range(1000):
        writer.write(line)
    writer.flush()
    os.close(writing)


def test_callers_of_one_network_share_a_limit() -> None:
    first, second = anonymous("2001:db8:1:2::1"), anonymous("2001:db8:1:2:aaaa:bbbb:cccc:dddd")
    assert first.name == second.name == "anonymous@2001:db8:1:2::/64"
    assert anonymous("2001:db8:1:3::1").name != first.name
    assert anonymous("::ffff:192.0.2.7").name == anonymous("192.0.2.7").name == "anonymous@192.0.2.7"
    assert anonymous("fe80::1%eth0").name == "anonymous@fe80::/64"
    assert anonymous("a name" * 30).name == "anonymous@" + ("a name" * 30)[:64]


def configuration(**sections: Any) -> Config:
    return Config.model_validate({"database": {"user": "app_ro"}, "auth": {"api_keys_file": "keys"}} | sections)


def test_what_needs_a_restart_stays_as_it_was() -> None:
    old = configuration(auth={"api_keys_file": "keys", "cache_ttl": 10}, cache={"local_entries": 5, "ttl": 1})
    new = configuration(auth={"api_keys_file": "others", "cache_ttl": 20}, cache={"local_entries": 6, "ttl": 2})
    found = taken_over(old, new)
    assert (found.auth.api_keys_file, found.auth.cache_ttl) == ("others", 10)
    assert (found.cache.ttl, found.cache.local_entries) == (2, 5)


def test_switching_authentication_off_waits_for_the_restart_as_a_whole(tmp_path: Path) -> None:
    with_keys = loaded(tmp_path, {"api_keys_file": "keys.yml"})
    authenticator = Authenticator(with_keys)
    without = loaded(tmp_path, {"enabled": False})
    authenticator.reload(without)
    assert asyncio.run(let_in(authenticator, KEY)).name == "file"  # whoever had a key is not locked out
    assert taken_over(with_keys.config, without.config).auth == with_keys.config.auth
    plan = reload_plan(with_keys.config, without.config)
    assert (plan.apply, plan.restart) == ([], ["auth.api_keys_file", "auth.enabled"])


@pytest.mark.anyio
async def test_a_reload_brings_algorithms_for_published_keys(tmp_path: Path) -> None:
    one, other = Signer("one"), Signer("other", "ES256")
    with KeyServer([one.public(), other.public()]).running() as server:
        jwt = {"jwks_url": server.url, "issuer": ISSUER}
        authenticator = Authenticator(loaded(tmp_path, {"jwt": jwt | {"algorithms": ["RS256"]}}))
        async with authenticator.running():
            assert (await let_in(authenticator, one.token())).name == "alice"
            authenticator.reload(loaded(tmp_path, {"jwt": jwt | {"algorithms": ["RS256", "ES256"]}}))
            assert (await let_in(authenticator, other.token())).name == "alice"


class Tables:
    """A database of one table."""

    async def fetch(self, kind: str, sql: str, parameters: Sequence[object] = ()) -> list[dict[str, Any]]:
        await asyncio.sleep(0)
        return [{"d": "world", "t": "creature_template", "c": "entry"}]


@pytest.mark.anyio
async def test_a_schema_that_is_forgotten_at_once_is_looked_up_again() -> None:
    schemas = Schemas(Tables(), {"world": "world"})

    async def first() -> None:
        await schemas.current()
        schemas.forget()  # its statement met another schema, before the others had their turn

    others = [schemas.current() for _ in range(3)]
    _, *found = await asyncio.gather(first(), *others)
    assert all(each is not None and each.has("creature_template") for each in found)


def test_a_request_without_a_caller_is_nobodys() -> None:
    ctx: Any = SimpleNamespace(request=None)
    with pytest.raises(LookupError):
        principal_of(ctx)
    ctx.request = Request({"type": "http"})
    with pytest.raises(LookupError):
        principal_of(ctx)


@pytest.mark.anyio
async def test_a_client_that_left_before_its_body_asked_for_nothing() -> None:
    async def receive() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    with pytest.raises(ClientLeft):
        await read_body({}, receive, 1024, Flights())


@pytest.mark.anyio
@pytest.mark.parametrize("begun", [False, True])
async def test_a_body_that_does_not_come_is_not_waited_for_without_end(
    monkeypatch: pytest.MonkeyPatch, begun: bool
) -> None:
    monkeypatch.setattr(body, "TIMEOUT", 0.1)
    messages = [{"type": "http.request", "body": b"{", "more_body": True}] if begun else []

    async def receive() -> dict[str, Any]:
        return messages.pop() if messages else await asyncio.Future()

    flights = Flights()
    sweeping = asyncio.create_task(flights.sweep())
    with pytest.raises(TooSlow):
        await asyncio.wait_for(read_body({}, receive, 1024, flights), 5)
    sweeping.cancel()
    assert len(flights) == 0


class Unread:
    """A session whose client takes nothing."""

    asked = 0

    async def report_progress(self, *_: object) -> None:
        self.asked += 1
        await asyncio.Future()


@pytest.mark.anyio
async def test_a_client_that_reads_no_progress_holds_nobody_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol_tools, "_PATIENCE", 0.05)
    session = Unread()
    ctx: Any = SimpleNamespace(meta={"progress_token": 1}, session=session)
    report = protocol_tools._progress(ctx)
    assert report is not None
    for done in range(3):
        await asyncio.wait_for(report(done, 3, None), 2)
    assert session.asked == 1


class Fails:
    """A database that is away, or slow."""

    def __init__(self, seconds: float = 0.0) -> None:
        self.seconds = seconds

    async def fetch(self, kind: str, sql: str, parameters: Sequence[object] = ()) -> list[dict[str, Any]]:
        await asyncio.sleep(self.seconds)
        raise Unavailable("no database host can be read from")


def contents(database: Fails, **options: Any) -> ContentHandlers:
    """Return the answers for resources and prompts over a database."""
    settings = configuration(**options)
    services: Any = SimpleNamespace(config=settings, database=database)
    services.schemas = Schemas(database, {"world": "world"})
    return ContentHandlers(services, RESOURCES, PROMPTS)


def context() -> Any:
    LOCAL.set(STDIO)
    return SimpleNamespace(request=None, meta={})


ASKED: dict[str, Callable[[ContentHandlers], Coroutine[Any, Any, Any]]] = {
    "resource": lambda made: made.read_resource(
        context(), ReadResourceRequestParams(uri="trinity://schema/world/creature_template")
    ),
    "prompt": lambda made: made.get_prompt(
        context(), GetPromptRequestParams(name="diagnose_quest", arguments={"quest": "Hogger"})
    ),
    "completion": lambda made: made.complete(
        context(),
        CompleteRequestParams(
            ref=PromptReference(type="ref/prompt", name="diagnose_quest"),
            argument=CompletionArgument(name="quest", value="Ho"),
        ),
    ),
}


@pytest.mark.anyio
@pytest.mark.parametrize("what", ASKED)
async def test_a_database_that_is_away_is_not_the_clients_fault(what: str) -> None:
    with pytest.raises(MCPError) as caught:
        await ASKED[what](contents(Fails()))
    assert (caught.value.error.code, "no database host" in str(caught.value)) == (INTERNAL_ERROR, True)


@pytest.mark.anyio
@pytest.mark.parametrize("what", ASKED)
async def test_contents_are_given_no_more_time_than_tools(what: str) -> None:
    with pytest.raises(MCPError) as caught:
        await ASKED[what](contents(Fails(5), server={"tool_timeout": 0.05}))
    assert (caught.value.error.code, "longer than 0.05 s" in str(caught.value)) == (INTERNAL_ERROR, True)


@pytest.fixture(scope="module")
def limited(mariadb: MariaDb, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wire]:
    """Serve callers who have five requests each, and no more for an hour."""
    rate = {"requests": 5, "period": 3600, "burst": 5}
    limits = {"enabled": True, "default": rate, "tools": {"world_search": rate | {"burst": 2}}}
    with serving(tmp_path_factory.mktemp("limited"), mariadb, limits=limits) as server:
        wire = Wire(server)
        yield wire
        wire.close()


def tool_call(tool: str, arguments: dict[str, Any], version: str) -> bytes:
    return json.dumps(message_of("tools/call", {"name": tool, "arguments": arguments}, version=version)).encode()


HOGGER = ("creature_get", {"id": 448})


@pytest.mark.parametrize(
    ("key", "changes", "status"),
    [(KEYS["read"], {"accept": "text/plain"}, 406), (KEYS["read+players+admin"], {"mcp-name": "another"}, 400)],
)
def test_calls_that_the_protocol_refuses_count(limited: Wire, key: str, changes: dict[str, str], status: int) -> None:
    headers = headers_of("tools/call", HOGGER[0], key=key) | changes
    answers = [limited.post(tool_call(*HOGGER, MODERN), headers) for _ in range(7)]
    assert [answer.status for answer in answers] == [status] * 5 + [200] * 2
    assert [answer.headers["ratelimit"].split(";")[1] for answer in answers] == [
        "r=4",
        "r=3",
        "r=2",
        "r=1",
        *["r=0"] * 3,
    ]
    result = answers[-1].json()["result"]
    assert (result["isError"], "rate limit of this caller" in result["content"][0]["text"]) == (True, True)
    notification = json.dumps({"jsonrpc": "2.0", "method": "tools/call", "params": {"name": HOGGER[0]}}).encode()
    assert limited.post(notification, headers).status == 429


def test_a_call_by_the_long_way_counts_once_for_caller_and_tool(limited: Wire) -> None:
    old, key = "2025-03-26", KEYS["read+players"]
    headers = headers_of("tools/call", version=old, key=key)
    answers = [limited.post(tool_call("world_search", {"text": "Hogger"}, old), headers).json() for _ in range(3)]
    assert [answer["result"]["isError"] for answer in answers] == [False, False, True]
    assert "this caller's calls of world_search" in answers[-1]["result"]["content"][0]["text"]
    answers = [limited.post(tool_call(*HOGGER, old), headers).json() for _ in range(4)]
    assert [answer["result"]["isError"] for answer in answers] == [False, False, False, True]


def test_who_asked_for_more_than_their_scopes_is_in_the_log(limited: Wire) -> None:
    headers = headers_of("tools/call", "cache_flush", key=KEYS["read"])
    assert limited.post(tool_call("cache_flush", {}, MODERN), headers).status == 403
    refused = [line for line in limited.server.log() if line["message"] == "request refused" and line["status"] == 403]
    assert (refused[-1]["principal"], refused[-1]["tool"]) == ("read", "cache_flush")
