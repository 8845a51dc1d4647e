# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Filters of blue_green.yml: which set of instances gets calls, which one is idle, and whether a step may begin.

A host's instances are two sets: the first half is "blue", the second "green". Nobody notes down which one is live: the
load balancers know it, and the hosts know which release each instance has.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

BLUE, GREEN = "blue", "green"
OTHER = {BLUE: GREEN, GREEN: BLUE}
Member = Mapping[str, Any]


class Refused(Exception):
    """A step can't be done as things are; the message says why and what helps."""


@dataclass(frozen=True)
class Fleet:
    """All instances, by what load balancers and hosts say.

    :ivar members: those of the run's hosts, as ``delivery_members`` returns them.
    :ivar statuses: load balancer to what its NGINX says, which may know hosts that the run leaves out.
    """

    members: Sequence[Member]
    statuses: Mapping[str, Mapping[str, Any]]
    sets: dict[str, str] = field(default_factory=dict)
    """Instance to its set."""

    def __post_init__(self) -> None:
        known = {each["id"]: each["host"] for status in self.statuses.values() for each in status["members"]}
        known |= {member["id"]: member["host"] for member in self.members}
        hosts = list(known.values())
        for name, host in known.items():
            self.sets[name] = BLUE if int(name.rpartition("-")[2]) <= hosts.count(host) // 2 else GREEN

    def ids(self, name: str) -> list[str]:
        """Return the instances of a set, those of hosts that the run leaves out too."""
        return sorted(each for each, own in self.sets.items() if own == name)

    def of(self, name: str) -> list[Member]:
        """Return the instances of a set on the run's hosts."""
        return [member for member in self.members if self.sets[member["id"]] == name]

    def releases(self, name: str) -> list[str]:
        """Return the releases of a set's instances, each once."""
        return sorted({member["release"] for member in self.of(name)})

    def release(self, name: str) -> str:
        """Return the one release of a set.

        :raises Refused: its instances have several.
        """
        found = self.releases(name)
        if len(found) != 1:
            listed = ", ".join(f"{member['id']}: {member['release']}" for member in self.of(name))
            raise Refused(
                f"the instances of the {name} set have different releases ({listed}): finish what was begun, by "
                "upgrade.yml or rollback.yml, or by blue_green.yml -e step=end where a set stands by"
            )
        return found[0]

    def out(self) -> dict[str, set[str]]:
        """Return which instances each load balancer gives no calls to."""
        return {
            balancer: {each["id"] for each in status["members"] if each["state"] != "active"}
            for balancer, status in self.statuses.items()
        }

    def drained(self) -> set[str]:
        """Return the sets that some load balancer gives no calls to.

        :raises Refused: one gives calls to a part of a set, or an instance is removed.
        """
        found = set()
        for balancer, ids in self.out().items():
            if not ids:
                continue
            names = [name for name in (BLUE, GREEN) if ids == set(self.ids(name))]
            if not names:
                raise Refused(
                    f"{', '.join(sorted(ids))} {'is' if len(ids) == 1 else 'are'} out of {balancer}; it must be none, "
                    f"or a whole set ({BLUE}: {', '.join(self.ids(BLUE))}; {GREEN}: {', '.join(self.ids(GREEN))}): "
                    "undrain.yml puts instances back"
                )
            found.add(names[0])
        removed = [
            f"{each['id']} is removed on {balancer}: undrain.yml first"
            for balancer, status in self.statuses.items()
            for each in status["members"]
            if each["state"] == "removed"
        ]
        if removed:
            raise Refused("; ".join(removed))
        return found

    def down(self, name: str) -> list[str]:
        """Return which instances of a set are not up, and who says so."""
        return [
            f"{each['id']} is {each['health']}, says {balancer}: {each.get('reason') or 'no reason'}"
            for balancer, status in self.statuses.items()
            for each in status["members"]
            if self.sets[each["id"]] == name and each["health"] != "up"
        ]


def _shape_problems(hosts: Iterable[str], fleet: Fleet, hostvars: Mapping[str, Any]) -> list[str]:
    """Return why there are no two sets, or not both known to all."""
    problems = []
    for host in hosts:
        count = sum(member["host"] == host for member in fleet.members)
        if count % 2:
            value = int(hostvars[host].get("mcp_server_instances", 0))
            what = f"mcp_server_instances is {value} on {host}"
            what += "" if value else f", which makes {count} by its processors"
            problems.append(f"{what}; for two sets it must be even: 2, 4, 6 ...")
    for balancer, status in fleet.statuses.items():
        known = {each["id"] for each in status["members"]}
        problems += [
            f"{balancer} does not know {member['id']}: run site.yml first"
            for member in fleet.members
            if member["id"] not in known
        ]
    return problems + [
        f"{member['id']} has no release of its own: run site.yml first"
        for member in fleet.members
        if not member["release"]
    ]


