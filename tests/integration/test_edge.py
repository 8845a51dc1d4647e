"""The edge of a whole cluster: changes of who gets calls, and the loss of the load balancer that has the address."""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from typing import Any

import pytest

from tests.bench.edge_load import answer_to
from tests.support.calls import call, load
from tests.support.lab import Lab
from tests.support.mcp_server import tool_request

pytestmark = pytest.mark.timeout(600, func_only=True)

Figure = Callable[[str], None]


def status(lab: Lab, host: str) -> Any:
    """Return what a load balancer's own socket says."""
    return json.loads(lab.ssh(host, "curl -sf --unix-socket /run/trinitycore-edge/control.sock http://edge/status"))


def calls_made(lab: Lab, name: str) -> int:
    """Return how many calls all load balancers gave to an app host."""
    listed = [each for host in lab.hosts("loadbalancers") for each in status(lab, host)["members"]]
    return sum(each["calls_made"] for each in listed if each["host"] == name)


def holders(lab: Lab) -> list[str]:
    """Return the load balancers that have the floating address."""
    address = lab.endpoints["edge_address"]
    return [host for host in lab.hosts("loadbalancers") if f"{address}/" in lab.ssh(host, "ip -o -4 address show")]


def test_ten_thousand_calls_while_hosts_go_out_and_come_back(lab: Lab, figure: Figure) -> None:
    """By the floating address, over kept and fresh connections; and a load balancer is reloaded."""
    try:
        with load(lab.endpoints, 10_000, 64) as outcome:
            lab.playbook("drain", "-e", "host=app1")
            given, before = calls_made(lab, "app1"), outcome.calls
            for host in lab.hosts("loadbalancers"):
                lab.ssh(host, "systemctl reload nginx")
            lab.ssh("app1", "systemctl restart trinitycore-mcp.target", timeout=180)
            assert calls_made(lab, "app1") == given
            lab.playbook("undrain", "-e", "host=app1")
            lab.ssh("app2", "systemctl kill -s KILL trinitycore-mcp@1")
            during = outcome.calls
    finally:
        lab.playbook("undrain", "-e", "host=app1")
    assert before < during, "the calls were over before the changes"
    assert calls_made(lab, "app1") > given
    figure(f"drain, reload, undrain, kill: {len(outcome.failures)} of {outcome.calls} calls failed")
    assert outcome.failures == []


def test_what_was_drained_stays_so_when_the_site_is_rolled_out(lab: Lab) -> None:
    try:
        lab.playbook("drain", "-e", "host=app2")
        recap = lab.playbook("site", "--tags", "nginx,keepalived")
        assert recap.changed_tasks == []
        assert {json.dumps(status(lab, host)["states"]) for host in lab.hosts("loadbalancers")} == {
            '{"app2": "drained"}'
        }
    finally:
        lab.playbook("undrain", "-e", "host=app2")


@contextmanager
def asking(lab: Lab) -> Iterator[list[float]]:
    """Ask for readiness all the time, each time by a new connection; yields when answers came."""
    endpoints = lab.endpoints
    domain = endpoints["mcp_url"].split("/")[2]
    context = ssl.create_default_context(cafile=endpoints["ca_file"])
    over, answered = threading.Event(), list[float]()

    def ask() -> None:
        while not over.is_set():
            try:
                with (
                    socket.create_connection((endpoints["edge_address"], 443), 0.5) as raw,
                    context.wrap_socket(raw, server_hostname=domain) as secured,
                ):
                    secured.sendall(f"GET /health/ready HTTP/1.0\r\nHost: {domain}\r\n\r\n".encode())
                    if b" 200 " in secured.recv(100):
                        answered.append(time.monotonic())
            except OSError:
                pass
            time.sleep(0.03)

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    try:
        yield answered
    finally:
        over.set()
        thread.join(10)


@pytest.mark.parametrize(("fault", "cure"), [("killed", "started"), ("frozen", "started"), ("cut", "up")])
def test_losing_the_load_balancer_that_has_the_address(lab: Lab, figure: Figure, fault: str, cure: str) -> None:
    (old,) = holders(lab)
    key = "network" if fault == "cut" else "state"
    try:
        with asking(lab) as answered:
            time.sleep(1)
            began = time.monotonic()
            lab.host(old, **{key: fault})
            time.sleep(5)
            (answer,) = call(lab.endpoints, "creature_get", {"id": 1})
            assert not answer.is_error
            outage = max(after - before for before, after in pairwise(answered) if after > began)
    finally:
        lab.host(old, **{key: cure})
    figure(f"load balancer {fault}: the floating address was out for {outage:.2f} s")
    end = time.monotonic() + 60
    while len(holders(lab)) != 1 or status(lab, old)["ready"] == 0:
        assert time.monotonic() < end, holders(lab)
        time.sleep(0.5)
    assert holders(lab) != [old]


async def _calls_of_one_connection(lab: Lab, tls: ssl.SSLContext, request: bytes, times: int) -> list[str]:
    """Make calls one after the other over one connection; return what was wrong with them."""
    endpoints = lab.endpoints
    domain = endpoints["mcp_url"].split("/")[2]
    try:
        reader, writer = await asyncio.wait_for(
            asyncio.open_connection(endpoints["edge_address"], 443, ssl=tls, server_hostname=domain), 60
        )
        for _ in range(times):
            writer.write(request)
            body = await asyncio.wait_for(answer_to(reader), 60)
            if b'"result"' not in body or b'"isError":true' in body:
                return [body[:200].decode()]
        writer.close()
    except Exception as error:  # whatever it is, a client would see it
        return [repr(error)]
    return []


def test_a_thousand_connections_at_a_time(lab: Lab, figure: Figure) -> None:
    body, headers = tool_request("creature_get", {"id": 1}, key=lab.endpoints["api_key"])
    fields = {**headers, "host": lab.endpoints["mcp_url"].split("/")[2], "content-length": str(len(body))}
    lines = [f"{name}: {value}" for name, value in fields.items()]
    request = "\r\n".join(["POST /mcp HTTP/1.1", *lines, "", ""]).encode() + body
    tls = ssl.create_default_context(cafile=lab.endpoints["ca_file"])

    async def everybody() -> list[list[str]]:
        return await asyncio.gather(*(_calls_of_one_connection(lab, tls, request, 5) for _ in range(1000)))

    began = time.monotonic()
    failures = [failure for found in asyncio.run(everybody()) for failure in found]
    figure(f"1,000 connections, 5 calls each: {len(failures)} failed, {time.monotonic() - began:.1f} s in all")
    assert failures == []
