"""Accounts that may read a part of a database, on a real server."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pymysql
import pytest
import yaml
from ansible_collections.trinitycore.mcp.plugins.module_utils.mysql import accounts
from ansible_collections.trinitycore.mcp.plugins.module_utils.mysql.accounts import Account
from ansible_collections.trinitycore.mcp.plugins.module_utils.mysql.errors import DatabaseError
from ansible_collections.trinitycore.mcp.plugins.module_utils.mysql.grants import parse_grants
from ansible_collections.trinitycore.mcp.plugins.module_utils.mysql.readable import Rule
from trinitycore_mcp.database import personal
from trinitycore_mcp.tools.account import ACCOUNT_COLUMNS

from tests.unit.mysql.conftest import Node

ROOT = Path(__file__).parents[3]
RULES: dict[str, Any] = yaml.safe_load((ROOT / "roles/mysql/vars/main.yml").read_text())["mysql_partly_readable"]
PERSONAL = (
    "SELECT email FROM auth.account",
    "SELECT * FROM auth.account",
    "SELECT salt, verifier FROM auth.account",
    "SELECT id FROM auth.account ORDER BY session_key_auth",
    "SELECT id FROM auth.account WHERE last_ip LIKE '2%'",
    "SELECT ip FROM auth.ip_banned",
    "SELECT * FROM auth.secrets",
    "SELECT email FROM auth.shortcut",
    "SELECT sender_ip FROM characters.log_money",
    "SELECT password FROM characters.channels",
    "SELECT body FROM characters.mail",
)
HARMLESS = (
    "SELECT id, username, last_login FROM auth.account",
    "SELECT COUNT(*) FROM auth.account",
    "SELECT * FROM auth.realmlist",
    "SELECT name FROM characters.channels",
    "SELECT money FROM characters.log_money",
    "SELECT id FROM characters.mail",
    "SELECT * FROM characters.characters",
)
GAME = (
    "CREATE DATABASE auth",
    "CREATE DATABASE characters",
    "CREATE TABLE auth.account (id INT, username VARCHAR(9), salt INT, verifier INT, session_key_auth INT,"
    " email INT, last_ip VARCHAR(9), last_login INT)",
    "CREATE TABLE auth.ip_banned (ip INT)",
    "CREATE TABLE auth.secrets (id INT)",
    "CREATE TABLE auth.realmlist (id INT, name INT)",
    "CREATE VIEW auth.shortcut AS SELECT id, email FROM auth.account",
    "CREATE TABLE characters.characters (guid INT)",
    "CREATE TABLE characters.log_money (money INT, sender_ip INT)",
    "CREATE TABLE characters.channels (name INT, password INT)",
    "CREATE TABLE characters.mail (id INT, body INT)",
)


def reader(rules: dict[str, Any] = RULES) -> Account:
    return Account.from_dict(
        {"user": "reader", "host": "%", "password": "r", "tls": False, "privileges": {}, "readable": rules}
    )


@pytest.fixture
def primary(node: Callable[[int], Node]) -> Node:
    """A primary without the game's databases."""
    one = node(1)
    one.bootstrap()
    return one


def ensure(node: Node, account: Account, dry: bool = False) -> list[str]:
    with node.connect() as server:
        return accounts.ensure(server, node.flavor, account, dry)


def allowed(node: Node, statement: str) -> bool:
    """Whether the account may run a statement."""
    session = pymysql.connect(unix_socket=node.socket, user="reader", password="r")
    with session, session.cursor() as cursor:
        try:
            cursor.execute(statement)
        except pymysql.err.MySQLError as error:
            if error.args[0] not in (1142, 1143, 1356):
                raise
            return False
        return True


def test_nothing_personal_can_be_selected(primary: Node) -> None:
    for statement in GAME:
        primary.server.sql(statement)
    foretold = ensure(primary, reader(), dry=True)
    assert ensure(primary, reader()) == foretold
    assert [statement for statement in PERSONAL if allowed(primary, statement)] == []
    assert [statement for statement in HARMLESS if not allowed(primary, statement)] == []
    assert ensure(primary, reader()) == []
    primary.server.sql("GRANT SELECT ON auth.account TO reader@'%'")
    assert "revoke SELECT on `auth`.`account` from reader@%" in ensure(primary, reader())
    assert [statement for statement in PERSONAL if allowed(primary, statement)] == []
    assert [statement for statement in HARMLESS if not allowed(primary, statement)] == []
    assert ensure(primary, reader()) == []


def test_rights_follow_the_tables(primary: Node) -> None:
    """Tables that come, change and go after the account was made; each further run settles it."""
    assert ensure(primary, reader())[0].startswith("create account")
    assert ensure(primary, reader()) == []
    for statement in GAME:
        primary.server.sql(statement)
    assert "grant SELECT on `auth`.`realmlist` to reader@%" in ensure(primary, reader())
    assert ensure(primary, reader()) == []
    primary.server.sql("ALTER TABLE characters.characters ADD COLUMN last_ip INT, ADD COLUMN `od,d ``(x)` INT")
    done = ensure(primary, reader())
    assert "revoke SELECT on `characters`.`characters` from reader@%" in done
    assert ensure(primary, reader()) == []
    assert allowed(primary, "SELECT guid, `od,d ``(x)` FROM characters.characters")
    assert not allowed(primary, "SELECT last_ip FROM characters.characters")
    primary.server.sql("DROP TABLE auth.realmlist; ALTER TABLE auth.account DROP COLUMN last_login")
    assert "revoke SELECT on `auth`.`realmlist` from reader@%" in ensure(primary, reader())
    assert ensure(primary, reader()) == []
    primary.server.sql("DROP DATABASE characters")
    assert ensure(primary, reader())
    assert ensure(primary, reader()) == []


def test_the_roles_columns_of_account_are_those_that_tools_read() -> None:
    listed = {pattern.removeprefix("account.") for pattern in RULES["auth"]["only"] if pattern.startswith("account.")}
    assert listed == set(ACCOUNT_COLUMNS)


def test_what_the_role_closes_is_what_the_server_takes_for_personal() -> None:
    assert set(RULES["characters"]["but"]) <= set(personal.PERSONAL["characters"])
    rule = Rule("auth", only=tuple(personal.PERSONAL["auth"]))  # "only", so that it allows what is listed
    assert [column for column in ACCOUNT_COLUMNS if rule.allows("account", column)] == []
    for column in ("email", "last_ip", "salt", "verifier", "session_key_auth", "token_key", "lock_country"):
        assert rule.allows("account", column)


@pytest.mark.parametrize(
    "rule",
    [{}, {"only": ["a.b"], "but": ["a.c"]}, {"all": ["a.b"]}, {"only": ["account"]}],
)
def test_a_rule_that_can_not_be_meant_is_refused(rule: dict[str, Any]) -> None:
    with pytest.raises(DatabaseError, match=r"readable\.auth"):
        Rule.from_dict("auth", rule)


def test_grants_on_columns_are_read_one_by_one() -> None:
    lines = [
        "GRANT SELECT (`id`, `a``,b)`), INSERT, UPDATE (id) ON `auth`.`account` TO `x`@`%`",
        "GRANT REPLICATION SLAVE, SLAVE MONITOR ON *.* TO `x`@`%` WITH GRANT OPTION",
    ]
    assert parse_grants(lines) == {
        "`auth`.`account`": {"SELECT (`id`)", "SELECT (`a``,b)`)", "INSERT", "UPDATE (`id`)"},
        "*.*": {"REPLICATION SLAVE", "SLAVE MONITOR", "GRANT OPTION"},
    }
