"""What Prometheus sees, and when it raises an alarm."""

import json
from pathlib import Path

import pytest
from testinfra import get_host
from testinfra.host import Host

from tests.support.playbooks import run_playbook
from tests.support.prometheus import api, firing, within

testinfra_hosts = ["ansible://mon1"]


def health(host: Host) -> dict[str, str]:
    targets = api(host, "targets")["activeTargets"]
    return {f"{target['labels']['job']} {target['labels']['instance']}": target["health"] for target in targets}


def test_every_host_is_scraped_over_tls(host: Host) -> None:
    wanted = {"node mon1", "node app1", "prometheus mon1"}
    assert within(20, lambda: {name for name, state in health(host).items() if state == "up"} >= wanted)
    addresses = {
        target["scrapeUrl"]
        for target in api(host, "targets")["activeTargets"]
        if target["labels"]["job"] != "prometheus"
    }
    assert all(address.startswith("https://") for address in addresses)
    (load,) = api(host, "query", query='node_load1{instance="app1"}')["result"]
    assert load["metric"]["groups"] == "app"


def test_each_server_instance_is_a_target(host: Host) -> None:
    instances = {name for name in health(host) if name.startswith("mcp_server ")}
    assert instances and instances == {f"mcp_server app1-{number + 1}" for number in range(len(instances))}


def test_the_alarm_is_raised_when_a_host_goes_and_ends_when_it_is_back(host: Host) -> None:
    app1 = get_host("ansible://app1", ansible_inventory=host.backend.ansible_runner.inventory_file)
    assert within(20, lambda: ("HostDown", "app1") not in firing(host))
    app1.check_output("systemctl stop prometheus-node-exporter")
    try:
        assert within(15, lambda: ("HostDown", "app1") in firing(host))
        assert ("HostDown", "mon1") not in firing(host)
    finally:
        app1.check_output("systemctl start prometheus-node-exporter")
    assert within(15, lambda: ("HostDown", "app1") not in firing(host))


def test_instances_that_do_not_run_are_told(host: Host) -> None:
    assert within(20, lambda: {("ServerInstanceDown", "app1-1"), ("AllServerInstancesDown", "")} <= firing(host))


def test_alerts_of_slow_causes(host: Host) -> None:
    rules = (Path(__file__).parent / "rules.yml").read_text()
    host.check_output(f"cat > /root/rules.yml <<'END'\n{rules}\nEND")
    done = host.run("promtool test rules /root/rules.yml")
    assert done.rc == 0, done.stdout + done.stderr


def test_a_broken_rule_never_goes_live(host: Host) -> None:
    """The role itself is run with a rule that is no PromQL."""
    look = "sha256sum /etc/prometheus/prometheus.yml /etc/prometheus/rules/*"
    before = host.check_output(look)
    broken = {"prometheus_extra_rule_groups": [{"name": "mine", "rules": [{"alert": "Bad", "expr": "up ==="}]}]}
    inventory = Path(host.backend.ansible_runner.inventory_file)
    done = run_playbook("molecule/prometheus/converge.yml", inventory, "-e", json.dumps(broken))
    assert done.code != 0
    assert "/etc/prometheus/rules/trinitycore-mcp.yml is refused by" in done.said
    assert host.check_output(look) == before
    (reloaded,) = api(host, "query", query="prometheus_config_last_reload_successful")["result"]
    assert reloaded["value"][1] == "1"


@pytest.mark.parametrize("flag", ["storage.tsdb.retention.time", "storage.tsdb.retention.size"])
def test_retention_is_limited(host: Host, flag: str) -> None:
    assert api(host, "status/flags")[flag] in {"30d", "8GB", "8GiB"}
