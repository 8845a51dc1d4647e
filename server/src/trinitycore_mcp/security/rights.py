"""What our database accounts may do and see, asked of the database itself."""

from __future__ import annotations

import asyncio
from typing import Annotated

from msgspec import Struct

from trinitycore_mcp.database import personal
from trinitycore_mcp.errors import ToolError
from trinitycore_mcp.security.grants import AccountGrant, parse
from trinitycore_mcp.toolkit import Call, doc


class DatabaseRights(Struct, frozen=True):
    """The account that reads the game's databases."""

    account: str
    grants: list[AccountGrant]
    tls: Annotated[str | None, doc("version of TLS that the session used; null: it was not encrypted")]
    personal_columns: Annotated[list[str], doc("columns with personal data or secrets that the account may read")]
    own_tables: Annotated[list[str], doc("tables of our own database that it may read, which free SQL then can too")]
    error: Annotated[str | None, doc("why it can't be told")]


async def database_rights(call: Call) -> DatabaseRights:
    """Return what the reading account may do; asks one host."""
    config = call.services.config.database
    try:
        rows, status, own, columns = await asyncio.gather(
            call.rows("SHOW GRANTS"),
            call.row("SHOW SESSION STATUS LIKE 'Ssl_version'"),
            call.rows(
                "SELECT TABLE_NAME AS name FROM information_schema.TABLES WHERE TABLE_SCHEMA = %s ORDER BY TABLE_NAME",
                (config.databases.mcp,),
            ),
            call.rows(*personal.query(config.databases)),
        )
    except ToolError as error:
        return DatabaseRights(config.user, [], None, [], [], str(error))
    return DatabaseRights(
        account=config.user,
        grants=parse(str(next(iter(row.values()))) for row in rows),
        tls=str(status["Value"]) or None if status is not None else None,
        personal_columns=personal.names(columns),
        own_tables=[row["name"] for row in own],
        error=None,
    )
