"""From a module's options to the servers that it speaks with over the network."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from .connection import Connection, open_remote
from .replica import Primary
from .switchover import Server

HOST: dict[str, dict[str, Any]] = {
    "name": {"type": "str", "required": True},
    "address": {"type": "str", "required": True},
}

# Documented in the fragment mysql_servers.
SERVERS: dict[str, dict[str, Any]] = {
    "members": {"type": "list", "elements": "dict", "required": True, "options": HOST},
    "port": {"type": "int", "default": 3306},
    "admin_user": {"type": "str", "default": "admin"},
    "admin_password": {"type": "str", "required": True, "no_log": True},
    "ca_file": {"type": "path", "required": True},
}

# Documented in the fragment mysql_roles.
OPTIONS: dict[str, dict[str, Any]] = {
    **SERVERS,
    "replication_user": {"type": "str", "default": "replication"},
    "replication_password": {"type": "str", "required": True, "no_log": True},
    "timeout": {"type": "float", "default": 30.0},
}


# Documented in the fragment mysql_followed.
FOLLOWED: dict[str, dict[str, Any]] = {
    "primary": {"type": "dict", "required": True, "options": HOST},
    "port": {"type": "int", "default": 3306},
    "user": {"type": "str", "default": "replication"},
    "password": {"type": "str", "required": True, "no_log": True},
    "ca_file": {"type": "path", "required": True},
}


def primary_of(options: Mapping[str, Any], schema: str = "") -> Primary:
    """Return how the primary is reached and followed, from options as in FOLLOWED.

    :param schema: our own database there, where it is looked at.
    """
    return Primary(
        name=options["primary"]["name"],
        address=options["primary"]["address"],
        port=options["port"],
        user=options["user"],
        password=options["password"],
        ca_file=options["ca_file"],
        schema=schema,
    )


def below_zero(options: Mapping[str, Any]) -> str:
    """Return what is wrong with a number that must not be below 0; empty: nothing is."""
    for name, value in options.items():
        if isinstance(value, int | float) and value < 0:
            return f"{name} is {value}; it must not be below 0"
    return ""


def login_of(
    member: Mapping[str, str], options: Mapping[str, Any], *, timeout: float, answer: float
) -> Callable[[], Connection]:
    """Return what logs in to a database host by the account that switches roles.

    :param options: port, ca_file, and user and password of admin.
    :param timeout: seconds after which it counts as silent.
    :param answer: seconds that any statement may take.
    """
    address, port, user = member["address"], options["port"], options["admin_user"]
    return lambda: open_remote(
        address, port, user, options["admin_password"], options["ca_file"], timeout=timeout, answer=answer
    )


def server_of(
    member: Mapping[str, str], options: Mapping[str, Any], *, timeout: float = 10.0, answer: float = 60.0
) -> Server:
    """Return how a database host is reached, and followed.

    :param member: its name and address.
    :param options: port, ca_file, and user and password of admin and replication.
    :param timeout: seconds after which it counts as silent.
    :param answer: seconds that any statement may take.
    """
    followed = Primary(
        name=member["name"],
        address=member["address"],
        port=options["port"],
        user=options["replication_user"],
        password=options["replication_password"],
        ca_file=options["ca_file"],
        schema="",
    )
    return Server(member["name"], login_of(member, options, timeout=timeout, answer=answer), followed)
