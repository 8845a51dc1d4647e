"""The narrow facts, against what setup says of the same machine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from ansible_collections.trinitycore.mcp.plugins.module_utils.host_facts import (
    distribution_facts,
    gather,
    memory_mb,
    os_release,
)


def test_they_say_what_setup_says() -> None:
    arguments = "gather_subset=!all,!min,distribution,hardware,network,platform,python"
    program = Path(sys.executable).with_name("ansible")
    command = [str(program), "localhost", "-m", "ansible.builtin.setup", "-a", arguments]
    environment = {**os.environ, "ANSIBLE_CALLBACK_RESULT_FORMAT": "json", "ANSIBLE_NOCOLOR": "1"}
    said = subprocess.run(command, capture_output=True, text=True, check=True, env=environment).stdout
    facts = {
        name.removeprefix("ansible_"): value
        for name, value in json.loads(said[said.index("{") :])["ansible_facts"].items()
    }
    ours = gather()
    version = ours.pop("python")["version"]
    assert ours.pop("default_ipv4").get("interface") == facts["default_ipv4"].get("interface")
    assert version["major"] == facts["python"]["version"]["major"]
    assert {name: value for name, value in ours.items() if facts[name] != value} == {}


def test_ubuntu_is_of_debians_family() -> None:
    release = os_release('# Ubuntu\nID=ubuntu\nID_LIKE="debian"\nVERSION_ID="24.04"\n')
    facts = distribution_facts(release)
    assert (facts["distribution"], facts["os_family"]) == ("Ubuntu", "Debian")
    assert facts["distribution_major_version"] == "24"


def test_another_system_is_not_taken_for_debian() -> None:
    assert distribution_facts({"ID": "fedora", "VERSION_ID": "42"})["os_family"] == "Fedora"


def test_a_host_without_memory_is_an_error() -> None:
    with pytest.raises(ValueError, match="MemTotal"):
        memory_mb("MemFree: 1 kB\n")
