"""What the server's own client sees when the primary dies, freezes, is cut off, has to restart or to be upgraded."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml
from testinfra.host import Host
from testinfra.utils.ansible_runner import AnsibleRunner
from trinitycore_mcp.leader import Leader
from trinitycore_mcp.redis_link import Address, RedisAway, RedisLink, RedisSettings, SentinelSettings
from trinitycore_mcp.redis_link.settings import tls_context

from tests.support.scenario import lab_host
from tests.support.waiting import wait_for

testinfra_hosts = ["ansible://redis1"]

ROOT = Path(__file__).parents[3]
INVENTORY = Path(os.environ["MOLECULE_INVENTORY_FILE"])
SCENARIO = Path(os.environ["MOLECULE_SCENARIO_DIRECTORY"])
FLAVOR = "valkey" if SCENARIO.name == "redis_valkey" else "redis"
UNIT = f"{FLAVOR}-server"
PKI = "/etc/trinitycore-pki"
TLS = f"--tls --cacert {PKI}/ca.crt --cert {PKI}/host.crt --key {PKI}/host.key"
NAME = "trinitycore-mcp"
HOSTS = ("redis1", "redis2", "redis3")
LEASE = 5.0

Ask = Callable[..., str]
Say = Callable[[str], None]


@pytest.fixture(scope="module")
def hosts() -> dict[str, Host]:
    """The hosts by name."""
    runner = AnsibleRunner(str(INVENTORY))
    return {name: runner.get_host(name) for name in HOSTS}


@pytest.fixture(scope="module")
def addresses(hosts: dict[str, Host]) -> dict[str, str]:
    """Their addresses."""
    return {name: host.run("hostname -I").stdout.split()[0] for name, host in hosts.items()}


@pytest.fixture(scope="module")
def secrets() -> dict[str, str]:
    """The scenario's secrets by variable name."""
    text = (ROOT / "molecule" / "shared" / "group_vars" / "all" / "secrets.yml").read_text()
    loaded: dict[str, str] = yaml.safe_load(text)
    return loaded


@pytest.fixture(scope="module")
def ask(hosts: dict[str, Host], secrets: dict[str, str]) -> Ask:
    """Return what a server, or a Sentinel by its port, answers to a user: ``ask("redis1", "app", "GET", "mcp:x")``."""

    def run(host: str, user: str, *words: str, port: int = 6379) -> str:
        command = (
            f"REDISCLI_AUTH=%s timeout 10 {FLAVOR}-cli --no-auth-warning {TLS} -p {port} --user %s {' '.join(words)}"
        )
        arguments = (command, secrets[f"redis_{user}_password"], user)
        try:
            done = hosts[host].run(*arguments)
        except RuntimeError:  # SSH itself, over a connection from before its host was frozen or cut off
            done = hosts[host].run(*arguments)
        return str(done.stdout + done.stderr).strip()

    return run