def _idle_for_switch(fleet: Fleet, release: str) -> str:
    """Return the set that gets a release.

    :raises Refused: it can't be said.
    """
    drained = fleet.drained()
    if len(drained) == 2:
        for name in (BLUE, GREEN):
            if fleet.releases(name) == [release] != fleet.releases(OTHER[name]):
                return name
        raise Refused(
            "load balancers give calls to different sets, since a switch was interrupted; -e step=back finishes it, to "
            "the current release"
        )
    if not drained and len({member["release"] for member in fleet.members}) > 1:
        fleet.release(BLUE)
        fleet.release(GREEN)
        raise Refused(
            f"all instances get calls, and the {BLUE} set has {fleet.release(BLUE)}, the {GREEN} set "
            f"{fleet.release(GREEN)}: blue_green.yml -e step=end first"
        )
    return drained.pop() if drained else GREEN


def _target_of_back(fleet: Fleet, current: set[str]) -> str:
    """Return the set to switch back to: the drained one; after an interrupted switch, the one with the current release.

    :raises Refused: there is none.
    """
    drained = fleet.drained()
    if not drained:
        raise Refused(
            "all instances get calls, so there is no set to switch back to: nothing was switched, or it ended"
        )
    names = drained if len(drained) == 1 else {name for name in drained if set(fleet.releases(name)) == current}
    if len(names) != 1:
        raise Refused(
            "load balancers give calls to different sets, and which one has the current release can't be said "
            f"(current: {', '.join(sorted(current))}): drain.yml and undrain.yml make it equal"
        )
    name = names.pop()
    if fleet.release(name) == fleet.release(OTHER[name]):
        raise Refused(f"both sets have {fleet.release(name)}, so there is nothing to go back to: -e step=end ends it")
    return name


def _idle_for_end(fleet: Fleet, current: set[str]) -> str:
    """Return the set that gets the live release and comes back; empty where all instances have both.

    :raises Refused: instances of both sets are out, or have another release than the current one.
    """
    out = {each for ids in fleet.out().values() for each in ids}
    behind = {member["id"] for member in fleet.members if {member["release"]} != current}
    names = {fleet.sets[each] for each in out or behind}
    if len(names) == 2:
        if out:
            what, help_ = "are out of load balancers", "undrain.yml first for those that get calls otherwise"
        else:
            what, help_ = "lack the current release", "upgrade.yml or rollback.yml first"
        raise Refused(f"instances of both sets {what} ({', '.join(sorted(out or behind))}): {help_}")
    return names.pop() if names else ""


def blue_green_plan(
    hosts: Sequence[str],
    hostvars: Mapping[str, Any],
    members: Sequence[Member],
    statuses: Mapping[str, Mapping[str, Any]],
    step: str,
    release: str = "",
    force: bool = False,
) -> dict[str, Any]:
    """Return what a step does, or in ``problems`` why it can't.

    ``action`` is the step, or ``none`` where there is nothing to do but to note down what is current. ``idle`` is the
    set that is worked on and ``live`` the other one: as ``{name, ids, members, release}``, with ``active``, whether the
    idle one got calls before. ``links`` is what each host gets, as arguments of python_release_sets: ``given`` with the
    release, ``kept`` after the switch, ``undone`` when it went wrong.

    :param members: as ``delivery_members`` returns them.
    :param statuses: load balancer to what its NGINX says.
    :param step: ``switch``, ``back`` or ``end``.
    :param release: that the idle set gets by ``switch``.
    :param force: whether ``back`` may switch to a set of which some are not up.
    """
    fleet = Fleet(members, statuses)
    problems = _shape_problems(hosts, fleet, hostvars)
    try:
        if not problems:
            return {"problems": [], **_plan(fleet, hosts, hostvars, step, release, force)}
    except Refused as refusal:
        problems = [str(refusal)]
    return {"problems": problems}


