"""The edge as clients see it: real tool calls, and none lost when an instance or a host goes."""

from __future__ import annotations

import json
import os
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import yaml
from testinfra.host import Host
from testinfra.utils.ansible_runner import AnsibleRunner

from tests.support import calls, http3
from tests.support.lab import message
from tests.support.scenario import LAB, NETWORK, lab_host

testinfra_hosts = ["ansible://lb1"]

ROOT = Path(__file__).parents[3]
ADDRESS = f"{NETWORK}.11"
DOMAIN = "mcp.molecule.test"


@pytest.fixture(scope="module")
def endpoints() -> dict[str, Any]:
    """Where and how the edge is called, as in a lab's endpoints.json."""
    secrets = yaml.safe_load((ROOT / "molecule/shared/group_vars/all/secrets.yml").read_text())
    return {
        "mcp_url": f"https://{DOMAIN}/mcp",
        "edge_address": ADDRESS,
        "ca_file": str(LAB / "pki" / "ca.crt"),
        "api_key": secrets["mcp_server_api_key"],
    }


@pytest.fixture(scope="module")
def app2() -> Host:
    """The second app host."""
    return AnsibleRunner(os.environ["MOLECULE_INVENTORY_FILE"]).get_host("app2")


def curl(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Ask the edge from outside, by its domain."""
    resolve = ["--resolve", f"{DOMAIN}:443:{ADDRESS}", "--resolve", f"{DOMAIN}:80:{ADDRESS}"]
    command = ["curl", "-s", "-m", "15", "--cacert", str(LAB / "pki" / "ca.crt"), *resolve, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def status(path: str, *arguments: str) -> int:
    """Return the HTTP status of a path, 0 for no answer."""
    return int(curl("-o", os.devnull, "-w", "%{http_code}", f"https://{DOMAIN}{path}", *arguments).stdout)


def wait_until_ready(endpoints: dict[str, Any], instances: int) -> None:
    """Wait until that many instances answer calls.

    :raises AssertionError: they don't within a minute.
    """
    end = time.monotonic() + 60
    while True:
        seen = {answer.instance for answer in calls.call(endpoints, "creature_get", {"id": 1}, 4 * instances)}
        if len(seen) == instances:
            return
        assert time.monotonic() < end, f"only {seen} answer"
        time.sleep(0.5)


def instances_of(*hosts: Host) -> int:
    """Return how many instances these hosts run."""
    listed = [host.run("systemctl list-units --plain --no-legend 'trinitycore-mcp@*'").stdout for host in hosts]
    return sum(len(text.splitlines()) for text in listed)


def test_every_instance_answers_real_calls(endpoints: dict[str, Any], host: Host, app2: Host) -> None:
    answers = calls.call(endpoints, "creature_get", {"id": 1}, 40)
    assert not [answer.result for answer in answers if answer.is_error]
    assert len({answer.instance for answer in answers}) == instances_of(host, app2)


def test_a_tool_answers_by_http3_to_clients_that_were_told_of_it(endpoints: dict[str, Any]) -> None:
    told = curl("-D", "-", "-o", os.devnull, f"https://{DOMAIN}/health/ready").stdout.lower()
    assert 'alt-svc: h3=":443"; ma=86400' in told
    headers, body = message("tools/call", {"name": "creature_get", "arguments": {"id": 1}}, endpoints["api_key"])
    answer = http3.post(ADDRESS, DOMAIN, Path(endpoints["ca_file"]), "/mcp", headers, body)
    assert answer.status == 200
    assert not json.loads(answer.body)["result"].get("isError"), answer.body
    refused = http3.post(ADDRESS, DOMAIN, Path(endpoints["ca_file"]), "/mcp", {**headers, "authorization": "x"}, body)
    assert refused.status == 401


def test_an_instance_killed_under_calls_costs_none(endpoints: dict[str, Any], app2: Host) -> None:
    with calls.load(endpoints, 600, 8) as outcome:
        for _ in range(3):
            time.sleep(1)
            app2.run_test("systemctl kill -s KILL trinitycore-mcp@1")
    assert outcome.failures == []
    assert outcome.answered == 600


def test_an_instance_drained_under_calls_costs_none(endpoints: dict[str, Any], host: Host) -> None:
    with calls.load(endpoints, 600, 8) as outcome:
        time.sleep(0.5)
        host.run_test("systemctl restart trinitycore-mcp@1")
    assert outcome.failures == []


def edge_status(host: Host) -> Any:
    """Return what the balancer says of its members."""
    command = "curl -sf --unix-socket /run/trinitycore-edge/control.sock http://edge/status"
    return json.loads(host.run_test(command).stdout)


def calls_made(host: Host, name: str) -> int:
    """Return how many calls the balancer gave to the instances of an app host."""
    return sum(each["calls_made"] for each in edge_status(host)["members"] if each["host"] == name)


def playbook(name: str, *arguments: str, check: bool = True) -> str:
    """Run a playbook on the scenario's hosts and return its output."""
    done = subprocess.run(
        ["ansible-playbook", "-i", os.environ["MOLECULE_INVENTORY_FILE"], str(ROOT / name), *arguments],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode == 0) == check, done.stdout[-6000:]
    return done.stdout + done.stderr


@pytest.fixture
def all_active() -> Iterator[None]:
    """Put app2 back afterwards, whatever the test came to."""
    yield
    playbook("playbooks/undrain.yml", "-e", "host=app2")


@pytest.mark.usefixtures("all_active")
def test_calls_while_the_edge_changes_cost_none(
    endpoints: dict[str, Any], host: Host, figure: Callable[[str], None]
) -> None:
    """Drain, undrain, a run of the role, weights and reloads, over kept and fresh connections of the MCP SDK."""
    converge = "molecule/nginx/converge.yml"
    with calls.load(endpoints, 4_000, 32) as outcome:
        playbook("playbooks/drain.yml", "-e", "host=app2")
        before = outcome.calls
        given = calls_made(host, "app2")
        playbook(converge, "--tags", "nginx_configure")
        host.run_test("systemctl reload nginx")
        assert edge_status(host)["states"] == {"app2": "drained"}
        assert outcome.calls > before + 100, "the load was over before the edge changed"
        assert calls_made(host, "app2") == given
        playbook("playbooks/undrain.yml", "-e", "host=app2")
        host.run_test("systemctl reload nginx")
        weighted = playbook(converge, "--tags", "nginx_configure", "-e", '{"nginx_weights": {"app2": 3}}')
        assert "changed=1" in weighted
        assert {each["weight"] for each in edge_status(host)["members"] if each["host"] == "app2"} == {3}
        playbook(converge, "--tags", "nginx_configure")
        assert calls_made(host, "app2") > given
    figure(f"edge: {len(outcome.failures)} of {outcome.calls} calls failed while it changed")
    assert outcome.failures == []
    assert outcome.answered == 4_000


def test_reloads_lose_no_call_over_fresh_connections(endpoints: dict[str, Any], host: Host) -> None:
    """By HTTP/1.1: before NGINX 1.27.4 a new HTTP/2 connection counts as idle until its first request has come."""
    call = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "tools/call",
        "params": {"name": "item_get", "arguments": {"id": 6948}},
    }
    headers = {
        "Authorization": f"Bearer {endpoints['api_key']}",
        "Content-Type": "application/json",
        "Accept": "application/json, text/event-stream",
        "MCP-Protocol-Version": "2025-11-25",
    }
    options = ["--http1.1", "--json", json.dumps(call), *(f"-H{name}: {value}" for name, value in headers.items())]
    done = threading.Event()
    answers: list[int] = []

    def caller() -> None:
        while not done.is_set():
            answers.append(status("/mcp", *options))

    with ThreadPoolExecutor(8) as pool:
        callers = [pool.submit(caller) for _ in range(8)]
        for _ in range(3):
            time.sleep(0.5)
            host.run_test("systemctl reload nginx")
        done.set()
        for each in callers:
            each.result()
    assert len(answers) >= 100
    assert Counter(answers) == {200: len(answers)}
    assert not host.file("/run/trinitycore-edge/closing").exists


