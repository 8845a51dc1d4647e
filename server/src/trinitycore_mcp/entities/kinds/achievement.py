"""Achievements: criteria and rewards."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Struct

from trinitycore_mcp.database.session import Row
from trinitycore_mcp.entities import filters as by
from trinitycore_mcp.entities.entity import KEY, Entity, Link, Part
from trinitycore_mcp.entities.fields import enum, key, label, number, number_or_none, refers, text
from trinitycore_mcp.entities.kinds.client import ABSENCE, client_texts
from trinitycore_mcp.entities.translations import Translations
from trinitycore_mcp.schema import Schema
from trinitycore_mcp.toolkit import Call, Named, doc, named


class AchievementCriterion(Struct, frozen=True):
    """One of the things to do for an achievement."""

    id: int
    type: Named
    asset_id: Annotated[int, doc("what it is about: a creature, quest, spell, item ... by type")]
    quantity: int
    description: str | None
    server_checks: Annotated[int, doc("rows of achievement_criteria_data: further conditions of the server")]


async def _criteria(call: Call, schema: Schema, row: Row, locale: str | None) -> tuple[Any, ...]:
    if not schema.has("achievement_criteria_dbc"):
        return ([],)
    columns = schema.columns(
        "achievement_criteria_dbc", "ID", "Type", "Asset_Id", "Quantity", "Description_Lang_enUS", alias="c"
    )
    local = schema.column("achievement_criteria_dbc", f"Description_Lang_{locale}", "c") if locale else None
    checks = (
        f"(SELECT COUNT(*) FROM {schema.table('achievement_criteria_data')} d WHERE d.`criteria_id` = c.`ID`)"
        if schema.has("achievement_criteria_data")
        else "0"
    )
    rows = await call.rows(
        f"SELECT {columns}, {local or 'NULL'} AS local, {checks} AS checks "
        f"FROM {schema.table('achievement_criteria_dbc')} c "
        f"WHERE {schema.column('achievement_criteria_dbc', 'Achievement_Id', 'c')} = %s ORDER BY c.`Ui_Order`, c.`ID`",
        (row[KEY],),
    )
    found = [
        AchievementCriterion(
            id=each["ID"],
            type=named("achievement_criteria_type", each["Type"]),
            asset_id=each["Asset_Id"] or 0,
            quantity=each["Quantity"] or 0,
            description=each["local"] or each["Description_Lang_enUS"] or None,
            server_checks=each["checks"],
        )
        for each in rows
    ]
    return (found,)


ACHIEVEMENT = Entity(
    name="achievement",
    plural="achievements",
    title="an achievement",
    about=(
        "One achievement by its id: name, description, points, what must be done for it, and the title, item or mail "
        "that it rewards."
    ),
    absence=ABSENCE,
    table="achievement_dbc",
    key="ID",
    label="Title_Lang_enUS",
    joins={"achievement_reward": "ID"},
    translations=(
        client_texts("achievement_locale", "Title_Lang_enUS", "Description_Lang_enUS", "Reward_Lang_enUS"),
        Translations(
            table="achievement_reward_locale",
            texts={"achievement_reward.Subject": "Subject", "achievement_reward.Body": "Body"},
        ),
    ),
    fields=(
        key(),
        label("Title_Lang_enUS"),
        text("description", "Description_Lang_enUS"),
        text("reward_text", "Reward_Lang_enUS", "as the client shows it"),
        enum("side", "requiredFaction", "achievement_faction"),
        number("points", "points"),
        refers("map", "mapID", "map", none=(-1,)),
        number("flags", "flags", "Achievement.dbc"),
        number_or_none("category_id", "Category", "Achievement_Category.dbc"),
        number_or_none("min_criteria", "count", "how many of the criteria are enough; null: all"),
        refers("follows", "Supercedes", "achievement", "the one before it"),
        refers("shares_criteria_of", "refAchievement", "achievement"),
        number_or_none("reward_title_alliance_id", "achievement_reward.TitleA", "CharTitles.dbc"),
        number_or_none("reward_title_horde_id", "achievement_reward.TitleH", "CharTitles.dbc"),
        refers("reward_item", "achievement_reward.ItemID", "item"),
        refers("reward_mail_sender", "achievement_reward.Sender", "creature"),
        text("reward_mail_subject", "achievement_reward.Subject"),
        text("reward_mail_body", "achievement_reward.Body"),
    ),
    parts=(
        Part(
            (("criteria", list[AchievementCriterion]),), _criteria,
            tables=("achievement_criteria_dbc", "achievement_criteria_data"),
        ),
    ),
    summary=("id", "name", "description", "points", "side"),
    also_matches=("Description_Lang_enUS",),
    searched="name or description",
    filters=(
        by.by_name("side", "requiredFaction", "achievement_faction", "only for this side"),
        by.equal("category_id", "Category", "only of this category (Achievement_Category.dbc)", least=1),
        by.equal("map", "mapID", "only those of this map"),
    ),
    links=(
        Link("achievement_get", "follows", "the achievement before it: {name}"),
        Link("item_get", "reward_item", "the item that it rewards: {name}"),
    ),
)  # fmt: skip

ENTITIES = (ACHIEVEMENT,)
