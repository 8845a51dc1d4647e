"""The whole of preflight, by ansible-playbook."""

from __future__ import annotations

import resource
from pathlib import Path

import pytest
import yaml

from tests.support.playbooks import ROOT, copy_inventory, run_playbook, write_yaml

PREFLIGHT = "playbooks/preflight.yml"


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.mark.parametrize("example", ["single", "staging", "production", "lab", "lab/small.yml"])
def test_examples_pass(example: str, tmp_path: Path) -> None:
    name, _, file = example.partition("/")
    inventory = copy_inventory(name, tmp_path) / file
    secrets = run_playbook("playbooks/secrets.yml", inventory)
    assert secrets.code == 0, secrets.output
    run = run_playbook(PREFLIGHT, inventory)
    assert run.code == 0, run.output


def test_every_mistake_at_once_and_nothing_changed(site: Path) -> None:
    hosts = yaml.safe_load((site / "hosts.yml").read_text())
    groups = hosts["all"]["children"]
    del groups["monitoring"]
    groups["app"]["hosts"]["app2"]["ansible_host"] = groups["app"]["hosts"]["app1"]["ansible_host"]
    groups["database"]["hosts"]["db2"]["mysql_portt"] = 3307
    written = write_yaml(site / "hosts.yml", hosts).read_text().splitlines()
    line = 1 + next(number for number, text in enumerate(written) if "mysql_portt" in text)
    (site / "group_vars/database.yml").unlink()
    main = site / "group_vars/all/main.yml"
    main.write_text(main.read_text().replace("cluster_domain: mcp.example.com", "cluster_domain: mcp"))
    before = files(site)

    run = run_playbook(PREFLIGHT, site)

    assert run.code != 0
    assert run.problems == [
        "ansible_host (app1, app2) - 10.20.0.21 is the address of more than one host - must be another on each host",
        "cluster_domain (all hosts) - 'mcp' is not a domain name - must be a domain name such as mcp.example.com, "
        "without scheme, port or path [group_vars/all/main.yml:4]",
        "group monitoring - is missing from the inventory - may be empty, but must be there",
        "mysql_bootstrap_primary (group database) - is not set, group database has no primary to start with"
        " - allowed values are db1, db2, db3",
        f"mysql_portt (db2) - no role knows this variable, did you mean mysql_port? [hosts.yml:{line}]",
    ]
    assert "changed=0" in run.output
    assert files(site) == before


def test_command_line_variables_are_checked_too(site: Path) -> None:
    run = run_playbook(PREFLIGHT, site, "-e", '{"mysql_port": "many", "nginx_wrokers": 2}')
    assert [line.split()[0] for line in run.problems] == ["mysql_port", "nginx_wrokers"]


def test_hosts_outside_the_limit_are_checked_too(site: Path) -> None:
    write_yaml(site / "host_vars/db3.yml", {"mysql_port": "x"})
    run = run_playbook(PREFLIGHT, site, "--limit", "lb1")
    assert [line.split(" - ")[0] for line in run.problems] == ["mysql_port (db3)"]


def test_templates_are_worked_out_and_facts_are_waited_for(site: Path) -> None:
    write_yaml(
        site / "group_vars/database.yml",
        {
            "primaries": ["db1"],
            "mysql_bootstrap_primary": "{{ primaries | first }}",
            "memory": "{{ ansible_facts.memtotal_mb }}",
            "mysql_buffer_pool_mb": "{{ memory // 2 }}",
            "mysql_port": "{{ nothing_of_the_kind }}",
        },
    )
    run = run_playbook(PREFLIGHT, site)
    (line,) = run.problems
    assert line.startswith("mysql_port (group database) - can't be worked out, 'nothing_of_the_kind' is undefined")


def test_secrets_are_not_shown(site: Path) -> None:
    secrets = site / "group_vars/all/secrets.yml"
    content = yaml.safe_load(secrets.read_text())
    content.update(mysql_admin_password="hunter2", redis_app_password=["swordfish"])
    write_yaml(secrets, content)
    run = run_playbook(PREFLIGHT, site, "-vvv")
    assert [line.split()[0] for line in run.problems] == ["mysql_admin_password", "redis_app_password"]
    assert "hunter2" not in run.output
    assert "swordfish" not in run.output


def test_what_tasks_have_registered_is_nobodys_mistake(site: Path, tmp_path: Path) -> None:
    playbook = write_yaml(
        tmp_path / "play.yml",
        [
            {
                "hosts": "all",
                "gather_facts": False,
                "tasks": [{"ansible.builtin.debug": {"msg": "x"}, "register": "mysql_of_a_task"}],
            },
            {"import_playbook": str(ROOT / PREFLIGHT)},
        ],
    )
    run = run_playbook(playbook, site)
    assert run.code == 0, run.output


def test_thirteen_hosts_take_less_than_two_seconds(production: Path) -> None:
    def seconds(*arguments: str) -> float:
        """Return the time that CPUs worked for a run: on a busy machine the clock says little."""
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        assert run_playbook(PREFLIGHT, production, *arguments).code == 0
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    assert seconds() - seconds("--list-tasks") < 2
