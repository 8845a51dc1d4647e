"""What NPCs say: rows of `npc_text`, each of up to eight variants, of which one is picked by its weight."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from typing import Annotated

from msgspec import Struct

from trinitycore_mcp.database.session import Row
from trinitycore_mcp.schema import Schema
from trinitycore_mcp.sentences import in_list
from trinitycore_mcp.toolkit import Call, doc, real

_VARIANTS = range(8)


class Said(Struct, frozen=True):
    """One thing that an NPC may say."""

    text: Annotated[str, doc("as the client gets it, with $N, $C and the like; by a male")]
    female: Annotated[str | None, doc("the same by a female; null: as for a male")]
    probability: Annotated[float, doc("weight among the variants")]


async def npc_texts(call: Call, ids: Iterable[int], locale: str | None = None) -> dict[int, list[Said]]:
    """Return what each text says; texts that say nothing are left out, and all when the database has none."""
    schema = await call.schema()
    wanted = sorted(set(ids))
    if not wanted or not schema.has("npc_text", "ID"):
        return {}
    columns = [f"{name}{n}" for n in _VARIANTS for name in ("Probability", "BroadcastTextID")]
    columns += [f"text{n}_{sex}" for n in _VARIANTS for sex in (0, 1)]
    marks, parameters = in_list(wanted)
    rows, translated = await asyncio.gather(
        call.rows(
            f"SELECT {schema.columns('npc_text', 'ID', *columns, alias='n')} FROM {schema.table('npc_text')} n "
            f"WHERE n.`ID` IN {marks}",
            parameters,
        ),
        _translations(call, schema, wanted, locale),
    )
    broadcast = await _broadcast(call, schema, rows, locale)
    said = {row["ID"]: _variants(row, translated.get(row["ID"]), broadcast) for row in rows}
    return {number: each for number, each in said.items() if each}


async def _translations(call: Call, schema: Schema, ids: list[int], locale: str | None) -> dict[int, Row]:
    if locale in (None, "enUS") or not schema.has("npc_text_locale", "ID"):
        return {}
    columns = schema.columns(
        "npc_text_locale", "ID", *(f"Text{n}_{sex}" for n in _VARIANTS for sex in (0, 1)), alias="l"
    )
    marks, parameters = in_list(ids)
    rows = await call.rows(
        f"SELECT {columns} FROM {schema.table('npc_text_locale')} l WHERE l.`ID` IN {marks} AND l.`Locale` = %s",
        (*parameters, locale),
    )
    return {row["ID"]: row for row in rows}


async def _broadcast(
    call: Call, schema: Schema, rows: Iterable[Row], locale: str | None
) -> Mapping[int, tuple[str | None, str | None]]:
    """Return the client's own texts that rows refer to: by a male, by a female."""
    ids = {row[f"BroadcastTextID{n}"] for row in rows for n in _VARIANTS} - {0, None}
    if not ids or not schema.has("broadcast_text", "Text"):
        return {}
    marks, parameters = in_list(ids)
    join, local = "", "NULL AS local, NULL AS local1"
    locales: list[object] = []
    if locale not in (None, "enUS") and schema.has("broadcast_text_locale", "Text"):
        join = f" LEFT JOIN {schema.table('broadcast_text_locale')} l ON l.`ID` = b.`ID` AND l.`locale` = %s"
        local = f"{schema.column('broadcast_text_locale', 'Text', 'l')} AS local, "
        local += f"{schema.column('broadcast_text_locale', 'Text1', 'l') or 'NULL'} AS local1"
        locales.append(locale)
    found = await call.rows(
        f"SELECT b.`ID` AS id, {schema.column('broadcast_text', 'Text', 'b')} AS text, "
        f"{schema.column('broadcast_text', 'Text1', 'b') or 'NULL'} AS text1, "
        f"{local} FROM {schema.table('broadcast_text')} b{join} WHERE b.`ID` IN {marks}",
        (*locales, *parameters),
    )
    return {row["id"]: (row["local"] or row["text"], row["local1"] or row["text1"]) for row in found}


def _variants(row: Row, translated: Row | None, broadcast: Mapping[int, tuple[str | None, str | None]]) -> list[Said]:
    found = []
    for n in _VARIANTS:
        # As in the game: a broadcast text that is there stands for the row's own words and their translation.
        client = broadcast.get(row[f"BroadcastTextID{n}"] or 0, (None, None))
        local = tuple(translated[f"Text{n}_{sex}"] for sex in (0, 1)) if translated else ()
        own = (row[f"text{n}_0"], row[f"text{n}_1"])
        male, female = next((words for words in (client, local, own) if any(words)), (None, None))
        text = male or female
        if text is not None:
            found.append(Said(text, female if female and female != text else None, real(row[f"Probability{n}"])))
    return found
