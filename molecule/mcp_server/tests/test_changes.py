"""What a further run of the role does, seen on one host: never all instances away, never half a release."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import shutil
import ssl
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ansible_collections.trinitycore.mcp.plugins.module_utils.wheelhouse import source_version
from trinitycore_mcp.client import Target, ToolCaller

from tests.support.instances import Server
from tests.support.playbooks import Run, run_playbook

testinfra_hosts = ["ansible://app1"]

ROOT = Path(__file__).parents[3]
RELEASES = "/opt/trinitycore-mcp/releases"


def converge(**variables: Any) -> Run:
    """Run the role once more on the host, with other variables."""
    inventory = Path(os.environ["MOLECULE_INVENTORY_FILE"])
    return run_playbook("molecule/mcp_server/server.yml", inventory, "-l", "app1", "-e", json.dumps(variables))


@contextmanager
def watching(server: Server, ca_file: Path, client_tls: tuple[Path, Path]) -> Iterator[list[bool]]:
    """Ask a host's instances for readiness ten times a second; collect whether any was ready."""
    context = ssl.create_default_context(cafile=str(ca_file))
    context.load_cert_chain(*client_tls)
    urls = [f"https://{server.address}:{8001 + number}/health/ready" for number in range(len(server.units()))]
    rounds: list[bool] = []
    end = threading.Event()

    def ready(url: str) -> bool:
        try:
            with urllib.request.urlopen(url, timeout=10, context=context):
                return True
        except OSError:
            return False

    def watch() -> None:
        while not end.wait(0.1):
            rounds.append(any(ready(url) for url in urls))

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield rounds
    finally:
        end.set()
        thread.join()


def test_a_wrong_configuration_changes_nothing(server: Server) -> None:
    before = server.invocations(), server.host.run("cat /etc/trinitycore-mcp/config.yml").stdout
    done = converge(mcp_server_config_overrides={"serverr": {"port": 1}})
    assert done.code != 0
    assert "serverr: unknown key" in done.said
    assert (server.invocations(), server.host.run("cat /etc/trinitycore-mcp/config.yml").stdout) == before


def test_an_api_key_is_taken_over_by_a_reload(server: Server, ca_file: Path, client_tls: tuple[Path, Path]) -> None:
    before, key = server.invocations(), "a-key-of-the-test-0123456789abcdef"
    entry = {"name": "new", "sha256": hashlib.sha256(key.encode()).hexdigest(), "expires": "2099-12-31"}
    done = converge(mcp_server_api_keys=[entry])
    assert done.code == 0, done.output[-4000:]
    assert server.invocations() == before
    for number in range(1, len(before) + 1):
        target = Target(
            f"https://{server.address}:{8000 + number}/mcp",
            ca_file=ca_file,
            key=key,
            certificate_file=client_tls[0],
            certificate_key_file=client_tls[1],
        )
        (answer,) = asyncio.run(ToolCaller(target).call("creature_get", {"id": 1}))
        assert not answer.is_error, answer.result


def test_a_new_release_replaces_one_instance_after_the_other(
    server: Server, ca_file: Path, client_tls: tuple[Path, Path], tmp_path: Path
) -> None:
    """So does a new configuration. What an interrupted installation left behind is in the way, too."""
    old = server.releases_in_memory()
    source = tmp_path / "server"
    shutil.copytree(ROOT / "server", source, ignore=shutil.ignore_patterns(".*", "tests", "__pycache__"))
    (source / "src/trinitycore_mcp/next_release.py").write_text('"""Makes this another release."""\n')
    version = source_version(source)
    server.host.run_test(f"mkdir -p {RELEASES}/{version}/bin && touch {RELEASES}/{version}/bin/python")

    with watching(server, ca_file, client_tls) as rounds:
        done = converge(mcp_server_source=str(source), mcp_server_follow_source=True, mcp_server_log_level="DEBUG")
    assert done.code == 0, done.output[-4000:]
    assert rounds
    assert all(rounds), f"{rounds.count(False)} of {len(rounds)} times no instance was ready"
    assert server.releases_in_memory() == {version}
    assert server.host.run("readlink /opt/trinitycore-mcp/previous").stdout.strip() == f"releases/{old.pop()}"

    before = server.invocations()
    done = converge(mcp_server_log_level="DEBUG")
    assert done.code == 0, done.output[-4000:]
    assert done.changed("app1") == 0, "what the host has goes before what the sources make"
    assert server.invocations() == before


def test_fewer_instances_and_an_older_release(server: Server) -> None:
    """Back to the release of the sources, with one instance; another run brings the second one back."""
    done = converge(mcp_server_instances=1, mcp_server_follow_source=True)
    assert done.code == 0, done.output[-4000:]
    assert server.units() == ["trinitycore-mcp@1.service"]
    assert server.releases_in_memory() == {source_version(ROOT / "server")}
    server.host.run_test("systemctl restart trinitycore-mcp.target")
    assert server.units() == ["trinitycore-mcp@1.service"]
    first = server.invocations()

    done = converge()
    assert done.code == 0, done.output[-4000:]
    assert len(server.units()) == int(server.host.run("nproc").stdout)
    assert server.invocations()["trinitycore-mcp@1.service"] == first["trinitycore-mcp@1.service"]
