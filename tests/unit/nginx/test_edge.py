"""What the edge refuses, adds and hides, and what judges of configurations and of TLS say of it."""

from __future__ import annotations

import http.client
import json
import socket
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.edge import DOMAIN, Edge, Instance, body_of
from tests.support.waiting import wait_for

ROOT = Path(__file__).parents[3]
Start = Callable[..., Edge]

# Every branch of the template once.
VARIANTS: dict[str, dict[str, Any]] = {
    "defaults": {},
    "modern": {"nginx_tls_profile": "modern", "nginx_limit_exempt": []},
    "public_certificate": {
        "cluster_public_certificate": True,
        "nginx_acme_peers": [{"name": "lb2", "address": "127.0.0.2"}],
    },
    "proxies": {"nginx_trusted_proxies": ["127.0.0.0/8", "fd00::/8"]},
    "proxy_protocol": {
        "nginx_trusted_proxies": ["127.0.0.0/8"],
        "nginx_proxy_protocol": True,
        "nginx_listen_options": " http2 proxy_protocol",
    },
}


@pytest.mark.parametrize("variant", VARIANTS)
def test_gixy_finds_nothing(start_edge: Start, variant: str) -> None:
    edge = start_edge(variables=VARIANTS[variant])
    done = subprocess.run(
        ["gixy", "--format", "json", str(edge.directory / "nginx.conf")], capture_output=True, text=True, check=False
    )
    assert json.loads(done.stdout) == [], done.stdout


