"""Make a server a member of the group, or begin the group with it; what a group can't take is found before.

Only MySQL's Group Replication: the group itself chooses who takes writes.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable

from . import records
from .connection import Connection, open_remote, quoted
from .errors import DatabaseError, ServerUnavailableError, TopologyError
from .flavor import SYSTEM_DATABASES, Flavor
from .flavors import detect
from .replica import Primary
from .state import Group, ServerState

_CHANNEL = "group_replication_recovery"
# Seconds between two looks at a member that is on its way.
_LOOK = 0.5
# Seconds that the service on the host, which has a server join again, may take until it knows that it can't.
_CLAIM = 120.0
JOIN = "join the group"
_RUNNING = "group is already running"
BEGIN = "begin the group with this server"


def unfit_tables(server: Connection) -> list[str]:
    """Return the tables that a group refuses writes to, with the reason: ``world.creature_text (no primary key)``."""
    with contextlib.suppress(DatabaseError):  # a key that nobody is shown is one all the same; unknown before 8.0.30
        server.execute("SET SESSION show_gipk_in_create_table_and_information_schema = ON")
    rows = server.rows(
        "SELECT t.TABLE_SCHEMA AS db, t.TABLE_NAME AS name, t.ENGINE AS engine, k.name IS NULL AS bare"
        " FROM information_schema.TABLES t LEFT JOIN ("
        "  SELECT DISTINCT db, name FROM ("
        "   SELECT TABLE_SCHEMA AS db, TABLE_NAME AS name FROM information_schema.STATISTICS"
        "   WHERE NON_UNIQUE = 0 GROUP BY TABLE_SCHEMA, TABLE_NAME, INDEX_NAME HAVING SUM(NULLABLE = 'YES') = 0) u"
        " ) k ON k.db = t.TABLE_SCHEMA AND k.name = t.TABLE_NAME"
        " WHERE t.TABLE_TYPE = 'BASE TABLE' AND t.TABLE_SCHEMA NOT IN %s"
        " AND (k.name IS NULL OR t.ENGINE <> 'InnoDB') ORDER BY 1, 2",
        [SYSTEM_DATABASES],
    )
    found = []
    for row in rows:
        why = ["no primary key"] if row["bare"] else []
        why += [f"engine {row['engine']}"] if row["engine"] != "InnoDB" else []
        found.append(f"{_text(row['db'])}.{_text(row['name'])} ({', '.join(why)})")
    return found


def mending(tables: list[str]) -> list[str]:
    """Return statements that make tables, as `unfit_tables` names them, fit for a group."""
    statements = []
    for entry in tables:
        name, _, why = entry.partition(" (")
        table = ".".join(map(quoted, name.split(".", 1)))
        changes = ["ADD COLUMN my_row_id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT INVISIBLE PRIMARY KEY FIRST"]
        changes = changes if "no primary key" in why else []
        changes += ["ENGINE=InnoDB"] if "engine" in why else []
        statements.append(f"ALTER TABLE {table} {', '.join(changes)};")
    return statements


def claim(server: Connection, flavor: Flavor, patience: float = _CLAIM) -> None:
    """Be the only one that changes this server's role, when the service that joins again has had its turn.

    :raises TopologyError: somebody else does so for longer.
    """
    until = time.monotonic() + patience
    while not flavor.claim(server):
        if time.monotonic() > until:
            raise TopologyError(f"another run is changing the role of {server.target} now; nothing was changed")
        time.sleep(_LOOK)


def begin(server: Connection, flavor: Flavor, user: str, password: str, timeout: float, dry: bool) -> list[str]:
    """Begin the group with this server, which takes writes then; return what was (or would be) done.

    The caller knows that no other server is in a running group.

    :raises TopologyError: a table is there that the group could not write to; nothing was changed.
    :raises DatabaseError: it doesn't begin.
    """
    state = flavor.state(server)
    group = _group_of(server, state)
    if f"{group.name.lower()}:" not in state.gtid_state:  # what it got since is no reason to leave it down
        _must_be_fit(server)
    done = [BEGIN]
    if dry:
        return done
    if state.replication is not None:
        flavor.forget_source(server)
    if group.state in ("ONLINE", "RECOVERING", "ERROR"):
        server.execute("STOP GROUP_REPLICATION")
    _set_account(server, user, password)
    flavor.set_read_only(server, True)
    _wait(lambda: _begun(server), timeout, f"{server.target} still tries to join")
    _wait(lambda: not flavor.state(server).read_only, timeout, f"{server.target} has begun the group and is not open")
    return done


def _begun(server: Connection) -> bool:
    """Begin the group; False while the server, which has just started, still tries to join one."""
    server.execute("SET GLOBAL group_replication_bootstrap_group = ON")
    try:
        server.execute("START GROUP_REPLICATION")
    except DatabaseError as error:
        if _RUNNING not in str(error):
            raise
        return False
    finally:
        server.execute("SET GLOBAL group_replication_bootstrap_group = OFF")
    return True


def set_account(server: Connection, user: str, password: str, dry: bool) -> list[str]:
    """Have the server catch up by this account when it joins; return what was (or would be) done."""
    kept = server.row(
        "SELECT User_name AS user, User_password AS password FROM mysql.slave_master_info WHERE Channel_name = %s",
        [_CHANNEL],
    )
    if kept is not None and (_text(kept["user"]), _text(kept["password"])) == (user, password):
        return []
    if not dry:
        _set_account(server, user, password)
    return [f"catch up by the account {user}"]


def join(
    connect: Callable[[], Connection], name: str, primary: Primary, *, replace: bool, timeout: float, dry: bool
) -> list[str]:
    """Make the server a member of the group that runs; return what was (or would be) done.

    What transactions can't bring there is cloned by the group itself, which ends the server and starts it again.

    :param connect: logs in as root; more than once, since a clone ends the session.
    :param replace: whether to replace its data by another member's though it holds what the group lacks.
    :raises TopologyError: it holds something that the group lacks; it was left as it is.
    :raises DatabaseError: it doesn't become a member in time.
    """
    with connect() as server:
        flavor = detect(server)
        state = flavor.state(server)
        group = _group_of(server, state)
        done = set_account(server, primary.user, primary.password, dry)
        if group.state == "ONLINE" and group.runs:
            return done
        if not dry:
            claim(server, flavor)
            state = flavor.state(server)
            group = _group_of(server, state)
        if group.state not in ("ONLINE", "RECOVERING") or not group.runs:
            clone, extra = _compare(flavor, name, state, primary, replace=replace)
            done += [f"replace the data, {extra} among them"] if extra else []
            done.append(f"{JOIN}{' by a clone of its data' if clone else ''}")
            if not dry:
                _start(server, flavor, state, clone=clone, reset=bool(extra))
    if not dry:
        _wait_online(connect, name, timeout)
    return done


def lead(server: Connection, address: str, patience: float) -> None:
    """Have the group make another member the one that takes writes, after what is under way has ended.

    :param server: a session with any member.
    :param address: the other one's.
    :param patience: seconds after which transactions that are still open are ended.
    :raises DatabaseError: the group refuses; the message has its reason.
    """
    member = server.value(
        "SELECT MEMBER_ID FROM performance_schema.replication_group_members WHERE MEMBER_HOST = %s", [address]
    )
    server.rows("SELECT group_replication_set_as_primary(%s, %s) AS said", [member, max(1, round(patience))])


def _start(server: Connection, flavor: Flavor, state: ServerState, *, clone: bool, reset: bool) -> None:
    if state.replication is not None:
        flavor.forget_source(server)
    if state.group is not None and state.group.state in ("ONLINE", "RECOVERING", "ERROR"):
        server.execute("STOP GROUP_REPLICATION")
    flavor.set_read_only(server, True)
    if reset:  # its ids would keep it out; its data go with the clone
        flavor.let_root_write(server)
        server.execute("RESET BINARY LOGS AND GTIDS" if _newer(state) else "RESET MASTER")
        flavor.set_read_only(server, True)
    # Until the clone's end, which starts the server anew.
    server.execute(f"SET GLOBAL group_replication_clone_threshold = {1 if clone else 9223372036854775807}")
    try:
        server.execute("START GROUP_REPLICATION")
    except ServerUnavailableError:  # the clone has ended it
        return
    except DatabaseError as error:  # it has just started, and joins by itself
        if _RUNNING not in str(error):
            raise


def _newer(state: ServerState) -> bool:
    return tuple(int(part) for part in state.version.split("-")[0].split(".")[:2]) >= (8, 2)


def _compare(flavor: Flavor, name: str, state: ServerState, primary: Primary, *, replace: bool) -> tuple[bool, str]:
    """Ask the primary; return whether its data must be cloned, and what this server holds beyond it."""
    with open_remote(primary.address, primary.port, primary.user, primary.password, primary.ca_file) as remote:
        there = detect(remote).state(remote)
        start = flavor.oldest_binlog_position(remote)
        history = records.read(remote, primary.schema, records.HISTORY) or {}
    if there.read_only:
        raise TopologyError(f"{primary.name} is read-only, so it is not the primary; {name} was left as it is")
    extra = ", ".join(flavor.errant_transactions(state, there))
    if not extra and not state.gtid_state and any(state.databases.values()):
        tables = ", ".join(f"{database} ({count})" for database, count in state.databases.items() if count)
        extra = f"tables that never were replicated: {tables}"
    if extra and not replace:
        raise TopologyError(
            f"{name} holds what the primary {primary.name} lacks: {extra}. It was left as it is; nothing is wiped or "
            f"merged. To have its data replaced, name it in mysql_replace_data"
        )
    behind = flavor.not_reached(state.gtid_position, start) or flavor.not_reached(
        state.gtid_position, str(history.get("incomplete_before", ""))
    )
    return bool(extra or behind), extra


def _wait_online(connect: Callable[[], Connection], name: str, timeout: float) -> None:
    until = time.monotonic() + timeout
    while True:
        said = "it does not answer"
        with contextlib.suppress(ServerUnavailableError), connect() as server:
            group = detect(server).state(server).group
            said = f"it is {group.state}" if group is not None else "it has not loaded the plugin"
            if group is not None and group.state == "ONLINE" and group.runs:
                return
        if time.monotonic() > until:
            raise DatabaseError(f"{name} is no member of the group after {timeout:g} s: {said}. Its error log says why")
        time.sleep(_LOOK)


def _wait(condition: Callable[[], bool], timeout: float, otherwise: str) -> None:
    until = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > until:
            raise DatabaseError(f"{otherwise} after {timeout:g} s. Its error log says why")
        time.sleep(_LOOK)


def _must_be_fit(server: Connection) -> None:
    if unfit := unfit_tables(server):
        raise TopologyError(
            f"{server.target} holds tables that a group refuses writes to: {', '.join(unfit)}. Nothing was changed"
        )


def _group_of(server: Connection, state: ServerState) -> Group:
    if state.group is None:
        raise DatabaseError(f"{server.target} is not set up for a group (mysql_ha: auto, and a restart)")
    return state.group


def _set_account(server: Connection, user: str, password: str) -> None:
    server.execute(
        f"CHANGE REPLICATION SOURCE TO SOURCE_USER = %s, SOURCE_PASSWORD = %s FOR CHANNEL '{_CHANNEL}'",
        [user, password],
    )


def _text(value: object) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