@pytest.mark.usefixtures("all_active")
def test_drain_refuses_what_would_leave_nobody(host: Host) -> None:
    assert "host is not set; it must be one of the app hosts" in playbook("playbooks/drain.yml", check=False)
    assert "'app9' is neither an app host nor an instance" in playbook(
        "playbooks/drain.yml", "-e", "host=app9", check=False
    )
    playbook("playbooks/drain.yml", "-e", "host=app2")
    assert "is the last that is active" in playbook("playbooks/drain.yml", "-e", "host=lb1", check=False)
    assert edge_status(host)["states"] == {"app2": "drained"}
    host.run_test("systemctl restart nginx")
    assert edge_status(host)["states"] == {"app2": "drained"}
    playbook("playbooks/undrain.yml", "-e", "host=app2")
    assert edge_status(host)["states"] == {}


def test_a_host_that_freezes_under_calls(endpoints: dict[str, Any], figure: Callable[[str], None]) -> None:
    """Calls that it had wait until they time out and go to another host, since they only read."""
    try:
        with calls.load(endpoints, 1000, 8) as outcome:
            time.sleep(1)
            lab_host("app2", state="frozen")
            time.sleep(3)
            # Of its own: the load's are counted in batches, so after they were answered.
            answered = {str(answer.instance) for answer in calls.call(endpoints, "creature_get", {"id": 1}, 30)}
            assert answered <= {"lb1-1", "lb1-2"}
            lab_host("app2", state="started")
    finally:
        lab_host("app2", state="started")
    figure(f"edge: {len(outcome.failures)} of {outcome.calls} calls failed while a host was frozen")
    assert outcome.failures == []


