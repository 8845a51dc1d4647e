"""Privileges as servers show them and take them."""

from __future__ import annotations

import re

from .connection import quoted

_GRANT = re.compile(r"^GRANT (?P<what>.+?) ON (?P<level>(?:`(?:[^`]|``)*`|\*)\.(?:`(?:[^`]|``)*`|\*)) TO ")


_PRIVILEGE = re.compile(r"\s*(?P<name>[A-Z][A-Z0-9_ ]*?)\s*(?:\((?P<columns>(?:`(?:[^`]|``)*`|[^)`])*)\))?\s*(?:,|$)")
_COLUMN = re.compile(r"`((?:[^`]|``)*)`|([^\s,`]+)")


def parse_grants(lines: list[str]) -> dict[str, set[str]]:
    """Turn ``SHOW GRANTS`` into ``{level: {privilege}}``, levels as in ``*.*`` and ```world`.*``.

    Privileges on columns come one by one, as `column_privilege` writes them.
    """
    grants: dict[str, set[str]] = {}
    for line in lines:
        found = _GRANT.match(line)
        if not found:
            continue
        privileges: set[str] = set()
        for one in _PRIVILEGE.finditer(found["what"]):
            if one["columns"] is None:
                privileges.add(one["name"])
            else:
                names = ((quoted_name or plain) for quoted_name, plain in _COLUMN.findall(one["columns"]))
                privileges |= {column_privilege(one["name"], name.replace("``", "`")) for name in names}
        privileges -= {"USAGE"}
        if line.endswith(" WITH GRANT OPTION"):
            privileges.add("GRANT OPTION")
        if privileges:
            grants.setdefault(found["level"], set()).update(privileges)
    return grants


def column_privilege(privilege: str, column: str) -> str:
    """Return a privilege on one column, such as ``SELECT (`id`)``."""
    return f"{privilege} ({quoted(column)})"


def grant_level(level: str) -> str:
    r"""Turn ``world.*`` into the ```world`.*`` of ``SHOW GRANTS``; ``_`` and ``%`` of a database are no wildcards."""
    if level == "*.*":
        return level
    database, _, table = level.partition(".")
    if table == "*":
        return quoted(re.sub(r"([_%])", r"\\\1", database)) + ".*"
    return f"{quoted(database)}.{quoted(table)}"
