"""Prompts about the world's content: quests, loot, vendors, items, a zone."""

from __future__ import annotations

import asyncio
from typing import Any

from trinitycore_mcp.entities import ENTITIES
from trinitycore_mcp.entities.completion import completer
from trinitycore_mcp.entities.lookup import id_of
from trinitycore_mcp.prompts.facts import Fact, compose, fact
from trinitycore_mcp.toolkit import Call
from trinitycore_mcp.toolkit.prompt import Argument, Prompt

_MOST_GIVERS = 3


def _argument(entity: str) -> Argument:
    found = ENTITIES[entity]
    return Argument(entity, f"the {found.noun}'s id or whole English name", complete=completer(entity))


async def _diagnose_quest(call: Call, quest: str) -> str:
    number = await id_of(call, ENTITIES["quest"], quest)
    whole = await fact(call, "quest_get", "The quest", required=True, id=number)
    facts = await asyncio.gather(
        fact(call, "quest_requirements", "Who may take it, and what it asks for", id=number),
        fact(call, "quest_chain", "The quests before and after it", id=number),
        fact(call, "disabled", "Whether the server turns it off", type="Quest", entry=number),
        fact(call, "conditions_of", "Conditions for it to be offered", source_type="Quest Available", entry=number),
        *(
            fact(call, "spawns", f"Where {each['kind']} {each['id']}, which is part of it, stands", limit=5, **each)
            for each in _givers(whole)
        ),
    )
    return compose(
        f"Players report that quest {number} ({whole.data['name']}) can't be taken, done or handed in. Find out what "
        "is wrong in the data, by facts alone.",
        [whole, *facts],
        [
            "Starter and ender: is there one of each, is it placed in the world, and does it have the flag of a quest "
            "giver? `creature_get` and `creature_quests` tell; `spawns` where it stands, `game_event_get` whether an "
            "event has to be on.",
            "The way to it: can every quest before it in the chain be done, and does none exclude another? "
            "`quest_chain`, then `quest_requirements` of those before it.",
            "The goals: do the creatures, objects and items exist, and can they be had? `item_sources` for items, "
            "`spawns` for creatures and objects.",
            "What a script must do: goals that need one, and rows of `smart_script` of those that take part.",
            "`check_quests` lists what is known to be wrong in all quests.",
        ],
        "The cause, with the table, row and column that shows it; what would put it right; what could not be decided "
        "from the data.",
    )


def _givers(quest: Fact) -> list[dict[str, Any]]:
    """Return kind and id of those that start and end a quest, each once."""
    found: dict[tuple[str, int], None] = {}
    for field in ("started_by", "ended_by"):
        for kind in ("creature", "gameobject"):
            found |= dict.fromkeys((kind, each["id"]) for each in quest.data[field][f"{kind}s"])
    return [{"kind": kind, "id": number} for kind, number in list(found)[:_MOST_GIVERS]]


async def _review_creature_loot(call: Call, creature: str) -> str:
    number = await id_of(call, ENTITIES["creature"], creature)
    whole = await fact(call, "creature_get", "The creature", required=True, id=number)
    kinds = [
        kind
        for kind, field in (("pickpocketing", "pickpocket_loot_id"), ("skinning", "skin_loot_id"))
        if whole.data.get(field)
    ]
    facts = await asyncio.gather(
        *(fact(call, "creature_loot", f"Its loot: {kind}", id=number, kind=kind) for kind in ("corpse", *kinds))
    )
    return compose(
        f"Review the loot of creature {number} ({whole.data['name']}): does it make sense for a creature of its level "
        "and rank, and are its chances what their author meant?",
        [whole, *facts],
        [
            "Groups: a group gives one item at most. Do its chances add up to 100 or less, and is there room for those "
            "with an equal share?",
            "References: `reference_loot` shows what each one holds; does it exist, and is it not empty?",
            "Items: `item_get` tells quality, level and requirements; do they fit the creature's level and rank?",
            "Quest items: do they drop only while the quest is in the log, and does that quest exist (`quest_get`)?",
            "Conditions: `conditions_of` decodes those of single rows.",
            "`check_loot` lists what is known to be wrong in all loot; `item_sources` tells where else an item drops.",
        ],
        "Rows that are wrong or odd, each with its reason and a better value; the mean worth of a corpse if it can be "
        "told; what is fine.",
    )


