"""`trinitycore-mcp call`: one tool call, made by the MCP SDK's own client."""

from __future__ import annotations

import asyncio
import json
import ssl
import sys
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

import httpx2
from mcp import Client, MCPError
from mcp.client.streamable_http import streamable_http_client
from mcp.types import CallToolResult, TextContent


@dataclass(frozen=True)
class Target:
    """Where and how to call."""

    url: str
    ca_file: Path | None = None
    address: str | None = None
    """Connect here instead of to the address of the URL's host; TLS still checks the URL's name."""
    key: str | None = None
    certificate_file: Path | None = None
    certificate_key_file: Path | None = None
    mode: str = "auto"
    """Protocol era: auto, legacy (initialize), or a revision such as 2026-07-28."""
    timeout: float = 10.0


class _Resolved(httpx2.AsyncHTTPTransport):
    """Connects to a fixed address; name in TLS and Host header stay those of the URL."""

    def __init__(self, address: str, verify: ssl.SSLContext | bool) -> None:
        super().__init__(verify=verify)
        self._address = address

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        request.extensions = {**request.extensions, "sni_hostname": request.url.host}
        request.url = request.url.copy_with(host=self._address)
        return await super().handle_async_request(request)


@dataclass(frozen=True)
class Answer:
    """What came back."""

    is_error: bool
    result: Any
    """The structured content, else the texts."""
    instance: str | None
    protocol: str
    seconds: float


class ToolCaller:
    """Makes calls over one MCP client."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._instance: str | None = None
        self.status: int | None = None
        """HTTP status of the last answer."""

    async def call(self, tool: str, arguments: dict[str, Any], times: int = 1) -> list[Answer]:
        """Call the tool, `times` times one after the other.

        :raises Exception: no connection, refused, or a protocol error (`MCPError`, `httpx2.HTTPError`).
        """
        target = self._target
        verify = self._tls()
        transport = _Resolved(target.address, verify) if target.address else httpx2.AsyncHTTPTransport(verify=verify)
        headers = {"authorization": f"Bearer {target.key}"} if target.key else {}

        async def remember(response: httpx2.Response) -> None:
            self._instance = response.headers.get("x-mcp-instance")
            self.status = response.status_code

        hooks = {"response": [remember]}
        async with httpx2.AsyncClient(
            transport=transport, headers=headers, timeout=target.timeout, event_hooks=hooks
        ) as http:
            connection = streamable_http_client(target.url, http_client=http)
            async with Client(connection, mode=target.mode, read_timeout_seconds=target.timeout) as client:
                answers = []
                for _ in range(times):
                    started = perf_counter()
                    result = await client.call_tool(tool, arguments)
                    seconds = perf_counter() - started
                    answers.append(self._answer(result, str(client.protocol_version), seconds))
                return answers

    def _answer(self, result: CallToolResult, protocol: str, seconds: float) -> Answer:
        content: Any = result.structured_content
        if content is None:
            content = "\n".join(part.text for part in result.content if isinstance(part, TextContent))
        return Answer(bool(result.is_error), content, self._instance, protocol, seconds)

    def _tls(self) -> ssl.SSLContext | bool:
        target = self._target
        if not target.url.startswith("https"):
            return True
        context = ssl.create_default_context(cafile=target.ca_file)
        if target.certificate_file:
            context.load_cert_chain(target.certificate_file, target.certificate_key_file)
        return context


def run(target: Target, tool: str, arguments: dict[str, Any], *, times: int, verbose: bool) -> int:
    """Call and print one JSON document a line (indented when it is one).

    :return: 0, or 1 when the tool reported an error, or 2 when there was no answer.
    """
    caller = ToolCaller(target)
    try:
        answers = asyncio.run(caller.call(tool, arguments, times))
    except Exception as error:
        failure = _first(error)
        if not isinstance(failure, MCPError | httpx2.HTTPError | OSError):
            raise
        status = f" (HTTP {caller.status})" if caller.status else ""
        print(f"trinitycore-mcp: {target.url}: {str(failure) or type(failure).__name__}{status}", file=sys.stderr)
        return 2
    for answer in answers:
        shown = answer.result
        if verbose:
            shown = {
                "instance": answer.instance,
                "protocol": answer.protocol,
                "duration_ms": round(answer.seconds * 1000, 3),
                "is_error": answer.is_error,
                "result": answer.result,
            }
        print(json.dumps(shown, ensure_ascii=False, indent=2 if times == 1 else None))
    return 1 if any(answer.is_error for answer in answers) else 0


def _first(error: BaseException) -> BaseException:
    """Return what is inside the task groups' wrappings."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