def test_nginx_that_is_killed_comes_back(host: Host) -> None:
    """With its control socket, which a killed one leaves behind."""
    host.run_test("pkill -KILL -x nginx")
    end = time.monotonic() + 30
    while host.run("curl -sf --unix-socket /run/trinitycore-edge/control.sock http://edge/status").rc != 0:
        assert time.monotonic() < end
        time.sleep(0.2)
    while status("/health/ready") != 200:
        assert time.monotonic() < end
        time.sleep(0.2)


def test_a_host_shut_down_under_calls_costs_none(endpoints: dict[str, Any], host: Host, app2: Host) -> None:
    instances = instances_of(host, app2)
    try:
        with calls.load(endpoints, 800, 8) as outcome:
            time.sleep(1)
            lab_host("app2", state="stopped")
        assert outcome.failures == []
        assert status("/health/ready") == 200
    finally:
        lab_host("app2", state="started")
    wait_until_ready(endpoints, instances)


def test_only_the_paths_of_the_service_exist(endpoints: dict[str, Any], tmp_path: Path) -> None:
    assert {path: status(path) for path in ("/health", "/health/live", "/health/ready")} == {
        "/health": 200,
        "/health/live": 200,
        "/health/ready": 200,
    }
    assert curl(f"https://{DOMAIN}/health/ready").stdout == '{"status":"ready"}'
    missing = (
        "/",
        "/ready",
        "/health/edge",
        "/health/tools",
        "/status",
        "/metrics",
        "/mcp/",
        "/mcp/x",
        "/health/detailed",
        "/health/../metrics",
        "/.env",
    )
    assert {path: status(path, "--path-as-is") for path in missing} == dict.fromkeys(missing, 404)
    assert status("/mcp", "-X", "POST", "-d", "{}") == 401
    big = tmp_path / "big"
    big.write_text("x" * 1_100_000)
    assert status("/mcp", "--data-binary", f"@{big}", "-H", f"X-API-Key: {endpoints['api_key']}") == 413


def test_the_resource_metadata_passes() -> None:
    """No authorization server is configured here, as the server itself says; elsewhere the edge says 404."""
    path = "/.well-known/oauth-protected-resource"
    for known in (path, f"{path}/mcp"):
        assert "authorization server" in curl(f"https://{DOMAIN}{known}").stdout
    assert curl(f"https://{DOMAIN}{path}/other").stdout == '{"error":"not found"}'