class Client(threading.Thread):
    """What two instances of the server do all the time: write, and hold one lease between them."""

    def __init__(self, settings: RedisSettings) -> None:
        super().__init__(daemon=True)
        self._settings = settings
        self._ending = threading.Event()
        self.written: list[tuple[float, int]] = []
        """When each acknowledged write came back, and its number."""
        self.both_led = 0
        self.tokens: list[int] = []
        self.led_at = 0.0
        """When one of the two last held the lease."""
        self.failure: BaseException | None = None

    def run(self) -> None:
        """Go on until stopped."""
        try:
            asyncio.run(self._work())
        except BaseException as error:
            self.failure = error

    async def _work(self) -> None:
        links = [RedisLink(self._settings), RedisLink(self._settings)]
        leaders = [Leader(link, LEASE) for link in links]
        async with links[0].running(), links[1].running(), leaders[0].running(), leaders[1].running():
            number = 0
            while not self._ending.is_set():
                number += 1
                try:
                    await links[0].client.sadd("mcp:written", number)
                    self.written.append((time.monotonic(), number))
                except RedisAway:
                    pass
                led = [token for leader in leaders if (token := leader.token_or_none()) is not None]
                self.both_led += len(led) > 1
                self.led_at = time.monotonic() if led else self.led_at
                if led and led[-1:] != self.tokens[-1:]:
                    self.tokens.append(led[-1])
                await asyncio.sleep(0.02)

    def stop(self) -> None:
        """Stop, and fail as it failed."""
        self._ending.set()
        self.join(30)
        if self.failure is not None:
            raise self.failure

    def writes_again(self, since: float, seconds: float = 60) -> None:
        """Wait until writes go through and one of the two leads, both two seconds after ``since`` or later."""
        wait_for(lambda: self.written[-1][0] > since + 2 and self.led_at > since + 2, seconds)

    def longest_gap(self, since: float) -> float:
        """Seconds of the longest time without an acknowledged write after ``since``."""
        times = [at for at, _ in self.written]
        return max(after - before for before, after in pairwise(times) if after > since)


@pytest.fixture
def client(
    hosts: dict[str, Host], addresses: dict[str, str], secrets: dict[str, str], ask: Ask, tmp_path: Path
) -> Iterator[Client]:
    """Return a running client that begins with an empty set of written numbers, all servers in step."""
    wait_for(lambda: healthy(ask), 90)
    for name in ("ca.crt", "host.crt", "host.key"):
        (tmp_path / name).write_text(hosts["redis1"].run(f"cat {PKI}/{name}").stdout)
    settings = RedisSettings(
        hosts=tuple(Address(address, 6379) for address in addresses.values()),
        sentinel=SentinelSettings(
            NAME, tuple(Address(address, 26379) for address in addresses.values()), "app", secrets["redis_app_password"]
        ),
        username="app",
        password=secrets["redis_app_password"],
        tls=tls_context(tmp_path / "ca.crt", tmp_path / "host.crt", tmp_path / "host.key"),
    )
    ask(primary(ask), "app", "DEL", "mcp:written")
    running = Client(settings)
    running.start()
    wait_for(lambda: len(running.written) > 20 and bool(running.tokens), 90)
    yield running
    running.stop()


def roles(ask: Ask) -> dict[str, str]:
    """Return each host's role as the server tells it."""
    return {name: (ask(name, "admin", "ROLE").split() or [""])[0] for name in HOSTS}


def primary(ask: Ask) -> str:
    """Return the host of the only primary.

    :raises AssertionError: there are none or several.
    """
    found = [name for name, role in roles(ask).items() if role == "master"]
    assert len(found) == 1, found
    return found[0]


def view(ask: Ask, host: str) -> dict[str, str]:
    """Return what a host's Sentinel says about the servers."""
    words = ask(host, "admin", "SENTINEL", "MASTER", NAME, port=26379).splitlines()
    return dict(zip(words[::2], words[1::2], strict=False))


def healthy(ask: Ask) -> bool:
    """Whether there is one primary with two replicas in step, and all Sentinels are at ease with it and watch.

    A Sentinel that was frozen distrusts its own clock and only looks on for half a minute ("tilt").
    """
    if sorted(roles(ask).values()) != ["master", "slave", "slave"]:
        return False
    if not all("sentinel_tilt:0" in ask(name, "admin", "INFO", "sentinel", port=26379) for name in HOSTS):
        return False
    known = {(each.get("ip"), each.get("flags")) for each in (view(ask, name) for name in HOSTS)}
    answer = ask(primary(ask), "admin", "INFO", "replication")
    return len(known) == 1 and known.pop()[1] == "master" and answer.count("state=online") == 2


