"""Chances of loot: what is computed is what rolling the dice many times gives, and what can be worked out by hand."""

from __future__ import annotations

import pytest

from server.tests.loot_dice import check
from trinitycore_mcp.loot.rules import Entry, Odds, Template, fault, shares


def test_rows_without_a_group_roll_by_themselves() -> None:
    check([Entry(1, chance=80), Entry(2, chance=12.5), Entry(3, chance=100), Entry(4, chance=130), Entry(5, chance=1)])


def test_a_group_gives_one_row_and_the_rest_is_shared() -> None:
    explicit = [Entry(1, chance=30, group=1), Entry(2, chance=10, group=1)]
    check([*explicit, *(Entry(n, chance=0, group=1) for n in (3, 4, 5))])
    check([*explicit, Entry(3, chance=0, group=2)])


def test_chances_above_a_hundred_leave_nothing_to_later_rows() -> None:
    rows = [Entry(1, chance=70, group=1), Entry(2, chance=60, group=1), Entry(3, chance=0, group=1)]
    check(rows)
    parts, nothing = shares(rows)
    assert parts == pytest.approx([0.7, 0.3, 0.0])
    assert nothing == 0
    assert shares([Entry(1, chance=20, group=1), Entry(2, chance=100, group=1)])[0] == pytest.approx([0.2, 0.8])


def test_rows_of_another_mode_take_no_part() -> None:
    rows = [Entry(1, chance=50, mode=3), Entry(2, chance=50, mode=2), Entry(3, chance=40, group=1, mode=2),
            Entry(4, chance=0, group=1), Entry(5, chance=0, group=1, mode=2)]  # fmt: skip
    for mode in (1, 2, 3):
        check(rows, mode=mode)
    assert Odds(Template(rows), 1).chance(lambda each: each.item == 4) == 1


def test_a_reference_rolls_its_template_so_often() -> None:
    below = Template(
        [Entry(1, chance=25), *(Entry(n, chance=0, group=1) for n in (2, 3, 4, 5)), Entry(6, chance=3, group=2)]
    )
    check([Entry(9, reference=9, chance=40, max_count=3, template=below), Entry(1, chance=10), Entry(2, chance=5)])


def test_trinitycore_a_reference_may_name_one_group_of_its_template() -> None:
    below = [
        Entry(1, chance=0, group=1),
        Entry(2, chance=0, group=1),
        Entry(3, chance=60, group=2),
        Entry(4, chance=90),
    ]
    check([Entry(9, reference=9, chance=50, group=2, max_count=2, template=Template(below))])


def test_azerothcore_a_reference_is_a_row_of_its_group() -> None:
    below = Template(
        [Entry(1, chance=0, group=1), Entry(2, chance=0, group=1), Entry(3, chance=60)], grouped_references=True
    )
    other = Template([Entry(4, chance=50)], grouped_references=True)
    rows = [Entry(9, reference=9, chance=50, group=1, max_count=2, template=below),
            Entry(8, reference=8, chance=20, group=1, template=other), Entry(5, chance=15, group=1)]  # fmt: skip
    check(rows, azerothcore=True)


def test_a_group_does_not_give_an_item_again_that_the_loot_holds() -> None:
    equal = Template([Entry(n, chance=0, group=1, limit=1) for n in range(1, 6)])
    twice = Entry(9, reference=9, max_count=2, template=equal)
    check([twice])
    assert Odds(Template([twice])).chance(lambda each: each.item == 3) == pytest.approx(2 / 5)
    mixed = Template([Entry(1, chance=40, group=1, limit=1), Entry(2, chance=25, group=1, limit=2),
                      Entry(3, chance=0, group=1, limit=1), Entry(4, chance=0, group=1)])  # fmt: skip
    check([Entry(9, reference=9, max_count=4, template=mixed)])
    check([Entry(9, reference=9, chance=60, max_count=3, template=mixed)])


def test_references_lead_on_to_references() -> None:
    inner = Template([Entry(1, chance=0, group=1), Entry(2, chance=0, group=1), Entry(3, chance=10)])
    outer = Template([Entry(8, reference=8, chance=30, max_count=2, template=inner), Entry(3, chance=20)])
    check(
        [Entry(9, reference=9, chance=70, max_count=2, template=outer), Entry(7, reference=8, chance=5, template=inner)]
    )


def test_a_group_too_large_to_follow_is_still_answered() -> None:
    large = Template([Entry(n, chance=0.5, group=1, limit=1) for n in range(1, 121)])
    chance = Odds(Template([Entry(9, reference=9, max_count=8, template=large)])).chance(lambda each: each.item == 1)
    assert chance == pytest.approx(1 - 0.995**8)


def test_what_the_cores_leave_out() -> None:
    assert fault(Entry(1, chance=0)) == "Chance is 0 without a group"
    assert fault(Entry(1, chance=0, group=1)) is None
    assert fault(Entry(1, reference=1, chance=0, group=1)) == "a reference needs a Chance above 0"
    assert fault(Entry(1, min_count=2, max_count=1)) == "MaxCount is less than MinCount"
    assert fault(Entry(1, min_count=0)) == "MinCount is 0"
    assert fault(Entry(1, chance=-5)) == "Chance is too low"
    assert fault(Entry(1, mode=0)) == "LootMode is 0: there is no such mode"
    assert fault(Entry(1, exists=False)) == "there is no item 1"
    assert fault(Entry(1, reference=5, min_count=3, max_count=1)) is None
    lost = Entry(1, chance=0)
    assert Odds(Template([lost, Entry(2)])).chance(lambda each: each is lost) == 0


def test_a_missing_template_gives_nothing() -> None:
    assert Odds(Template([Entry(9, reference=9)])).chance(lambda each: not each.reference) == 0
