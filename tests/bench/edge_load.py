"""Calls at a constant rate over kept connections, from a host that has nothing but Python; prints latencies as JSON.

``edge_load.py ADDRESS PORT NAME RATE SECONDS CONNECTIONS CA [CERTIFICATE KEY] < request``: the request is one whole
HTTP request. The rate is kept however slow the answers are (an open loop), so waiting for a slow answer is counted too.
"""

from __future__ import annotations

import asyncio
import json
import ssl
import sys
import time


async def answer_to(reader: asyncio.StreamReader) -> bytes:
    """Return an answer's body; the head must have a length."""
    head = await reader.readuntil(b"\r\n\r\n")
    fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:] if b": " in line)
    body = await reader.readexactly(int(fields[b"content-length"]))
    if not head.startswith(b"HTTP/1.1 200 "):
        raise OSError(head.split(b"\r\n")[0].decode())
    return body


async def run(arguments: list[str], request: bytes) -> dict[str, object]:
    """Make the calls; returns latencies in milliseconds, and errors."""
    address, port, name, rate, seconds, connections, ca, *pair = arguments
    context = ssl.create_default_context(cafile=ca)
    if pair:
        context.load_cert_chain(*pair)
    idle: asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = asyncio.Queue()
    for _ in range(int(connections)):
        idle.put_nowait(await asyncio.open_connection(address, int(port), ssl=context, server_hostname=name))
    latencies: list[float] = []
    errors: list[str] = []

    async def call(due: float) -> None:
        reader, writer = await idle.get()
        try:
            writer.write(request)
            body = await answer_to(reader)
            if b'"isError":true' in body or b'"result"' not in body:
                raise OSError(body[:200].decode())
            latencies.append((time.perf_counter() - due) * 1000)
        except (OSError, ValueError, asyncio.IncompleteReadError) as error:
            errors.append(repr(error))
        idle.put_nowait((reader, writer))

    began, calls = time.perf_counter(), []
    for number in range(int(float(rate) * float(seconds))):
        due = began + number / float(rate)
        await asyncio.sleep(due - time.perf_counter())
        calls.append(asyncio.create_task(call(due)))
    await asyncio.gather(*calls)
    return {"latencies": latencies, "errors": errors}


if __name__ == "__main__":
    print(json.dumps(asyncio.run(run(sys.argv[1:], sys.stdin.buffer.read()))))