def run_role(*arguments: str) -> tuple[int, dict[str, Any], str]:
    """Run the role once more; return the exit code, the counters of each host and the output."""
    done = subprocess.run(
        ["ansible-playbook", "-i", str(INVENTORY), str(SCENARIO / "converge.yml"), *arguments],
        env={**os.environ, "ANSIBLE_STDOUT_CALLBACK": "ansible.posix.json"},
        capture_output=True,
        text=True,
        check=False,
    )
    # More may follow: what Ansible's callback shows beside its JSON.
    result, _ = json.JSONDecoder().raw_decode(done.stdout[done.stdout.index("{") :])
    stats: dict[str, Any] = result["stats"]
    return done.returncode, stats, done.stdout + done.stderr


def converge(*arguments: str) -> dict[str, Any]:
    """Run the role once more and return the counters of each host."""
    code, stats, output = run_role(*arguments)
    assert code == 0, output[-8000:]
    return stats


def changes(stats: dict[str, Any]) -> dict[str, int]:
    """Return the number of changes of each host."""
    return {name: counters["changed"] for name, counters in stats.items()}


@contextmanager
def kill(hosts: dict[str, Host], name: str) -> Iterator[None]:
    """The server's process dies; systemd starts it again, once the Sentinels are done."""
    hosts[name].run_test(f"systemctl kill -s KILL {UNIT}")
    yield


@contextmanager
def stop(hosts: dict[str, Host], name: str) -> Iterator[None]:
    """The server's process dies and does not come back by itself."""
    hosts[name].run_test(f"systemctl kill -s KILL {UNIT}; systemctl stop {UNIT}")
    yield
    hosts[name].run_test(f"systemctl start {UNIT}")


@contextmanager
def freeze(_: dict[str, Host], name: str) -> Iterator[None]:
    """The host stands still: connections stay open and nothing answers."""
    lab_host(name, state="frozen")
    yield
    lab_host(name, state="started")


@contextmanager
def cut(_: dict[str, Host], name: str) -> Iterator[None]:
    """The host runs and nobody reaches it."""
    lab_host(name, network="cut")
    yield
    lab_host(name, network="up")


def test_every_sentinel_knows_all(ask: Ask, addresses: dict[str, str]) -> None:
    wait_for(lambda: healthy(ask), 90)
    for name in HOSTS:
        seen = view(ask, name)
        assert seen["ip"] in addresses.values()
        assert (seen["num-slaves"], seen["num-other-sentinels"], seen["quorum"]) == ("2", "2", "2")


def test_sentinels_tell_only_those_who_may_ask(ask: Ask, hosts: dict[str, Host], addresses: dict[str, str]) -> None:
    assert ask("redis1", "app", "SENTINEL", "GET-MASTER-ADDR-BY-NAME", NAME, port=26379).split()[1] == "6379"
    for words in (("SENTINEL", "FAILOVER", NAME), ("SENTINEL", "SET", NAME, "quorum", "1")):
        assert "NOPERM" in ask("redis1", "app", *words, port=26379)
    for command in ("GET mcp:written", "CONFIG GET masterauth", "SET mcp:x 1"):
        assert "NOPERM" in ask("redis1", "sentinel", *command.split())
    assert "NOPERM" in ask("redis1", "sentinel", "SENTINEL", "FAILOVER", NAME, port=26379)
    for options, answer in ((TLS, "NOAUTH"), ("", ""), (f"--tls --cacert {PKI}/ca.crt", "")):
        done = hosts["redis2"].run(f"timeout 10 {FLAVOR}-cli -h {addresses['redis1']} -p 26379 {options} PING")
        assert done.stdout.startswith(answer)
        assert "PONG" not in done.stdout


def test_no_password_is_in_sight(hosts: dict[str, Host], secrets: dict[str, str]) -> None:
    shown = hosts["redis1"].run(f"ps auxe; journalctl -u {FLAVOR}-sentinel --no-pager").stdout
    assert not [name for name, secret in secrets.items() if name.startswith("redis_") and secret in shown]
    secret = (f"/etc/{FLAVOR}/sentinel.conf", f"/etc/{FLAVOR}/sentinel-users.acl", f"/var/lib/{FLAVOR}/sentinel.conf")
    for path in secret:
        assert hosts["redis1"].run(f"runuser -u nobody -- cat {path}").rc != 0


