"""Make a server follow the primary, from the position it has, and only if that loses nothing."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from . import records
from .connection import Connection, open_remote
from .errors import DatabaseError, LoginRefusedError, ServerUnavailableError, TopologyError
from .flavor import Flavor
from .flavors import detect
from .state import Replication, ServerState, release

# Seconds that a primary has to say where its binary log begins.
_TELL = 5.0


@dataclass(frozen=True)
class Primary:
    """Where and how a replica reaches the primary; the certificate must be made out to `address`."""

    name: str
    address: str
    port: int
    user: str
    password: str
    ca_file: str
    schema: str


def wanted_replication(primary: Primary) -> Replication:
    """Return the settings a replica must have; the threads' state is what health looks like."""
    return Replication(
        host=primary.address,
        port=primary.port,
        user=primary.user,
        io_running="Yes",
        sql_running=True,
        uses_gtid=True,
        tls=True,
        verifies_certificate=True,
        ca_file=primary.ca_file,
        retry=5,
        lag=None,
        error="",
    )


def settings_to_change(present: Replication | None, primary: Primary) -> list[str]:
    """Name the settings that differ, as far as they can be seen from afar; empty when it follows as wanted."""
    wanted = wanted_replication(primary)
    if present is None:
        return [f"follow {primary.name} ({primary.address}:{primary.port})"]
    changes = []
    if (present.host, present.port) != (wanted.host, wanted.port):
        changes.append(
            f"follow {primary.name} ({primary.address}:{primary.port}) instead of {present.host}:{present.port}"
        )
    for name in ("user", "uses_gtid", "tls", "verifies_certificate", "ca_file", "retry"):
        before, after = getattr(present, name), getattr(wanted, name)
        if before != after:
            changes.append(f"{name}: {before} -> {after}")
    return changes


def follow(server: Connection, flavor: Flavor, present: Replication | None, primary: Primary) -> None:
    """Make the server follow the primary from the position it has; it is not started yet."""
    if present is not None:
        flavor.stop_replication(server)
    flavor.follow(server, wanted_replication(primary), primary.password)


def make_replica(
    server: Connection, flavor: Flavor, name: str, primary: Primary, timeout: float, dry: bool
) -> list[str]:
    """Bring the server there, wait until it replicates, and return what was (or, when `dry`, would be) done.

    :raises DatabaseError: it can't be done without losing or merging data, or replication doesn't start.
    """
    state = flavor.state(server)
    changes = settings_to_change(state.replication, primary)
    if state.replication is not None and flavor.replication_password(server) not in (None, primary.password):
        changes.append("password")
    if changes == ["password"] and not state.replication.healthy and not _lets_in(primary):  # type: ignore[union-attr]
        changes = []  # the primary gets the new one when a replica is there that its writes may wait for
    done = changes + [what for what, due in _closing(state).items() if due]
    running = state.replication is not None and not changes and state.replication.healthy
    # One that has lost its primary tries again by itself; that is nothing to change, only to wait for.
    retrying = state.replication is not None and state.replication.retrying and state.replication.sql_running
    if not running and not changes and not retrying:
        done.append("start replication")
    if dry or (running and not done):
        return done

    if any(_closing(state).values()):
        flavor.set_read_only(server, True)
        flavor.set_semi_sync(server, False)  # what it applies would wait for replicas of its own
        state = replace(flavor.state(server), read_only=True)
    if changes:
        _must_be_able_to_follow(flavor, name, state, primary)
        follow(server, flavor, state.replication, primary)
    if not running:
        if changes or not retrying:
            flavor.start_replication(server)
        wait_until_healthy(server, flavor, name, primary, timeout)
    return done


def _lets_in(primary: Primary) -> bool:
    """Whether the primary knows the account by this password; one that can't be asked does."""
    try:
        open_remote(primary.address, primary.port, primary.user, primary.password, primary.ca_file).close()
    except LoginRefusedError:
        return False
    except ServerUnavailableError:
        return True
    return True


def follow_new(
    server: Connection, flavor: Flavor, name: str, primary: Primary, target: Connection, settle: float, dry: bool
) -> list[str]:
    """Make a server follow the one that has just become the primary; return what was (or would be) done.

    :param target: a session there.
    :param settle: seconds until it must replicate.
    :raises TopologyError: it holds transactions that the primary lacks; it was left as it is.
    :raises DatabaseError: it doesn't replicate in time.
    """
    state = flavor.state(server)
    changes = settings_to_change(state.replication, primary)
    if not changes and state.replication is not None and state.replication.healthy and not state.semi_sync:
        return []
    done = [f"{name}: {change}" for change in changes or ["start replication"]]
    if dry:
        return done
    flavor.set_read_only(server, True)
    extra = flavor.errant_transactions(state, flavor.state(target))
    if extra:
        raise TopologyError(
            f"it holds transactions that {primary.name} lacks: {', '.join(extra)}; it was left as it is"
        )
    if state.semi_sync:
        flavor.set_semi_sync(server, False)
    if changes:
        follow(server, flavor, state.replication, primary)
    flavor.start_replication(server)
    wait_until_healthy(server, flavor, name, primary, settle)
    return done


