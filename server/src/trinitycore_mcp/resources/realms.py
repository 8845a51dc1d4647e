"""trinity://realm/{id}."""

from __future__ import annotations

from trinitycore_mcp.errors import ToolError
from trinitycore_mcp.resources.results import as_json, result_of
from trinitycore_mcp.toolkit import Call
from trinitycore_mcp.toolkit.resource import Resource
from trinitycore_mcp.tools.realm import RealmList, realm_list


async def _realms(call: Call) -> RealmList:
    if not call.services.config.players.enabled:
        raise ToolError("realms are not shown here: players.enabled is off")
    found: RealmList = await result_of(call, realm_list)
    return found


async def _realm(call: Call, id: str) -> str:
    realms = (await _realms(call)).realms
    folded = id.casefold()
    for realm in realms:
        if str(realm.id) == id or realm.name.casefold() == folded:
            return as_json(realm)
    there = ", ".join(f"{realm.id} ({realm.name})" for realm in realms) or "none"
    raise ToolError(f"there is no realm {id[:64]!r}; there are {there}")


async def _ids(call: Call, prefix: str) -> list[str]:
    realms = (await _realms(call)).realms
    folded = prefix.casefold()
    return [each for realm in realms for each in (str(realm.id), realm.name) if each.casefold().startswith(folded)]


RESOURCES: tuple[Resource, ...] = (
    Resource(
        uri="trinity://realm/{id}",
        name="realm",
        title="A realm",
        description="Name, address, flags, accounts, characters and last start of one realm. id: its id or name.",
        read=_realm,
        scope="players",
        complete={"id": _ids},
    ),
)
