"""The tables that hold words, and the SQL of their texts in a language."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from trinitycore_mcp.entities.translations import ENGLISH, language_column
from trinitycore_mcp.schema import Schema

Kind = Literal["quest", "npc_greeting", "gossip", "creature_text", "page_text", "broadcast"]
_VARIANTS = range(8)
_BROADCAST = "broadcast_text"


@dataclass(frozen=True)
class Source:
    """A table that holds words. Names as in TrinityCore 3.3.5."""

    kind: Kind
    table: str
    keys: tuple[str, ...]
    """Its key, in the order in which matches are shown."""
    texts: dict[str, str]
    """Column to its name in the table of translations."""
    translations: str
    """The table of translations: the same key and a language."""
    broadcast: tuple[str, ...] = ()
    """Columns that refer to broadcast texts, which are shown instead of the row's own."""
    more: tuple[str, ...] = ()
    """Columns to read besides."""
    everywhere: bool = True
    """Whether all families have it, so that it is worth a word when it is missing."""


@dataclass(frozen=True)
class Searched:
    """A source's texts in one language, as SQL."""

    joins: str
    """What follows the table, whose alias is t."""
    texts: tuple[tuple[str, str], ...]
    """Field to SQL; empty: there is nothing to search."""
    missing: tuple[str, ...]
    """Tables that should be there and are not."""

    @property
    def condition(self) -> str:
        """SQL that holds for rows with a text like %s, once for each text."""
        return f"({' OR '.join(f'''{sql} LIKE %s ESCAPE '!' ''' for _, sql in self.texts)})"


SOURCES: tuple[Source, ...] = (
    Source(
        kind="quest",
        table="quest_template",
        keys=("ID",),
        texts={
            "LogTitle": "Title",
            "LogDescription": "Objectives",
            "QuestDescription": "Details",
            "AreaDescription": "EndText",
            "QuestCompletionLog": "CompletedText",
            **{f"ObjectiveText{n}": f"ObjectiveText{n}" for n in range(1, 5)},
        },
        translations="quest_template_locale",
    ),
    Source(
        kind="quest",
        table="quest_objectives",
        keys=("ID",),
        texts={"Description": "Description"},
        translations="quest_objectives_locale",
        more=("QuestID",),
        everywhere=False,
    ),
    Source("quest", "quest_offer_reward", ("ID",), {"RewardText": "RewardText"}, "quest_offer_reward_locale"),
    Source("quest", "quest_request_items", ("ID",), {"CompletionText": "CompletionText"}, "quest_request_items_locale"),
    Source("npc_greeting", "quest_greeting", ("ID", "Type"), {"Greeting": "Greeting"}, "quest_greeting_locale"),
    Source("npc_greeting", "trainer", ("Id",), {"Greeting": "Greeting_lang"}, "trainer_locale", everywhere=False),
    Source(
        kind="gossip",
        table="npc_text",
        keys=("ID",),
        texts={f"text{n}_{sex}": f"Text{n}_{sex}" for n in _VARIANTS for sex in (0, 1)},
        translations="npc_text_locale",
        broadcast=tuple(f"BroadcastTextID{n}" for n in _VARIANTS),
    ),
    Source(
        kind="gossip",
        table="gossip_menu_option",
        keys=("MenuID", "OptionID"),
        texts={"OptionText": "OptionText", "BoxText": "BoxText"},
        translations="gossip_menu_option_locale",
        broadcast=("OptionBroadcastTextID", "BoxBroadcastTextID"),
    ),
    Source(
        kind="creature_text",
        table="creature_text",
        keys=("CreatureID", "GroupID", "ID"),
        texts={"Text": "Text"},
        translations="creature_text_locale",
        broadcast=("BroadcastTextId",),
    ),
    Source("page_text", "page_text", ("ID",), {"Text": "Text"}, "page_text_locale"),
    Source("broadcast", _BROADCAST, ("ID",), {"Text": "Text", "Text1": "Text1"}, "broadcast_text_locale"),
)
"""In the order in which matches are shown."""


def searched(schema: Schema, source: Source, locale: str | None) -> Searched:
    """Return the SQL of a source's texts in a language, as far as its tables are there.

    :param locale: one of the closed set of `toolkit.Locale`: it stands in the SQL.
    """
    if not schema.has(source.table, *source.keys):
        return Searched("", (), (source.table,) if source.everywhere else ())
    language = None if locale in (None, ENGLISH) else locale
    joins: list[str] = []
    texts: list[tuple[str, str]] = []
    missing: list[str] = []
    if language is None:
        texts = _columns(schema, source.table, "t", {column: column for column in source.texts})
    elif schema.has(source.translations, *source.keys):
        table = source.translations
        same = [f"{schema.column(table, key, 'l')} = {schema.column(source.table, key, 't')}" for key in source.keys]
        joins.append(_join(schema, table, "l", same, language))
        texts = _columns(schema, table, "l", source.texts)
    # A family that keeps no texts in the table itself has no table for their translations.
    elif source.everywhere and schema.has(source.table, next(iter(source.texts))):
        missing.append(source.translations)
    words = _BROADCAST if language is None else f"{_BROADCAST}_locale"
    for number, column in enumerate(source.broadcast):
        refers = schema.column(source.table, column, "t")
        if refers is None:
            continue
        if not schema.has(words, "ID", "Text"):
            missing.append(words)
            break
        alias = f"b{number}"
        joins.append(_join(schema, words, alias, [f"{schema.column(words, 'ID', alias)} = {refers}"], language))
        texts += [
            (f"{_BROADCAST}.{text}", sql)
            for text, sql in _columns(schema, words, alias, {"Text": "Text", "Text1": "Text1"})
        ]
    return Searched("".join(joins), tuple(texts), tuple(missing))


def _columns(schema: Schema, table: str, alias: str, texts: dict[str, str]) -> list[tuple[str, str]]:
    found = [(name, schema.column(table, column, alias)) for name, column in texts.items()]
    return [(name, sql) for name, sql in found if sql is not None]


def _join(schema: Schema, table: str, alias: str, same: list[str], language: str | None) -> str:
    if language is not None:
        same = [*same, f"{language_column(schema, table, alias)} = '{language}'"]
    return f" LEFT JOIN {schema.table(table)} {alias} ON {' AND '.join(same)}"
