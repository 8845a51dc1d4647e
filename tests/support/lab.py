"""A lab of the tests' own: boot it, roll the site out on it, reach its hosts, break them."""

from __future__ import annotations

import http.client
import json
import os
import re
import secrets
import shlex
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
# Seconds; a whole rollout takes five minutes when the machine does other things too.
LONGEST_PLAYBOOK = 1200


@dataclass(frozen=True)
class Recap:
    """What a playbook run did."""

    returncode: int
    stats: dict[str, dict[str, int]]
    """Host to counters, as in Ansible's recap: ok, changed, failures, unreachable, skipped ..."""
    changed_tasks: list[str]
    """``host: task`` of everything that reported a change."""
    output: str
    said: str
    """What `debug` said, one after the other."""

    @property
    def failed_hosts(self) -> list[str]:
        """Hosts that failed or could not be reached."""
        return [host for host, count in self.stats.items() if count["failures"] or count["unreachable"]]


MODERN = "2026-07-28"
# How a host is lost, and what brings it back, as `Lab.host` takes it.
LOST = {
    "killed": ({"state": "killed"}, {"state": "started"}),
    "frozen": ({"state": "frozen"}, {"state": "started"}),
    "cut off": ({"network": "cut"}, {"network": "up"}),
}


def message(method: str, params: Mapping[str, Any], key: str) -> tuple[dict[str, str], bytes]:
    """Return headers and body of a bare MCP request.

    :param key: API key.
    """
    prefix = "io.modelcontextprotocol/"
    client = {"name": "integration-tests", "version": "1"}
    meta = {f"{prefix}protocolVersion": MODERN, f"{prefix}clientInfo": client, f"{prefix}clientCapabilities": {}}
    headers = {
        "authorization": f"Bearer {key}",
        "content-type": "application/json",
        "accept": "application/json, text/event-stream",
        "mcp-protocol-version": MODERN,
        "mcp-method": method,
        **({"mcp-name": params["name"]} if "name" in params else {}),
    }
    body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": {**params, "_meta": meta}}
    return headers, json.dumps(body).encode()


class _EdgeConnection(http.client.HTTPSConnection):
    """HTTPS to the edge's address, under the service's name."""

    def __init__(self, domain: str, address: str, tls: ssl.SSLContext, timeout: float) -> None:
        super().__init__(domain, 443, timeout=timeout, context=tls)
        self._edge = (address, tls)

    def connect(self) -> None:
        """Connect there, and check the certificate for the name."""
        address, tls = self._edge
        plain = socket.create_connection((address, self.port), self.timeout)
        self.sock = tls.wrap_socket(plain, server_hostname=self.host)


