"""One table: table_describe, table_relations."""

from __future__ import annotations

from typing import Annotated

from msgspec import Struct

from trinitycore_mcp.structure.places import DATABASES, ColumnPlace, TableName, WhichDatabase, find_table
from trinitycore_mcp.structure.relations import Relation, WhichBasis, relations
from trinitycore_mcp.structure.tables import TableStructure, describe
from trinitycore_mcp.toolkit import Call, Notice, Related, Tool, doc, tool

_MOST = 200
_MOST_RELATED = 5


class TableRelation(Struct, frozen=True):
    """A column that holds another table's key."""

    database: Annotated[str, doc("the other table's database, as it is called on this server")]
    table: Annotated[str, doc("the other table")]
    column: Annotated[str, doc("this table's column")]
    other_column: Annotated[str, doc("the other table's column")]
    basis: WhichBasis
    when: Annotated[str | None, doc("when the value means that; null: always, where it is not 0")]
    join: Annotated[str, doc("the condition to join on, as SQL")]


class TableRelations(Struct, frozen=True):
    """What a table refers to, and what refers to it."""

    database: str
    table: str
    refers_to: list[TableRelation]
    referred_by: list[TableRelation]
    notice: Notice
    related: list[Related]


@tool(title="Describe a table")
async def table_describe(call: Call, table: TableName, database: WhichDatabase = "world") -> TableStructure:
    """The structure of one database table: columns with types, defaults, keys and comments, indexes, foreign keys, and
    about how many rows and bytes it has. No rows are read. The name may be this server's or TrinityCore 3.3.5's.
    schema_tables finds tables by a part of a name; table_relations tells what to join a table with."""
    return await describe(call, database, table)


@tool(title="Relations of a table")
async def table_relations(call: Call, table: TableName, database: WhichDatabase = "world") -> TableRelations:
    """What a table's columns refer to and which columns of other tables refer to it, with the condition to join on: by
    the database's foreign keys, by what is known of the game's tables (which have hardly any foreign keys), and by
    columns that are called after a thing of the game. For writing SQL over several tables."""
    schema = await call.schema()
    place = find_table(schema, database, table)
    every = await relations(call)
    outward = [_from(each.source, each.target, each) for each in every if each.source.table == place]
    inward = [_from(each.target, each.source, each) for each in every if each.target.table == place]
    cut = max(len(outward), len(inward)) > _MOST
    others = dict.fromkeys((each.database, each.table) for each in (*outward, *inward) if each.table != place.table)
    logical = {schema.databases[name]: name for name in DATABASES}
    return TableRelations(
        database=place.actual,
        table=place.table,
        refers_to=outward[:_MOST],
        referred_by=inward[:_MOST],
        notice=f"cut: {len(outward)} and {len(inward)} relations, {_MOST} of each are shown" if cut else None,
        related=[
            Related("table_describe", {"table": name, "database": logical[actual]}, f"the columns of {name}")
            for actual, name in list(others)[:_MOST_RELATED]
            if actual in logical
        ],
    )


def _from(here: ColumnPlace, there: ColumnPlace, relation: Relation) -> TableRelation:
    """Return a relation as seen from one of its ends."""
    return TableRelation(
        database=there.table.actual,
        table=there.table.table,
        column=here.column,
        other_column=there.column,
        basis=relation.basis,
        when=relation.when,
        join=f"{_sql(here)} = {_sql(there)}",
    )


def _sql(place: ColumnPlace) -> str:
    return f"`{place.table.actual}`.`{place.table.table}`.`{place.column}`"


TOOLS: tuple[Tool, ...] = (table_describe, table_relations)
