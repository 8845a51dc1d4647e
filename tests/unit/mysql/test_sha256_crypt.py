"""MySQL's password hashes: by the algorithm's published vectors, and against a server."""

from __future__ import annotations

import pymysql
import pytest
from ansible_collections.trinitycore.mcp.plugins.module_utils.mysql.sha256_crypt import (
    authentication_string,
    new_salt,
    salt_of,
    sha256_crypt,
)

from tests.support.mysql import MySql


@pytest.mark.parametrize(
    ("rounds", "salt", "password", "expected"),
    [  # of the specification
        (5000, b"saltstring", b"Hello world!", "5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5"),
        (10000, b"saltstringsaltst", b"Hello world!", "3xv.VbSHBb41AL9AvLeujZkZRBAwqFMz2.opqey6IcA"),
        (
            1400,
            b"anotherlongsalts",
            b"a very much longer text to encrypt.  This one even stretches over morethan one line.",
            "Rx.j8H.h8HjEDGomFU8bDkXm3XIUnzyxf12oP84Bnq1",
        ),
    ],
)
def test_published_vectors(rounds: int, salt: bytes, password: bytes, expected: str) -> None:
    assert sha256_crypt(password, salt, rounds) == expected


def test_it_is_what_the_server_keeps(tmp_path_factory: pytest.TempPathFactory) -> None:
    with MySql.start(tmp_path_factory.mktemp("c")) as server:
        for password in ("a", "secret-s", "pa ss %s $", "x" * 70):
            ours = authentication_string(password, new_salt())
            server.sql(f"CREATE USER one@localhost IDENTIFIED WITH caching_sha2_password AS '{ours}'")
            with pymysql.connect(unix_socket=server.socket, user="one", password=password) as session:
                session.cursor().execute("SELECT 1")
            server.sql(f"ALTER USER one@localhost IDENTIFIED BY '{password}'")
            with pymysql.connect(unix_socket=server.socket, user="root") as session:
                cursor = session.cursor()
                cursor.execute("SELECT authentication_string FROM mysql.user WHERE User = 'one'")
                [(theirs,)] = cursor.fetchall()
            theirs = theirs.decode() if isinstance(theirs, bytes) else theirs
            if salt := salt_of(theirs):  # which the server draws from more characters than can be compared as text
                assert authentication_string(password, salt) == theirs
            server.sql("DROP USER one@localhost")


@pytest.mark.parametrize("kept", ["", "*94BDCEBE19083CE2A1F959FD02F964C7AF4CFC29", "$A$005$short"])
def test_another_kind_has_no_salt(kept: str) -> None:
    assert salt_of(kept) is None
