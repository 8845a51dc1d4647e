"""The options of `trinitycore.mcp.component`, shared by its action plugin and its module."""

from __future__ import annotations

from typing import Any

_OWNERSHIP: dict[str, Any] = {
    "owner": {"type": "str", "default": "root"},
    "group": {"type": "str", "default": "root"},
}

READY_SPEC: dict[str, Any] = {
    "port": {"type": "int"},
    "host": {"type": "str", "default": "127.0.0.1"},
    "url": {"type": "str"},
    "ca_file": {"type": "path"},
    "cert_file": {"type": "path"},
    "key_file": {"type": "path"},
    "server_name": {"type": "str"},
    "status": {"type": "list", "elements": "int"},
    "command": {"type": "list", "elements": "str"},
    "timeout": {"type": "float", "default": 30.0},
}

ARGUMENT_SPEC: dict[str, Any] = {
    "groups": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            "name": {"type": "str", "required": True},
            "gid": {"type": "int"},
            "system": {"type": "bool", "default": False},
        },
    },
    "users": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            "name": {"type": "str", "required": True},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "uid": {"type": "int"},
            "system": {"type": "bool", "default": False},
            "group": {"type": "str"},
            "groups": {"type": "list", "elements": "str"},
            "append": {"type": "bool", "default": True},
            "home": {"type": "path"},
            "shell": {"type": "path"},
            "create_home": {"type": "bool", "default": False},
            "comment": {"type": "str"},
        },
    },
    "directories": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            "path": {"type": "path", "required": True},
            "mode": {"type": "str", "default": "0755"},
            **_OWNERSHIP,
        },
    },
    "files": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            "dest": {"type": "path", "required": True},
            "template": {"type": "str"},
            "vars": {"type": "dict"},
            "src": {"type": "str"},
            "content": {"type": "str", "no_log": True},
            "mode": {"type": "str", "default": "0644"},
            "secret": {"type": "bool", "default": False, "no_log": False},
            "force": {"type": "bool", "default": True},
            "validate": {"type": "str"},
            "block": {"type": "bool", "default": False},
            **_OWNERSHIP,
        },
    },
    "links": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            "path": {"type": "path", "required": True},
            "target": {"type": "str", "required": True},
        },
    },
    "absent": {"type": "list", "elements": "path", "default": []},
    "check": {"type": "list", "elements": "str", "default": []},
    "units": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            "name": {"type": "str", "required": True},
            "state": {"type": "str", "choices": ["started", "stopped"]},
            "enabled": {"type": "bool"},
            "masked": {"type": "bool"},
            "restart_on": {"type": "list", "elements": "path"},
            "reload_on": {"type": "list", "elements": "path"},
            "probe": {"type": "list", "elements": "str"},
            "ready": {
                "type": "dict",
                "options": READY_SPEC,
                "mutually_exclusive": [["port", "url", "command"]],
                "required_one_of": [["port", "url", "command"]],
                "required_together": [["cert_file", "key_file"]],
            },
        },
    },
    # The files' contents, as the action plugin packs them: opaque, so that neither the log of the
    # target nor the returned invocation can show a secret.
    "payload": {"type": "str", "no_log": True},
}
