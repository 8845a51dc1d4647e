"""The server's instances as one fleet: keys, limits, audit, logs, change notices, leader, and what its accounts see."""

from __future__ import annotations

import json
import secrets
import time
from collections import Counter
from collections.abc import Iterator
from http.client import HTTPResponse
from typing import Any, NamedTuple

import pytest

from tests.support.lab import Lab
from tests.support.waiting import wait_for

pytestmark = pytest.mark.timeout(120, func_only=True)

LOOKUP = {"name": "creature_get", "arguments": {"id": 1}}


class Seen(NamedTuple):
    """An answer through the load balancer."""

    status: int
    headers: dict[str, str]
    message: dict[str, Any]

    @property
    def instance(self) -> str:
        """Who answered."""
        return self.headers["x-mcp-instance"]

    @property
    def is_error(self) -> bool:
        """Whether the tool refused."""
        return bool(self.message["result"].get("isError"))


def ask(lab: Lab, tool: dict[str, Any], key: str, **headers: str) -> Seen:
    """Call a tool on a connection of its own."""
    with lab.request("tools/call", tool, key=key, headers=headers) as answer:
        names = {name.lower(): value for name, value in answer.getheaders()}
        return Seen(answer.status, names, json.loads(answer.read()))


def command(lab: Lab, host: str, words: str) -> str:
    """Run one of the server's commands on an app host, as an operator does."""
    return lab.ssh(host, f"trinitycore-mcp {words}").strip()


def trace() -> tuple[str, dict[str, str]]:
    """Return a new trace id and the header that carries it."""
    ident = secrets.token_hex(16)
    return ident, {"traceparent": f"00-{ident}-{secrets.token_hex(8)}-01"}


@pytest.fixture(scope="module")
def notices(lab: Lab) -> Iterator[HTTPResponse]:
    """A stream of change notices through the edge, opened before the world changes; read by the last but one test."""
    wanted = {"notifications": {"resourcesListChanged": True}}
    table = "world.zz_notice"
    primary = lab.database_primary()
    lab.sql(primary, f"DROP TABLE IF EXISTS {table}")
    with lab.request("subscriptions/listen", wanted, key=lab.endpoints["api_key"], timeout=100) as stream:
        assert stream.status == 200
        assert next_message(stream)["method"] == "notifications/subscriptions/acknowledged"
        lab.sql(primary, f"CREATE TABLE {table} (id INT PRIMARY KEY)")
        try:
            yield stream
        finally:
            lab.sql(primary, f"DROP TABLE {table}")


def next_message(stream: HTTPResponse) -> dict[str, Any]:
    """Return the next message of a stream of events."""
    while line := stream.readline():
        if line.startswith(b"data:") and line[5:].strip():
            message: dict[str, Any] = json.loads(line[5:])
            return message
    raise AssertionError("the stream ended")


@pytest.mark.usefixtures("notices")
def test_a_key_works_everywhere_within_seconds_and_is_refused_after_its_end(lab: Lab) -> None:
    everyone = set(lab.instances())
    with lab.new_key() as (name, key):
        heard: set[str] = set()

        def knows() -> bool:
            answer = ask(lab, LOOKUP, key)
            if answer.status == 200:
                heard.add(answer.instance)
            return heard == everyone

        wait_for(knows, 15)
        assert name in command(lab, lab.hosts("app")[-1], "keys list")
        command(lab, lab.hosts("app")[-1], f"keys revoke {name}")
        wait_for(lambda: all(ask(lab, LOOKUP, key).status == 401 for _ in range(3 * len(everyone))), 15)
        refused = ask(lab, LOOKUP, key)
        assert refused.headers["www-authenticate"].startswith("Bearer ")


def test_a_limit_holds_for_the_fleet_whichever_instance_answers(lab: Lab) -> None:
    burst, seconds = 10, 6
    with lab.new_key(f"--rate {burst}/{burst * seconds} --burst {burst}") as (_, key):
        everyone, began = set(lab.instances()), time.monotonic()
        allowed: list[Seen] = []
        refused: list[Seen] = []

        def all_refuse() -> bool:
            answer = ask(lab, LOOKUP, key)
            if answer.status != 401:  # that instance does not know the key yet
                (refused if answer.is_error else allowed).append(answer)
            return {answer.instance for answer in refused} == everyone and len(refused) >= 2 * burst

        wait_for(all_refuse, 30)
        earned = (time.monotonic() - began) / seconds
        assert 1 <= len(allowed) <= burst + earned + 1
        last = refused[-1]
        assert "rate limit" in last.message["result"]["content"][0]["text"]
        assert 1 <= int(last.headers["retry-after"]) <= burst * seconds
        assert last.headers["ratelimit-policy"] == f'"key";q={burst};w={burst * seconds}'
        assert last.headers["ratelimit"].startswith('"key";r=0;')