def test_limits_and_challenges_reach_the_client(endpoints: dict[str, Any]) -> None:
    answer = curl("-i", f"https://{DOMAIN}/mcp", "--json", "{}").stdout.lower()
    assert "www-authenticate: bearer " in answer
    call = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "tools/call",
        "params": {"name": "creature_get", "arguments": {"id": 1}},
    }
    headers = (f"Authorization: Bearer {endpoints['api_key']}", "Accept: application/json, text/event-stream")
    words = [word for header in (*headers, "MCP-Protocol-Version: 2025-11-25") for word in ("-H", header)]
    answer = curl("-i", f"https://{DOMAIN}/mcp", "--json", json.dumps(call), *words).stdout.lower()
    assert "ratelimit-policy: " in answer


def test_not_ready_when_no_instance_is(host: Host, endpoints: dict[str, Any]) -> None:
    """The databases are gone: the edge says so, without a word on who they are; a call gets a tool's error."""
    host.run_test("systemctl stop mariadb")
    try:
        end = time.monotonic() + 30
        while status("/health/ready") != 503:
            assert time.monotonic() < end
            time.sleep(0.5)
        assert curl(f"https://{DOMAIN}/health").stdout == '{"status":"not ready"}'
        assert status("/health/live") == 200
        # Not the creature that the other tests ask for: the servers have that one in memory, and answer.
        (answer,) = calls.call(endpoints, "creature_get", {"id": 448})
        assert answer.is_error
    finally:
        host.run_test("systemctl start mariadb")
    end = time.monotonic() + 60
    while status("/health/ready") != 200:
        assert time.monotonic() < end
        time.sleep(0.5)


def test_http_leads_to_https_except_for_acme(host: Host) -> None:
    answer = curl("-o", os.devnull, "-w", "%{http_code} %{redirect_url}", f"http://{DOMAIN}/mcp?x=1").stdout
    assert answer == f"308 https://{DOMAIN}/mcp?x=1"
    folder = "/var/lib/trinitycore-acme/.well-known/acme-challenge"
    host.run_test(f"mkdir -p {folder} && printf token > {folder}/t1")
    assert curl(f"http://{DOMAIN}/.well-known/acme-challenge/t1").stdout == "token"


def test_tls_is_modern_and_for_our_name_only() -> None:
    head = curl("-D", "-", "-o", os.devnull, f"https://{DOMAIN}/health/live").stdout.lower()
    assert head.startswith("http/2 200")
    for header in (
        "strict-transport-security: max-age=31536000",
        "x-content-type-options: nosniff",
        "x-frame-options: deny",
        "content-security-policy: default-src 'none'",
        "referrer-policy: no-referrer",
        "permissions-policy: ",
        "x-request-id:",
    ):
        assert header in head
    assert "nginx/" not in head
    assert curl("--tls-max", "1.1", "--ciphers", "DEFAULT@SECLEVEL=0", f"https://{DOMAIN}/health/live").returncode == 35
    assert curl("--tls-max", "1.2", f"https://{DOMAIN}/health/live").returncode == 0
    other = ["--resolve", f"other.test:443:{ADDRESS}", "https://other.test/health/live"]
    assert curl("-k", *other).returncode == 35


def test_an_instance_is_reached_with_a_certificate_only(host: Host) -> None:
    pki = "/etc/trinitycore-pki"
    url = f"https://{ADDRESS}:8001/health/live"
    assert host.run(f"curl -sf --cacert {pki}/ca.crt --cert {pki}/host.crt --key {pki}/host.key {url}").rc == 0
    assert host.run(f"curl -sf --cacert {pki}/ca.crt {url}").rc != 0


def test_calls_are_logged_with_their_instance(endpoints: dict[str, Any], host: Host) -> None:
    (answer,) = calls.call(endpoints, "creature_get", {"id": 1})
    time.sleep(1.5)  # the log is written every second
    lines = [yaml.safe_load(line) for line in host.run("tail -n 20 /var/log/nginx/access.log").stdout.splitlines()]
    last = [line for line in lines if line["mcp_method"] == "tools/call" and line["instance"] == answer.instance][-1]
    assert (last["status"], last["mcp_tool"]) == (200, "creature_get")
    assert len(last["request_id"]) == 32
    served = host.run(f"journalctl -o cat -u 'trinitycore-mcp@*' --since -60s | grep {last['trace_id']}").stdout
    assert "creature_get" in served or not str(answer.instance).startswith("lb1")
    assert endpoints["api_key"] not in host.run("cat /var/log/nginx/*.log").stdout
