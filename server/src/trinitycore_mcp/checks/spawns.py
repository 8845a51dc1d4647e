"""Spawns of creatures and gameobjects that refer to what is not there."""

from __future__ import annotations

from collections.abc import Sequence

from trinitycore_mcp.checks.check import Check, Group, absent, numbers
from trinitycore_mcp.schema import Family
from trinitycore_mcp.toolkit import enums

# spawn_group.spawnType and pool_members.type
_TYPES = {"creature": 0, "gameobject": 1}


def _check(kind: str, meaning: str, *sql: str, key: str = "guid") -> Check:
    return Check(kind, meaning, sql if len(sql) > 1 else sql[0], tuple(key.split()))


def _of(kind: str) -> list[Check]:
    """Return the checks that creatures and gameobjects have in common."""
    number = _TYPES[kind]
    show = f"SELECT {{s.guid}} AS guid, {{s.id}} AS {kind}, {{s.map}} AS map FROM {{{kind} s}} WHERE "
    no_spawn = absent(f"{kind} s", "{s.guid} = {r.guid}")
    return [
        _check(
            f"{kind}_without_template",
            f"a {kind} is spawned whose template does not exist",
            show + absent(f"{kind}_template t", "{t.entry} = {s.id}"),
        ),
        _check(
            f"addon_without_{kind}",
            f"{kind}_addon has a row for a spawn that does not exist",
            f"SELECT {{r.guid}} AS guid FROM {{{kind}_addon r}} WHERE {no_spawn}",
        ),
        _check(
            f"event_without_{kind}",
            f"a game event has a {kind} spawn that does not exist",
            f"SELECT {{r.guid}} AS guid, {{r.eventEntry}} AS game_event FROM {{game_event_{kind} r}} WHERE {no_spawn}",
            key="guid game_event",
        ),
        _check(
            f"{kind}_of_missing_event",
            f"a {kind} spawn belongs to a game event that does not exist",
            # Below 0: it is there unless the event runs.
            f"SELECT {{r.guid}} AS guid, {{r.eventEntry}} AS game_event FROM {{game_event_{kind} r}} WHERE "
            + absent("game_event e", "{e.eventEntry} = ABS({r.eventEntry})"),
            key="guid game_event",
        ),
        _check(
            f"pool_without_{kind}",
            f"a pool has a {kind} spawn that does not exist",
            "SELECT {m.spawnId} AS guid, {m.poolSpawnId} AS pool FROM {pool_members m} "
            f"WHERE {{m.type}} = {number} AND " + absent(f"{kind} s", "{s.guid} = {m.spawnId}"),
            f"SELECT {{r.guid}} AS guid, {{r.pool_entry}} AS pool FROM {{pool_{kind} r}} WHERE {no_spawn}",
            key="guid pool",
        ),
        _check(
            f"{kind}_in_missing_pool",
            f"a {kind} spawn is in a pool that does not exist",
            "SELECT {m.spawnId} AS guid, {m.poolSpawnId} AS pool FROM {pool_members m} "
            f"WHERE {{m.type}} = {number} AND " + absent("pool_template p", "{p.entry} = {m.poolSpawnId}"),
            f"SELECT {{r.guid}} AS guid, {{r.pool_entry}} AS pool FROM {{pool_{kind} r}} WHERE "
            + absent("pool_template p", "{p.entry} = {r.pool_entry}"),
            key="guid pool",
        ),
        _check(
            f"spawn_group_without_{kind}",
            f"a spawn group has a {kind} spawn that does not exist",
            "SELECT {g.spawnId} AS guid, {g.groupId} AS spawn_group FROM {spawn_group g} "
            f"WHERE {{g.spawnType}} = {number} AND " + absent(f"{kind} s", "{s.guid} = {g.spawnId}"),
            key="guid spawn_group",
        ),
    ]