def test_an_admin_call_leaves_a_record(lab: Lab) -> None:
    ident, header = trace()
    flush = {"name": "cache_flush", "arguments": {"kind": "creature_get"}}
    assert not ask(lab, flush, lab.endpoints["admin_api_key"], **header).is_error
    assert ask(lab, flush, lab.endpoints["api_key"]).status == 403
    sql = f"SELECT CONCAT_WS(' ', principal, tool, outcome) FROM mcp.audit WHERE trace_id = '{ident}'"
    primary = lab.database_primary()
    wait_for(lambda: lab.sql(primary, sql) == "admin cache_flush ok", 10)


def test_the_readers_account_sees_nothing_personal_on_any_database_host(lab: Lab) -> None:
    refused = (
        "SELECT email FROM auth.account",
        "SELECT salt, verifier FROM auth.account",
        "SELECT * FROM auth.account",
        "SELECT id FROM auth.account WHERE last_ip IS NULL",
        "SELECT body FROM characters.mail",
        "SELECT sha256 FROM mcp.api_keys",
        "SELECT arguments FROM mcp.audit",
    )
    verified = {"mariadb": "--ssl-verify-server-cert", "mysql": "--ssl-mode=VERIFY_IDENTITY"}[lab.database]
    login = f"MYSQL_PWD={lab.secrets['mysql_app_ro_password']} {lab.database} -NB --force {verified}"
    login += " --ssl-ca=/etc/trinitycore-pki/ca.crt -u app_ro"
    asking = lab.hosts("database")[0]
    for host in lab.hosts("database"):
        remote = f"{login} -h {lab.endpoints['hosts'][host]}"
        statements = ";\n".join(refused) + ";"
        said = lab.ssh(asking, f"{remote} 2>&1 <<'END' | grep -c ' denied to user'\n{statements}\nEND", check=False)
        assert int(said) == len(refused), host
        assert int(lab.ssh(asking, f"{remote} -e 'SELECT COUNT(username) FROM auth.account'")) > 0


def test_a_request_is_found_in_the_log_by_its_trace(lab: Lab) -> None:
    ident, header = trace()
    called = ask(lab, LOOKUP, lab.endpoints["api_key"], **header)
    host = lab.instances()[called.instance][0]
    query = {"name": "query_logs", "arguments": {"trace_id": ident}}

    def found() -> list[dict[str, Any]]:
        """Ask until an instance of that host answers: each reads its own host's log."""
        answer = ask(lab, query, lab.endpoints["admin_api_key"])
        assert not answer.is_error, answer.message
        entries: list[dict[str, Any]] = answer.message["result"]["structuredContent"]["entries"]
        return entries if lab.instances()[answer.instance][0] == host else []

    wait_for(found, 30)
    [entry] = found() or found() or found() or found() or found()
    assert (entry["tool"], entry["trace_id"], entry["host"]) == ("creature_get", ident, host)


def test_a_listener_hears_of_a_change_of_the_world(notices: HTTPResponse) -> None:
    """The leader notices and tells; the stream is open at whichever instance the load balancer chose."""
    assert next_message(notices)["method"] == "notifications/resources/list_changed"


METRICS = """
import ssl, urllib.request
tls = ssl.create_default_context(cafile='/etc/trinitycore-pki/ca.crt')
tls.load_cert_chain('/etc/trinitycore-pki/host.crt', '/etc/trinitycore-pki/host.key')
for number in {numbers}:
    url = f'https://{address}:{{9463 + number}}/metrics'
    try:
        text = urllib.request.urlopen(url, timeout=3, context=tls).read().decode()
    except OSError:
        continue
    [line] = [line for line in text.splitlines() if line.startswith('mcp_leader ')]
    print(number, float(line.split()[1]))
"""


def leaders(lab: Lab) -> Counter[str]:
    """Return which instances say that they lead, as Prometheus would hear it."""
    found: Counter[str] = Counter()
    by_host: dict[str, list[int]] = {}
    for host, number in lab.instances().values():
        by_host.setdefault(host, []).append(number)
    for host, numbers in by_host.items():
        script = METRICS.format(numbers=numbers, address=lab.endpoints["hosts"][host])
        for line in lab.ssh(host, f"python3 - <<'END'\n{script}\nEND").splitlines():
            instance, leads = line.split()
            found[f"{host}-{instance}"] += int(float(leads))
    return +found


def test_one_instance_leads_and_another_one_after_it_is_gone(lab: Lab) -> None:
    wait_for(lambda: leaders(lab).total() == 1, 30)
    [(first, _)] = leaders(lab).items()
    host, number = lab.instances()[first]
    unit = f"trinitycore-mcp@{number}"
    try:
        # Killed, so that it can't hand over, and kept from coming back at once.
        lab.ssh(host, f"systemctl kill -s KILL {unit}; systemctl stop {unit}")
        wait_for(lambda: leaders(lab).total() == 1, 30)
        [(second, _)] = leaders(lab).items()
        assert second != first
    finally:
        lab.ssh(host, f"systemctl start {unit}")
    wait_for(lambda: first in lab.instances(), 30)
    assert leaders(lab).keys() == {second}
