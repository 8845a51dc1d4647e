"""A client that speaks HTTP/3 (RFC 9114) and nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aioquic.asyncio.client import connect
from aioquic.asyncio.protocol import QuicConnectionProtocol
from aioquic.h3.connection import H3_ALPN, H3Connection
from aioquic.h3.events import DataReceived, H3Event, HeadersReceived
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.events import QuicEvent


@dataclass
class Answer:
    """An answer, complete once ``done`` is."""

    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    done: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def status(self) -> int:
        """The status code."""
        return int(self.headers[":status"])


class _Client(QuicConnectionProtocol):
    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._http = H3Connection(self._quic)
        self._answers: dict[int, Answer] = {}

    async def post(self, domain: str, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
        stream, answer = self._quic.get_next_available_stream_id(), Answer()
        self._answers[stream] = answer
        head = {":method": "POST", ":scheme": "https", ":authority": domain, ":path": path, **headers}
        self._http.send_headers(stream, [(name.encode(), value.encode()) for name, value in head.items()])
        self._http.send_data(stream, body, end_stream=True)
        self.transmit()
        await answer.done.wait()
        return answer

    def quic_event_received(self, event: QuicEvent) -> None:
        for each in self._http.handle_event(event):
            self._take(each)

    def _take(self, event: H3Event) -> None:
        if not isinstance(event, HeadersReceived | DataReceived):
            return
        answer = self._answers[event.stream_id]
        if isinstance(event, HeadersReceived):
            answer.headers |= {name.decode(): value.decode() for name, value in event.headers}
        else:
            answer.body += event.data
        if event.stream_ended:
            answer.done.set()


def post(address: str, domain: str, ca_file: Path, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
    """Return the answer to one POST, over a connection of its own.

    :param address: where the server of the domain is, at UDP port 443.
    :param headers: names in lower case.
    :raises TimeoutError: there is none in ten seconds.
    :raises ConnectionError: nobody speaks QUIC there, or not with a certificate of that authority.
    """

    async def ask() -> Answer:
        settings = QuicConfiguration(is_client=True, alpn_protocols=H3_ALPN, server_name=domain)
        settings.load_verify_locations(cafile=str(ca_file))
        async with asyncio.timeout(10), connect(address, 443, configuration=settings, create_protocol=_Client) as one:
            assert isinstance(one, _Client)
            return await one.post(domain, path, headers, body)

    return asyncio.run(ask())
