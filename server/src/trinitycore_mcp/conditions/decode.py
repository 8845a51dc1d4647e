"""Says what conditions ask.

Rows with the same ElseGroup must all hold; one group that holds is enough. A row can refer to a template of rows, which
then stands for them. Source: TrinityCore's documentation of the table `conditions`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from trinitycore_mcp.conditions.vocabulary import Vocabulary
from trinitycore_mcp.database.session import Row
from trinitycore_mcp.sentences import Names, Reference

# Condition types about an object's entry: type to (kind of a creature, kind of a gameobject).
_OBJECT_TYPES = {31: (3, 5), 51: (5, 8)}


@dataclass(frozen=True)
class Decoded:
    """One row."""

    row: Row
    type_name: str | None
    values: dict[str, int]
    sentence: str


@dataclass(frozen=True)
class Alternative:
    """The rows of one ElseGroup: all of them must hold."""

    else_group: int
    rows: list[Decoded]


def _numbers(row: Row) -> list[int]:
    return [int(row[f"ConditionValue{place}"] or 0) for place in (1, 2, 3)]


def _object(row: Row) -> Reference | None:
    """Return what a row about an object's entry is about."""
    creature, gameobject = _OBJECT_TYPES.get(row["ConditionTypeOrReference"], (None, None))
    kind, entry, _ = _numbers(row)
    if kind == creature and creature is not None:
        return "creature", entry
    if kind == gameobject and gameobject is not None:
        return "gameobject", entry
    return None


def references(vocabulary: Vocabulary, rows: Iterable[Row]) -> set[Reference]:
    """Return what the rows refer to, to look up the names of."""
    found: set[Reference] = set()
    for row in rows:
        phrase = vocabulary.types.get(row["ConditionTypeOrReference"])
        if phrase is not None:
            found.update(phrase.references(_numbers(row)))
        thing = _object(row)
        if thing is not None:
            found.add(thing)
    return found


def decode(
    vocabulary: Vocabulary, rows: Sequence[Row], names: Names, templates: Mapping[int, list[Row]], source_type: int
) -> list[Alternative]:
    """Return the rows of one source, decoded.

    :param templates: reference templates by number.
    :param source_type: decides whom a condition is about; rows of a template have none of their own.
    """
    return _alternatives(vocabulary, rows, names, templates, source_type, ())


def _alternatives(
    vocabulary: Vocabulary,
    rows: Sequence[Row],
    names: Names,
    templates: Mapping[int, list[Row]],
    source_type: int,
    path: tuple[int, ...],
) -> list[Alternative]:
    groups: dict[int, list[Decoded]] = {}
    for row in rows:
        number = row["ConditionTypeOrReference"]
        if number < 0:
            decoded = _template(vocabulary, row, names, templates, source_type, path)
        else:
            decoded = _plain(vocabulary, row, names, source_type)
        groups.setdefault(row["ElseGroup"], []).append(decoded)
    return [Alternative(group, decoded) for group, decoded in sorted(groups.items())]


def _plain(vocabulary: Vocabulary, row: Row, names: Names, source_type: int) -> Decoded:
    number = row["ConditionTypeOrReference"]
    numbers = _numbers(row)
    phrase = vocabulary.types.get(number)
    negative = bool(row["NegativeCondition"])
    if phrase is None:
        shown = ", ".join(str(each) for each in numbers)
        text = f"condition of unknown type {number} with values {shown} {'does not hold' if negative else 'holds'}"
        return Decoded(row, None, {}, text)
    thing = _object(row)
    entry = numbers[1]
    called = (names.get(thing) if thing else None) or ""
    words = {
        "who": vocabulary.who(source_type, row["ConditionTarget"]),
        "object": f"{thing[0] if thing else 'object with entry'} {called}".rstrip() + f" ({entry})",
        "other": vocabulary.who(source_type, numbers[0]),
        "string": repr(row["ConditionStringValue1"] or ""),
    }
    if not called:
        words["object"] = f"{thing[0] if thing else 'object with entry'} {entry}"
    text = phrase.say(numbers, names, words=words, negative=negative)
    if row["ScriptName"]:
        text += f", and script {row['ScriptName']} agrees"
    return Decoded(row, phrase.name, phrase.named_values(numbers), text)


def _template(
    vocabulary: Vocabulary,
    row: Row,
    names: Names,
    templates: Mapping[int, list[Row]],
    source_type: int,
    path: tuple[int, ...],
) -> Decoded:
    number = -row["ConditionTypeOrReference"]
    if number in path:
        text = f"condition template {number}, which refers back to itself"
    elif not templates.get(number):
        text = f"condition template {number}, which has no rows"
    else:
        inner = _alternatives(vocabulary, templates[number], names, templates, source_type, (*path, number))
        text = f"condition template {number} holds: {sentence_of(inner)}"
    return Decoded(row, "Reference", {"reference": number}, text)


def _group_sentence(group: Alternative) -> str:
    return " and ".join(each.sentence for each in group.rows)


def sentence_of(alternatives: Sequence[Alternative]) -> str:
    """Return one sentence for all that must hold, empty for no conditions."""
    groups = [_group_sentence(group) for group in alternatives]
    if len(groups) < 2:
        return "".join(groups)
    return "either " + ", or ".join(groups)


def together(alternatives: Sequence[Alternative]) -> list[str]:
    """Return sentences that must all hold: one for each row, or a single one when there are alternatives."""
    if len(alternatives) == 1:
        return [capital(each.sentence) for each in alternatives[0].rows]
    return [capital(sentence_of(alternatives))] if alternatives else []


def capital(text: str) -> str:
    """Return the text with its first letter in upper case."""
    return text[:1].upper() + text[1:]
