"""What the tests of the process share: held tables, calls in the background, streams of events, a service manager."""

from __future__ import annotations

import http.client
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pymysql

from server.tests.wire_support import headers_of, message_of
from tests.support.mariadb import MariaDb
from tests.support.mcp_server import KEY, McpServer


@contextmanager
def held(mariadb: MariaDb, table: str = "creature_template") -> Iterator[Callable[[], object]]:
    """Keep readers of a table of the world waiting until the callable is called, or the context ends."""
    holder = pymysql.connect(unix_socket=mariadb.socket, user="root", database="world")
    with holder.cursor() as cursor:
        cursor.execute(f"LOCK TABLES {table} WRITE")
    try:
        yield lambda: holder.query("UNLOCK TABLES")
    finally:
        holder.close()


def waiting_for_a_table(mariadb: MariaDb) -> int:
    """Return how many statements wait for a held table."""
    sql = "SELECT COUNT(*) FROM information_schema.processlist WHERE state LIKE 'Waiting for table%'"
    return int(mariadb.sql(sql)[0][0])


def until(condition: Callable[[], object], timeout: float = 10.0) -> None:
    """Wait for something to become true.

    :raises TimeoutError: it did not.
    """
    deadline = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError("still not so")
        time.sleep(0.02)


def in_background(work: Callable[[], Any]) -> Future[Any]:
    """Run `work` in a thread of its own."""
    outcome: Future[Any] = Future()

    def run() -> None:
        try:
            outcome.set_result(work())
        except Exception as error:
            outcome.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    return outcome


class Events:
    """A request whose answer is a stream of events, read message by message."""

    def __init__(
        self,
        server: McpServer,
        method: str,
        params: Mapping[str, Any],
        *,
        name: str | None = None,
        version: str = "2026-07-28",
        key: str = KEY,
        ident: Any = "a-stream",
    ) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=15)
        body = json.dumps(message_of(method, params, version=version, ident=ident)).encode()
        self._connection.request("POST", "/mcp", body, headers_of(method, name, version=version, key=key))
        self.answer = self._connection.getresponse()
        assert self.answer.status == 200, self.answer.read()
        assert (self.answer.getheader("content-type") or "").startswith("text/event-stream")

    def next(self) -> Any:
        """Return the next message, None at the end of the stream."""
        while line := self.answer.readline():
            if line.startswith(b"data:") and line[5:].strip():
                return json.loads(line[5:])
        return None

    def close(self) -> None:
        """Leave."""
        self.answer.close()
        self._connection.close()


def listen(server: McpServer, key: str = KEY, **wanted: Any) -> Events:
    """Listen to change notices; the acknowledgement has been read."""
    stream = Events(server, "subscriptions/listen", {"notifications": wanted}, key=key)
    acknowledged = stream.next()
    assert acknowledged["method"] == "notifications/subscriptions/acknowledged", acknowledged
    assert acknowledged["params"]["notifications"] == wanted
    return stream


class Manager:
    """What systemd's side of the notification socket hears."""

    def __init__(self, path: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(path))
        self.environment = {"NOTIFY_SOCKET": str(path)}

    def next(self, timeout: float = 10.0) -> str:
        """Return the next message.

        :raises TimeoutError: there is none.
        """
        self._socket.settimeout(timeout)
        return self._socket.recv(1000).decode()

    def next_but(self, ignored: str) -> str:
        """Return the next message that is another one than this."""
        while (message := self.next()) == ignored:
            pass
        return message

    def rest(self) -> list[str]:
        """Return what has come so far and was not read."""
        messages = []
        try:
            while True:
                messages.append(self.next(0.001))
        except TimeoutError:
            return messages

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()
