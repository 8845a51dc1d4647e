"""What the hostile tests share: a server that can tell tokens, and what every answer to a hostile request must be."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis

from server.tests.access_support import ISSUER, RESOURCE, rsa_signer
from server.tests.wire_support import complaints, serving
from tests.support.mariadb import MariaDb
from tests.support.mcp_server import Answer, McpServer

MAX_BODY = 64 * 1024
DATABASES = ("auth", "characters", "world")
# The same examples in every run: a test must not fail because of its luck.
settings = hypothesis.settings(
    max_examples=150, derandomize=True, deadline=None, database=None, suppress_health_check=list(hypothesis.HealthCheck)
)
# What comes from the inside of a program or a database and helps only who attacks it.
_INTERNAL = re.compile(
    r'Traceback|File \\?"|site-packages|\.py\b|pydantic|msgspec|asyncmy|Errno|line \d+, in|object at 0x'
    r"|You have an error in your SQL|near '|INFORMATION_SCHEMA\.|GROUP BY|ORDER BY"
)


@contextlib.contextmanager
def attacked(mariadb: MariaDb, directory: Path) -> Iterator[McpServer]:
    """Run a server; in the end it must still serve, and have logged no defect."""
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "jwks.json").write_text(json.dumps({"keys": [rsa_signer().public()]}))
    with serving(
        directory,
        mariadb,
        server={"max_body_size": MAX_BODY},
        auth={"jwt": {"jwks_file": str(directory / "jwks.json"), "issuer": ISSUER, "audience": RESOURCE}},
        cache={"local_entries": 300},
        database={"pool": {"query_timeout": 1.0}},
    ) as server:
        yield server
        assert server.get("/health/ready").status == 200
        assert complaints(server) == []


def check_text(text: str) -> None:
    """Fail when an answer tells of our inside."""
    found = _INTERNAL.search(text)
    assert found is None, f"{found}: {text[:1000]}"


def check(answer: Answer) -> dict[str, Any]:
    """Return an answer's JSON-RPC message ({} when it has none), once it is a proper answer.

    Whatever was sent: no server error, no internal detail, and a body that says what its status says.
    """
    assert answer.status < 500, answer
    check_text(answer.body)
    if not answer.body or not answer.headers["content-type"].startswith("application/json"):
        return {}
    message: dict[str, Any] = answer.json()
    if "jsonrpc" not in message:
        assert answer.status >= 400
        assert isinstance(message["error"], str)
        return {}
    assert message["jsonrpc"] == "2.0"
    assert ("result" in message) is not ("error" in message)
    if "error" in message:
        assert isinstance(message["error"]["message"], str)
        assert message["error"]["code"] not in (-32603, 0), answer  # it is the client's fault, not ours
    return message
