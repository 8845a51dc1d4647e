"""What creatures say: rows of `creature_text`, in the language asked for, else with the client's own text."""

from __future__ import annotations

from collections.abc import Sequence

from trinitycore_mcp.database.session import Row
from trinitycore_mcp.schema import Schema
from trinitycore_mcp.toolkit import Call

_COLUMNS = (
    *("CreatureID", "GroupID", "ID", "Type", "Language", "Probability", "Emote", "Duration", "Sound"),
    *("BroadcastTextId", "TextRange", "comment"),
)


async def lines(
    call: Call, where: str, parameters: Sequence[object], limit: int, locale: str | None = None
) -> list[Row]:
    """Return rows of creature_text with ``text`` (what is said) and ``origin`` (the table it came from).

    :param where: a condition on the alias t.
    :raises MissingTable: there is no creature_text.
    """
    schema = await call.schema()
    sources = _sources(schema, locale)
    joins = "".join(join for _, _, join, _ in sources)
    texts = ", ".join(f"NULLIF({sql}, '')" for sql, _, _, _ in sources)
    cases = " ".join(f"WHEN NULLIF({sql}, '') IS NOT NULL THEN '{table}'" for sql, table, _, _ in sources)
    locales = [locale for *_, translated in sources if translated]
    return await call.rows(
        f"SELECT {schema.columns('creature_text', *_COLUMNS, alias='t')}, COALESCE({texts}) AS text, "
        f"CASE {cases} ELSE NULL END AS origin FROM {schema.table('creature_text')} t{joins} WHERE {where} "
        "ORDER BY t.`CreatureID`, t.`GroupID`, t.`ID` LIMIT %s",
        (*locales, *parameters, limit),
    )


def _sources(schema: Schema, locale: str | None) -> list[tuple[str, str, str, bool]]:
    """Return where a text may stand, best first: SQL, table, join, whether the join needs the language."""
    found = []
    if locale not in (None, "enUS"):
        if schema.has("creature_text_locale"):
            found.append(
                (
                    "l.`Text`",
                    "creature_text_locale",
                    f" LEFT JOIN {schema.table('creature_text_locale')} l ON l.`CreatureID` = t.`CreatureID` "
                    "AND l.`GroupID` = t.`GroupID` AND l.`ID` = t.`ID` AND l.`Locale` = %s",
                    True,
                )
            )
        if schema.has("broadcast_text_locale", "Text"):
            found.append(
                (
                    str(schema.column("broadcast_text_locale", "Text", "bl")),
                    "broadcast_text_locale",
                    f" LEFT JOIN {schema.table('broadcast_text_locale')} bl ON bl.`ID` = t.`BroadcastTextId` "
                    "AND bl.`locale` = %s",
                    True,
                )
            )
    found.append(("t.`Text`", "creature_text", "", False))
    if schema.has("broadcast_text", "Text"):
        join = f" LEFT JOIN {schema.table('broadcast_text')} b ON b.`ID` = t.`BroadcastTextId`"
        male, female = (schema.column("broadcast_text", column, "b") or "NULL" for column in ("Text", "Text1"))
        found.append((f"COALESCE(NULLIF({male}, ''), {female})", "broadcast_text", join, False))
    return found