def _maps(family: Family, kind: str) -> Check:
    """Return the check of a spawn's map: the client's maps, and those a server adds.

    Of later clients' maps the databases hold no list.
    """
    known = "" if family is Family.TRINITYCORE_MASTER else numbers(list(enums.values("map")))
    show = f"SELECT {{s.guid}} AS guid, {{s.id}} AS {kind}, {{s.map}} AS map FROM {{{kind} s}} WHERE "
    added = absent("map_dbc m", "{m.ID} = {s.map}")
    listed = f"{{s.map}} NOT IN ({known})"
    return Check(
        f"{kind}_on_missing_map",
        f"a {kind} is spawned on a map that neither the client nor map_dbc has",
        (f"{show}{listed} AND {added}", show + listed) if known else show + added,
        ("guid",),
        () if known else (("map_dbc", 500),),
    )


def _make(family: Family) -> Sequence[Check]:
    return (
        *_of("creature"),
        *_of("gameobject"),
        _maps(family, "creature"),
        _maps(family, "gameobject"),
        _check(
            "creature_model_missing",
            "a creature spawn or template has a model that creature_model_info does not know",
            "SELECT {s.guid} AS guid, {s.id} AS creature, {s.modelid} AS model FROM {creature s} "
            "WHERE {s.modelid} <> 0 AND " + absent("creature_model_info i", "{i.DisplayID} = {s.modelid}"),
        ),
        Check(
            "creature_model_missing",
            "a creature spawn or template has a model that creature_model_info does not know",
            (
                "SELECT {m.CreatureID} AS creature, {m.Idx} AS slot, {m.CreatureDisplayID} AS model "
                "FROM {creature_template_model m} WHERE "
                + absent("creature_model_info i", "{i.DisplayID} = {m.CreatureDisplayID}"),
                " UNION ALL ".join(
                    f"SELECT {{t.entry}} AS creature, {n} AS slot, {{t.modelid{n}}} AS model "
                    f"FROM {{creature_template t}} WHERE {{t.modelid{n}}} <> 0 AND "
                    + absent("creature_model_info i", f"{{i.DisplayID}} = {{t.modelid{n}}}")
                    for n in range(1, 5)
                ),
            ),
            ("creature", "slot"),
        ),
        _check(
            "creature_equipment_missing",
            "a creature is spawned with equipment that creature_equip_template does not have for it",
            # -1 is one of its equipments at random, 0 none.
            "SELECT {s.guid} AS guid, {s.id} AS creature, {s.equipment_id} AS equipment FROM {creature s} "
            "WHERE {s.equipment_id} > 0 AND "
            + absent("creature_equip_template e", "{e.CreatureID} = {s.id}", "{e.ID} = {s.equipment_id}"),
        ),
        _check(
            "template_addon_without_creature",
            "creature_template_addon has a row for a template that does not exist",
            "SELECT {a.entry} AS creature FROM {creature_template_addon a} WHERE "
            + absent("creature_template t", "{t.entry} = {a.entry}"),
            key="creature",
        ),
        _check(
            "formation_without_creature",
            "a formation has a member or a leader that is not spawned",
            "SELECT {f.memberGUID} AS guid, {f.leaderGUID} AS leader FROM {creature_formations f} WHERE "
            + absent("creature s", "{s.guid} = {f.memberGUID}")
            + " OR "
            + absent("creature l", "{l.guid} = {f.leaderGUID}"),
        ),
        _check(
            "spawn_group_missing",
            "a spawn belongs to a spawn group that does not exist",
            "SELECT {g.spawnType} AS spawn_type, {g.spawnId} AS guid, {g.groupId} AS spawn_group "
            "FROM {spawn_group g} WHERE " + absent("spawn_group_template t", "{t.groupId} = {g.groupId}"),
            key="spawn_type guid spawn_group",
        ),
    )


GROUP = Group(
    "check_spawns",
    "Check spawns",
    "spawns of creatures and gameobjects whose template, map, model, equipment, pool, game event or spawn group is "
    "missing, and rows about spawns that do not exist",
    _make,
)
