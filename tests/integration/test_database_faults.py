"""Database servers fail under writes: what was acknowledged is there afterwards, and nothing that was refused."""

from __future__ import annotations

import gzip
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.integration.test_database_roles import rows_written, wait_for_ssh
from tests.support.lab import ROOT, Lab
from tests.support.tools import DATA as GAME_DATA
from tests.support.waiting import wait_for

pytestmark = pytest.mark.timeout(600, func_only=True)
Figure = Callable[[str], None]
DATA = "/var/lib/mysql"
# A real world database, 46 MB with its indexes.
WORLD = GAME_DATA / "azerothcore"


def result(report: dict[str, Any]) -> str:
    return (
        f"{report['lost']} of {report['acknowledged']} acknowledged rows lost, {report['phantom']} phantom, "
        f"{report['unknown']} unknown, {report['refused']} refused; longest write pause "
        f"{report['longest_pause']:.1f} s; {report['failed_reads']} reads failed, longest read "
        f"{report['longest_read']:.2f} s"
    )


def test_the_primarys_process_is_killed(lab: Lab, figure: Figure) -> None:
    """It comes back by itself, closed; the next run of the site opens it, or a replica that has more."""
    primary = lab.database_primary()
    with rows_written(lab, 40) as report:
        time.sleep(4)
        lab.ssh(primary, f"systemctl kill --signal=KILL {lab.database}")
        began = time.monotonic()
        lab.playbook("configure", "--tags", "mysql")
        took = time.monotonic() - began
    figure(
        f"{lab.database}, kill -9 of the primary's server: {result(report)}; configure.yml --tags mysql took "
        f"{took:.1f} s"
    )
    assert (report["lost"], report["phantom"], report["failed_reads"]) == (0, 0, 0)
    assert all(lab.replicates(host) for host in lab.hosts("database") if host != lab.database_primary())


@pytest.mark.long
def test_the_primary_is_frozen_for_a_while(lab: Lab, figure: Figure) -> None:
    primary = lab.database_primary()
    with rows_written(lab, 40) as report:
        time.sleep(4)
        lab.host(primary, state="frozen")
        try:
            time.sleep(20)
        finally:
            lab.host(primary, state="started")
    figure(f"{lab.database}, primary frozen for 20 s and thawed: {result(report)}")
    assert (report["lost"], report["phantom"], report["failed_reads"]) == (0, 0, 0)
    assert lab.database_primary() == primary


@pytest.mark.long
def test_a_switchover_is_killed_on_its_way_and_run_again(lab: Lab, figure: Figure) -> None:
    """With the whole run, at moments spread over it; the module's own steps are tested one by one elsewhere."""
    before = lab.database_primary()
    target = next(host for host in lab.hosts("database") if host != before)
    moments = (1.5, 2.5, 3.5, 4.5)
    with rows_written(lab, 75) as report:
        for wanted, moment in zip((target, before) * 2, moments, strict=True):
            _killed_after(lab, moment, "switchover", "-e", f"target={wanted}")
            lab.playbook("switchover", "-e", f"target={wanted}")
            assert lab.database_primary() == wanted
    figure(f"{lab.database}, switchover.yml killed {len(moments)} times and run again: {result(report)}")
    assert (report["lost"], report["phantom"], report["failed_reads"]) == (0, 0, 0)


def _killed_after(lab: Lab, seconds: float, name: str, *arguments: str) -> None:
    """Run a playbook and kill it, with all of its processes on this machine."""
    with subprocess.Popen(
        lab.command(name, *arguments),
        cwd=ROOT,
        env=lab.environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    ) as run:
        time.sleep(seconds)
        os.killpg(run.pid, signal.SIGKILL)


@contextmanager
def small_disk(lab: Lab, host: str, spare_mb: int) -> Iterator[None]:
    """Have a replica's data on a small file system of their own, and afterwards back where they were."""
    used = int(lab.ssh(host, f"systemctl stop {lab.database}; du -sm {DATA} | cut -f1"))
    try:
        lab.ssh(
            host,
            f"mkdir /run/small && mount -t tmpfs -o size={used + spare_mb}M tmpfs /run/small"
            f" && cp -a {DATA}/. /run/small"
            f" && chown --reference={DATA} /run/small && chmod --reference={DATA} /run/small"
            f" && mount --bind /run/small {DATA} && systemctl start {lab.database}",
            timeout=120,
        )
        yield
    finally:
        lab.ssh(
            host,
            f"systemctl stop {lab.database}; umount {DATA} && find {DATA} -mindepth 1 -delete"
            f" && cp -a /run/small/. {DATA} && umount /run/small && rmdir /run/small; systemctl start {lab.database}",
            timeout=120,
        )