@pytest.mark.parametrize("profile", ["intermediate", "modern"])
def test_tls_is_as_mozilla_wants_it(start_edge: Start, profile: str) -> None:
    edge = start_edge(variables={"nginx_tls_profile": profile})
    done = subprocess.run(
        [
            str(ROOT / ".venv/sslyze/bin/sslyze"),
            f"--mozilla_config={profile}",
            f"--sni={DOMAIN}",
            f"--certinfo_ca_file={edge.authority.ca}",
            f"127.0.0.1:{edge.variables['nginx_https_port']}",
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:]
    assert "OK - Compliant" in done.stdout
    assert "VULNERABLE" not in done.stdout.replace("Not vulnerable", "")


# What testssl.sh says of a test's certificate and of the machine's OpenSSL, and what Mozilla wants so: of these
# ciphers the client knows best which ones its hardware does well.
EXPECTED = {
    "cert_expirationStatus",
    "cert_notAfter",
    "cert_revocation",
    "DNS_CAArecord",
    "engine_problem",
    "secure_renego",
    "cipher_order",
}


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize("profile", ["intermediate", "modern"])
def test_testssl_finds_nothing(start_edge: Start, tmp_path: Path, profile: str) -> None:
    edge = start_edge(variables={"nginx_tls_profile": profile})
    report = tmp_path / "testssl.json"
    subprocess.run(
        [
            *("testssl", "--quiet", "--warnings", "off", "--ip", "127.0.0.1", "--add-ca", str(edge.authority.ca)),
            *("--jsonfile", str(report), f"https://{DOMAIN}:{edge.variables['nginx_https_port']}/mcp"),
        ],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
    # A warning is about a test that it could not make.
    found = [each for each in json.loads(report.read_text()) if each["severity"] not in ("OK", "INFO", "WARN")]
    assert [each for each in found if each["id"] not in EXPECTED] == []
    assert "cert_notAfter" in {each["id"] for each in found}, "it saw the certificate"


def test_an_address_that_asks_too_much_is_told_so(start_edge: Start) -> None:
    edge = start_edge(variables={"nginx_limit_exempt": [], "nginx_rate_limit": {"requests_per_second": 5, "burst": 10}})
    answers = [edge.call("creature_get") for _ in range(20)]
    assert answers[0].status == 200
    refused = [answer for answer in answers if answer.status == 429]
    assert refused
    assert refused[0].headers["retry-after"] == "1"
    assert refused[0].json()["error"]["code"] == -32029
    wait_for(lambda: edge.call("creature_get").status == 200)


def test_an_address_has_so_many_calls_under_way(start_edge: Start, instances: list[Instance]) -> None:
    edge = start_edge(variables={"nginx_limit_exempt": [], "nginx_connection_limit": 4})
    for each in instances:
        each.delay = 1.0
    answers: list[int] = []
    callers = [threading.Thread(target=lambda: answers.append(edge.call("creature_get").status)) for _ in range(8)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert Counter(answers) == {200: 4, 429: 4}


def test_too_large_a_request_is_refused_as_json_rpc(edge: Edge) -> None:
    answer = edge.ask("POST", "/mcp", b"x" * 1_100_000)
    assert answer.status == 413
    assert answer.json()["error"] == {"code": -32600, "message": "the request is larger than this service takes"}


def test_headers(edge: Edge, instances: list[Instance]) -> None:
    answer = edge.call("creature_get")
    assert {name: answer.headers.get(name) for name in SECURITY} == SECURITY
    assert answer.headers["server"] == "nginx"
    (head,) = [head for each in instances for head in each.heads]
    assert head["x-real-ip"] == head["x-forwarded-for"] == "127.0.0.1"
    assert head["host"] == DOMAIN
    lied = {"X-Real-IP": "10.9.9.9", "X-Forwarded-For": "10.9.9.9"}
    edge.ask("POST", "/mcp", body_of("item_get"), lied)
    heads = [head for each in instances for head in each.heads]
    assert {head["x-real-ip"] for head in heads} == {"127.0.0.1"}


SECURITY = {
    "strict-transport-security": "max-age=31536000",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "referrer-policy": "no-referrer",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "cross-origin-resource-policy": "same-origin",
}


def test_own_answers_have_the_headers_too(edge: Edge) -> None:
    for answer in (edge.ask("GET", "/"), edge.ask("GET", "/health/ready"), edge.ask("POST", "/mcp", b"x" * 1_100_000)):
        assert {name: answer.headers.get(name) for name in SECURITY} == SECURITY


def test_a_trusted_balancer_says_who_the_client_is(start_edge: Start, instances: list[Instance]) -> None:
    edge = start_edge(variables=VARIANTS["proxies"])
    edge.ask("POST", "/mcp", body_of("creature_get"), {"X-Forwarded-For": "198.51.100.7"})
    assert [head["x-real-ip"] for each in instances for head in each.heads] == ["198.51.100.7"]


def test_the_proxy_protocol(start_edge: Start) -> None:
    edge = start_edge(variables=VARIANTS["proxy_protocol"])
    with socket.create_connection(("127.0.0.1", edge.variables["nginx_http_port"]), 5) as raw:
        raw.sendall(b"PROXY TCP4 198.51.100.7 127.0.0.1 1234 80\r\nGET /x HTTP/1.0\r\nHost: mcp.test\r\n\r\n")
        assert raw.recv(100).startswith(b"HTTP/1.1 308")
    assert edge.log()[-1]["client"] == "198.51.100.7"


def test_one_trace_id_in_all_logs(edge: Edge, instances: list[Instance]) -> None:
    mine = "4bf92f3577b34da6a3ce929d0e0e4736"
    for given in (f"00-{mine}-00f067aa0ba902b7-01", "nonsense", None):
        edge.ask("POST", "/mcp", body_of("creature_get"), {"traceparent": given} if given else {})
    passed = sorted(head["traceparent"].split("-")[1] for each in instances for head in each.heads)
    logged = [line["trace_id"] for line in edge.log() if line["uri"] == "/mcp"]
    assert sorted(logged) == passed
    assert mine in passed
    assert len(set(passed)) == 3


def test_what_a_client_says_can_not_forge_a_line_of_the_log(edge: Edge) -> None:
    name = 'x","status":999,"y":"'
    edge.post(json.dumps({"jsonrpc": "2.0", "id": 1, "method": name, "params": {"name": name}}).encode())
    last = edge.log()[-1]
    assert (last["status"], last["mcp_method"], last["mcp_tool"]) == (200, "", "")


@pytest.mark.parametrize(
    ("ident", "said"), [(5, 5), ("a b", "a b"), ('"}', '"}'), (2**60, None), (1.5, None), (None, None), ({}, None)]
)
def test_a_refusal_carries_the_calls_id(edge: Edge, ident: Any, said: Any) -> None:
    edge.write_states({"app1": "drained", "app2": "drained"})
    answer = edge.call("creature_get", ident)
    assert answer.status == 503
    assert answer.json()["id"] == said


def test_large_answers_are_compressed(start_edge: Start) -> None:
    edge = start_edge(variables={"nginx_gzip_min_length": 20})
    connection = edge.connect()
    answer = edge.ask("POST", "/mcp", body_of("creature_get"), {"Accept-Encoding": "gzip"}, connection)
    assert answer.headers["content-encoding"] == "gzip"
    assert edge.ask("POST", "/mcp", body_of("creature_get"), None, connection).json()["id"] == 1


def test_challenges_are_answered_from_the_folder_or_asked_of_peers(start_edge: Start, tmp_path: Path) -> None:
    """The peer does not listen here, so what is passed on ends with 502; who was asked by a peer asks no further."""
    folder = tmp_path / "acme" / ".well-known" / "acme-challenge"
    folder.mkdir(parents=True)
    (folder / "mine").write_text("token")
    edge = start_edge(variables={**VARIANTS["public_certificate"], "nginx_acme_directory": str(tmp_path / "acme")})
    answers = []
    for name, more in (("mine", {}), ("another", {}), ("another", {"X-Acme-Asked-By-Peer": "1"})):
        connection = http.client.HTTPConnection("127.0.0.1", edge.variables["nginx_http_port"], timeout=10)
        connection.request("GET", f"/.well-known/acme-challenge/{name}", headers={"Host": DOMAIN, **more})
        answers.append(connection.getresponse().status)
        connection.close()
    assert answers == [200, 502, 404]


def test_names_that_are_not_ours(edge: Edge) -> None:
    assert edge.ask("GET", "/health/ready", headers={"Host": "other.test"}).status == 421


def test_only_this_host_may_ask_for_status(edge: Edge) -> None:
    assert edge.ask("GET", "/health/edge").json() == {"status": "serving", "ready": 3}
    with socket.create_connection(("127.0.0.1", edge.variables["nginx_status_port"]), 5) as raw:
        raw.sendall(b"GET /stub_status HTTP/1.0\r\n\r\n")
        assert b"Active connections: " in raw.recv(1000)


def test_reloads_close_no_connection_under_a_call(edge: Edge, record_property: Callable[[str, object], None]) -> None:
    """As the unit's reload does it; callers keep their connections, and look before each call if they still can."""
    made, lost = keep_calling(edge, reloads=3, grace=1.0)
    plain, plainly_lost = keep_calling(edge, reloads=3, grace=0.0)
    record_property(
        "figure",
        f"edge: 3 reloads lost {sum(lost.values())} of {made} calls over kept connections, "
        f"{sum(plainly_lost.values())} of {plain} without the grace before them",
    )
    assert lost == {}


@pytest.mark.parametrize(("version", "said"), [("--http1.1", ["connection: close"]), ("--http2", [])])
def test_before_a_reload_an_answer_ends_its_connection(edge: Edge, version: str, said: list[str]) -> None:
    """As the version of HTTP has it; in HTTP/2 that header would make the answer invalid."""
    (edge.directory / "closing").touch()
    wait_for(lambda: edge.call("creature_get").headers["connection"] == "close")
    port = edge.variables["nginx_https_port"]
    address = ["--cacert", str(edge.authority.ca), "--resolve", f"{DOMAIN}:{port}:127.0.0.1"]
    command = ["curl", "-si", version, *address, "--json", body_of("creature_get").decode()]
    done = subprocess.run([*command, f"https://{DOMAIN}:{port}/mcp"], capture_output=True, text=True, check=True)
    assert [line for line in done.stdout.lower().splitlines() if line.startswith("connection:")] == said
    assert '"result"' in done.stdout


def keep_calling(edge: Edge, reloads: int, grace: float) -> tuple[int, Counter[str]]:
    """Return how many calls were answered while NGINX was reloaded, and why others were not."""
    over, answered, lost = threading.Event(), [0], Counter[str]()

    def caller() -> None:
        connection = edge.connect()
        while not over.is_set():
            time.sleep(0.002)
            if has_ended(connection.sock):
                connection = edge.connect()
            try:
                answer = edge.ask("POST", "/mcp", body_of("creature_get"), None, connection)
            except Exception as error:  # whatever it is, a client would see it
                lost[type(error).__name__] += 1
                connection = edge.connect()
                continue
            answered[0] += answer.status == 200
            if answer.headers.get("connection") == "close":
                connection = edge.connect()

    callers = [threading.Thread(target=caller, daemon=True) for _ in range(16)]
    for each in callers:
        each.start()
    for _ in range(reloads):
        closing = edge.directory / "closing"
        if grace:
            closing.touch()
            time.sleep(grace)
        before = edge.workers()
        edge.reload()
        wait_for(lambda before=before: not edge.workers() & before)  # type: ignore[misc]
        closing.unlink(missing_ok=True)
        time.sleep(0.5)
    over.set()
    for each in callers:
        each.join(30)
    return answered[0], lost


def has_ended(used: socket.socket) -> bool:
    """Return whether the other side has closed a connection on which nothing else can have come."""
    used.setblocking(False)
    try:
        return used.recv(1) == b""
    except OSError:
        return False
    finally:
        used.settimeout(20)
