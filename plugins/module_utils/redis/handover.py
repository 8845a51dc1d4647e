# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A planned change of the primary by Sentinel.

Sentinel's own FAILOVER leaves the old primary writable for seconds, and what is written there then is lost. So writes
are held back first, and the old primary is made a replica as soon as a replica was promoted.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass

from ansible_collections.trinitycore.mcp.plugins.module_utils.redis.client import Login, Redis, RedisError
from ansible_collections.trinitycore.mcp.plugins.module_utils.redis.sentinel import Sentinel
from ansible_collections.trinitycore.mcp.plugins.module_utils.redis.topology import Member

STEP = 0.05


class HandoverError(Exception):
    """Nobody took over; the message says why and who is primary."""


@dataclass(frozen=True)
class Word:
    """What one Sentinel says: the primary's address, and whether it is changing it."""

    primary: str
    failing_over: bool


@dataclass(frozen=True)
class Cluster:
    """The servers and their Sentinels, one of each per member."""

    members: Sequence[Member]
    port: int
    sentinel_port: int
    name: str
    login: Login

    def words(self) -> list[Word]:
        """Return what each Sentinel that answers says."""

        def ask(member: Member) -> Word | None:
            try:
                with Redis(member.address, self.sentinel_port, self.login) as connection:
                    sentinel = Sentinel(connection, self.name)
                    return Word(sentinel.primary(), sentinel.is_failing_over())
            except (OSError, RedisError):
                return None

        with ThreadPoolExecutor(max_workers=len(self.members)) as pool:
            return [word for word in pool.map(ask, self.members) if word is not None]

    def fail_over(self) -> None:
        """Have the first Sentinel that answers promote a replica.

        :raises HandoverError: none would.
        """
        refusal: Exception = RedisError("none answers")
        for member in self.members:
            try:
                with Redis(member.address, self.sentinel_port, self.login) as connection:
                    return Sentinel(connection, self.name).fail_over()
            except (OSError, RedisError) as error:
                refusal = error
        raise HandoverError(f"no Sentinel promotes a replica: {refusal}")


def _wait(condition: Callable[[], bool], seconds: float, otherwise: str) -> None:
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise HandoverError(otherwise)
        time.sleep(STEP)


def _replica_offsets(server: Redis) -> list[int]:
    return [int(replica[2]) for replica in server.call("ROLE")[2]]


def _promoted(own: Member, cluster: Cluster) -> str | None:
    """Return the address of another member that is primary by its own word."""
    for member in cluster.members:
        if member == own:
            continue
        with suppress(OSError, RedisError), Redis(member.address, cluster.port, cluster.login) as server:
            if server.call("ROLE")[0] == "master":
                return member.address
    return None


def _try(own: Member, server: Redis, cluster: Cluster, hold: float) -> str:
    """Hold writes back, have a replica promoted and follow it; return its address. Writes are let go in any case."""
    replicas = len(cluster.members) - 1
    end = time.monotonic() + hold
    server.call("CLIENT", "PAUSE", str(int(hold * 1000)), "WRITE")
    try:
        written = int(server.call("ROLE")[1])
        # Makes the replicas tell at once how far they are, which they do once a second otherwise.
        server.call("WAIT", str(replicas), str(int(hold * 300)))
        _wait(
            lambda: sum(offset >= written for offset in _replica_offsets(server)) >= replicas,
            hold / 3,
            f"the replicas do not catch up, so {own.name} stays the primary",
        )
        cluster.fail_over()
        while (promoted := _promoted(own, cluster)) is None:
            if time.monotonic() > end:
                raise HandoverError(f"Sentinel promoted nobody in {hold} s")
            time.sleep(STEP)
        server.call("REPLICAOF", promoted, str(cluster.port))
        server.call("CONFIG", "REWRITE")
        return promoted
    finally:
        # Where the connection is gone, the pause ends by itself.
        with suppress(OSError, RedisError):
            server.call("CLIENT", "UNPAUSE")


def hand_over(own: Member, cluster: Cluster, *, patience: float, hold: float) -> tuple[str, float]:
    """Have a replica take over from ``own``; return the new primary's address and for how long writes were held back.

    :param patience: seconds for a replica to take over, and again for all to agree in the end.
    :param hold: seconds for which writes are held back at most.
    :raises HandoverError: nobody took over, ``own`` is the primary as before; or the end was not seen in time.
    """
    end = time.monotonic() + patience
    replicas = len(cluster.members) - 1
    with Redis(own.address, cluster.port, cluster.login) as server:
        while True:
            _wait(
                lambda: (
                    all(word.primary == own.address and not word.failing_over for word in cluster.words())
                    and len(_replica_offsets(server)) >= replicas
                ),
                end - time.monotonic(),
                f"not every replica follows {own.name}, or the Sentinels do not agree on it; it stays the primary",
            )
            started = time.monotonic()
            try:
                promoted = _try(own, server, cluster, hold)
                break
            except HandoverError:
                # A Sentinel that has just seen the replicas restart promotes none of them yet.
                if time.monotonic() > end or _promoted(own, cluster) is not None:
                    raise
                time.sleep(1)
        held = time.monotonic() - started

    def settled() -> bool:
        words = cluster.words()
        with suppress(OSError, RedisError), Redis(own.address, cluster.port, cluster.login) as server:
            return server.call("ROLE")[3] == "connected" and all(
                word.primary == promoted and not word.failing_over for word in words
            )
        return False

    _wait(settled, patience, f"{promoted} took over, but {own.name} or a Sentinel does not follow it yet")
    return promoted, held