@pytest.mark.long
def test_the_primarys_disk_is_full(lab: Lab, figure: Figure) -> None:
    """MariaDB waits, and tries again once in a minute, or ends itself; the next run of the site then opens it."""
    before = lab.database_primary()
    host = next(host for host in lab.hosts("database") if host != before)
    with small_disk(lab, host, spare_mb=150):
        lab.playbook("switchover", "-e", f"target={host}")
        try:
            with rows_written(lab, 110) as report:
                time.sleep(4)
                # What fills it comes from elsewhere; all that is left is taken.
                lab.ssh(
                    host,
                    f"dd if=/dev/zero of={DATA}/filler bs=64K status=none; dd if=/dev/zero of={DATA}/filler2"
                    " bs=512 status=none; true",
                )
                try:
                    assert lab.ssh(host, f"df --output=avail {DATA} | tail -1").strip() == "0"
                    time.sleep(15)
                finally:
                    lab.ssh(host, f"rm -f {DATA}/filler {DATA}/filler2")
                lab.playbook("configure", "--tags", "mysql")
        finally:
            lab.ssh(host, f"rm -f {DATA}/filler {DATA}/filler2", check=False)
            wait_for(lambda: lab.lag(before) == 0, 180)  # all that was written as fast as it went
            if lab.database_primary() == host:
                lab.playbook("switchover", "-e", f"target={before}")
    figure(f"{lab.database}, primary's disk full for 15 s: {result(report)}")
    assert (report["lost"], report["phantom"], report["failed_reads"]) == (0, 0, 0)
    wait_for_ssh(lab, host)
    lab.playbook("configure", "--tags", "mysql")
    assert lab.replicates(host)


@pytest.mark.long
@pytest.mark.skipif(not WORLD.is_dir(), reason="needs the real data sets beside the checkout")
def test_a_replica_is_added_to_a_loaded_primary(lab: Lab, figure: Figure) -> None:
    """A host anew, whose primary's binary logs don't reach back any more: it gets a copy while rows are written."""
    primary = lab.database_primary()
    new = next(host for host in lab.hosts("database") if host != primary)
    lab.sql(primary, "CREATE DATABASE IF NOT EXISTS real_world")
    try:
        for dump in sorted(WORLD.glob("*world*.sql*")):
            _load(lab, primary, dump)
        size = float(
            lab.sql(
                primary,
                "SELECT SUM(DATA_LENGTH + INDEX_LENGTH) / 1048576 FROM information_schema.TABLES"
                " WHERE TABLE_SCHEMA = 'real_world'",
            )
        )
        lab.sql(primary, "FLUSH BINARY LOGS")
        time.sleep(1)
        last = lab.sql(primary, "SHOW BINARY LOGS").splitlines()[-1].split("\t")[0]
        lab.sql(primary, f"PURGE BINARY LOGS TO '{last}'")
        lab.host(new, state="absent")
        with rows_written(lab, 90) as report:
            lab.playbook("lab_hosts")
            began = time.monotonic()
            lab.playbook("site", "--limit", new)
            took = time.monotonic() - began
        assert lab.replicates(new)
        tables = "SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA = 'real_world'"
        assert lab.sql(new, tables) == lab.sql(primary, tables) != "0"
    finally:
        lab.sql(primary, "DROP DATABASE real_world")
    figure(
        f"{lab.database}, a replica added to a primary with {size:.0f} MB of real data under writes: {took:.1f} s from "
        f"an empty host to a replica (site.yml --limit); {result(report)}"
    )
    assert (report["lost"], report["phantom"], report["refused"], report["failed_reads"]) == (0, 0, 0, 0)


def _load(lab: Lab, host: str, dump: Path) -> None:
    """Load a dump by the server's own client."""
    with gzip.open(dump) if dump.suffix == ".gz" else dump.open("rb") as content:
        text = content.read()
    if lab.database == "mariadb":
        text = text.replace(b"utf8mb4_0900_ai_ci", b"utf8mb4_general_ci")
    subprocess.run(
        ["ssh", "-F", str(lab.state / "ssh_config"), host, f"{lab.database} real_world"],
        input=text,
        timeout=300,
        check=True,
    )
