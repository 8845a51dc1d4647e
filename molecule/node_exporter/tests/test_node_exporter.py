"""What the node exporter tells, and to whom."""

import pytest
from testinfra.host import Host

# The name is in the certificate, the address in the inventory.
_ASK = """
import socket, ssl, sys, http.client
name, address, port, cert = sys.argv[1:5]
tls = ssl.create_default_context(cafile="/etc/trinitycore-pki/ca.crt")
if cert == "cert":
    tls.load_cert_chain("/etc/trinitycore-pki/host.crt", "/etc/trinitycore-pki/host.key")
with tls.wrap_socket(socket.create_connection((address, int(port)), 5), server_hostname=name) as stream:
    stream.sendall(b"GET /metrics HTTP/1.0\\r\\n\\r\\n")
    while data := stream.recv(65536):
        sys.stdout.write(data.decode())
"""
HOSTS = {"mon1": "51", "db1": "31"}


def ask(host: Host, target: str, cert: str = "cert") -> str:
    """The metrics of `target`, asked from `host` with its certificate (or none)."""
    network = host.check_output("ip -4 -o addr show host0 | tr / ' '").split()[3].rpartition(".")[0]
    command = f"python3 -c '{_ASK}' {target} {network}.{HOSTS[target]} 9100 {cert}"
    done = host.run(command)
    return str(done.stdout if done.rc == 0 else done.stderr)


@pytest.mark.parametrize("target", sorted(HOSTS))
def test_hosts_of_the_cluster_get_the_metrics(host: Host, target: str) -> None:
    metrics = ask(host, target)
    assert "200 OK" in metrics
    assert 'node_uname_info{domainname="(none)"' in metrics or "node_uname_info" in metrics
    assert f'nodename="{target}"' in metrics


@pytest.mark.parametrize("target", sorted(HOSTS))
def test_without_a_certificate_there_is_nothing(host: Host, target: str) -> None:
    answer = ask(host, target, cert="none")
    assert "node_" not in answer
    assert "certificate required" in answer or "bad certificate" in answer


def test_results_of_jobs_are_published(host: Host) -> None:
    name = host.check_output("hostname")
    host.check_output("echo 'trial_job_result 42' > /var/lib/prometheus/node-exporter/trial.prom")
    assert "\ntrial_job_result 42\n" in ask(host, name)
    host.check_output("rm /var/lib/prometheus/node-exporter/trial.prom")


def test_a_renewed_certificate_is_used_without_a_restart(host: Host) -> None:
    name = host.check_output("hostname")
    pki, keep = "/etc/trinitycore-pki", "/root/pki-before"
    service = "prometheus-node-exporter"
    before = host.check_output(f"systemctl show -P InvocationID {service}")
    host.check_output(f"cp -a {pki} {keep}")
    try:
        # A certificate that nobody trusts: whoever asks now must notice.
        host.check_output(
            f"openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1 -subj /CN={name} "
            f"-keyout {pki}/host.key -out {pki}/host.crt"
        )
        host.check_output(f"chgrp trinitycore-tls {pki}/host.key; chmod 0640 {pki}/host.key")
        assert "CERTIFICATE_VERIFY_FAILED" in ask(host, name, cert="none")
    finally:
        host.check_output(f"cp -a {keep}/. {pki}; rm -r {keep}")
    assert "200 OK" in ask(host, name)
    assert host.check_output(f"systemctl show -P InvocationID {service}") == before


def test_it_cannot_become_more_than_it_is(host: Host) -> None:
    pid = host.check_output("systemctl show -P MainPID prometheus-node-exporter")
    status = host.check_output(f"cat /proc/{pid}/status")
    assert "NoNewPrivs:\t1" in status
    assert "CapBnd:\t0000000000000000" in status
    assert host.process.get(pid=pid).user == "prometheus"
