"""One host that is everything serves tool calls and watches itself."""

import json
import os
from pathlib import Path

import yaml
from ansible_collections.trinitycore.mcp.plugins.module_utils.mcp_client import call_tool
from testinfra.host import Host

ROOT = Path(os.environ["MOLECULE_PROJECT_DIRECTORY"])
STATE = ROOT / f".lab-{os.environ.get('SCENARIO_LAB', 'molecule')}"
ADDRESS = f"{os.environ.get('SCENARIO_NETWORK', '10.77.2')}.81"
SECRETS = yaml.safe_load((ROOT / "molecule/shared/group_vars/all/secrets.yml").read_text())


def test_a_tool_call_is_answered_from_the_database() -> None:
    answer = call_tool(
        "https://mcp.molecule.test/mcp",
        "creature_get",
        {"id": 6},
        api_key=SECRETS["mcp_server_api_key"],
        address=ADDRESS,
        ca_file=str(STATE / "pki/ca.crt"),
    )
    assert not answer.is_error
    assert answer.structured is not None
    assert answer.structured["name"] == "Kobold Vermin"


def test_every_target_is_up(host: Host) -> None:
    targets = json.loads(host.check_output(f"curl -fsS http://{ADDRESS}:9090/api/v1/targets"))["data"]["activeTargets"]
    assert {target["labels"]["job"]: target["health"] for target in targets if target["health"] != "up"} == {}
    assert len(targets) >= 3


def test_no_unit_has_failed(host: Host) -> None:
    ours = "mariadb redis-server nginx prometheus prometheus-node-exporter trinitycore-mcp@1 trinitycore-mcp.target"
    assert set(host.check_output(f"systemctl is-active {ours}").split()) == {"active"}
