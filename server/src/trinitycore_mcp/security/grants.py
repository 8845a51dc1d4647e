"""What the database account that reads may do, from SHOW GRANTS; never the password's hash that stands there too."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Annotated

from msgspec import Struct

from trinitycore_mcp.toolkit.fields import doc

_GRANT = re.compile(r"^GRANT (?P<rights>.+?) ON (?P<object>(?:`[^`]*`|\*)\.(?:`[^`]*`|\*)|\S+) TO ", re.DOTALL)
_ROLE = re.compile(r"^GRANT (?P<role>`[^`]*`(?:@`[^`]*`)?|\S+) TO ")
_RIGHT = re.compile(r"(?P<name>[A-Za-z][A-Za-z_ ]*[A-Za-z])\s*(?:\((?P<columns>[^)]*)\))?")
# What reading needs: rows, definitions of views, and the state of replication.
READING = frozenset(
    {"USAGE", "SELECT", "SHOW VIEW", "SLAVE MONITOR", "REPLICA MONITOR", "REPLICATION CLIENT", "BINLOG MONITOR"}
)


class AccountGrant(Struct, frozen=True):
    """What the account may do on one object."""

    object: Annotated[str, doc("database.table; * stands for all; a role goes by its name")]
    rights: list[str]
    columns: Annotated[list[str], doc("empty: the right is on whole rows")]
    beyond_reading: Annotated[list[str], doc("rights that reading does not need")]


def parse(statements: Iterable[str]) -> list[AccountGrant]:
    """Return the grants that SHOW GRANTS lists."""
    return [grant for statement in statements for grant in _parse(statement)]


def _parse(statement: str) -> Iterator[AccountGrant]:
    match = _GRANT.match(statement)
    if match is None:
        role = _ROLE.match(statement)
        if role is not None:
            yield AccountGrant(role["role"].replace("`", ""), ["role"], [], [])
        return
    rights, columns = [], list[str]()
    for right in _RIGHT.finditer(match["rights"]):
        rights.append(right["name"].upper())
        columns += [name.strip().strip("`") for name in (right["columns"] or "").split(",") if name.strip()]
    if "WITH GRANT OPTION" in statement:
        rights.append("GRANT OPTION")
    beyond = [right for right in rights if right not in READING]
    yield AccountGrant(match["object"].replace("`", ""), rights, columns, beyond)