@pytest.mark.parametrize(
    "fault", [kill, *(pytest.param(fault, marks=pytest.mark.long) for fault in (stop, freeze, cut))]
)
def test_a_lost_primary_is_replaced(
    fault: Callable[[dict[str, Host], str], Any],
    client: Client,
    ask: Ask,
    hosts: dict[str, Host],
    figure: Say,
) -> None:
    """Writes go through again soon, one instance leads at a time, and the primary that comes back follows."""
    old = primary(ask)
    since = time.monotonic()
    with fault(hosts, old):
        client.writes_again(time.monotonic())
    gap = client.longest_gap(since)
    wait_for(lambda: healthy(ask), 90)
    client.stop()
    new = primary(ask)
    acknowledged = {number for _, number in client.written}
    kept = {int(word) for word in ask(new, "app", "SMEMBERS", "mcp:written").split()}
    figure(
        f"{fault.__name__}: {gap:.2f} s without a write (aim: < 5 s), {old} -> {new}, "
        f"{len(acknowledged - kept)} of {len(acknowledged)} acknowledged writes lost, tokens {client.tokens}"
    )
    assert new != old
    # Those that were on their way to the replicas, half a second's at most: the test writes fifty times a second.
    assert len(acknowledged - kept) <= 25
    assert client.both_led == 0
    assert client.tokens == sorted(client.tokens)
    if fault is cut:  # a run takes the longest of all here, and one does not differ from another
        assert changes(converge()) == dict.fromkeys(HOSTS, 0)
        assert primary(ask) == new


@pytest.mark.long
def test_a_primary_that_is_cut_off_stops_writing(ask: Ask, hosts: dict[str, Host], secrets: dict[str, str]) -> None:
    """Whoever still reaches it gets an error, not a promise that is broken when the network comes back."""
    wait_for(lambda: healthy(ask), 90)
    old = primary(ask)
    write = f"{FLAVOR}-cli -s /run/{FLAVOR}/{UNIT}.sock --no-auth-warning --user app SET mcp:alone"
    loop = f"for n in $(seq 80); do echo $n $({write} $n); sleep 0.1; done > /tmp/alone"
    hosts[old].run_test(f"REDISCLI_AUTH={secrets['redis_app_password']} setsid sh -c '{loop}' >/dev/null 2>&1 &")
    with cut(hosts, old):
        time.sleep(9)
    wait_for(lambda: healthy(ask), 90)
    answers = [line.split(" ", 1)[1] for line in hosts[old].run("cat /tmp/alone").stdout.splitlines()]
    assert answers[0] == "OK"
    assert answers[-1].startswith("NOREPLICAS")
    assert primary(ask) != old


# From the rolling restart on; every run restarts what runs with other settings.
TUNED = ("-e", '{"redis_settings": {"slowlog-max-len": 256}}')