class Lab:
    """One lab, told apart by its name and network."""

    def __init__(self, name: str, network: str, profile: str = "full", database: str = "mariadb") -> None:
        self.name, self.database = name, database
        self.state = ROOT / (".lab" if name == "lab" else f".lab-{name}")
        self.inventory = ROOT / "inventories" / "lab" / ("hosts.yml" if profile == "full" else f"{profile}.yml")
        self.environment = {
            **os.environ,
            "LAB_NAME": name,
            "LAB_NETWORK": network,
            "LAB_PROFILE": profile,
            "LAB_DATABASE": database,
            "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
            "ANSIBLE_NOCOLOR": "1",
        }

    @property
    def endpoints(self) -> dict[str, Any]:
        """What ``endpoints.json`` of the running lab says."""
        loaded: dict[str, Any] = json.loads((self.state / "endpoints.json").read_text())
        return loaded

    @property
    def groups(self) -> dict[str, list[str]]:
        """Inventory groups and their hosts."""
        children = yaml.safe_load(self.inventory.read_text())["all"]["children"]
        return {group: list(content["hosts"]) for group, content in children.items()}

    def command(self, name: str, *arguments: str) -> list[str]:
        """Return what runs a playbook of this collection against the lab."""
        return ["ansible-playbook", str(ROOT / "playbooks" / f"{name}.yml"), "-i", str(self.inventory), *arguments]

    def playbook(self, name: str, *arguments: str, check: bool = True) -> Recap:
        """Run a playbook of this collection against the lab.

        :param check: raise when the run fails.
        :raises AssertionError: the run failed; the message holds the end of its output.
        :raises subprocess.TimeoutExpired: it took longer than ``LONGEST_PLAYBOOK``.
        """
        with subprocess.Popen(
            self.command(name, *arguments),
            cwd=ROOT,
            env={**self.environment, "ANSIBLE_STDOUT_CALLBACK": "ansible.posix.json"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            try:
                stdout, stderr = process.communicate(timeout=LONGEST_PLAYBOOK)
            except BaseException:
                process.terminate()  # killed, it would leave its workers behind
                raise
        start = stdout.find("\n{") + 1 if not stdout.startswith("{") else 0
        try:
            result, _ = json.JSONDecoder().raw_decode(stdout[start:])
        except ValueError:
            result = {"stats": {}, "plays": []}
        changed, failures, said = [], [], []
        for play in result["plays"]:
            for task in play["tasks"]:
                for host, outcome in task["hosts"].items():
                    if outcome.get("changed"):
                        changed.append(f"{host}: {task['task']['name']}")
                    if outcome.get("action") == "ansible.builtin.debug" and "msg" in outcome:
                        said.append(str(outcome["msg"]))
                    if outcome.get("failed") or outcome.get("unreachable"):
                        failures.append(f"{host}: {task['task']['name']}: {outcome.get('msg')}")
        output = "\n".join([*failures, stderr[-4000:]]) if result["plays"] else stdout + stderr
        assert not check or process.returncode == 0, f"{name} failed:\n{output[-8000:]}"
        return Recap(process.returncode, result["stats"], changed, output, "\n".join(said))

    def ssh(self, host: str, command: str, check: bool = True, timeout: float = 60.0) -> str:
        """Run a shell command on a host and return what it printed.

        :raises subprocess.CalledProcessError: it failed and ``check`` is set.
        """
        done = subprocess.run(
            ["ssh", "-F", str(self.state / "ssh_config"), host, command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=timeout,
            check=False,
        )
        if check and done.returncode:
            raise subprocess.CalledProcessError(done.returncode, [host, command], done.stdout)
        return done.stdout

    def host(self, name: str, **wanted: str) -> None:
        """Bring one of the lab's hosts to a state: ``state="killed"``, ``"frozen"``, ``"started"``; ``network="cut"``.

        :raises AssertionError: it can't be done.
        """
        arguments = {"directory": str(self.state), "hosts": [{"name": name}], **wanted}
        done = subprocess.run(
            [sys.executable, "-m", "ansible_collections.trinitycore.mcp.plugins.modules.nspawn_host"],
            input=json.dumps({"ANSIBLE_MODULE_ARGS": arguments}),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr

    def put(self, file: Path, host: str, path: str) -> None:
        """Copy a small file of this machine to a host."""
        with file.open("rb") as content:
            subprocess.run(
                ["ssh", "-F", str(self.state / "ssh_config"), host, f"cat > {path}"],
                stdin=content,
                timeout=60,
                check=True,
            )

    @property
    def secrets(self) -> dict[str, str]:
        """The lab's secrets by variable name."""
        path = self.inventory.parent / "group_vars" / "all" / "secrets.yml"
        loaded: dict[str, str] = yaml.safe_load(path.read_text())
        return loaded

    @contextmanager
    def new_key(self, options: str = "") -> Iterator[tuple[str, str]]:
        """Make an API key by the server's own command, until the context ends; yields its name and itself."""
        host, name = self.hosts("app")[0], f"test-{secrets.token_hex(4)}"
        made = self.ssh(host, f"trinitycore-mcp keys create {name} {options} 2>/dev/null").strip()
        try:
            yield name, made
        finally:
            self.ssh(host, f"trinitycore-mcp keys revoke {name} || true")

    @contextmanager
    def request(
        self,
        method: str,
        params: Mapping[str, Any],
        *,
        key: str,
        headers: Mapping[str, str] | None = None,
        timeout: float = 30.0,
    ) -> Iterator[http.client.HTTPResponse]:
        """Send one bare MCP request through the load balancer, on a connection of its own; the body is yet to be read.

        :param key: API key.
        :param headers: further ones.
        """
        endpoints = self.endpoints
        fields, body = message(method, params, key)
        tls = ssl.create_default_context(cafile=endpoints["ca_file"])
        domain = endpoints["mcp_url"].split("/")[2]
        connection = _EdgeConnection(domain, endpoints["edge_address"], tls, timeout)
        try:
            connection.request("POST", "/mcp", body, {**fields, **(headers or {})})
            yield connection.getresponse()
        finally:
            connection.close()

    def sql(self, host: str, statement: str) -> str:
        """Return what a database host answers to root there, without the last line's end."""
        return self.ssh(host, shlex.join([self.database, "-NB", "-e", statement])).rstrip("\n")

    def replicates(self, host: str) -> bool:
        """Whether a database host follows another one, and nothing of it is stopped."""
        shown = self.ssh(host, shlex.join([self.database, "-BE", "-e", "SHOW REPLICA STATUS"]))
        return len(re.findall(r"(?:Slave|Replica)_(?:IO|SQL)_Running: Yes", shown)) == 2

    def lag(self, host: str) -> int | None:
        """Return the seconds that a database host is behind the one that it follows; None where it follows none."""
        shown = self.ssh(host, shlex.join([self.database, "-BE", "-e", "SHOW REPLICA STATUS"]))
        behind = re.search(r"Seconds_Behind_\w+: (\d+)", shown)
        return int(behind[1]) if behind else None

    def database_primary(self) -> str:
        """Return the database host that takes writes now; which one it is, other tests may have changed."""
        [name] = [host for host in self.hosts("database") if self.sql(host, "SELECT @@read_only") == "0"]
        return name

    def database_replica(self) -> str:
        """Return one that follows it."""
        primary = self.database_primary()
        return next(host for host in self.hosts("database") if host != primary)

    def instances(self) -> dict[str, tuple[str, int]]:
        """Return the server's instances that are up: name to host and number."""
        found = {}
        for host in self.hosts("app"):
            units = self.ssh(host, "systemctl list-units --plain --no-legend --state=active 'trinitycore-mcp@*'")
            for number in (int(line.split("@")[1].split(".")[0]) for line in units.splitlines()):
                found[f"{host}-{number}"] = (host, number)
        return found

    def hosts(self, group: str) -> list[str]:
        """Names of the hosts in an inventory group."""
        return list(self.groups[group])
