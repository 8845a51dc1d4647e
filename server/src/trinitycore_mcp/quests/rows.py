"""Rows of quests that several tools need."""

from __future__ import annotations

from trinitycore_mcp.database.session import Row
from trinitycore_mcp.toolkit import Call, ToolError


async def quest_row(call: Call, quest: int, columns: tuple[str, ...], addon: tuple[str, ...] = ()) -> Row:
    """Return columns of quest_template and quest_template_addon of one quest; NULL for what this family lacks.

    :raises ToolError: there is no such quest, quest_template is missing, or the database can't be read.
    """
    schema = await call.schema()
    template = schema.table("quest_template")
    key = schema.column("quest_template", "ID", "t")
    selected = schema.columns("quest_template", *columns, alias="t")
    join = ""
    if addon and schema.has("quest_template_addon"):
        selected += ", " + schema.columns("quest_template_addon", *addon, alias="a")
        more = schema.column("quest_template_addon", "ID", "a")
        join = f" LEFT JOIN {schema.table('quest_template_addon')} a ON {more} = {key}"
    elif addon:
        selected += ", " + ", ".join(f"NULL AS `{column}`" for column in addon)
    row = await call.row(f"SELECT {selected} FROM {template} t{join} WHERE {key} = %s", (quest,))
    if row is None:
        raise ToolError(f"there is no quest with id {quest}; quest_search finds ids by title")
    return row
