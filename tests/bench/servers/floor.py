"""The floor: the least that an answer in Python takes. Raw ASGI on uvicorn, typed JSON, no protocol checks at all."""

from __future__ import annotations

import sys
from typing import Any

import msgspec
import uvicorn


class Arguments(msgspec.Struct):
    """Of the trivial tool."""

    a: int
    b: int


class Params(msgspec.Struct):
    """Of tools/call."""

    arguments: Arguments


class Request(msgspec.Struct):
    """A JSON-RPC request."""

    id: int
    params: Params


_read = msgspec.json.Decoder(Request).decode
_write = msgspec.json.Encoder().encode


async def application(scope: Any, receive: Any, send: Any) -> None:
    """Add two numbers."""
    message = await receive()
    body = message["body"]
    while message.get("more_body"):
        message = await receive()
        body += message["body"]
    request = _read(body)
    total = request.params.arguments.a + request.params.arguments.b
    text = {"type": "text", "text": '{"sum":%d}' % total}
    result = {"content": [text], "structuredContent": {"sum": total}, "isError": False}
    answer = _write({"jsonrpc": "2.0", "id": request.id, "result": result})
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(answer))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": answer})


if __name__ == "__main__":
    uvicorn.run(
        application, port=int(sys.argv[1]), http="httptools", loop="uvloop", log_level="error", access_log=False
    )
