# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Filters of upgrade.yml and rollback.yml: which release is meant, which instances there are, what is in the way."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ansible_collections.trinitycore.mcp.plugins.filter.cluster import app_instances
from ansible_collections.trinitycore.mcp.plugins.module_utils.wheelhouse import (
    WheelhouseError,
    project_version,
    source_version,
)


def _on_all(lives: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Return the releases that every host has."""
    sets = [set(live["installed"]) for live in lives.values()]
    return sorted(set.intersection(*sets)) if sets else []


def _named(version: str, releases: Iterable[str]) -> list[str]:
    """Return the releases that a name stands for: a whole one, or a project's version without the hash."""
    return [release for release in releases if version in (release, release.rpartition("-")[0])]


def _target(release: str = "", problem: str = "") -> dict[str, str]:
    return {"release": release, "problem": problem}


def upgrade_target(version: Any, source: str, lives: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """Return the ``release`` that ``-e version=`` means: the one that the sources make, or one that all hosts have.

    Where it means none, or several, ``problem`` says so.

    :param lives: host to what ``python_release_info`` said.
    """
    name = str(version or "")
    try:
        made = source_version(Path(source))
        of_source = f"{project_version(Path(source))} (or {made}), made of {source}"
    except (WheelhouseError, OSError) as error:
        made, of_source = "", f"none made of source {source!r}: {error}"
    installed = [release for release in _on_all(lives) if release != made]
    if name and made and _named(name, [made]):
        return _target(made)
    found = _named(name, installed) if name else []
    if len(found) == 1:
        return _target(found[0])
    what = "is not set" if not name else f"is {name!r}"
    if len(found) > 1:
        what += f", which {' and '.join(found)} are"
    others = ", ".join(installed) or "none is"
    return _target(problem=f"version {what}; it must be {of_source}, or installed on every app host: {others}")


def rollback_target(version: Any, lives: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """Return the ``release`` that ``-e version=`` means; without one, that of before an upgrade.

    That is ``current`` while instances run another one, since an upgrade was interrupted then, else ``previous``. Where
    there is none that every host has, or hosts have different ones, ``problem`` says so.
    """
    name, installed = str(version or ""), _on_all(lives)
    if name:
        found = _named(name, installed)
        if len(found) == 1:
            return _target(found[0])
        what = f"stands for {' and '.join(found)}" if found else "is not installed on every app host"
        return _target(problem=f"version is {name!r}, which {what}; it must be one of {', '.join(installed) or '-'}")
    interrupted = any(to != live["current"] for live in lives.values() for to in live["instances"].values())
    key = "current" if interrupted else "previous"
    targets = {host: str(live[key]) for host, live in lives.items()}
    if len(set(targets.values())) == 1 and (target := next(iter(targets.values()))) in installed:
        return _target(target)
    if not any(targets.values()):
        return _target(
            problem=f"there is no previous release on {', '.join(targets)}: nothing was replaced there yet; "
            f"installed on every app host: {', '.join(installed) or 'none'}"
        )
    listed = ", ".join(f"{host}: {release or 'none'}" for host, release in targets.items())
    return _target(
        problem=f"the {key} release is not the same on all app hosts ({listed}); say which by -e version=, one of "
        f"{', '.join(installed) or '(none is on all of them)'}"
    )


def delivery_members(
    hosts: Sequence[str], hostvars: Mapping[str, Any], statuses: Mapping[str, Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """Return all server instances in the order in which they get a release.

    Each is ``{id, host, instance, url, watch, unit, release, standby, active}``: ``watch`` as the module mcp_canary
    wants it, ``unit`` as component does, ``release`` that it has now, ``standby`` the one that a set of its host stands
    by with, ``active`` whether load balancers may give it calls.

    :param statuses: load balancer to what its NGINX says.
    """
    members = []
    for each in app_instances(hosts, hostvars):
        variables = hostvars[each["host"]]
        name, number = f"{each['host']}-{each['instance']}", str(each["instance"])
        url = f"https://{each['address']}:{each['port']}/mcp"
        states = {
            member["state"] for status in statuses.values() for member in status["members"] if member["id"] == name
        }
        live = variables["mcp_server_live"]
        members.append(
            {
                "id": name,
                "host": each["host"],
                "instance": number,
                "url": url,
                "watch": {
                    "name": name,
                    "url": url,
                    "metrics_url": f"https://{each['address']}:{each['metrics_port']}/metrics",
                },
                "unit": variables["mcp_server_units"][each["instance"] - 1],
                "release": live["instances"].get(number, ""),
                "standby": live.get("standby", ""),
                "active": states == {"active"},
            }
        )
    return members


def delivery_problems(
    members: Sequence[Mapping[str, Any]],
    statuses: Mapping[str, Mapping[str, Any]],
    healthy: bool = True,
    force: bool = False,
) -> list[str]:
    """Return what is in the way of giving instances another release, one line each.

    :param healthy: whether every instance that gets calls must be up now.
    :param force: whether the last instance may be taken out, so that nobody answers for a while.
    """
    problems = [
        f"{member['id']} has no release of its own: run site.yml first" for member in members if not member["release"]
    ]
    standing_by = {member["host"]: member["standby"] for member in members if member["standby"]}
    if standing_by:
        listed = ", ".join(f"{host}: {release}" for host, release in standing_by.items())
        problems.append(
            f"a set of instances stands by with a release of its own ({listed}): blue_green.yml -e step=end first, "
            "which gives it the live one; -e step=back switches to that set"
        )
    for balancer, status in statuses.items():
        known = {member["id"]: member for member in status["members"]}
        for member in members:
            found = known.get(member["id"])
            if found is None:
                problems.append(f"{balancer} does not know {member['id']}: run site.yml first")
            elif (found["state"] == "active") != member["active"]:
                state = f"{member['id']} is {found['state']} on {balancer} only"
                problems.append(f"{state}: drain.yml or undrain.yml makes it equal")
            elif healthy and member["active"] and found["health"] != "up":
                reason = found.get("reason") or "no reason"
                problems.append(f"{member['id']} is {found['health']}, says {balancer}: {reason}")
    # Those of hosts that a run leaves out answer too.
    known_members = [member for status in statuses.values() for member in status["members"]]
    active = sorted({member["id"] for member in known_members if member["state"] == "active"})
    if len(active) == 1 and not force:
        problems.append(
            f"only {active[0]} is active, and nobody would answer while it is restarted; -e force=true does it"
        )
    return problems


def delivery_reason(result: Mapping[str, Any]) -> str:
    """Return why a task failed, out of its result; of a loop, why its items did."""
    items = [item for item in result.get("results", []) if item.get("failed") or item.get("unreachable")]
    texts = [str(item.get("msg", "no reason given")) for item in items or [result]]
    return "; ".join(dict.fromkeys(texts))


def delivery_unreached(results: Sequence[Mapping[str, Any]]) -> str:
    """Return why hosts could not be reached, out of results of tasks that ignored it; empty if all were."""
    items = [item for result in results for item in result.get("results", [result])]
    return "; ".join(dict.fromkeys(str(item.get("msg")) for item in items if item.get("unreachable")))


class FilterModule:
    """Registers the filters under ``trinitycore.mcp``."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filters by name."""
        return {
            "upgrade_target": upgrade_target,
            "rollback_target": rollback_target,
            "delivery_members": delivery_members,
            "delivery_problems": delivery_problems,
            "delivery_reason": delivery_reason,
            "delivery_unreached": delivery_unreached,
        }