def _plan(
    fleet: Fleet, hosts: Sequence[str], hostvars: Mapping[str, Any], step: str, release: str, force: bool
) -> dict[str, Any]:
    current = {hostvars[host]["mcp_server_live"]["current"] for host in hosts}
    choose = {
        "switch": lambda: _idle_for_switch(fleet, release),
        "back": lambda: _target_of_back(fleet, current),
        "end": lambda: _idle_for_end(fleet, current),
    }
    found = choose[step]()
    idle = found or GREEN
    live = OTHER[idle]
    live_release = fleet.release(live)
    gets = {"switch": release, "back": "", "end": live_release}[step] or fleet.release(idle)
    action = "none" if (step == "switch" and gets == live_release) or not found else step
    down = fleet.down(live if step != "back" else idle)
    if action != "none" and down and not (step == "back" and force):
        raise Refused("; ".join(down) + (" (-e force=true switches as long as one is up)" if step == "back" else ""))
    kept = _kept(fleet, idle, live_release, gets, action)
    return {
        "action": action,
        "idle": _described(fleet, idle, gets) | {"active": not any(fleet.out().values())},
        "live": _described(fleet, live, live_release),
        "links": {
            host: _links(fleet, host, hostvars[host]["mcp_server_live"], idle, gets, kept, action) for host in hosts
        },
    }


def _described(fleet: Fleet, name: str, release: str) -> dict[str, Any]:
    return {"name": name, "ids": fleet.ids(name), "members": fleet.of(name), "release": release}


def _kept(fleet: Fleet, idle: str, live_release: str, gets: str, action: str) -> dict[str, str]:
    """Return which release is current and which one stands by once a step is done."""
    if action in ("switch", "back"):
        return {"current": gets, "standby": live_release}
    releases = fleet.releases(idle) if action == "none" else []
    standby = releases[0] if len(releases) == 1 and releases[0] != live_release else ""
    return {"current": live_release, "standby": standby}


def _links(
    fleet: Fleet, host: str, had: Mapping[str, Any], idle: str, gets: str, kept: Mapping[str, str], action: str
) -> dict[str, dict[str, Any]]:
    own = {member["instance"]: member["release"] for member in fleet.of(idle) if member["host"] == host}
    given = dict.fromkeys(own, gets)
    return {
        "given": {
            "switch": {"standby": gets, "instances": given},
            # Before load balancers switch: when that is interrupted, what is current says where to.
            "back": {**kept, "instances": {}},
            "end": {**kept, "instances": given},
            "none": {},
        }[action],
        "kept": {**kept, "instances": given if action in ("switch", "end") else {}},
        "undone": {"current": had["current"], "standby": had.get("standby", ""), "instances": own},
    }


def blue_green_report(plan: Mapping[str, Any], seconds: Sequence[float], check: bool = False) -> str:
    """Return what a step did, for the operator.

    :param plan: as ``blue_green_plan`` returns it.
    :param seconds: that each load balancer took to switch.
    """
    idle, live, action = plan["idle"], plan["live"], plan["action"]
    kept = next(iter(plan["links"].values()))["kept"]
    if action == "none":
        by = f"; the {idle['name']} set stands by with {kept['standby']}" if kept["standby"] else ""
        ids = sorted(live["ids"] + (idle["ids"] if idle["active"] else []))
        text = f"There is nothing to do: {', '.join(ids)} get calls with {live['release']}{by}."
    elif action == "end":
        text = f"All instances get calls with {live['release']}: {', '.join(sorted(live['ids'] + idle['ids']))}."
    else:
        took = f", {max(seconds):g} s after load balancers were told" if seconds else ""
        text = (
            f"The {idle['name']} set ({', '.join(idle['ids'])}) gets all calls with {idle['release']}{took}. The "
            f"{live['name']} set ({', '.join(live['ids'])}) stands by with {live['release']}: -e step=back switches to "
            "it, -e step=end gives it the other release, and calls."
        )
    return f"Would be done: {text}" if check else text


def blue_green_undone(plan: Mapping[str, Any], left: Sequence[str]) -> str:
    """Return how things are after a step went wrong, for the operator.

    :param left: reasons for what could not be undone.
    """
    idle, live, action = plan["idle"], plan["live"], plan["action"]
    if action == "end":
        return (
            f"The {live['name']} set goes on with {live['release']}. The {idle['name']} set is out of load balancers: "
            "once that is mended, run -e step=end again."
        )
    ids = live["ids"] + (idle["ids"] if action == "switch" and idle["active"] and not left else [])
    text = f"Taken back: calls go to {', '.join(sorted(ids))} with {live['release']}."
    if left:
        text += (
            f" NOT put right: {'; '.join(left)}. The {idle['name']} set stays out of load balancers: once that is "
            "mended, run the step again, or -e step=end."
        )
    return text


class FilterModule:
    """Registers the filters under ``trinitycore.mcp``."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filters by name."""
        return {
            "blue_green_plan": blue_green_plan,
            "blue_green_report": blue_green_report,
            "blue_green_undone": blue_green_undone,
        }