def follow_all(
    names: Iterable[str],
    primary: Primary,
    sessions: Mapping[str, Connection],
    settle: float,
    dry: bool,
    progress: Callable[[str], None],
) -> tuple[list[str], list[str]]:
    """Make servers follow the new primary, one after the other, as `follow_new` does.

    :param sessions: with them and with the primary, by name.
    :returns: what was (or would be) done, and of each that could not be made to, why.
    """
    done, failed = list[str](), list[str]()
    target = sessions[primary.name]
    for name in names:
        progress(f"{name} follows {primary.name}")
        try:
            done += follow_new(sessions[name], detect(sessions[name]), name, primary, target, settle, dry)
        except DatabaseError as error:
            failed.append(f"{name}: {error}")
    return done, failed


def _closing(state: ServerState) -> dict[str, bool]:
    """Return what makes a server that took writes a reader, and whether it is due."""
    return {"close for writes": not state.read_only, "let writes wait for no replica": state.semi_sync}


def _must_be_able_to_follow(flavor: Flavor, name: str, state: ServerState, primary: Primary) -> None:
    """Ask the primary itself, by the account and certificate check that replication will use.

    The replica's state was read before the primary's, so whatever it holds legitimately is seen there.
    """
    with open_remote(primary.address, primary.port, primary.user, primary.password, primary.ca_file) as remote:
        there = detect(remote).state(remote)
        history = records.read(remote, primary.schema, records.HISTORY) or {}
    if there.read_only:
        raise TopologyError(f"{primary.name} is read-only, so it is not the primary; {name} was left as it is")
    if there.flavor != state.flavor or release(there.version) > release(state.version):
        raise TopologyError(
            f"{name} runs {state.flavor} {state.version} and can't follow {primary.name}, which runs {there.flavor} "
            f"{there.version}: servers follow their own kind, of the same release or an older one. Nothing was changed"
        )
    extra = flavor.errant_transactions(state, there)
    if extra:
        raise TopologyError(
            f"{name} holds transactions that the primary {primary.name} lacks: {', '.join(extra)}. It was left as it "
            "is; nothing is wiped or merged"
        )
    if not state.gtid_state and any(state.databases.values()):
        tables = ", ".join(f"{database} ({count})" for database, count in state.databases.items() if count)
        raise TopologyError(
            f"{name} holds tables that never were replicated: {tables}. It was left as it is; empty it to make it a "
            f"replica of {primary.name}"
        )
    start = oldest_position(flavor, primary)
    unreachable = flavor.not_reached(state.gtid_position, start)
    if unreachable:
        raise TopologyError(
            f"{name} can't catch up: the binary logs of {primary.name} begin at {start}, {name} is at "
            f"{state.gtid_position or 'the beginning'}. It needs a copy of the primary's data first"
        )
    if flavor.not_reached(state.gtid_position, str(history.get("incomplete_before", ""))):
        raise TopologyError(
            f"{primary.name} held data before it was taken over, which its binary logs do not tell of: {name} needs a "
            "copy of the primary's data first"
        )


def oldest_position(flavor: Flavor, primary: Primary) -> str:
    """Return where the primary's oldest binary log begins.

    Empty also while it can't tell, which is so as long as its writes wait for a replica: they hold the binary log. A
    replica that would need more is then refused by the primary itself, when it begins to follow.
    """
    try:
        with open_remote(
            primary.address, primary.port, primary.user, primary.password, primary.ca_file, answer=_TELL
        ) as remote:
            return flavor.oldest_binlog_position(remote)
    except ServerUnavailableError:
        return ""


def wait_until_healthy(server: Connection, flavor: Flavor, name: str, primary: Primary, timeout: float) -> None:
    """Wait until the server replicates.

    :raises DatabaseError: it doesn't in time; the message has the server's reason.
    """
    until = time.monotonic() + timeout
    while True:
        replication = flavor.state(server).replication
        if replication is not None and replication.healthy:
            return
        why = replication.error if replication is not None else "it is not set up"
        if time.monotonic() > until:
            raise DatabaseError(f"{name} does not replicate from {primary.name}: {why or 'no reason given'}")
        time.sleep(0.2)
