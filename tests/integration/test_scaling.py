"""More and fewer app hosts by the inventory alone, while clients call all the time."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from tests.support.calls import Outcome, load_all_the_time
from tests.support.lab import Lab
from tests.support.long_calls import long_calls_and_streams
from tests.support.waiting import wait_for

pytestmark = [pytest.mark.long, pytest.mark.timeout(2400, func_only=True)]

Figure = Callable[[str], None]
MOST = 10


def with_app_hosts(lab: Lab, folder: Path, number: int) -> Lab:
    """Return the lab by an inventory with so many app hosts."""
    inventory = yaml.safe_load(lab.inventory.read_text())
    app = inventory["all"]["children"]["app"]
    known = list(app["hosts"].items())
    new = {f"app{n}": {"ansible_host": f"{{{{ lab_network }}}}.{20 + n}"} for n in range(len(known) + 1, number + 1)}
    app["hosts"] = {**dict(known[:number]), **new}
    folder.mkdir()
    (folder / "group_vars").symlink_to(lab.inventory.parent / "group_vars")
    scaled = copy.copy(lab)
    scaled.inventory = folder / "hosts.yml"
    scaled.inventory.write_text(yaml.safe_dump(inventory, sort_keys=False))
    return scaled


@pytest.fixture
def many(lab: Lab, tmp_path: Path) -> Iterator[Lab]:
    """Return the lab with ten app hosts, none of the new ones made yet; they are gone afterwards."""
    many = with_app_hosts(lab, tmp_path / "many", MOST)
    yield many
    for name in set(many.hosts("app")) - set(lab.hosts("app")):
        lab.host(name, state="absent")


def all_answer(lab: Lab, outcome: Outcome) -> None:
    """Wait until clients have answers from every app host of the inventory.

    :raises AssertionError: some don't answer.
    """
    before = outcome.instances.copy()

    def missing() -> set[str]:
        seen = {name.rpartition("-")[0] for name, calls in outcome.instances.items() if calls > before[name]}
        return set(lab.hosts("app")) - seen

    wait_for(lambda: not missing(), 60)


def test_ten_app_hosts_one_and_as_many_as_before(lab: Lab, many: Lab, tmp_path: Path, figure: Figure) -> None:
    single = with_app_hosts(lab, tmp_path / "single", 1)
    with load_all_the_time(lab.endpoints, 10_000, 64, 12.0) as outcome, long_calls_and_streams(lab) as others:
        many.playbook("lab")
        all_answer(many, outcome)
        grown = outcome.calls

        single.playbook("site")
        left = outcome.instances.copy()
        again = single.playbook("site")
        all_answer(single, outcome)
        shrunk = outcome.calls
        late = {name for name, calls in outcome.instances.items() if calls > left[name]}

        lab.playbook("site")
        all_answer(lab, outcome)
    figure(
        f"{len(lab.hosts('app'))} app hosts to {MOST}, to 1, and back: {len(outcome.failures)} of {outcome.calls} "
        f"calls failed ({grown} to {MOST}, {shrunk - grown} to 1); {others}"
    )
    assert outcome.failures == []
    assert others.failures == []
    assert others.slow <= others.calls / 10
    assert again.changed_tasks == []
    assert {name.rpartition("-")[0] for name in late} == set(single.hosts("app"))
