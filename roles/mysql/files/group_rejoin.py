#!/usr/bin/python3
"""Have the MySQL server on this host join its group again, as soon as it can, when it is no member any more.

The server itself tries once when it starts, and every five minutes after it was excluded. This tries every few seconds,
once another member says that the group runs. It never begins a group, and a server with transactions of its own is
refused by the group.

Usage: group-rejoin SOCKET SECONDS
"""

from __future__ import annotations

import contextlib
import ssl
import sys
import time
from collections.abc import Mapping
from typing import Any

import pymysql
import pymysql.cursors

# The same that the modules take before they change a server's role.
CLAIM = "SELECT GET_LOCK('trinitycore.mcp.role', 0) AS mine"
# Nothing without an account to catch up by: it never was a member.
STATE = """
SELECT m.MEMBER_STATE AS state, @@port AS port, @@group_replication_group_seeds AS seeds,
  @@group_replication_recovery_ssl_ca AS ca, r.User_name AS user, r.User_password AS password
FROM performance_schema.replication_group_members m
JOIN mysql.slave_master_info r ON r.Channel_name = 'group_replication_recovery' AND r.User_name <> ''
WHERE m.MEMBER_ID = @@server_uuid OR m.MEMBER_ID = ''
"""
RUNS = """
SELECT COALESCE(SUM(MEMBER_STATE = 'ONLINE') * 2 > COUNT(*)
  AND SUM(MEMBER_ID = @@server_uuid AND MEMBER_STATE = 'ONLINE'), 0) AS runs
FROM performance_schema.replication_group_members
"""


def group_runs(own: Mapping[str, Any]) -> bool:
    """Whether another server is in a group that runs, asked by the account that members catch up by."""
    context = ssl.create_default_context(cafile=own["ca"])
    login = {"port": own["port"], "user": own["user"], "password": own["password"], "ssl": context}
    for seed in own["seeds"].split(","):
        with contextlib.suppress(pymysql.MySQLError, OSError):
            address = seed.strip().rpartition(":")[0].strip("[]")
            server = pymysql.connect(host=address, connect_timeout=2, read_timeout=2, **login)
            with server, server.cursor() as cursor:
                cursor.execute(RUNS)
                if (cursor.fetchone() or [0])[0]:
                    return True
    return False


def look(socket: str) -> str:
    """Join if that is due; return what was found, and done, for the journal."""
    # It may have to wait until it is known whether it got in.
    server = pymysql.connect(
        unix_socket=socket,
        user="root",
        connect_timeout=5,
        read_timeout=180,
        autocommit=True,
        cursorclass=pymysql.cursors.DictCursor,
    )
    with server, server.cursor() as cursor:
        cursor.execute(STATE)
        own = cursor.fetchone() or {"state": "no member yet"}
        if own["state"] not in ("OFFLINE", "ERROR"):
            return str(own["state"])
        if not group_runs(own):
            return f"{own['state']}, and no group runs that it could join"
        cursor.execute(CLAIM)
        claim = cursor.fetchone()
        if claim is None or not claim["mine"]:
            return f"{own['state']}, and somebody is changing its role"
        if own["state"] == "ERROR":
            cursor.execute("STOP GROUP_REPLICATION")
        cursor.execute("START GROUP_REPLICATION")
    return f"was {own['state']}, joins"


def main() -> None:
    """Look again and again, and say what is new."""
    socket, seconds = sys.argv[1], float(sys.argv[2])
    said = ""
    while True:
        try:
            found = look(socket)
        except pymysql.MySQLError as error:
            found = f"it can't be asked, or does not join: {error.args[-1]}"
        if found != said:
            sys.stdout.write(f"{found}\n")
            sys.stdout.flush()
        said = found
        time.sleep(seconds)


if __name__ == "__main__":
    main()
