"""Tell whether a text is one reading statement, and say what is wrong when it is not.

A courtesy: nobody relies on it for safety (see `adhoc` for what holds). It is strict and simple: what it can't be
sure about is refused.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise

from trinitycore_mcp.database.errors import StatementRefused

MAX_BYTES = 64 * 1024
_TOKEN = re.compile(
    r"""
    (?P<space>[\x09-\x0d\x20]+)
  | (?P<hidden>/\*(?:M?!|\+))
  | (?P<comment>/\*.*?\*/ | --(?=[\x00-\x20\x7f]|\Z)[^\n]* | \#[^\n]*)
  | (?P<quoted>'(?:[^'\\]|\\.|'')*' | "(?:[^"\\]|\\.|"")*" | `(?:[^`]|``)*`)
  | (?P<word>[A-Za-z_$\x80-\U0010ffff][0-9A-Za-z_$\x80-\U0010ffff]*)
  | (?P<number>[0-9][0-9A-Za-z_.]*)
  | (?P<open>['"`] | /\*)
  | (?P<mark>.)
    """,
    re.VERBOSE | re.DOTALL,
)
_STARTS = ("SELECT", "WITH", "SHOW", "DESCRIBE", "DESC", "EXPLAIN")
# All of them reserved words, so as names they stand in backquotes.
_FORBIDDEN = {
    "INTO": "INTO would write a file or a variable",
    "UPDATE": "UPDATE would change or lock rows",
    "DELETE": "DELETE would remove rows",
    "LOCK": "LOCK would lock rows",
}
_VARIABLES = frozenset({"VARIABLES", "STATUS"})
# What may follow SHOW; with a set, what must follow that.
_SHOW: dict[str, frozenset[str] | None] = {
    **dict.fromkeys(("DATABASES", "SCHEMAS", "TABLES", "COLUMNS", "FIELDS", "INDEX", "INDEXES", "KEYS", "TRIGGERS")),
    **dict.fromkeys(("CHARACTER", "COLLATION", "ENGINES", "WARNINGS", "VARIABLES", "STATUS")),
    "CREATE": frozenset({"TABLE", "VIEW", "DATABASE", "SCHEMA", "TRIGGER", "FUNCTION", "PROCEDURE", "EVENT"}),
    "FULL": frozenset({"TABLES", "COLUMNS", "FIELDS"}),
    "GLOBAL": _VARIABLES,
    "SESSION": _VARIABLES,
    "TABLE": frozenset({"STATUS"}),
}


@dataclass(frozen=True)
class Statement:
    """One reading statement."""

    text: str
    """From its first word on, so that the server reads the same first word; without a semicolon at the end."""
    is_select: bool
    """Else it is SHOW, DESCRIBE or EXPLAIN, which have no plan of their own."""
    schema: str | None = None
    """The database that unqualified names are looked up in."""


def check(sql: str, schema: str | None = None) -> Statement:
    """Return the statement.

    :param schema: the database that unqualified names are looked up in; None: there are to be none.
    :raises StatementRefused: it is not one SELECT, WITH ... SELECT, SHOW, DESCRIBE or EXPLAIN.
    """
    try:
        size = len(sql.encode())
    except UnicodeEncodeError:
        raise StatementRefused("the statement is not valid Unicode") from None
    if size > MAX_BYTES:
        raise StatementRefused(f"the statement has {size} bytes, allowed are {MAX_BYTES}")
    words, start, end = _read(sql)
    if not words or words[0] not in _STARTS:
        given = f", not {words[0][:32]}" if words else ""
        raise StatementRefused(f"only reading is possible: SELECT, WITH ... SELECT, SHOW, DESCRIBE, EXPLAIN{given}")
    for word, reason in _FORBIDDEN.items():
        if word in words:
            raise StatementRefused(f"only reading is possible: {reason} (a column of that name goes in backquotes)")
    if ("FOR", "SHARE") in pairwise(words):
        raise StatementRefused("only reading is possible: FOR SHARE would lock rows")
    if words[0] == "SHOW":
        _check_show(words)
    elif words[0] not in ("SELECT", "WITH") and "ANALYZE" in words[1:4]:
        raise StatementRefused("EXPLAIN ANALYZE would run the statement: leave ANALYZE out")
    return Statement(sql[start:end], words[0] in ("SELECT", "WITH"), schema)


def _read(sql: str) -> tuple[list[str], int, int]:
    """Return the bare words in capitals, and where the statement starts and ends."""
    words: list[str] = []
    start = end = 0
    closed = False
    for token in _TOKEN.finditer(sql):
        kind, text = token.lastgroup, token.group()
        if kind in ("space", "comment"):
            continue
        if kind == "hidden":
            raise StatementRefused(f"comments that the database runs ({text}) are not allowed")
        if kind == "open":
            raise StatementRefused("a quotation or comment is not closed")
        if text == ";":
            closed = True
            continue
        if closed:
            raise StatementRefused("one statement at a time: something follows the semicolon")
        if text == "\x00":
            raise StatementRefused("the statement contains a NUL character")
        if kind == "word":
            words.append(text.upper())
        elif not words and text != "(":
            words.append(text)
        start = start if end else token.start()
        end = token.end()
    return words, start, end


def _check_show(words: list[str]) -> None:
    what = words[1] if len(words) > 1 else ""
    further = _SHOW.get(what)
    if what not in _SHOW or (further is not None and (len(words) < 3 or words[2] not in further)):
        raise StatementRefused(
            "SHOW is possible for DATABASES, TABLES, COLUMNS, INDEX, TRIGGERS, CREATE TABLE (VIEW, DATABASE, TRIGGER, "
            "FUNCTION, PROCEDURE, EVENT), TABLE STATUS, VARIABLES, STATUS, CHARACTER SET, COLLATION, ENGINES"
        )
