"""Says what a script's rows do.

A row's event starts its action on its target. A row that links to another starts that one too. Rows of a timed action
list run one after the other, each after its delay. Source: TrinityCore's documentation of the table `smart_scripts`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from trinitycore_mcp.database.session import Row
from trinitycore_mcp.sentences import Names, Phrase, Reference
from trinitycore_mcp.smartai.rows import ACTION_PARAMS, EVENT_PARAMS, TARGET_PARAMS
from trinitycore_mcp.smartai.texts import Quotes, speaker
from trinitycore_mcp.smartai.vocabulary import LINK, NOBODY, Vocabulary
from trinitycore_mcp.toolkit import flags, real

ACTION_LIST = 9
_ITSELF = 1
_PHASES = 12
_NOT_REPEATABLE = 0x1
# Actions that start action lists; of the last one the parameters are the first and the last list.
_LISTS = {80: 1, 87: 6}
_LIST_RANGE = 88
_CROSS_CAST = 86
# A range of lists longer than this is shown by its ends only.
_MOST_LISTS = 20


@dataclass(frozen=True)
class Part:
    """An event, action or target: its number and name, and its values by what they mean."""

    number: int
    name: str | None
    values: dict[str, int]


@dataclass(frozen=True)
class Step:
    """One row."""

    row: Row
    event: Part
    action: Part
    target: Part
    phases: list[int]
    sentence: str


def _numbers(row: Row, columns: Iterable[str]) -> list[int]:
    return [int(row[column] or 0) for column in columns]


def _part(known: Mapping[int, Phrase], number: int, numbers: list[int]) -> Part:
    phrase = known.get(number)
    if phrase is None:
        values = {f"param{place}": value for place, value in enumerate(numbers, 1) if value}
        return Part(number, None, values)
    return Part(number, phrase.name, phrase.named_values(numbers))


def list_ids(row: Row) -> list[int]:
    """Return the action lists that a row starts."""
    action = row["action_type"]
    if action in _LISTS:
        return [number for number in _numbers(row, ACTION_PARAMS)[: _LISTS[action]] if number]
    if action == _LIST_RANGE:
        first, last = _numbers(row, ACTION_PARAMS)[:2]
        numbers = range(first, last + 1)
        return list(numbers) if len(numbers) <= _MOST_LISTS else [first, last]
    return []


def references(words: Vocabulary, rows: Iterable[Row]) -> set[Reference]:
    """Return what the rows refer to, to look up the names of."""
    found: set[Reference] = set()
    for row in rows:
        for known, kind, columns in (
            (words.events, "event_type", EVENT_PARAMS),
            (words.actions, "action_type", ACTION_PARAMS),
            (words.targets, "target_type", TARGET_PARAMS),
        ):
            phrase = known.get(row[kind])
            if phrase is not None:
                found.update(phrase.references(_numbers(row, columns)))
        if row["action_type"] == _CROSS_CAST:
            caster = words.targets.get(row["action_param3"])
            if caster is not None:
                found.update(caster.references(_numbers(row, ACTION_PARAMS[3:])))
    return found


def decode(words: Vocabulary, row: Row, names: Names, quotes: Quotes, owner: int | None) -> Step:
    """Return a row, decoded.

    :param quotes: what creatures say, see `quotes_for`.
    :param owner: the entry of the creature whose script it is, if it is one's.
    """
    event_numbers = _numbers(row, EVENT_PARAMS)
    action_numbers = _numbers(row, ACTION_PARAMS)
    target_numbers = _numbers(row, TARGET_PARAMS)
    phases = [bit + 1 for bit in range(_PHASES) if int(row["event_phase_mask"] or 0) >> bit & 1]
    event = _event(words, row, event_numbers, _quoted(names, quotes, row["event_param2"] or owner, event_numbers[0]))
    action = _action(words, row, names, quotes, owner)
    return Step(
        row=row,
        event=_part(words.events, row["event_type"], event_numbers),
        action=_part(words.actions, row["action_type"], action_numbers),
        target=_part(words.targets, row["target_type"], target_numbers),
        phases=phases,
        sentence=f"{event}, {action}{_limits(row, phases)}",
    )


def _quoted(names: Names, quotes: Quotes, entry: int | None, group: int) -> Names:
    """Return names with what a creature says in a text group."""
    quote = quotes.get((entry or 0, group))
    return {**names, ("text_group", group): quote} if quote else names


def _event(words: Vocabulary, row: Row, numbers: list[int], names: Names) -> str:
    number = row["event_type"]
    phrase = words.events.get(number)
    if phrase is None:
        return f"When event of unknown type {number} occurs"
    if row["source_type"] == ACTION_LIST:
        delay = phrase.say(numbers, names) if number else phrase.say([*numbers[:2], 0, 0], names)
        return delay.removeprefix("in combat, ").capitalize() if number == 0 else f"When {delay}"
    if number == LINK:
        return "Then"
    text = phrase.say(numbers, names, words={"string": repr(row["event_param_string"] or "")})
    return f"When {text}"


def _position(row: Row) -> str:
    x, y, z, o = (real(row[f"target_{axis}"]) for axis in "xyzo")
    return f"({x:g}, {y:g}, {z:g}" + (f", facing {o:g})" if o else ")")


def _target(words: Vocabulary, number: int, numbers: list[int], names: Names, position: str, string: str | None) -> str:
    if number == NOBODY:
        return "(no target)"
    phrase = words.targets.get(number)
    if phrase is None:
        return f"(target of unknown type {number})"
    text = phrase.say(numbers, names, words={"position": position})
    return f"{text} with string id {string!r}" if string else text


def _action(words: Vocabulary, row: Row, names: Names, quotes: Quotes, owner: int | None) -> str:
    numbers = _numbers(row, ACTION_PARAMS)
    number, position = row["action_type"], _position(row)
    target_numbers = _numbers(row, TARGET_PARAMS)
    target = _target(words, row["target_type"], target_numbers, names, position, row["target_param_string"])
    phrase = words.actions.get(number)
    if phrase is None:
        shown = ", ".join(str(each) for each in numbers)
        return f"does action of unknown type {number} ({shown}) on {target}"
    others = {"target": target, "position": position}
    if number == _CROSS_CAST:
        others["caster"] = _target(words, numbers[2], numbers[3:7], names, position, None)
    text = phrase.say(numbers, _quoted(names, quotes, speaker(row, owner), numbers[0]), words=others)
    if text.startswith("itself "):
        text = text.replace("itself", "it", 1)
    if "{target}" not in phrase.text and row["target_type"] not in (NOBODY, _ITSELF):
        text += f" (target: {target})"
    return text


def _limits(row: Row, phases: list[int]) -> str:
    """Return what else must be so for a row to run."""
    parts = []
    if phases and len(phases) < _PHASES:
        parts.append(f"in phase {' or '.join(str(phase) for phase in phases)}")
    if row["event_chance"] not in (100, None) and row["event_type"] != LINK:
        parts.append(f"at {row['event_chance']}%")
    set_flags = int(row["event_flags"] or 0)
    if set_flags & _NOT_REPEATABLE:
        parts.append("once")
    parts += [name.lower() for name in flags("smart_event_flags", set_flags & ~_NOT_REPEATABLE).names]
    if row["Difficulties"]:
        parts.append(f"difficulties {row['Difficulties']}")
    return f" [{'; '.join(parts)}]" if parts else ""