def test_a_rolling_restart_takes_the_primary_last_and_loses_nothing(
    client: Client, ask: Ask, hosts: dict[str, Host], figure: Say
) -> None:
    old = primary(ask)
    before = {name: host.run(f"systemctl show -P MainPID {UNIT}").stdout for name, host in hosts.items()}
    since = time.monotonic()
    planned = converge(*TUNED, "--check")
    assert primary(ask) == old
    assert all(changes(planned).values())
    assert all(changes(converge(*TUNED)).values())
    client.writes_again(time.monotonic())
    gap = client.longest_gap(since)
    wait_for(lambda: healthy(ask), 90)
    client.stop()
    after = {name: host.run(f"systemctl show -P MainPID {UNIT}").stdout for name, host in hosts.items()}
    started = {
        name: int(host.run(f"systemctl show -P ActiveEnterTimestampMonotonic {UNIT}").stdout)
        for name, host in hosts.items()
    }
    new = primary(ask)
    acknowledged = {number for _, number in client.written}
    kept = {int(word) for word in ask(new, "app", "SMEMBERS", "mcp:written").split()}
    figure(f"rolling restart: {gap:.2f} s without a write at most (aim: < 5 s), {old} -> {new}, tokens {client.tokens}")
    assert new != old
    assert max(started, key=lambda name: started[name]) == old
    assert all(before[name] != after[name] for name in HOSTS)
    assert acknowledged <= kept
    assert client.both_led == 0
    assert client.tokens == sorted(client.tokens)
    assert all(ask(name, "admin", "CONFIG", "GET", "slowlog-max-len").split()[-1] == "256" for name in HOSTS)


def running(hosts: dict[str, Host]) -> dict[str, tuple[str, str]]:
    """Return the process of each server and each Sentinel."""
    query = f"systemctl show -P MainPID {UNIT} {FLAVOR}-sentinel"
    return {name: tuple(host.run(query).stdout.split()) for name, host in hosts.items()}


def versions(hosts: dict[str, Host]) -> dict[str, str]:
    """Return the version of each host's server package."""
    return {name: host.run(f"dpkg-query -W -f '${{Version}}' {UNIT}").stdout for name, host in hosts.items()}


# A repository in a folder: the packages of the mirror with another version, and if need be without their program.
NEWER_PACKAGES = """
set -eu
mkdir -p /srv/original; cd /srv/original
[ -n "$(ls)" ] || apt-get download -q FLAVOR-server FLAVOR-sentinel FLAVOR-tools
rm -rf /srv/newer; mkdir /srv/newer; cd /srv/newer
for package in $(ls /srv/original); do
    dpkg-deb -R "/srv/original/$package" tree
    sed -Ei 's/^Version: .*/&+VERSION/; s/(FLAVOR-tools \\(= [^)]*)/\\1+VERSION/' tree/DEBIAN/control
    program=tree/usr/bin/FLAVOR-check-rdb
    [ -z "BROKEN" ] || [ ! -e $program ] || printf '#!/bin/sh\\nexit 1\\n' > $program
    dpkg-deb -Znone -b tree "new-$package" > /dev/null
    rm -r tree
    { dpkg-deb -f "new-$package"; echo "Filename: ./new-$package"; echo "Size: $(stat -c %s "new-$package")"
      echo "SHA256: $(sha256sum "new-$package" | cut -d' ' -f1)"; echo; } >> Packages
done
echo 'deb [trusted=yes] file:/srv/newer ./' > /etc/apt/sources.list.d/newer.list
apt-get update -q
"""


def offer_newer(hosts: dict[str, Host], *, broken: bool = False) -> str:
    """Let APT on each host know of packages of a higher version, which don't start when ``broken``.

    :return: how the version ends.
    """
    version = f"test{int(time.time())}"
    script = NEWER_PACKAGES.replace("FLAVOR", FLAVOR).replace("VERSION", version)
    script = script.replace("BROKEN", "yes" if broken else "")
    with ThreadPoolExecutor() as pool:
        for done in pool.map(lambda host: host.run(script), hosts.values()):
            assert done.rc == 0, done.stderr
    return version


LATEST = (*TUNED, "-e", "redis_package_state=latest")


