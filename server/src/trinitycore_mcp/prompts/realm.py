"""The prompt about a realm's health."""

from __future__ import annotations

import asyncio

from trinitycore_mcp.prompts.facts import compose, fact
from trinitycore_mcp.toolkit import Call
from trinitycore_mcp.toolkit.prompt import Prompt


async def _realm_health(call: Call) -> str:
    facts = await asyncio.gather(
        fact(call, "get_health_status", "This server and what it stands on"),
        fact(call, "get_metrics_snapshot", "Its figures since it started", limit=10),
        fact(call, "realm_list", "The realms"),
        fact(call, "uptime_history", "Runs of the world servers", limit=20),
        fact(call, "population", "Who is online"),
        fact(call, "database_versions", "Versions and updates of the databases", limit=5),
    )
    return compose(
        "Check the health of the realm and of this server over its databases: what is wrong now, what will be soon, "
        "and what is fine.",
        facts,
        [
            "Realms: is one marked offline, or was it last seen long ago? Short runs close together are crashes: "
            "`uptime_history` of that realm.",
            "Databases: is each host up, in step, and quick? Do the databases' updates fit together "
            "(`database_versions`)?",
            "This server: what is not ok in `get_health_status`, and since when (`query_logs` with level WARNING, for "
            "those with scope admin)?",
            "Figures: which tools fail or are slow (`get_metrics_snapshot` of one tool), are calls refused by limits?",
            "Guarding and backups: `get_security_status`, for those with scope admin.",
            "Content: `check_summary` counts what is inconsistent in the world.",
        ],
        "One line of verdict; then what is wrong now, what will be soon, and what to do about each, most urgent first.",
    )


PROMPTS: tuple[Prompt, ...] = (
    Prompt(
        "realm_health",
        "Check a realm's health",
        "Whether realm, databases and this server are well: their states and figures, looked up, and what to look at.",
        (),
        _realm_health,
    ),
)
