"""The rows of a table, as statements that give exactly the same rows."""
# ruff: noqa: S608 - identifiers and values are quoted by `name` and `text`

from __future__ import annotations

from .dump_file import DumpFile
from .session import Session, name, text

# How a column's value is written so that the server reads back exactly the same; `{}` is the column.
_AS_TEXT = (
    "REPLACE(REPLACE(QUOTE(CONVERT({} USING utf8mb4)), CHAR(10), '\\\\n'), CHAR(13), '\\\\r') COLLATE utf8mb4_bin"
)
_AS_BYTES = "IF({0} IS NULL, 'NULL', IF(LENGTH({0}) = 0, '\\'\\'', CONCAT('0x', HEX({0}))))"
_AS_NUMBER = "IFNULL({}, 'NULL')"
_EXPRESSIONS = {
    **dict.fromkeys(("tinyint", "smallint", "mediumint", "int", "bigint", "decimal", "year"), _AS_NUMBER),
    **dict.fromkeys(("binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob", "bit", "vector"), _AS_BYTES),
    **dict.fromkeys(
        ("geometry", "point", "linestring", "polygon", "multipoint", "multilinestring", "multipolygon",
         "geometrycollection"),
        _AS_BYTES,
    ),
}  # fmt: skip
_INSERT_BYTES = 1 << 20


def write_rows(snapshot: Session, database: str, table: str, file: DumpFile) -> None:
    """Write the rows of one table, as they are in the snapshot."""
    columns = snapshot.rows(
        "SELECT column_name, data_type FROM information_schema.columns WHERE COALESCE(generation_expression, '') = '' "
        f"AND table_schema = {text(database)} AND table_name = {text(table)} ORDER BY ordinal_position"
    )
    floating = dict.fromkeys(("float", "double"), snapshot.kind.double)  # in quotes, -0 keeps its sign
    expressions = {**_EXPRESSIONS, **floating}
    values = ", ',', ".join(expressions.get(kind, _AS_TEXT).format(name(column)) for column, kind in columns)
    insert = f"INSERT INTO {name(table)} ({', '.join(name(column) for column, _ in columns)}) VALUES\n".encode()
    waiting: list[bytes] = []
    size = 0

    def flush() -> None:
        file.write(insert)
        for row in waiting[:-1]:
            file.write(row + b",\n")
        file.write(waiting[-1] + b";\n")
        waiting.clear()

    for row in snapshot.stream(f"SELECT CONCAT('(', {values}, ')') FROM {name(database)}.{name(table)}"):
        waiting.append(row)
        size += len(row)
        if size >= _INSERT_BYTES:
            flush()
            size = 0
    if waiting:
        flush()
