"""Writes to our own database: where they go, through failovers, and never twice."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import closing, nullcontext
from dataclasses import replace
from pathlib import Path

import pymysql
import pytest

from server.tests.database_support import (
    Pair,
    database_over,
    kill_sessions,
    primary_and_replica,
    settings_for,
    until,
    writer_over,
)
from tests.support.database_server import DatabaseServer
from tests.support.database_servers import both_kinds, kind_of
from trinitycore_mcp.database import Writer
from trinitycore_mcp.database.errors import (
    DatabaseError,
    HostLost,
    OutcomeUnknown,
    QueryFailed,
    TimedOut,
    Unavailable,
)

pytestmark = pytest.mark.anyio
INSERT = "INSERT INTO mcp.note (id, text) VALUES (%s, %s)"
WAITING = "SELECT ID FROM information_schema.PROCESSLIST WHERE USER = 'app_rw' AND INFO LIKE 'INSERT%'"


@pytest.fixture(scope="module", params=both_kinds("writer"))
def both(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    with primary_and_replica(request.param, tmp_path_factory.mktemp("both")) as servers:
        yield servers


@pytest.fixture
def pair(both: Pair) -> Pair:
    """The primary and the replica of now: tests make them change places. The table is empty."""
    for server in both:
        server.thaw()
        if server.process.poll() is not None:
            server.restart()
    first, second = both
    primary, replica = (first, second) if first.sql("SELECT @@read_only") == [["0"]] else (second, first)
    primary.sql("DELETE FROM mcp.note")
    replica.wait_for_gtid(primary.position())
    return primary, replica


def demote(server: DatabaseServer) -> None:
    """Close it as the role does."""
    variable = {"mariadb": "read_only", "mysql": "super_read_only"}[kind_of(server)]
    server.sql(f"SET GLOBAL {variable} = ON")


def promote(server: DatabaseServer) -> None:
    server.sql("STOP REPLICA; RESET REPLICA ALL; SET GLOBAL read_only = OFF")


def notes(server: DatabaseServer) -> list[list[str]]:
    return server.sql("SELECT id, text FROM mcp.note ORDER BY id")


async def test_writes_go_to_the_primary_and_are_read_back(pair: Pair) -> None:
    primary, replica = pair
    for order in (pair, pair[::-1]):
        async with writer_over(*order) as writer:
            assert await writer.execute("test", INSERT, (1, "it's 日本 %s")) == 1
            assert await writer.fetch("test", "SELECT text FROM mcp.note") == [{"text": "it's 日本 %s"}]
            assert await writer.execute("test", "DELETE FROM mcp.note") == 1
    assert notes(primary) == []
    assert replica.sql("SELECT @@read_only") == [["1"]]


async def test_a_failover_is_followed_within_two_seconds(pair: Pair) -> None:
    old, new = pair
    async with writer_over(old, new, acquire_timeout=2) as writer:
        assert await writer.execute("test", INSERT, (1, "before")) == 1
        new.wait_for_gtid(old.position())
        demote(old)
        first = asyncio.create_task(writer.execute("test", INSERT, (2, "during")))  # nobody is primary yet
        await asyncio.sleep(0.3)
        await asyncio.to_thread(promote, new)
        promoted = time.monotonic()
        assert await first == 1
        assert await writer.execute("test", INSERT, (3, "after")) == 1
        assert time.monotonic() - promoted < 2
    assert notes(new) == [["1", "before"], ["2", "during"], ["3", "after"]]
    assert notes(old) == [["1", "before"]]
    old.replicate_from(new)


@pytest.mark.parametrize("kind", both_kinds("writer"))
async def test_writes_go_on_when_the_primary_dies_and_the_replica_takes_over(kind: str, tmp_path: Path) -> None:
    done: list[int] = []
    unknown: list[int] = []
    stop = asyncio.Event()
    with primary_and_replica(kind, tmp_path) as (old, new):
        async with writer_over(old, new, acquire_timeout=3) as writer:

            async def write(number: int) -> None:
                while not stop.is_set():
                    try:
                        await writer.execute("test", INSERT, (number, "x"))
                        done.append(number)
                    except OutcomeUnknown:
                        unknown.append(number)
                    number += 10
                    await asyncio.sleep(0.01)

            async with asyncio.TaskGroup() as group:
                for first in range(5):
                    group.create_task(write(first))
                await asyncio.sleep(0.3)
                await asyncio.to_thread(old.kill)
                await asyncio.to_thread(promote, new)
                before = len(done)
                await until(lambda: len(done) > before + 50, 3)
                stop.set()
        assert len(unknown) <= 5  # at most what each was writing at that moment
        written = {int(row[0]) for row in notes(new)}
        assert written <= set(done) | set(unknown)
        assert set(done[before:]) <= written


async def test_without_a_primary_the_error_says_so_and_nothing_is_written(pair: Pair) -> None:
    primary, replica = pair
    async with writer_over(primary, replica, acquire_timeout=0.4) as writer:
        await until(lambda: writer.available)
        demote(primary)
        try:
            with pytest.raises(Unavailable, match=f"nothing was written: 127.0.0.1:{primary.port}: read-only; "):
                await writer.execute("test", INSERT, (1, "x"))
            with pytest.raises(Unavailable, match="no database host takes writes"):
                async with writer.transaction():
                    pass
            assert not writer.available
        finally:
            primary.sql("SET GLOBAL read_only = OFF")
        await until(lambda: writer.available)
    assert notes(primary) == []


async def test_a_write_whose_connection_is_lost_is_not_repeated(pair: Pair) -> None:
    primary, replica = pair
    async with writer_over(primary, replica) as writer:
        async with writer.transaction() as transaction:
            await transaction.execute(INSERT, (1, "in the way"))
            write = asyncio.create_task(writer.execute("test", INSERT, (1, "x")))
            await until(lambda: primary.sql(WAITING) != [])
            primary.sql(f"KILL {primary.sql(WAITING)[0][0]}")
            with pytest.raises(OutcomeUnknown, match="may or may not have been applied"):
                await write
        assert await writer.fetch("test", "SELECT text FROM mcp.note") == [{"text": "in the way"}]


async def test_a_write_on_a_frozen_primary_ends_at_its_deadline(pair: Pair) -> None:
    primary, replica = pair
    async with writer_over(primary, replica, acquire_timeout=0.3, query_timeout=0.5) as writer:
        await writer.execute("test", INSERT, (1, "x"))
        primary.freeze()
        began = time.monotonic()
        with pytest.raises(OutcomeUnknown):
            await writer.execute("test", INSERT, (2, "x"))
        assert time.monotonic() - began < 0.3 + 0.5 + 0.5 + 0.3
        with pytest.raises(DatabaseError):
            await writer.execute("test", INSERT, (3, "x"))
        assert time.monotonic() - began < 2 * (0.3 + 0.5 + 0.5 + 0.3)
        primary.thaw()
        await until(lambda: writer.available)
        assert await writer.execute("test", INSERT, (4, "x")) == 1


async def test_of_writes_that_wait_for_a_replica_none_succeeds_because_another_was_given_up(pair: Pair) -> None:
    """Of one group commit, a killed one would have MariaDB confirm the others, which no replica has."""
    primary, replica = pair
    side, other = ("master", "slave") if kind_of(primary) == "mariadb" else ("source", "replica")
    replica.sql("STOP REPLICA")
    for name, value in (("wait_point", "AFTER_SYNC"), ("timeout", 4294967295), ("enabled", 1)):
        primary.sql(f"SET GLOBAL rpl_semi_sync_{side}_{name} = {value}")
    try:
        async with writer_over(primary, replica, size=8, acquire_timeout=0.3, query_timeout=1) as writer:
            writes = []
            for number in range(8):
                writes.append(asyncio.create_task(writer.execute("test", INSERT, (number, "x"))))
                await asyncio.sleep(0.8 if number == 2 else 0.05)  # these three are given up before the others
            outcomes = await asyncio.gather(*writes, return_exceptions=True)
            assert [type(outcome) for outcome in outcomes] == [OutcomeUnknown] * 8
    finally:
        replica.sql(f"SET GLOBAL rpl_semi_sync_{other}_enabled = 1; START REPLICA")
        await until(lambda: len(notes(primary)) == 8, 20)
        primary.sql(f"SET GLOBAL rpl_semi_sync_{side}_enabled = 0")


async def test_a_session_the_server_closed_while_idle_costs_no_write(pair: Pair) -> None:
    primary, replica = pair
    async with writer_over(primary, replica) as writer:
        for number in range(5):
            assert await writer.execute("test", INSERT, (number, "x")) == 1
            await asyncio.to_thread(kill_sessions, primary, "app_rw")
    assert len(notes(primary)) == 5


async def test_a_transaction_is_all_or_nothing(pair: Pair) -> None:
    primary, replica = pair
    async with writer_over(primary, replica, size=1) as writer:
        async with writer.transaction() as transaction:
            assert await transaction.execute(INSERT, (1, "a")) == 1
            with pytest.raises(QueryFailed, match="1062"):
                await transaction.execute(INSERT, (1, "again"))
            assert await transaction.fetch("SELECT id FROM mcp.note") == [{"id": 1}]
            assert notes(primary) == []
        assert notes(primary) == [["1", "a"]]

        async def fails_in_our_code() -> None:
            async with writer.transaction() as transaction:
                await transaction.execute(INSERT, (2, "b"))
                raise LookupError

        async def loses_its_session(*, swallow: bool) -> None:
            async with writer.transaction() as transaction:
                await transaction.execute(INSERT, (3, "c"))
                await asyncio.to_thread(kill_sessions, primary, "app_rw")
                with pytest.raises(HostLost) if swallow else nullcontext():
                    await transaction.execute(INSERT, (4, "d"))

        with pytest.raises(LookupError):
            await fails_in_our_code()
        with pytest.raises(HostLost):
            await loses_its_session(swallow=False)
        with pytest.raises(HostLost):
            await loses_its_session(swallow=True)
        assert await writer.execute("test", INSERT, (6, "f")) == 1
    assert notes(primary) == [["1", "a"], ["6", "f"]]


async def test_a_transaction_on_a_host_demoted_meanwhile_writes_nothing(pair: Pair) -> None:
    primary, replica = pair
    async with writer_over(primary, replica, acquire_timeout=0.4) as writer:

        async def transact() -> None:
            async with writer.transaction() as transaction:
                await transaction.execute(INSERT, (1, "a"))
                await asyncio.to_thread(demote, primary)

        try:
            with pytest.raises(Unavailable, match="read-only; nothing was written"):
                await transact()
        finally:
            primary.sql("SET GLOBAL read_only = OFF")
    assert notes(primary) == []


async def test_a_cancelled_write_is_ended_in_the_server(pair: Pair) -> None:
    primary, replica = pair
    # MariaDB does it by its own time limit: a kill might hit a commit.
    limit = {"mariadb": 2, "mysql": 60}[kind_of(primary)]
    async with writer_over(primary, replica, query_timeout=limit) as writer, writer.transaction() as transaction:
        await transaction.execute(INSERT, (1, "in the way"))
        write = asyncio.create_task(writer.execute("test", INSERT, (1, "x")))
        await until(lambda: primary.sql(WAITING) != [])
        write.cancel()
        await until(lambda: primary.sql(WAITING) == [])
        with pytest.raises(asyncio.CancelledError):
            await write


async def test_a_write_that_takes_too_long_is_stopped_and_not_applied(pair: Pair) -> None:
    primary, replica = pair
    # Oracle MySQL limits SELECT only. There it is we who end the write, after its connection was given up.
    told = {"mariadb": TimedOut, "mysql": OutcomeUnknown}[kind_of(primary)]
    with closing(pymysql.connect(unix_socket=primary.socket, user="root")) as other:
        other.cursor().execute(INSERT, (1, "in the way"))
        async with writer_over(primary, replica, query_timeout=0.3) as writer:
            with pytest.raises(told):
                await writer.execute("test", INSERT, (1, "x"))
        await until(lambda: primary.sql(WAITING) == [])
    assert notes(primary) == []


async def test_a_deadlock_is_tried_once_more(pair: Pair) -> None:
    primary, replica = pair
    primary.sql("INSERT INTO mcp.note VALUES (1, 'a'), (2, 'b')")
    # The single statement locks row 1 and then row 2, the transaction the other way round.
    crosswise = "UPDATE mcp.note SET text = CONCAT(text, SLEEP(0.3)) WHERE id IN (1, 2) ORDER BY id"
    async with writer_over(primary, replica) as writer:
        async with writer.transaction() as transaction:
            for number in range(10, 60):  # the server ends the one that has changed less
                await transaction.execute(INSERT, (number, "weight"))
            await transaction.execute("UPDATE mcp.note SET text = 'c' WHERE id = 2")
            single = asyncio.create_task(writer.execute("test", crosswise))
            await asyncio.sleep(0.1)
            await transaction.execute("UPDATE mcp.note SET text = 'c' WHERE id = 1")
        assert await single == 2
    assert notes(primary)[:2] == [["1", "c0"], ["2", "c0"]]


async def test_our_database_missing_is_said_by_name(pair: Pair) -> None:
    primary, replica = pair
    primary.account("elsewhere", "elsewhere", "SELECT ON *.*")
    async with database_over(primary, replica) as database:
        settings = replace(settings_for("elsewhere", database.options.pool), schema="absent")
        writer = Writer(database, settings)
        async with writer.running():
            with pytest.raises(DatabaseError, match="absent"):
                await writer.execute("test", "DELETE FROM note")
