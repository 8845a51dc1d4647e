# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Who is primary: what the servers say of themselves, and what follows from it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from ansible_collections.trinitycore.mcp.plugins.module_utils.redis.client import (
    Login,
    Redis,
    RedisDenied,
    RedisError,
)


class TopologyError(Exception):
    """The servers contradict each other, or too little is known of them; the message says what to do."""


@dataclass(frozen=True)
class Member:
    """A server that the inventory names."""

    name: str
    address: str


@dataclass(frozen=True)
class Node:
    """What is known of a member.

    ``state`` is ``answered``; ``refused`` when its host is up but nothing listens; ``silent`` when there is no
    answer; ``denied`` when it runs but does not accept our login. The rest is known only of those that answered:
    ``upstream`` is the address that it replicates from, None on a primary; ``keys`` is the size of its data.
    """

    name: str
    address: str
    state: str
    upstream: str | None = None
    linked: bool = False
    keys: int = 0
    reason: str = ""


def look(member: Member, port: int, login: Login) -> Node:
    """Ask one member for its role and size."""

    def unknown(state: str, error: Exception) -> Node:
        return Node(member.name, member.address, state, reason=str(error))

    try:
        with Redis(member.address, port, login) as server:
            replication, keyspace = server.info("replication"), server.info("keyspace")
    except ConnectionRefusedError as error:
        return unknown("refused", error)
    except RedisDenied as error:
        return unknown("denied", error)
    except (OSError, RedisError) as error:
        return unknown("silent", error)
    keys = sum(int(entry.split("keys=")[1].split(",")[0]) for entry in keyspace.values())
    return Node(
        member.name,
        member.address,
        "answered",
        upstream=replication.get("master_host"),
        linked=replication.get("master_link_status") == "up",
        keys=keys,
    )


def look_at_all(members: Sequence[Member], look_at: Callable[[Member], Node]) -> list[Node]:
    """Ask all members at the same time; the answers come in the order of ``members``."""
    with ThreadPoolExecutor(max_workers=max(len(members), 1)) as pool:
        return list(pool.map(look_at, members))


def _names(nodes: Iterable[Node]) -> str:
    return ", ".join(node.name for node in nodes)


def _root(node: Node, by_address: dict[str, Node]) -> Node:
    """Follow replication upwards to the node that replicates from nobody, or that is not known further.

    :raises TopologyError: it leads in a circle or out of the inventory.
    """
    seen = [node]
    while node.upstream is not None:
        if node.upstream not in by_address:
            raise TopologyError(
                f"{node.name} replicates from {node.upstream}, which is no host of the inventory's group: "
                "add that host, or point this one elsewhere with REPLICAOF"
            )
        node = by_address[node.upstream]
        if node in seen:
            raise TopologyError(f"these servers replicate in a circle: {_names(seen)}")
        seen.append(node)
    return node


def live_primary(nodes: Sequence[Node]) -> Node | None:
    """Return the member that the others replicate from, also when it is down; None without any replication.

    :raises TopologyError: there are several, or replication leads out of the inventory or in a circle.
    """
    by_address = {node.address: node for node in nodes}
    roots = {_root(node, by_address) for node in nodes if node.upstream is not None}
    if len(roots) > 1:
        raise TopologyError(
            f"several servers are replicated from at the same time: {_names(sorted(roots, key=lambda n: n.name))}; "
            "point the replicas of one of them to the other with REPLICAOF"
        )
    return roots.pop() if roots else None


@dataclass(frozen=True)
class Choice:
    """The primary, and whether a running server says so; otherwise it is only the inventory's first choice."""

    node: Node
    live: bool


def choose_primary(nodes: Sequence[Node], bootstrap: str) -> Choice | None:
    """Return the primary: the one replicated from, else the only server with data, else the first choice.

    None means that too little is known to say: some server gave no answer and no other is replicated from.

    :param bootstrap: name of the member that becomes primary where nothing exists yet.
    :raises TopologyError: as :func:`live_primary`, or two servers that do not replicate both hold data, or
        ``bootstrap`` is no member.
    """
    first = next((node for node in nodes if node.name == bootstrap), None)
    if first is None:
        raise TopologyError(f"the first primary {bootstrap!r} is none of {_names(nodes)}")
    primary = live_primary(nodes)
    if primary is not None:
        return Choice(primary, live=True)
    running = [node for node in nodes if node.state == "answered"]
    holding = [node for node in running if node.keys]
    if len(holding) > 1:
        raise TopologyError(
            f"{_names(holding)} hold data and none replicates: one of them can be primary, the data of the others "
            "would be dropped; name those in redis_discard"
        )
    if holding:
        return Choice(holding[0], live=True)
    if any(node.state in ("silent", "denied") for node in nodes):
        return None
    if running:
        return Choice(first if first in running else running[0], live=True)
    return Choice(first, live=False)
