"""What our database accounts may do and see, asked of the database itself."""

from __future__ import annotations

import asyncio
from typing import Annotated

from msgspec import Struct

from trinitycore_mcp.errors import ToolError
from trinitycore_mcp.security.grants import AccountGrant, parse
from trinitycore_mcp.toolkit import Call, doc

# Columns of the login server's accounts that nobody needs who only looks things up: personal data and secrets.
_PERSONAL = frozenset(
    {
        *("email", "reg_mail", "last_ip", "last_attempt_ip", "lock_country"),
        *("salt", "verifier", "sha_pass_hash", "v", "s", "sessionkey", "session_key", "session_key_auth"),
        *("session_key_bnet", "token_key", "totp_secret", "battlenet_account", "logonticket", "logonticketexpiry"),
    }
)
_ACCOUNT_TABLES = ("account", "battlenet_accounts")


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
        rows, status, own, schema = await asyncio.gather(
            call.rows("SHOW GRANTS"),
            call.row("SHOW SESSION STATUS LIKE 'Ssl_version'"),
            call.rows(
                "SELECT TABLE_NAME AS name FROM information_schema.TABLES WHERE TABLE_SCHEMA = %s ORDER BY TABLE_NAME",
                (config.databases.mcp,),
            ),
            call.schema(),
        )
    except ToolError as error:
        return DatabaseRights(config.user, [], None, [], [], str(error))
    accounts = schema.tables.get("auth", {})
    return DatabaseRights(
        account=config.user,
        grants=parse(str(next(iter(row.values()))) for row in rows),
        tls=str(status["Value"]) or None if status is not None else None,
        personal_columns=[
            f"{schema.databases['auth']}.{table}.{column}"
            for table in _ACCOUNT_TABLES
            for column in sorted(accounts.get(table, ()))
            if column.casefold() in _PERSONAL
        ],
        own_tables=[row["name"] for row in own],
        error=None,
    )