def test_a_new_version_of_the_package_goes_from_replica_to_replica_and_loses_nothing(
    client: Client, ask: Ask, hosts: dict[str, Host], figure: Say
) -> None:
    old = primary(ask)
    before, installed = running(hosts), versions(hosts)
    version = offer_newer(hosts)
    since = time.monotonic()
    assert all(changes(converge(*LATEST, "--check")).values())
    assert (running(hosts), versions(hosts)) == (before, installed)
    assert all(changes(converge(*LATEST)).values())
    client.writes_again(time.monotonic())
    gap = client.longest_gap(since)
    wait_for(lambda: healthy(ask), 90)
    client.stop()
    after, new = running(hosts), primary(ask)
    started = {
        name: int(host.run(f"systemctl show -P ActiveEnterTimestampMonotonic {UNIT}").stdout)
        for name, host in hosts.items()
    }
    acknowledged = {number for _, number in client.written}
    kept = {int(word) for word in ask(new, "app", "SMEMBERS", "mcp:written").split()}
    figure(f"upgrade of the package: {gap:.2f} s without a write at most (aim: < 5 s), {old} -> {new}")
    assert all(found.endswith(version) for found in versions(hosts).values())
    assert all(set(before[name]).isdisjoint(after[name]) for name in HOSTS), "servers and Sentinels run the new version"
    assert new != old
    assert max(started, key=lambda name: started[name]) == old
    assert acknowledged <= kept
    assert client.both_led == 0
    assert changes(converge(*LATEST)) == dict.fromkeys(HOSTS, 0)


@pytest.mark.long
def test_an_upgrade_past_the_role_is_taken_up_in_the_same_order(ask: Ask, hosts: dict[str, Host]) -> None:
    """Whoever replaced the program, the role restarts what still runs the former one."""
    wait_for(lambda: healthy(ask), 90)
    old, before = primary(ask), running(hosts)
    for host in hosts.values():
        host.run_test(f"dpkg -i /srv/newer/new-{FLAVOR}-tools_*.deb")
    assert running(hosts) == before
    assert all(changes(converge(*TUNED)).values())
    after = running(hosts)
    assert all(set(before[name]).isdisjoint(after[name]) for name in HOSTS)
    assert primary(ask) != old
    wait_for(lambda: healthy(ask), 90)


@pytest.mark.long
def test_a_version_that_does_not_start_ends_the_run_at_the_first_replica(
    client: Client, ask: Ask, hosts: dict[str, Host]
) -> None:
    old, before, installed = primary(ask), running(hosts), versions(hosts)
    offer_newer(hosts, broken=True)
    code, _, output = run_role(*LATEST)
    assert code != 0
    assert f"{UNIT}.service" in output
    [first] = [name for name, version in versions(hosts).items() if version != installed[name]]
    untouched = [name for name in HOSTS if name != first]
    assert first != old
    assert {name: running(hosts)[name] for name in untouched} == {name: before[name] for name in untouched}
    client.writes_again(time.monotonic())
    assert primary(ask) == old
    version = offer_newer(hosts)
    converge(*LATEST)
    wait_for(lambda: healthy(ask), 90)
    client.stop()
    assert all(found.endswith(version) for found in versions(hosts).values())


def test_the_other_flavour_is_refused_beside_this_one(ask: Ask, hosts: dict[str, Host]) -> None:
    other = {"redis": "valkey", "valkey": "redis"}[FLAVOR]
    before = running(hosts)
    code, stats, output = run_role("-e", f"redis_flavor={other}")
    assert code != 0
    assert f"has data of {FLAVOR} in /var/lib/{FLAVOR}; nothing was changed" in output
    assert not any(changes(stats).values())
    assert running(hosts) == before
    assert hosts["redis1"].run(f"dpkg-query -W {other}-server").rc != 0
    code, _, output = run_role("-e", "redis_flavor=keydb")
    assert code != 0
    assert "value of redis_flavor must be one of: redis, valkey, got: keydb" in output
    assert healthy(ask)


def test_another_quorum_reaches_the_running_sentinels(ask: Ask) -> None:
    assert ask("redis2", "admin", "SENTINEL", "SET", NAME, "quorum", "3", port=26379) == "OK"
    stats = converge(*TUNED)
    assert changes(stats) == {"redis1": 0, "redis2": 1, "redis3": 0}
    assert view(ask, "redis2")["quorum"] == "2"
