"""What the database exporter tells, to whom, and the alarm when writes stop waiting for a replica."""

import time
from collections.abc import Callable

import pytest
from testinfra import get_host
from testinfra.host import Host

from tests.support.prometheus import api, firing, within

testinfra_hosts = ["ansible://mon1"]

# The name is in the certificate, the address in the inventory.
_ASK = """
import socket, ssl, sys
name, address, cert = sys.argv[1:4]
tls = ssl.create_default_context(cafile="/etc/trinitycore-pki/ca.crt")
if cert == "cert":
    tls.load_cert_chain("/etc/trinitycore-pki/host.crt", "/etc/trinitycore-pki/host.key")
with tls.wrap_socket(socket.create_connection((address, 9104), 5), server_hostname=name) as stream:
    stream.sendall(b"GET /metrics HTTP/1.0\\r\\n\\r\\n")
    while data := stream.recv(65536):
        sys.stdout.write(data.decode())
"""


def other(host: Host, name: str) -> Host:
    return get_host(f"ansible://{name}", ansible_inventory=host.backend.ansible_runner.inventory_file)


def metrics(host: Host, name: str, cert: str = "cert") -> str:
    """What `mon1` gets of a database host's exporter, with its certificate or with none."""
    address = other(host, name).check_output("hostname -I").split()[0]
    done = host.run(f"python3 -c '{_ASK}' {name} {address} {cert}")
    return str(done.stdout if done.rc == 0 else done.stderr)


def scraped(host: Host) -> dict[str, str]:
    """Health of the database hosts' exporters, as Prometheus sees them."""
    targets = api(host, "targets", scrapePool="mysqld")["activeTargets"]
    return {each["labels"]["instance"]: each["health"] for each in targets if each["labels"]["job"] == "mysqld"}


@pytest.mark.parametrize("name", ["db1", "db2"])
def test_prometheus_gets_the_figures_and_nobody_without_a_certificate(host: Host, name: str) -> None:
    shown = metrics(host, name)
    assert "\nmysql_up 1\n" in shown
    assert f"\nmysql_global_variables_read_only {int(name == 'db2')}\n" in shown
    assert "mysql_global_status_rpl_semi_sync_master_clients" in shown
    assert "mysql_slave_status_seconds_behind_master" in shown or name == "db1"
    without = metrics(host, name, cert="none")
    assert "mysql_up" not in without
    assert "certificate required" in without or "bad certificate" in without


def test_the_login_is_for_the_exporter_alone(host: Host) -> None:
    database = other(host, "db1")
    file = "/etc/prometheus-mysqld-exporter/login.cnf"
    assert database.check_output(f"stat -c %U:%a {file}") == "prometheus:400"
    password = database.check_output(f"sed -n 's/^password = //p' {file}").strip('"')
    shown = database.check_output("ps auxe; journalctl --no-pager -u prometheus-mysqld-exporter")
    assert len(password) > 10 and password not in shown
    denied = database.run(f"mariadb --defaults-file={file} -e 'SELECT * FROM mcp.deployment_record'")
    assert "denied" in denied.stderr


def test_the_alarm_is_raised_when_writes_no_longer_wait_for_a_replica(
    host: Host, record_property: Callable[[str, object], None]
) -> None:
    one, two = other(host, "db1"), other(host, "db2")
    down, before = ("WritesOnOneHostOnly", "db1"), ("WritesWereOnOneHostOnly", "db1")
    assert within(30, lambda: scraped(host) == {"db1": "up", "db2": "up"})
    assert not {alarm for alarm in firing(host) if alarm[0].startswith("Writes")}, "a replica takes no writes"

    one.check_output("mariadb -e 'CREATE TABLE IF NOT EXISTS mcp.t (id INT)'")
    two.check_output("mariadb -e 'STOP SLAVE'")
    began = time.monotonic()
    one.check_output("mariadb -e 'INSERT INTO mcp.t VALUES (1)'")  # confirmed after a second, by nobody else
    assert within(60, lambda: down in firing(host))
    record_property("figure", f"alarm after a write that no replica has: {time.monotonic() - began:.1f} s")
    assert within(60, lambda: before in firing(host))
    assert not [alarm for alarm in firing(host) if alarm[1] == "db2" and alarm[0].startswith("Writes")]

    two.check_output("mariadb -e 'START SLAVE'")
    assert within(60, lambda: down not in firing(host))
    assert before in firing(host), "it is remembered for a while"

    # Switched off by hand is no better.
    one.check_output("mariadb -e 'SET GLOBAL rpl_semi_sync_master_enabled = 0'")
    try:
        assert within(60, lambda: down in firing(host))
    finally:
        one.check_output("mariadb -e 'SET GLOBAL rpl_semi_sync_master_enabled = 1'")
    assert within(60, lambda: down not in firing(host))