async def _explain_vendor(call: Call, creature: str) -> str:
    number = await id_of(call, ENTITIES["creature"], creature)
    whole = await fact(call, "creature_get", "The creature", required=True, id=number)
    facts = await asyncio.gather(
        fact(call, "vendor_items", "What it sells", id=number),
        fact(call, "spawns", "Where it stands", kind="creature", id=number, limit=5),
        fact(call, "gossip_tree", "What talking to it offers", creature=number, depth=3),
        fact(call, "conditions_of", "Conditions of single items", source_type="Vendor Item", group=number),
    )
    return compose(
        f"Explain what players find when they want to buy from creature {number} ({whole.data['name']}), and if its "
        "shop is empty or lacks items, why.",
        [whole, *facts],
        [
            "Is it a vendor at all: the flag among npc_flags, and rows for it? A vendor whose window does not open may "
            "lack the option in its gossip menu.",
            "Is it placed in the world now, or only during an event (`spawns`, `game_event_get`)?",
            "Does each item exist (`item_get`), and is it of a kind that this player's class, race or faction may see?",
            "Stock: items with a limited number that come back slowly look missing; conditions hide them from some.",
            "`vendors_of_item` tells who else sells an item, `check_vendors` what is known to be wrong in all vendors.",
        ],
        "What is sold to whom and when, in a few sentences; then each item that is missing, and why.",
    )


async def _trace_item(call: Call, item: str) -> str:
    number = await id_of(call, ENTITIES["item"], item)
    whole = await fact(call, "item_get", "The item", required=True, id=number)
    facts = await asyncio.gather(
        fact(call, "item_sources", "Every way to it", id=number),
        fact(call, "vendors_of_item", "Who sells it", id=number),
    )
    return compose(
        f"Trace item {number} ({whole.data['name']}): every way in which a player can get it, and which of them work.",
        [whole, *facts],
        [
            "For each creature or object that drops it: does it stand in the world (`spawns`), and at which chance "
            "(`creature_loot`, `gameobject_loot`; chances there are after references and groups)?",
            "For each quest that gives it: can the quest be done (`quest_requirements`, `quest_chain`)?",
            "For each vendor: is it placed, and what does it ask for (`vendor_items`)?",
            "For what creates it: who learns that spell (`spell_get`)?",
        ],
        "A list of the ways, easiest first, with place, chance or price; then those that look possible and do not "
        "work, with the reason. If there is none, say so.",
    )


async def _find_broken_content(call: Call, zone: str) -> str:
    number = await id_of(call, ENTITIES["zone"], zone)
    facts = await asyncio.gather(
        fact(call, "zone_get", "The zone", id=number),
        fact(call, "quest_search", "Its quests", zone_id=number, limit=50),
        fact(call, "check_summary", "What is wrong in the whole world, by kind"),
    )
    name = (facts[0].data or {}).get("name")
    return compose(
        f"Find what is broken in zone {number}{f' ({name})' if name else ''}: quests, creatures, vendors and scripts "
        "that players there would meet.",
        facts,
        [
            "Quests: `check_quests` lists all problems with quests; keep those whose ids are among this zone's. For "
            "each one left, `quest_get` and `quest_chain` show what it breaks.",
            "Quest givers of the zone: `spawns` with this zone tells whether they stand there.",
            "Spawns, loot, vendors, scripts: `check_spawns`, `check_loot`, `check_vendors`, `check_smart_scripts`, "
            "`check_gossip` and `check_conditions` page through their problems; keep those whose creatures or objects "
            "have spawns in this zone.",
            "`spawns_near` shows what stands around a place that looks empty.",
        ],
        "A table: what is broken, where, how players notice, the row to change. Worst first: what stops a quest chain "
        "comes before what looks odd.",
    )


PROMPTS: tuple[Prompt, ...] = (
    Prompt(
        "diagnose_quest",
        "Diagnose a quest",
        "Why a quest can't be taken, done or handed in: the quest, its chain, requirements, givers and what turns it "
        "off, looked up, and the steps that find the cause.",
        (_argument("quest"),),
        _diagnose_quest,
    ),
    Prompt(
        "review_creature_loot",
        "Review a creature's loot",
        "Whether what a creature drops makes sense: its loot with computed chances, looked up, and what to look at.",
        (_argument("creature"),),
        _review_creature_loot,
    ),
    Prompt(
        "explain_vendor",
        "Explain a vendor",
        "What a vendor sells to whom, or why its shop is empty: its lists, flags, menus and spawns, looked up.",
        (_argument("creature"),),
        _explain_vendor,
    ),
    Prompt(
        "trace_item",
        "Trace an item",
        "Every way to get an item, and which of them work: who drops, sells, rewards and makes it, looked up.",
        (_argument("item"),),
        _trace_item,
    ),
    Prompt(
        "find_broken_content",
        "Find broken content of a zone",
        "What players of a zone would find broken: its quests and the consistency checks' results, looked up, and how "
        "to narrow them to the zone.",
        (_argument("zone"),),
        _find_broken_content,
    ),
)
